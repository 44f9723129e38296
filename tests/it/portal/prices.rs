//! Plans, rates and a price to try: what the merchant sees is what a quote would say.

use counterfoil::{
    config::RateFile,
    oauth::{jose::KeyKind, scopes::Scopes},
    pricing::plans::{self, Format},
};
use serde_json::json;

use super::{Shop, visitor::between};
use crate::support::{app::TestApp, both::both};

const TIERED: &str = r#"
    [[plans]]
    key = "volume"
    name = "By <volume>"
    method = "wallet"
    fee_type = "tiered"
    fixed_currency = "USD"
    tier_mode = "slice"
    tier_on = "amount"
    tiers = [
        { min_volume = "0.00", max_volume = "1000.00", fixed_fee = "1.00", percentage_fee = "0.50" },
        { min_volume = "1000.00", fixed_fee = "0.00", percentage_fee = "0.25" },
    ]
"#;

async fn import(app: &TestApp, toml: &str) {
    let drafts = plans::drafts(toml, Format::Toml).unwrap();
    plans::import(&app.ctx, &drafts).await.unwrap();
    app.hands.advance(plans::LEAD);
}

both! {
    async fn a_price_that_is_tried_is_the_price_of_a_quote_and_is_not_one(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let mut owner = shop.owner(&app).await;
        let token = client.mint(&app).await;
        for method in ["sepa", "swift"] {
            let body = json!({ "source_currency": "USD", "dest_currency": "EUR",
                "amount": "1000.00", "method": method });
            let path = format!(
                "/portal/prices?amount=1000.00&source_currency=USD&dest_currency=EUR&method={method}"
            );
            let page = owner.get(&path).await.expect_status(200).text();
            let quote = client.post(&app, &token, "/v1/pricing/quote", &body).await.json();
            let fee = format!("{} {}", quote["fee"].as_str().unwrap(), quote["fee_currency"].as_str().unwrap());
            assert!(between(&page, "<dt>Fee</dt>", "</dd>").unwrap().contains(&fee), "{fee}: {page}");
            let dest = quote["offer"]["dest_amount"].as_str().unwrap();
            let got = between(&page, "<dt>They get</dt>", "</dd>").unwrap();
            assert!(got.contains(dest), "{dest}: {got}");
            assert!(page.contains("it prices this payment") && page.contains("rounding"), "{page}");
            assert!(page.contains("value=\"1000.00\"") && page.contains(&format!("value=\"{method}\" selected")));
        }
        let listed = client.get(&app, &token, "/v1/pricing/quotes").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 2, "looking makes no quote");
        app.stop().await;
    }

    async fn what_cannot_be_priced_says_why_and_keeps_what_was_typed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let mut owner = shop.owner(&app).await;
        let at = |query: &str| format!("/portal/prices?{query}");
        let query = "amount=ten&source_currency=usd&dest_currency=&dest_country=Mars&method=owl";
        let page = owner.get(&at(query)).await.expect_status(422).text();
        for fault in ["amount", "source_currency", "dest_currency", "dest_country", "method"] {
            assert!(page.contains(&format!("id=\"{fault}-fault\"")), "{fault}: {page}");
        }
        for kept in ["value=\"ten\"", "value=\"usd\"", "value=\"Mars\" selected", "value=\"owl\" selected"] {
            assert!(page.contains(kept), "{kept}");
        }
        assert!(page.contains("Standard payout"), "the plans are there all the same");
        let page = owner.get(&at("base=XXXXXX")).await.expect_status(400).text();
        assert!(page.contains("id=\"base-fault\""), "{page}");
        let page = owner.get(&at("base=JPY")).await.expect_status(200).text();
        assert!(page.contains("What one JPY is worth") && page.contains("value=\"JPY\" selected"));
        owner.get(&at("other=1")).await.expect_status(400);
        app.stop().await;
    }

    async fn each_sees_the_plans_that_apply_to_them(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (shop, other) = (Shop::open(&app).await, Shop::open(&app).await);
        import(&app, TIERED).await;
        let own = format!("{}\nmerchant = \"{}\"", TIERED.replace("By <volume>", "Handshake")
            .replace("key = \"volume\"", "key = \"own\""), shop.merchant);
        import(&app, &own).await;
        import(&app, &TIERED.replace("percentage_fee = \"0.25\"", "percentage_fee = \"0.20\"")).await;
        let page = shop.owner(&app).await.get("/portal/prices").await.expect_status(200).text();
        assert!(page.contains("Handshake") && page.contains("made for you"), "{page}");
        assert!(page.contains("By &lt;volume&gt;") && !page.contains("By <volume>"));
        for shown in ["2 tiers", "2 versions", "no end", "A plan made for the merchant goes before",
            "Payments by wallet"] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        let page = other.owner(&app).await.get("/portal/prices").await.expect_status(200).text();
        assert!(!page.contains("Handshake") && !page.contains("made for you"), "{page}");
        app.stop().await;
    }

    async fn rates_that_are_too_old_are_called_so(db: TestDb) {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/pricing/fx/snapshot/eurofxref-2026-10-30.xml"
        );
        let app = TestApp::with(&db, |config| {
            config.fx.rates = Some(RateFile::Path(file.into()));
        })
        .await;
        app.run_due_jobs().await;
        let shop = Shop::open(&app).await;
        let page = shop.owner(&app).await.get("/portal/prices").await.expect_status(200).text();
        assert!(page.contains("business days ago"), "{page}");
        assert!(!page.contains("In the market"), "no price is shown that would be refused");
        app.stop().await;
    }
}
