//! A merchant whose server pays somebody over HTTP.

use counterfoil::{
    base::environment::Environment,
    money::{Amount, Currency},
    payouts::balances,
};
use serde_json::{Value, json};

use crate::{
    server::{Caller, Server, open},
    support::{both::TestDb, http::Request, scratch},
};

/// A merchant with money and somebody to pay.
pub(crate) struct Shop {
    pub(crate) caller: Caller,
    pub(crate) payee: String,
    pub(crate) account: String,
}

impl Shop {
    pub(crate) async fn open(server: &Server, db: &TestDb) -> Self {
        let caller = server.caller(db).await;
        let ctx = open(db).await;
        let funds = Amount::parse("100000000.00", Currency::EUR).unwrap();
        balances::credit(&ctx, Environment::Sandbox, caller.merchant, funds).await.unwrap();
        ctx.db.close().await;
        let mut shop = Self { caller, payee: String::new(), account: String::new() };
        let payee = json!({
            "type": "business", "country": "DE",
            "business": {
                "legal_name": "Ada GmbH", "registration_number": "HRB 1", "email": "ada@example.com",
                "phone": "+4915123456789",
                "address": {
                    "street_line_1": "Unter den Linden 1", "city": "Berlin",
                    "postal_code": "10117", "country": "DE",
                },
            },
        });
        let account =
            json!({ "method": "iban", "credentials": { "iban": "DE89370400440532013000" } });
        shop.payee = shop.post(server, "/v1/beneficiaries", &payee).await;
        let path = format!("/v1/beneficiaries/{}/instruments", shop.payee);
        shop.account = shop.post(server, &path, &account).await;
        shop
    }

    pub(crate) async fn post(&self, server: &Server, path: &str, body: &Value) -> String {
        let request =
            Request::post(path).header("Idempotency-Key", scratch::random_hex()).json(body);
        let made = server.sign(&self.caller, request).send(server.address).await;
        let made = made.expect_status(201).json();
        let id = made.get("quote_id").or_else(|| made.get("id")).unwrap();
        id.as_str().unwrap().to_owned()
    }

    /// An open quote for ten euros.
    pub(crate) async fn quote(&self, server: &Server) -> String {
        let body = json!({
            "source_currency": "EUR", "dest_currency": "EUR", "amount": "10.00", "method": "sepa",
        });
        self.post(server, "/v1/pricing/quote", &body).await
    }

    pub(crate) fn payout(&self, server: &Server, quote: &str) -> Vec<u8> {
        let body = json!({
            "beneficiary_id": self.payee, "instrument_id": self.account, "method": "sepa",
            "source_amount": "10.00", "dest_amount": "10.00", "dest_currency": "EUR",
            "quote_id": quote, "reference": "invoice 7", "purpose": "supplier_payment",
        });
        let request = Request::post("/v1/payouts")
            .header("Idempotency-Key", scratch::random_hex())
            .json(&body);
        server.sign(&self.caller, request).bytes("bench")
    }
}
