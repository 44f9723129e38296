//! A walk over every page: axe-core finds nothing serious, nothing is wider than the screen, the console
//! stays quiet. With `COUNTERFOIL_GALLERY` (`make gallery`) it leaves a picture of each.

use std::{fs, path::PathBuf, time::Duration};

use counterfoil::{
    base::{environment::Environment, ids::MerchantId},
    db,
    money::Amount,
    oauth::{jose::KeyKind, scopes::Scopes},
    payouts::balances,
    portal::users::Role,
};
use serde_json::{Value, json};

use super::{deliveries, driver::Browser, passkeys};
use crate::{
    payouts::shop as api,
    portal::{Shop, passkeys::by_name},
    support::{app::TestApp, both::TestDb, http::Request},
};

/// The pages that somebody signed in can open; words in capitals stand for ids.
const PAGES: &[(&str, &str)] = &[
    ("overview", "/portal"),
    ("payouts", "/portal/payouts"),
    ("payouts-waiting", "/portal/payouts?status=pending_approval"),
    ("payout", "/portal/payouts/DONE"),
    ("payout-waiting", "/portal/payouts/WAITING"),
    ("receipt", "/portal/payouts/DONE/receipt"),
    ("quotes", "/portal/quotes"),
    ("quote", "/portal/quotes/QUOTE"),
    ("beneficiaries", "/portal/beneficiaries"),
    ("beneficiary", "/portal/beneficiaries/PAYEE"),
    ("credentials", "/portal/credentials"),
    ("credential", "/portal/credentials/CLIENT"),
    ("credential-new", "/portal/credentials/new"),
    ("key-new", "/portal/credentials/CLIENT/keys/new"),
    ("webhooks", "/portal/webhooks"),
    ("webhook", "/portal/webhooks/ENDPOINT"),
    ("webhook-new", "/portal/webhooks/new"),
    ("webhook-edit", "/portal/webhooks/ENDPOINT/edit"),
    ("events", "/portal/events"),
    ("events-none", "/portal/events?about=pay_unknown&type=payout.sent"),
    ("event", "/portal/events/EVENT"),
    ("requests", "/portal/requests"),
    ("prices", "/portal/prices"),
    (
        "prices-answer",
        "/portal/prices?amount=1000.00&source_currency=USD&dest_currency=EUR&method=sepa",
    ),
    ("proofs", "/portal/proofs"),
    ("team", "/portal/team"),
    ("trail", "/portal/trail"),
    ("account", "/portal/account"),
];

struct Tour {
    browser: Browser,
    axe: String,
    gallery: Option<PathBuf>,
}

#[expect(clippy::disallowed_methods, reason = "whoever runs it says where the pictures go")]
fn gallery() -> Option<PathBuf> {
    let place = PathBuf::from(std::env::var_os("COUNTERFOIL_GALLERY")?);
    fs::create_dir_all(&place).unwrap();
    Some(place)
}

fn axe() -> String {
    let place =
        concat!(env!("CARGO_MANIFEST_DIR"), "/target/clients/node_modules/axe-core/axe.min.js");
    fs::read_to_string(place).expect("axe-core is installed by `make test`")
}

impl Tour {
    /// Looks at the page that is open, in both sizes and both sets of colours.
    async fn look(&self, page: &str) {
        let browser = &self.browser;
        for (device, width, height, mobile) in
            [("desktop", 1280, 800, false), ("phone", 390, 844, true)]
        {
            for colours in ["light", "dark"] {
                let features = json!([
                    { "name": "prefers-color-scheme", "value": colours },
                    { "name": "prefers-reduced-motion", "value": "reduce" },
                ]);
                browser
                    .devtools("Emulation.setEmulatedMedia", &json!({ "features": features }))
                    .await;
                let screen = |height: i64| {
                    json!({ "width": width, "height": height,
                    "deviceScaleFactor": 1, "mobile": mobile })
                };
                browser.devtools("Emulation.setDeviceMetricsOverride", &screen(height)).await;
                // Not innerWidth: a phone's grows with whatever is too wide for it.
                let wide = browser
                    .run(&format!(
                        "if (document.documentElement.scrollWidth <= {width}) return [];
                        return [...document.querySelectorAll('main *')]
                            .filter((one) => one.getBoundingClientRect().right > {width})
                            .map((one) => one.outerHTML.slice(0, 120)).slice(0, 8)"
                    ))
                    .await;
                let at = format!("{page}, {device}, {colours}");
                assert_eq!(wide, json!([]), "{at} is wider than the screen");
                self.expect_accessible(&at).await;
                if let Some(gallery) = &self.gallery {
                    let tall = browser.run("return document.documentElement.scrollHeight").await;
                    let tall = tall.as_i64().unwrap().max(height);
                    browser.devtools("Emulation.setDeviceMetricsOverride", &screen(tall)).await;
                    browser.picture(&gallery.join(format!("{page}-{device}-{colours}.png"))).await;
                }
            }
        }
        browser.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).await;
        browser.expect_quiet(page).await;
    }

    async fn expect_accessible(&self, at: &str) {
        self.browser.run(&self.axe).await;
        let found = self
            .browser
            .run_async("const done = arguments[0]; axe.run(document).then((r) => done(r.violations), (e) => done([{ impact: 'critical', id: String(e) }]));")
            .await;
        let serious =
            |fault: &&Value| fault["impact"] == "serious" || fault["impact"] == "critical";
        let serious: Vec<String> = found
            .as_array()
            .unwrap()
            .iter()
            .filter(serious)
            .map(|fault| format!("{}: {} {}", fault["id"], fault["help"], fault["nodes"]))
            .collect();
        assert!(serious.is_empty(), "{at}: {}", serious.join("\n"));
    }
}

/// What the pages of payouts show.
struct Money {
    done: String,
    waiting: String,
    quote: String,
    payee: String,
}

impl Money {
    /// Everything that a sandbox is seeded with, and one large payout.
    async fn made(app: &TestApp, shop: &Shop) -> Self {
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let money = api::Shop::of(app, client, "250000.00").await;
        for what in ["beneficiaries", "payouts"] {
            let path = format!("/v1/merchant/sandbox/seed-{what}");
            let seeded = money.client.post(app, &money.token, &path, &json!({})).await;
            assert_eq!(seeded.status / 100, 2, "{}", seeded.text());
        }
        let more = json!({
            "reference": "Invoice 2026-117", "purpose": "contractor_payment",
            "metadata": { "order": "A-7731", "approved_by": "procurement" },
        });
        money.paid("large", "48250.00", &more).await;
        let first = async |status: &str| {
            let found = money.get(&format!("/v1/payouts?status={status}&limit=1")).await;
            found["data"][0].clone()
        };
        let (done, waiting) = (first("completed").await, first("pending_approval").await);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            done: text(&done["id"]),
            waiting: text(&waiting["id"]),
            quote: text(&done["quote_id"]),
            payee: text(&done["beneficiary_id"]),
        }
    }

    fn put_into(&self, path: &str) -> String {
        path.replace("DONE", &self.done)
            .replace("WAITING", &self.waiting)
            .replace("QUOTE", &self.quote)
            .replace("PAYEE", &self.payee)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_readable_on_every_screen() {
    let db = TestDb::sqlite().await;
    let app = TestApp::in_real_time(&db, |config| {
        config.webhooks.allow_loopback = true;
        by_name(config);
    })
    .await;
    let shop = Shop::open(&app).await;
    let tour = Tour { browser: Browser::open().await, axe: axe(), gallery: gallery() };
    let browser = &tour.browser;

    browser.go(&app.url("/portal/sign-in")).await;
    tour.look("sign-in").await;
    let invitation = shop.invitation(&app, "dev@portal.example", Role::Developer).await;
    browser.go(&app.url(&invitation)).await;
    tour.look("invitation").await;
    browser.go(&app.url("/portal/sign-in")).await;
    browser.fill("#email", &shop.email).await;
    browser.fill("#password", &shop.password).await;
    browser.click("button.primary").await;
    browser.wait_for("#balances").await;
    tour.look("overview-empty").await;
    browser.go(&app.url("/portal/credentials")).await;
    tour.look("credentials-empty").await;
    for name in ["payouts", "quotes", "beneficiaries"] {
        browser.go(&app.url(&format!("/portal/{name}"))).await;
        tour.look(&format!("{name}-empty")).await;
    }

    let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
    for (amount, currency) in [("1284500.75", "USD"), ("9120.00", "EUR"), ("880000", "JPY")] {
        let amount = Amount::parse(amount, currency.parse().unwrap()).unwrap();
        balances::credit(&app.ctx, Environment::Sandbox, shop.merchant, amount).await.unwrap();
    }
    let (endpoint, event) = deliveries::fill(&app, &client).await;
    let money = Money::made(&app, &shop).await;
    let token = client.mint(&app).await;
    for what in ["seed-beneficiaries", "seed-payouts"] {
        let path = format!("/v1/merchant/sandbox/{what}");
        client.send(&app, &token, "POST", &path, Request::post(&path)).await;
    }
    app.run_due_jobs().await;
    busy_days(&app, shop.merchant, true).await;
    for (name, path) in PAGES {
        let path = path
            .replace("CLIENT", client.id.as_str())
            .replace("ENDPOINT", &endpoint.to_string())
            .replace("EVENT", &event.to_string());
        browser.go(&app.url(&money.put_into(&path))).await;
        browser.wait_for("h1").await;
        tour.look(name).await;
    }
    browser.go(&app.url(&money.put_into("/portal/beneficiaries/PAYEE"))).await;
    browser.click("#show").await;
    browser.wait_for("#person").await;
    tour.look("beneficiary-person").await;
    browser.go(&app.url("/portal/proofs")).await;
    let late =
        json!({ "htm": "get", "htu": "https://pay.example/v1/payouts", "jti": "7", "iat": 1 });
    browser.fill("#proof", &client.key.sign(&late)).await;
    browser.fill("#method", "GET").await;
    browser.fill("#url", &app.url("/v1/payouts")).await;
    browser.fill("#sent_at", "2026-01-31T12:00:00Z").await;
    browser.click("form[action$='/proofs'] button.primary").await;
    browser.wait_for("#verdict").await;
    tour.look("proofs-answer").await;
    browser.go(&app.url("/portal/account")).await;
    browser.click("form[action$='/codes'] button").await;
    browser.wait_for("#secret").await;
    tour.look("account-codes").await;
    browser.with_authenticator().await;
    passkeys::add(browser, &shop, "Office laptop").await;
    tour.look("account-passkey").await;
    busy_days(&app, shop.merchant, false).await;
    tour.browser.close().await;
    app.stop().await;
}

/// Days before today that were counted, as a shop would have them, or none of them again: they have no
/// events behind them, which the audit would find.
async fn busy_days(app: &TestApp, merchant: MerchantId, are_there: bool) {
    const ADD: &str = "INSERT INTO payout_days (merchant_id, day, measure, name, count, total)
        VALUES ($1, $2, $3, $4, $5, $6)";
    const CLEAR: &str = "DELETE FROM payout_days WHERE merchant_id = $1 AND day < $2";
    let day = |ago: u32| {
        let at = app.ctx.now().minus(Duration::from_hours(24) * ago);
        at.date_time().date().to_string()
    };
    let today = day(0);
    db::write!(app.ctx.db, merchant, |tx| {
        if !are_there {
            db::exec!(tx, CLEAR, merchant, &today)?;
            return Ok(());
        }
        for ago in 1..30_u32 {
            let (date, busy) = (day(ago), i64::from(40 + ago * 37 % 55));
            let lost = i64::from(ago * 13 % 7);
            for (measure, name, count, total) in [
                ("made", "USD", busy + lost, (busy + lost) * 12_345),
                ("arrived", "USD", busy, busy * 12_345),
                ("lost", "USD", lost, lost * 12_345),
                ("fees", "USD", busy, busy * 95),
                ("rail", "ach", busy, busy * 5_400),
                ("rail", "sepa", busy / 2 + 1, busy * 9),
                ("rail", "swift", busy / 5 + 1, busy * 20_000),
            ] {
                db::exec!(tx, ADD, merchant, &date, measure, name, count, total)?;
            }
        }
        Ok(())
    })
    .unwrap();
}
