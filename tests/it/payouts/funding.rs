//! Credits that are told once, twice, and by fifty at once.

use counterfoil::{
    base::failure::Code,
    money::{Amount, Currency},
    payouts::funding::{self, Incoming},
};
use serde_json::json;

use super::shop::Shop;
use crate::support::{app::TestApp, both::both};

fn euros(text: &str) -> Amount {
    Amount::parse(text, Currency::EUR).unwrap()
}

both! {
    async fn a_credit_is_booked_once_however_often_it_is_told(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "0.00").await;
        let merchant = shop.client.merchant;
        let incoming = Incoming::check(euros("12.50"), "bank-7", Some("Grün & Söhne")).unwrap();
        let told = (0..50).map(|_| funding::receive(&app.ctx, merchant, &incoming));
        let told = futures_util::future::join_all(told).await;
        let booked: Vec<_> = told.into_iter().map(Result::unwrap).collect();
        assert_eq!(booked.iter().filter(|received| !received.repeated).count(), 1);
        assert!(booked.iter().all(|received| received.deposit == booked[0].deposit));
        assert_eq!(shop.balance("EUR").await[0], "12.50");

        let other = Incoming::check(euros("12.51"), "bank-7", None).unwrap();
        let refused = funding::receive(&app.ctx, merchant, &other).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists);
        let dollars = Incoming::check(Amount::from_minor(1250, Currency::USD), "bank-7", None).unwrap();
        assert!(funding::receive(&app.ctx, merchant, &dollars).await.is_err());
        let neighbour = Shop::open(&app, "0.00").await;
        let theirs = funding::receive(&app.ctx, neighbour.client.merchant, &other).await.unwrap();
        assert!(!theirs.repeated, "references are each merchant's own");
        assert_eq!(shop.balance("EUR").await[2], "12.50");

        let list = shop.get("/v1/transactions").await;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        let shown = &list["data"][0];
        assert_eq!((&shown["reference"], &shown["counterparty_name"]), (&json!("bank-7"), &json!("Grün & Söhne")));
        let events = shop.get("/v1/events?types=funding.credit").await;
        assert_eq!(events["data"].as_array().unwrap().len(), 1);
        assert_eq!(&events["data"][0]["data"], shown, "the event shows the transaction");
        app.stop().await;
    }

    async fn nobody_else_than_a_merchant_is_credited(db: TestDb) {
        let app = TestApp::start(&db).await;
        let incoming = Incoming::check(euros("1.00"), "x", None).unwrap();
        let nobody = counterfoil::base::ids::MerchantId::make(&app.ctx.clock, &app.ctx.random);
        let refused = funding::receive(&app.ctx, nobody, &incoming).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        app.stop().await;
    }
}
