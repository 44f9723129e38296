//! A quote that was changed behind our back is named by the audit, shown to nobody and used by nobody.

use counterfoil::{db, pricing::quotes};
use serde_json::json;

use crate::support::{app::TestApp, both::both};

both! {
    async fn a_changed_quote_is_found(db: TestDb) {
        let app = TestApp::start(&db).await;
        let client = app.client("pricing:read pricing:quote").await;
        let token = client.mint(&app).await;
        let body = json!({ "source_currency": "USD", "dest_currency": "USD", "amount": "1000.00" });
        let mut ids = Vec::new();
        for _ in 0..2 {
            let made = client.post(&app, &token, "/v1/pricing/quote", &body).await.json();
            ids.push(made["quote_id"].as_str().unwrap().to_owned());
        }
        assert_eq!(quotes::verify(&app.ctx).await.unwrap(), (2, Vec::new()));
        let change = "UPDATE quotes SET fee_minor = fee_minor - 1 WHERE id = $1";
        db::write!(app.ctx.db, client.merchant, |tx| Ok(db::exec!(tx, change, &ids[0])?)).unwrap();
        let (looked_at, faults) = quotes::verify(&app.ctx).await.unwrap();
        assert_eq!((looked_at, faults.len()), (2, 1));
        assert!(faults[0].contains(&ids[0]) && faults[0].contains("follow"), "{faults:?}");
        let path = |id: &str| format!("/v1/pricing/quotes/{id}");
        let shown = client.get(&app, &token, &path(&ids[0])).await.expect_status(500).json();
        assert_eq!(shown["error"]["message"], "internal server error");
        client.get(&app, &token, &path(&ids[1])).await.expect_status(200);
    }
}
