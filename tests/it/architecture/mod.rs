//! The import rules hold because this fails otherwise.
//!
//! `rules.rs` is the short table; the tests below show each rule a file that breaks it, so that a
//! rule that has gone blind is noticed.

mod rules;
mod source;

use std::{fs, path::Path};

use rules::{breaches_in_source, breaches_in_tests};
use source::{Import, Source};

fn read_tree(folder: &str) -> Vec<Source> {
    fn walk(base: &Path, folder: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(base, &path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(base).unwrap().to_str().unwrap();
                found.push(Source::new(name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    walk(&base, &base, &mut found);
    assert!(found.len() > 5, "{folder}/ was not read");
    found
}

#[test]
fn the_source_keeps_the_rules_of_the_house() {
    let breaches = breaches_in_source(&read_tree("src"));
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn the_tests_keep_the_rules_of_tests() {
    let breaches = breaches_in_tests(&read_tree("tests"));
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

/// A file, and a part of the sentence that must be said about it.
const BAD: &[(&str, &str, &str)] = &[
    ("ledger/service.rs", "use crate::pricing::Plan;", "only import what lies below"),
    ("payouts/service.rs", "use crate::payments::Intent;", "only import what lies below"),
    ("base/ids.rs", "fn f(amount: crate::money::Amount) {}", "only import what lies below"),
    ("ledger/entries/model.rs", "use super::super::super::events::emit;", "lies below"),
    ("events/mod.rs", "mod inside { use super::super::pricing::Plan; }", "lies below"),
    (
        "pricing/service.rs",
        "use crate::{base::X, oauth::keys::store::find};",
        "its own; ask its face",
    ),
    ("portal/http.rs", "use crate::payouts::store;", "its own; ask its face"),
    ("cellar/mod.rs", "", "`cellar` has no level"),
    ("payouts/model.rs", "use crate::db::Tx;", "a model knows base, money"),
    ("payouts/model.rs", "use super::store::Row;", "who saves, uses or shows"),
    ("payouts/model.rs", "pub async fn decide() {}", "it never waits"),
    ("payouts/store.rs", "use super::service;", "a store does not know"),
    (
        "payouts/batches/store.rs",
        "use crate::payouts::batches::http::Body;",
        "a store does not know",
    ),
    ("payouts/service.rs", "use super::http::PayoutBody;", "a service does not know"),
    ("payouts/service.rs", "db::row! { struct Row { id: i64, } }", "SQL lives in store.rs"),
    ("base/clock.rs", "use sqlx::Type;", "SQL lives in store.rs"),
    ("payouts/service.rs", "use axum::Json;", "HTTP lives in http.rs"),
    ("payouts/app.rs", "use axum::Json;", "HTTP lives in http.rs"),
    ("oauth/keys.rs", "fn f(r: axum::http::Request<()>) {}", "HTTP lives in http.rs"),
    ("app.rs", "use std::{env, fs};", "only the configuration reads"),
    ("app.rs", "use crate::payouts::store;", "its own; ask its face"),
    ("router.rs", "use crate::admin::Verb;", "lies below"),
    ("admin/mod.rs", "fn f() { std::env::var_os(\"X\"); }", "only the configuration reads"),
    ("jobs/mod.rs", "fn f() { std::time::SystemTime::now(); }", "ask the clock"),
    ("jobs/mod.rs", "fn f() { OffsetDateTime::now_utc(); }", "ask the clock"),
    ("ledger/model.rs", "fn rate() -> f64 { 0 }", "counted, not measured"),
    ("web/mod.rs", "// TODO: later", "finish it"),
    ("client/call.rs", "use crate::oauth::dpop::proof;", "shares its mistakes"),
    ("client/call.rs", "use crate::config::WebOrigin;", "shares its mistakes"),
];

#[test]
fn each_rule_sees_its_breach() {
    for (path, text, said) in BAD {
        let breaches = breaches_in_source(&[Source::new(path, text)]);
        assert!(
            breaches.len() == 1 && breaches.iter().all(|breach| breach.contains(said)),
            "{path}: {text}\nwanted one breach saying `{said}`, got {breaches:#?}"
        );
    }
    let long = Source::new("web/mod.rs", &"//\n".repeat(501));
    assert_eq!(breaches_in_source(&[long]).len(), 1);
}

#[test]
fn what_is_allowed_is_let_through() {
    const GOOD: &[(&str, &str)] = &[
        ("payouts/batches/model.rs", "use crate::{base::ids::X, money::Amount, payouts::State};"),
        ("payouts/http.rs", "use axum::Json; use super::{service, store}; use crate::web::Page;"),
        ("payouts/store.rs", "use sqlx::Row; use crate::db::Tx; use super::model::Payout;"),
        ("base/ids.rs", "use sqlx::Type; // and crate::money::Amount is only mentioned"),
        ("config/reader.rs", "fn f() { std::env::vars_os(); }"),
        ("jobs/mod.rs", "const T: &str = \"crate::oauth::x sqlx FIXME_NOT\"; use crate::ctx::Ctx;"),
        ("web/mod.rs", "mod tests { use super::*; } const R: &str = r#\"axum \"sqlx\" \"#;"),
        ("base/clock.rs", "fn f<'a>(x: &'a str) -> char { SystemTime::now(); '\"' }"),
        ("app.rs", "use crate::{payouts::http, router, ledger, config};"),
        ("router.rs", "use crate::app::App;"),
        ("admin/serve.rs", "use crate::{app::App, portal, telemetry};"),
        (
            "client/proof.rs",
            "use crate::{base::random::Random, oauth::jose::Jkt, client::Profile};",
        ),
        ("main.rs", "fn f() { counterfoil::admin::main(std::env::args_os()) }"),
        ("web/limits.rs", "fn f(seconds: f64) {}"),
    ];
    for (path, text) in GOOD {
        let breaches = breaches_in_source(&[Source::new(path, text)]);
        assert!(breaches.is_empty(), "{path}: {text}\n{breaches:#?}");
    }
}

#[test]
fn tests_that_wait_or_never_run_are_seen() {
    // Put together here, so that no search for the words themselves finds this test.
    let (waits, never_runs) = (["sle", "ep"].concat(), ["ign", "ore"].concat());
    let waiting = format!("fn f() {{ tokio::time::{waits}(second).await; }}");
    let never_run = format!("#[test]\n#[{never_runs}]\nfn f() {{}}");
    for text in [waiting, never_run] {
        assert_eq!(breaches_in_tests(&[Source::new("it/x.rs", &text)]).len(), 1, "{text}");
    }
}

#[test]
fn nested_lists_are_read_whole() {
    let text = "use crate::{\n    base::{ids::{A, B}, *},\n    money,\n};\nuse super::x::Y;";
    let import = |rest: &[&str], line| Import {
        root: "crate".to_owned(),
        rest: rest.iter().map(|part| (*part).to_owned()).collect(),
        line,
    };
    assert_eq!(
        Source::new("web/errors/mod.rs", text).imports(),
        [
            import(&["base", "ids", "A"], 1),
            import(&["base", "ids", "B"], 1),
            import(&["base", "*"], 1),
            import(&["money"], 1),
            import(&["web", "x", "Y"], 5),
        ]
    );
}
