//! The database goes away and comes back while callers call.

use std::time::Duration;

use counterfoil::{
    base::failure::Result,
    db::{self, Db, Owner},
};

use crate::support::{
    app::TestApp,
    both::{SHORT_PATIENCE, TestDb},
    http::{Request, Response},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_refuses_cleanly_and_recovers_by_itself() {
    let (db, line) = TestDb::postgres_on_a_line().await;
    let app = TestApp::with(&db, |config| {
        config.database.patience = SHORT_PATIENCE;
    })
    .await;
    let client = app.client("pricing:read").await;
    let token = client.mint(&app).await;
    client.get(&app, &token, "/v1/credential").await.expect_status(200);

    line.cut();
    app.hands.advance(Duration::from_secs(2));
    app.send(Request::get("/healthz")).await.expect_status(200);
    let ready = app.send(Request::get("/readyz")).await.expect_status(503).json();
    assert_eq!(ready["checks"]["database"], "unavailable");
    assert_eq!(ready["checks"]["keys"], "ok");
    let proof = client.key.proof(&app, "GET", "/v1/credential", Some(&token));
    let call = Request::get("/v1/credential")
        .header("Authorization", format!("DPoP {token}"))
        .header("DPoP", proof);
    let refused = app.send(call.clone()).await.expect_status(503);
    assert!(refused.header("Retry-After").is_some());
    assert_eq!(refused.json()["error"]["code"], "unavailable");
    let refused = app.send(client.token_request(&app)).await.expect_status(503);
    assert_eq!(refused.json()["error"], "temporarily_unavailable");

    line.mend();
    let recovered = async {
        loop {
            // Verdicts age by this clock.
            app.hands.advance(Duration::from_secs(1));
            let answer: Response = app.send(Request::get("/readyz")).await;
            if answer.status == 200 {
                break;
            }
        }
        // The lane of used proofs asks for no connection for half a second after one was refused.
        while passing(&app.ctx.db).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), recovered).await.unwrap();
    // A request that was refused for our sake has not spent its proof.
    app.send(call).await.expect_status(200);
    app.stop().await;
}

async fn passing(db: &Db) -> Result<u64> {
    db::write!(db, Owner::Passing, |tx| Ok(db::exec!(tx, "SELECT 1")?))
}
