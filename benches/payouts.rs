//! Payouts over HTTP against the release binary: token, fresh proof, idempotency key, quote, hold,
//! entries, event and job, 64 connections; beside the same statements sent by a bare SQL client to the
//! same database with one commit for each payout, in one run.
//!
//! `make bench BENCH="--bench payouts"`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench reports and may stop")]
#![expect(
    clippy::float_arithmetic,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "ratios for people, not money"
)]
#![expect(clippy::disallowed_methods, reason = "a bench spawns its own callers")]

#[cfg(test)]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

#[path = "support/bare.rs"]
mod bare;
#[expect(dead_code, reason = "the bench of requests uses the rest of it")]
#[path = "support/server.rs"]
mod server;

use counterfoil::{
    base::environment::Environment,
    money::{Amount, Currency},
    payouts::balances,
};
use serde_json::{Value, json};

use server::{Caller, Server, open, run};
use support::{both::TestDb, http::Request, scratch};

const CONNECTIONS: usize = 64;
const COUNT: usize = 4_096;
const MANY: usize = 64;

/// A merchant with money and somebody to pay.
pub(crate) struct Shop {
    caller: Caller,
    payee: String,
    account: String,
}

impl Shop {
    async fn open(server: &Server, db: &TestDb) -> Self {
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

    async fn post(&self, server: &Server, path: &str, body: &Value) -> String {
        let request =
            Request::post(path).header("Idempotency-Key", scratch::random_hex()).json(body);
        let made = server.sign(&self.caller, request).send(server.address).await;
        let made = made.expect_status(201).json();
        let id = made.get("quote_id").or_else(|| made.get("id")).unwrap();
        id.as_str().unwrap().to_owned()
    }

    /// An open quote for ten euros.
    async fn quote(&self, server: &Server) -> String {
        let body = json!({
            "source_currency": "EUR", "dest_currency": "EUR", "amount": "10.00", "method": "sepa",
        });
        self.post(server, "/v1/pricing/quote", &body).await
    }

    fn payout(&self, server: &Server, quote: &str) -> Vec<u8> {
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

/// Quotes for so many payouts, in turns over the shops: which shop, and its quote.
async fn quotes(server: &Server, shops: &[Shop]) -> Vec<(usize, String)> {
    let mut made = Vec::new();
    for number in 0..COUNT {
        let shop = number % shops.len();
        made.push((shop, shops.get(shop).unwrap().quote(server).await));
    }
    made
}

async fn over_http(server: &Server, shops: &[Shop]) -> f64 {
    let quotes = quotes(server, shops).await;
    // Signed last: proofs are good for a minute.
    let sign = |(shop, quote): &(usize, String)| shops.get(*shop).unwrap().payout(server, quote);
    let requests = quotes.iter().map(sign).collect();
    let run = run(server, requests, CONNECTIONS, None).await;
    println!(
        "    p99 {:.1} ms, {:.0} µs of CPU each",
        run.p99.as_secs_f64() * 1e3,
        run.cpu_per_request * 1e6
    );
    run.per_second
}

async fn measure(db: &TestDb, engine: &str) {
    println!("{engine}, {CONNECTIONS} connections:");
    let server = Server::start(db, &[("COUNTERFOIL_JOBS__CONCURRENCY", "0")]);
    let mut shops = Vec::new();
    for _ in 0..MANY {
        shops.push(Shop::open(&server, db).await);
    }
    let [mut many, mut hot, mut alone] = [0.0_f64; 3];
    for _ in 0..2 {
        many = many.max(over_http(&server, &shops).await);
        hot = hot.max(over_http(&server, shops.get(..1).unwrap()).await);
        let quotes = quotes(&server, &shops).await;
        alone = alone.max(bare::run(db, &shops, &quotes).await);
    }
    drop(server);
    println!("  bare SQL, a commit each  {alone:7.0} per second");
    println!("  payouts, many merchants  {many:7.0} per second ({:.2} of bare SQL)", many / alone);
    println!("  payouts, one merchant    {hot:7.0} per second ({:.2} of many)", hot / many);
}

/// Everything, one engine after the other.
fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        measure(&TestDb::sqlite().await, "SQLite").await;
        measure(&TestDb::postgres().await, "PostgreSQL").await;
    });
}
