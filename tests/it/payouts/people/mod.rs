//! Beneficiaries and instruments over HTTP.

use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    client::Client,
    http::{Request, Response},
};

mod beneficiaries;
mod instruments;
pub(crate) mod privacy;
mod published;
mod seeds;
mod twins;

pub(crate) const SCOPES: &str = "beneficiaries:read beneficiaries:write beneficiaries:pii \
    webhooks:read pricing:read";

/// A caller with a token.
pub(crate) struct Desk<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl<'a> Desk<'a> {
    pub(crate) async fn open(app: &'a TestApp) -> Desk<'a> {
        Self::with(app, SCOPES).await
    }

    pub(crate) async fn with(app: &'a TestApp, scopes: &str) -> Desk<'a> {
        let client = app.client(scopes).await;
        let token = client.mint(app).await;
        Self { app, client, token }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, request: Request) -> Response {
        self.client.send(self.app, &self.token, method, path, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send("GET", path, Request::get(path)).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        let request = Request::post(path).header("Idempotency-Key", key).json(body);
        self.send("POST", path, request).await
    }

    /// Without a body, as `archive` and `restore` allow.
    pub(crate) async fn step(&self, path: &str, key: &str) -> Response {
        self.send("POST", path, Request::post(path).header("Idempotency-Key", key)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Response {
        self.send("PUT", path, Request::new("PUT", path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, Request::new("DELETE", path)).await
    }

    /// A new beneficiary; its name is its key.
    pub(crate) async fn person(&self, name: &str) -> Value {
        self.post("/v1/beneficiaries", name, &person(name)).await.expect_status(201).json()
    }

    /// What has happened so far, in words.
    pub(crate) async fn events(&self) -> Vec<(String, Value)> {
        let listed = self.get("/v1/events").await.expect_status(200).json();
        let events = listed["data"].as_array().unwrap();
        let told = |event: &Value| (text(&event["type"]).to_owned(), event["data"].clone());
        events.iter().map(told).collect()
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A body that makes a person.
pub(crate) fn person(name: &str) -> Value {
    json!({
        "type": "individual",
        "country": "DE",
        "external_ref": name,
        "metadata": { "z": "last", "a": "first" },
        "individual": individual(name),
    })
}

pub(crate) fn individual(name: &str) -> Value {
    json!({
        "first_name": name,
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "phone": "+4915112345678",
        "date_of_birth": "1990-01-31",
        "nationality": "GB",
        "address": {
            "street_line_1": "Weg 1", "city": "Ulm", "postal_code": "89073", "country": "DE",
        },
    })
}

/// A body that makes a business.
pub(crate) fn business(name: &str) -> Value {
    json!({
        "type": "business",
        "country": "NL",
        "business": {
            "legal_name": name,
            "registration_number": "12345678",
            "tax_id": "NL123456789B01",
            "incorporation_date": "2001-02-03",
            "incorporation_country": "NL",
            "website": "https://shop.example",
            "email": "books@shop.example",
            "phone": "+31201234567",
            "address": {
                "street_line_1": "Gracht 1", "street_line_2": "2 hoog", "city": "Amsterdam",
                "state": "NH", "postal_code": "1011 AB", "country": "NL",
            },
        },
    })
}

/// Fields and messages of a refusal.
pub(crate) fn faults(refused: &Value) -> Vec<String> {
    let details = refused["error"]["details"].as_array().unwrap();
    let told = |fault: &Value| format!("{} {}", text(&fault["field"]), text(&fault["message"]));
    details.iter().map(told).collect()
}
