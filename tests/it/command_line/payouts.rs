//! `counterfoil payout`, `screening`, `verify-receipt` and `verify`: what operators and auditors do.

use std::{fs, path::PathBuf, process::Output};

use counterfoil::{
    base::clock::Clock,
    config::{Config, RailName},
};
use serde_json::{Value, json};

use super::{counterfoil, done, home, json, refused};
use crate::{
    payouts::shop::Shop,
    support::{
        app::{START, TestApp},
        both::{TestDb, both},
        http::Request,
        scratch,
    },
};

/// A server by the machine's clock, because the command has no other.
async fn server(db: &TestDb, change: impl FnOnce(&mut Config)) -> TestApp {
    let (_, hands) = Clock::hand_wound(START);
    TestApp::at(db, Clock::system(), hands, scratch::directory("keys"), change).await
}

/// An operator's terminal beside the server.
struct Desk {
    home: PathBuf,
}

impl Desk {
    fn of(app: &TestApp, db: &TestDb) -> Self {
        let home = home();
        let keys = app.keys_dir.display();
        let settings = format!("database_url = \"{}\"\nkeys_dir = \"{keys}\"", db.url);
        fs::write(home.join("counterfoil.toml"), settings).unwrap();
        Self { home }
    }

    /// Away from the threads that serve requests.
    async fn run(&self, line: &str) -> Output {
        let (home, line) = (self.home.clone(), line.to_owned());
        tokio::task::spawn_blocking(move || counterfoil(&home, &line, &[])).await.unwrap()
    }

    async fn done(&self, line: &str) -> Value {
        let (home, line) = (self.home.clone(), line.to_owned());
        tokio::task::spawn_blocking(move || done(&home, &line)).await.unwrap()
    }

    async fn refused(&self, line: &str) -> Value {
        let (home, line) = (self.home.clone(), line.to_owned());
        tokio::task::spawn_blocking(move || refused(&home, &line)).await.unwrap()
    }

    async fn text(&self, line: &str) -> String {
        let output = self.run(line).await;
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn ids(listed: &Value) -> Vec<&str> {
    listed["payouts"].as_array().unwrap().iter().map(|line| line["id"].as_str().unwrap()).collect()
}

/// A payout that waits for an approval.
async fn waiting(shop: &Shop<'_>, app: &TestApp, key: &str) -> String {
    let id = shop.paid(key, "100.00", &json!({ "reference": "sandbox:approval" })).await;
    app.run_due_jobs().await;
    assert_eq!(shop.status(&id).await, "pending_approval");
    id
}

both! {
    async fn people_approve_send_and_settle(db: TestDb) {
        let app = server(&db, |config| config.payouts.rail = RailName::Manual).await;
        let (shop, desk) = (Shop::open(&app, "1000.00").await, Desk::of(&app, &db));
        let (id, other) = (waiting(&shop, &app, "one").await, waiting(&shop, &app, "two").await);
        let listed = desk.done("payout list --waiting").await;
        assert_eq!((ids(&listed), &listed["has_more"]), (vec![id.as_str(), other.as_str()], &json!(false)));

        let seen = desk.done(&format!("payout show {id}")).await;
        assert_eq!((&seen["payout"]["id"], &seen["waiting"]), (&json!(id), &json!(true)));
        assert_eq!((&seen["beneficiary"], &seen["decisions"]), (&json!("Ada Lovelace"), &json!([])));
        assert_eq!(seen["instrument"]["masked_account"], "DE89****3000");
        let digest = seen["digest"].as_str().unwrap();
        assert_eq!(listed["payouts"][0]["digest"], digest);
        let text = desk.text(&format!("payout show {id}")).await;
        assert!(text.contains(digest) && text.contains("100.00 EUR by sepa"), "{text}");

        // Seen another one, seen an older one, seen none.
        let line = format!("payout approve {other} --by alice --digest {digest}");
        assert!(desk.refused(&line).await["message"].as_str().unwrap().contains("look at it again"));
        let line = format!("payout approve {id} --by alice --reason checked --digest {digest}");
        assert_eq!(desk.done(&line).await, json!({ "payout_id": id, "status": "approved", "by": "alice" }));
        assert_eq!(desk.refused(&line).await["code"], "invalid_state", "once is enough");
        let seen = desk.done(&format!("payout show {other}")).await;
        let line = format!("payout reject {other} --by bob --reason unknown --digest {}", seen["digest"].as_str().unwrap());
        assert_eq!(desk.done(&line).await["status"], "cancelled");
        assert_eq!(ids(&desk.done("payout list --waiting").await), Vec::<&str>::new());

        let settle = async |outcome: &str| desk.done(&format!("payout settle {id} --by carol {outcome}")).await;
        let early = desk.refused(&format!("payout settle {id} --by carol --sent")).await;
        assert!(early["message"].as_str().unwrap().contains("not handed to a rail"), "{early}");
        app.run_due_jobs().await;
        assert_eq!(ids(&desk.done("payout list --at-rail").await), [id.as_str()]);
        let sent = settle("--sent --reference BANK-7").await;
        assert_eq!((&sent["status"], &sent["rail_reference"]), (&json!("sent"), &json!("BANK-7")));
        assert_eq!(settle("--completed").await["status"], "completed");
        assert_eq!(settle("--completed").await["status"], "completed", "saying it again changes nothing");
        let back = desk.refused(&format!("payout settle {id} --by carol --failed closed")).await;
        assert!(back["message"].as_str().unwrap().contains("does not lead to failed"), "{back}");
        assert_eq!(settle("--returned closed").await["status"], "returned");
        let seen = desk.done(&format!("payout show {id}")).await;
        let actors: Vec<_> = seen["timeline"].as_array().unwrap().iter().map(|step| step["actor"].as_str().unwrap()).collect();
        assert_eq!(actors[3..], ["operator:alice", "house", "operator:carol", "operator:carol", "operator:carol"]);
        let decision = &seen["decisions"][0];
        assert_eq!((&decision["decision"], &decision["by"]), (&json!("approve"), &json!("operator:alice")));
        assert_eq!((&decision["reason"], &seen["payout"]["return_reason"]), (&json!("checked"), &json!("closed")));

        let failing = shop.paid("three", "10.00", &json!({})).await;
        app.run_due_jobs().await;
        let told = desk.done(&format!("payout settle {failing} --by carol --failed closed")).await;
        assert_eq!(told["status"], "failed");
        let report = desk.done("verify").await;
        let line = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "payouts").unwrap();
        assert_eq!((&line["looked_at"], &line["faults"]), (&json!(3), &json!([])));
        app.stop().await;
    }

    async fn a_rail_that_reports_by_itself_is_not_contradicted(db: TestDb) {
        let app = server(&db, |_| ()).await;
        let (shop, desk) = (Shop::open(&app, "1000.00").await, Desk::of(&app, &db));
        let id = shop.paid("one", "10.00", &json!({})).await;
        app.run_due_jobs().await;
        let told = desk.refused(&format!("payout settle {id} --by carol --failed guessed")).await;
        assert_eq!(told["code"], "invalid_state");
        assert!(told["message"].as_str().unwrap().contains("sandbox rail"), "{told}");
        app.stop().await;
    }

    async fn verify_names_a_payout_that_was_changed(db: TestDb) {
        let app = server(&db, |_| ()).await;
        let (shop, desk) = (Shop::open(&app, "1000.00").await, Desk::of(&app, &db));
        let id = shop.paid("one", "10.00", &json!({})).await;
        let change = "UPDATE payouts SET source_minor = 1 WHERE id = $1";
        counterfoil::db::write!(app.ctx.db, shop.client.merchant, |tx| {
            Ok(counterfoil::db::exec!(tx, change, &id)?)
        }).unwrap();
        let output = desk.run("verify").await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("DIFFERS  payouts (1 looked at)") && text.contains(&id), "{text}");
    }

    async fn lists_are_imported_shown_and_obeyed(db: TestDb) {
        let app = server(&db, |_| ()).await;
        let (shop, desk) = (Shop::open(&app, "1000.00").await, Desk::of(&app, &db));
        assert_eq!(desk.done("screening list").await, json!({ "lists": [] }));
        fs::write(desk.home.join("names.txt"), "7;Ada Lovelace;Ада Лавлейс\n8;Charles Babbage\n").unwrap();
        let line = "screening import --list eu names.txt";
        assert_eq!(desk.done(line).await, json!({ "list": "eu", "names": 3 }));
        desk.done(line).await;
        let lists = desk.done("screening list").await;
        let list = &lists["lists"][0];
        assert_eq!((&list["name"], &list["names"], &list["version"]), (&json!("eu"), &json!(3), &json!(2)));
        assert!(desk.text("screening list").await.contains("eu: 3 names, version 2"));
        let id = shop.paid("one", "10.00", &json!({})).await;
        app.run_due_jobs().await;
        assert_eq!(shop.status(&id).await, "screening_failed");

        fs::write(desk.home.join("faulty.txt"), "7;Ada Lovelace\nBabbage\n").unwrap();
        let told = desk.refused("screening import --list eu faulty.txt").await;
        assert_eq!(told["fields"][0]["field"], "line 2");
        fs::write(desk.home.join("nobody.txt"), "# the download was cut off\n").unwrap();
        let told = desk.refused("screening import --list eu nobody.txt").await;
        assert!(told["message"].as_str().unwrap().contains("--empty"), "{told}");
        assert_eq!(desk.refused("screening import --list eu gone.txt").await["code"], "invalid_parameter");
        assert_eq!(desk.done("screening list").await["lists"][0]["names"], 3, "nothing has changed");
        assert_eq!(desk.done("screening import --list eu nobody.txt --empty").await["names"], 0);
        app.stop().await;
    }

    async fn a_receipt_is_judged_by_the_published_keys(db: TestDb) {
        let app = server(&db, |_| ()).await;
        let (shop, desk) = (Shop::open(&app, "1000.00").await, Desk::of(&app, &db));
        let id = shop.paid("one", "100.00", &json!({})).await;
        let answer = shop.get(&format!("/v1/payouts/{id}/receipt")).await;
        let receipt = answer["receipt"].as_str().unwrap();
        fs::write(desk.home.join("answer.json"), answer.to_string()).unwrap();
        fs::write(desk.home.join("receipt.jws"), format!("{receipt}\n")).unwrap();
        let (signed, signature) = receipt.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        fs::write(desk.home.join("forged.jws"), format!("{signed}.{other}{}", &signature[1..])).unwrap();
        fs::write(desk.home.join("token.jws"), shop.client.mint(&app).await).unwrap();
        let url = app.url("/.well-known/jwks.json");
        let jwks = app.send(Request::new("GET", "/.well-known/jwks.json")).await.json();
        fs::write(desk.home.join("jwks.json"), jwks.to_string()).unwrap();
        fs::write(desk.home.join("no-keys.json"), r#"{"keys":[]}"#).unwrap();

        let told = desk.done("verify-receipt receipt.jws --jwks jwks.json").await;
        assert_eq!((&told["valid"], &told["quote_verified"]), (&json!(true), &json!(true)));
        assert_eq!((&told["kid"], &told["alg"]), (&jwks["keys"][0]["kid"], &json!("ES256")));
        assert_eq!((&told["receipt"]["payout_id"], &told["receipt"]["final"]), (&json!(id), &json!(false)));
        assert_eq!(desk.done(&format!("verify-receipt answer.json --jwks {url}")).await, told);
        let text = desk.text("verify-receipt answer.json --jwks jwks.json").await;
        for said in [&format!("{id}: created (not final)"), "DE89****3000", "0.25 EUR, borne by the merchant", "The signature fits."] {
            assert!(text.contains(said), "{said} in {text}");
        }
        for (line, said) in [
            ("forged.jws --jwks jwks.json", "the signature is wrong"),
            ("token.jws --jwks jwks.json", "its type is not receipt+jws"),
            ("receipt.jws --jwks no-keys.json", "is not in the JWKS"),
            ("jwks.json --jwks jwks.json", "no receipt in this file"),
            ("receipt.jws --jwks receipt.jws", "no JWKS"),
            ("gone.jws --jwks jwks.json", "gone.jws cannot be read"),
            ("receipt.jws --jwks gone.json", "gone.json cannot be read"),
            ("receipt.jws --jwks http://pay.example/jwks.json", "plain http"),
        ] {
            let told = desk.refused(&format!("verify-receipt {line}")).await;
            assert!(told["message"].as_str().unwrap().contains(said), "{line}: {told}");
        }
        let missing = desk.refused(&format!("verify-receipt receipt.jws --jwks {}", app.url("/gone"))).await;
        assert!(missing.to_string().contains("cannot be fetched"), "{missing}");
        app.stop().await;
    }
}

#[test]
fn half_a_wish_is_a_usage_error() {
    let home = home();
    let id = "pay_01HX8Z9K0M2N3P4Q5R6S7T8VAB";
    for line in [
        "payout list".to_owned(),
        "payout list --waiting --at-rail".to_owned(),
        "payout show pay_1".to_owned(),
        format!("payout approve {id} --by alice"),
        format!("payout approve {id} --digest d"),
        format!("payout approve {id} --digest d --by {}", "x".repeat(65)),
        format!("payout settle {id} --by alice"),
        format!("payout settle {id} --by alice --sent --completed"),
        format!("payout settle {id} --sent"),
        "verify-receipt receipt.jws".to_owned(),
        "screening import names.txt".to_owned(),
    ] {
        let output = counterfoil(&home, &format!("{line} --json"), &[]);
        assert_eq!(output.status.code(), Some(2), "{line}: {output:?}");
        assert_eq!(json(&output.stderr)["error"]["code"], "usage", "{line}");
    }
    for line in [
        format!("payout show {id}"),
        format!("payout reject {id} --by alice --digest d"),
        format!("payout settle {id} --by alice --failed closed"),
    ] {
        assert_eq!(refused(&home, &line)["code"], "not_found", "{line}");
    }
}
