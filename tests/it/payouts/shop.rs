//! A merchant who pays out over HTTP, for every test of this room.

use std::time::Duration;

use counterfoil::{
    base::environment::Environment,
    money::{Amount, Currency},
    payouts::balances,
};
use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    client::Client,
    http::{Request, Response},
};

pub(crate) const PATH: &str = "/v1/payouts";
/// An account that a bank has published as an example.
pub(crate) const IBAN: &str = "DE89370400440532013000";

/// A merchant with money and somebody to pay.
pub(crate) struct Shop<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) client: Client,
    pub(crate) token: String,
    pub(crate) payee: String,
    pub(crate) account: String,
}

impl<'a> Shop<'a> {
    /// With so many euros.
    pub(crate) async fn open(app: &'a TestApp, euros: &str) -> Self {
        let client = app
            .client(
                "payouts:read payouts:write beneficiaries:read beneficiaries:write balances:read \
                 pricing:read pricing:quote fx:exchange webhooks:read sandbox:write",
            )
            .await;
        Self::of(app, client, euros).await
    }

    /// The same for a merchant that is there already.
    pub(crate) async fn of(app: &'a TestApp, client: Client, euros: &str) -> Self {
        let token = client.mint(app).await;
        let mut shop = Self { app, client, token, payee: String::new(), account: String::new() };
        shop.fund(euros, Currency::EUR).await;
        shop.meet_somebody().await;
        shop
    }

    /// Somebody to pay, and how.
    pub(crate) async fn meet_somebody(&mut self) {
        let payee = json!({
            "type": "individual", "country": "DE",
            "individual": {
                "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com",
                "phone": "+4915123456789", "date_of_birth": "1985-12-10", "nationality": "DE",
                "address": {
                    "street_line_1": "Unter den Linden 1", "city": "Berlin",
                    "postal_code": "10117", "country": "DE",
                },
            },
        });
        let payee = self.post("/v1/beneficiaries", "payee", &payee).await.expect_status(201).json();
        self.payee = payee["id"].as_str().unwrap().to_owned();
        let account =
            json!({ "method": "iban", "currency": "EUR", "credentials": { "iban": IBAN } });
        self.account = self.instrument(&account).await;
    }

    pub(crate) async fn fund(&self, amount: &str, currency: Currency) {
        let amount = Amount::parse(amount, currency).unwrap();
        if amount.is_positive() {
            let merchant = self.client.merchant;
            balances::credit(&self.app.ctx, Environment::Sandbox, merchant, amount).await.unwrap();
        }
    }

    pub(crate) async fn instrument(&self, body: &Value) -> String {
        let path = format!("/v1/beneficiaries/{}/instruments", self.payee);
        let made = self.post(&path, &body.to_string(), body).await.expect_status(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        let request = Request::post(path).header("Idempotency-Key", key).json(body);
        self.client.send(self.app, &self.token, "POST", path, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client.get(self.app, &self.token, path).await.expect_status(200).json()
    }

    /// A payout of so many euros, with what else is said.
    pub(crate) fn order(&self, euros: &str, more: &Value) -> Value {
        let mut body = json!({
            "beneficiary_id": self.payee, "instrument_id": self.account,
            "source_amount": euros, "dest_amount": euros,
            "dest_currency": "EUR", "method": "sepa",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    pub(crate) async fn pay(&self, key: &str, euros: &str, more: &Value) -> Response {
        self.post(PATH, key, &self.order(euros, more)).await
    }

    /// Makes one and gives its id.
    pub(crate) async fn paid(&self, key: &str, euros: &str, more: &Value) -> String {
        let made = self.pay(key, euros, more).await.expect_status(201).json();
        assert_eq!(made["status"], "created");
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn payout(&self, id: &str) -> Value {
        self.get(&format!("{PATH}/{id}")).await
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        self.payout(id).await["status"].as_str().unwrap().to_owned()
    }

    /// Available, pending and total in a currency.
    pub(crate) async fn balance(&self, currency: &str) -> [String; 3] {
        let balance = self.get(&format!("/v1/balances/{currency}")).await;
        ["available", "pending", "total"].map(|name| balance[name].as_str().unwrap().to_owned())
    }

    /// The statuses that a payout has gone through.
    pub(crate) async fn way(&self, id: &str) -> Vec<String> {
        let timeline = self.get(&format!("{PATH}/{id}/timeline")).await;
        let steps = timeline["data"].as_array().unwrap();
        for (number, pair) in steps.windows(2).enumerate() {
            assert_eq!(pair[0]["to"], pair[1]["from"], "step {number}");
        }
        steps.iter().map(|step| step["to"].as_str().unwrap().to_owned()).collect()
    }

    /// The types of the events about one resource, in order.
    pub(crate) async fn told(&self, id: &str) -> Vec<String> {
        let events = self.get("/v1/events").await;
        let data = events["data"].as_array().unwrap().iter();
        let about = data.filter(|event| event["data"]["id"] == id);
        about.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn wait(&self, time: Duration) {
        self.app.hands.advance(time);
        self.app.run_due_jobs().await;
    }

    /// Lets a payout go to its end on the sandbox rail.
    pub(crate) async fn let_go(&self) {
        for _ in 0..4 {
            self.wait(Duration::from_secs(1)).await;
        }
    }
}

pub(crate) fn code(refused: &Response) -> String {
    refused.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn fields(refused: &Response) -> Vec<String> {
    let details = refused.json()["error"]["details"].clone();
    let faults = details.as_array().cloned().unwrap_or_default();
    faults.iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect()
}
