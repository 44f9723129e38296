//! What is looked at: every page of the portal with each filter, and the lists of the API.

use counterfoil::base::{clock::Clock, ids, pagination::cursor_of};
use std::time::Duration;

use crate::{
    server::{Caller, Server},
    shop::Shop,
    support::http::{Request, Response},
};

/// Somebody who looks.
#[derive(Debug)]
pub(crate) enum Look {
    /// A call of the API.
    Call(String),
    /// A page of the portal.
    Page(String),
}

/// A browser that has signed in.
pub(crate) struct Browser {
    cookie: String,
}

impl Browser {
    pub(crate) async fn open(server: &Server, caller: &Caller) -> Self {
        let path = "/portal/sign-in";
        let form = Request::get(path).send(server.address).await.expect_status(200);
        let text = form.text();
        let (_, rest) = text.split_once("name=\"csrf\" value=\"").unwrap();
        let (token, _) = rest.split_once('"').unwrap();
        let fields = [
            ("email", caller.email.as_str()),
            ("password", caller.password.expose()),
            ("csrf", token),
        ];
        let request = Request::post(path).header("Cookie", cookie(&form)).form(&fields);
        let answer = request.send(server.address).await.expect_status(303);
        Self { cookie: cookie(&answer) }
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        Request::get(path).header("Cookie", &self.cookie)
    }
}

fn cookie(answer: &Response) -> String {
    answer.header("Set-Cookie").unwrap().split(';').next().unwrap().to_owned()
}

/// What paths name, as it is there.
struct Names {
    payout: String,
    payee: String,
    quote: String,
    event: String,
    endpoint: String,
    client: String,
    /// Places in lists: the middle of half a year, and what quotes there are with all they say.
    middle: String,
    older_quotes: String,
    /// A day.
    month: String,
}

impl Names {
    async fn of(server: &Server, shop: &Shop, browser: &Browser) -> Self {
        let second = async |path: &str, name: &str| {
            let answer = server.sign(&shop.caller, Request::get(path)).send(server.address).await;
            let answer = answer.expect_status(200).json();
            let rows = answer.get("data").unwrap().as_array().unwrap();
            let row = rows.get(1).or_else(|| rows.first()).unwrap();
            row.get(name).unwrap().as_str().unwrap().to_owned()
        };
        let page = browser.get("/portal/credentials").send(server.address).await.text();
        let (_, rest) = page.split_once("/portal/credentials/ant_").unwrap();
        let (client, _) = rest.split_once('"').unwrap();
        let now = Clock::system().now();
        let ago = |days: u64| now.minus(Duration::from_hours(24 * days));
        Self {
            payout: second("/v1/payouts", "id").await,
            payee: second("/v1/payouts", "beneficiary_id").await,
            quote: second("/v1/pricing/quotes", "quote_id").await,
            event: second("/v1/events", "id").await,
            endpoint: second("/v1/webhooks", "id").await,
            client: format!("ant_{client}"),
            middle: cursor_of(&format!("pay_{}", ids::first_at(ago(90)))),
            older_quotes: cursor_of(&format!("pq_{}", ids::first_at(ago(2)))),
            month: ago(40).date_time().date().to_string(),
        }
    }
}

/// All of them.
pub(crate) async fn looks(server: &Server, shop: &Shop, browser: &Browser) -> Vec<(String, Look)> {
    let names = Names::of(server, shop, browser).await;
    let calls = calls(&names).into_iter().map(|path| (named(&path), Look::Call(path)));
    calls.chain(pages(&names).into_iter().map(|path| (named(&path), Look::Page(path)))).collect()
}

fn calls(names: &Names) -> Vec<String> {
    let Names { payout: id, payee, quote, endpoint, middle, .. } = names;
    vec![
        "/v1/payouts".to_owned(),
        "/v1/payouts?limit=100".to_owned(),
        format!("/v1/payouts?limit=100&cursor={middle}"),
        "/v1/payouts?status=completed".to_owned(),
        "/v1/payouts?status=returned".to_owned(),
        format!("/v1/payouts?beneficiary_id={payee}"),
        "/v1/payouts?reference=invoice+900000001".to_owned(),
        "/v1/payouts?method=swift".to_owned(),
        "/v1/payouts?currency=USD".to_owned(),
        "/v1/payouts?status=completed&method=swift".to_owned(),
        format!("/v1/payouts/{id}"),
        format!("/v1/payouts/{id}/timeline"),
        format!("/v1/payouts/{id}/receipt"),
        "/v1/pricing/quotes".to_owned(),
        "/v1/pricing/quotes?limit=100".to_owned(),
        format!("/v1/pricing/quotes/{quote}"),
        "/v1/balances".to_owned(),
        "/v1/accounts/EUR/transactions".to_owned(),
        "/v1/transactions".to_owned(),
        "/v1/events".to_owned(),
        "/v1/beneficiaries".to_owned(),
        "/v1/beneficiaries?country=FR".to_owned(),
        "/v1/beneficiaries?status=blocked".to_owned(),
        format!("/v1/webhooks/{endpoint}/deliveries"),
        format!("/v1/webhooks/{endpoint}/deliveries?status=failed"),
        format!("/v1/webhooks/{endpoint}/deliveries?status=pending"),
    ]
}

fn pages(names: &Names) -> Vec<String> {
    let Names { payout: id, payee, quote, event, endpoint, client, middle, older_quotes, month } =
        names;
    vec![
        "/portal".to_owned(),
        "/portal/payouts".to_owned(),
        format!("/portal/payouts?cursor={middle}"),
        "/portal/payouts?status=completed".to_owned(),
        "/portal/payouts?status=pending_approval".to_owned(),
        "/portal/payouts?method=swift".to_owned(),
        "/portal/payouts?currency=USD".to_owned(),
        format!("/portal/payouts?until={month}"),
        format!("/portal/payouts?from={month}"),
        "/portal/payouts?reference=invoice+900000001".to_owned(),
        "/portal/payouts?reference=nothing+like+it".to_owned(),
        format!("/portal/payouts?beneficiary={payee}"),
        format!("/portal/payouts?beneficiary={payee}&method=swift&currency=USD"),
        format!("/portal/payouts?status=completed&currency=USD&until={month}"),
        format!("/portal/payouts/{id}"),
        format!("/portal/payouts/{id}/receipt"),
        "/portal/quotes".to_owned(),
        format!("/portal/quotes?cursor={older_quotes}"),
        format!("/portal/quotes/{quote}"),
        "/portal/beneficiaries".to_owned(),
        "/portal/beneficiaries?status=blocked".to_owned(),
        "/portal/beneficiaries?type=individual".to_owned(),
        "/portal/beneficiaries?country=FR".to_owned(),
        "/portal/beneficiaries?external_ref=supplier+90".to_owned(),
        format!("/portal/beneficiaries/{payee}"),
        "/portal/prices".to_owned(),
        "/portal/prices?amount=100.00&source_currency=EUR&dest_currency=USD".to_owned(),
        "/portal/events".to_owned(),
        "/portal/events?type=payout.returned".to_owned(),
        format!("/portal/events?about={id}"),
        format!("/portal/events/{event}"),
        "/portal/webhooks".to_owned(),
        format!("/portal/webhooks/{endpoint}"),
        format!("/portal/webhooks/{endpoint}?status=failed"),
        format!("/portal/webhooks/{endpoint}?status=pending"),
        format!("/portal/webhooks/{endpoint}/edit"),
        "/portal/requests".to_owned(),
        "/portal/requests?outcome=refused".to_owned(),
        "/portal/requests?request_id=req_unknown".to_owned(),
        "/portal/credentials".to_owned(),
        format!("/portal/credentials/{client}"),
        "/portal/credentials/new".to_owned(),
        "/portal/proofs".to_owned(),
        "/portal/team".to_owned(),
        "/portal/trail".to_owned(),
        "/portal/account".to_owned(),
    ]
}

/// A path without what differs from run to run.
fn named(path: &str) -> String {
    let cut = |word: &str| {
        let is_id = word.len() > 26 && word.chars().any(|c| c.is_ascii_digit());
        match word.split_once('_') {
            _ if is_id && word.starts_with("eyJ") => "…".to_owned(),
            Some((prefix, _)) if is_id => format!("{prefix}_…"),
            _ => word.to_owned(),
        }
    };
    let parts = path.split_inclusive(['/', '?', '&', '=']).map(|part| {
        let end = part.chars().last().filter(|c| "/?&=".contains(*c));
        let word = part.trim_end_matches(['/', '?', '&', '=']);
        format!("{}{}", cut(word), end.map(String::from).unwrap_or_default())
    });
    parts.collect()
}
