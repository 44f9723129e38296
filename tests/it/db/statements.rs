//! Every statement is prepared on both engines, and every store is known here.

use std::{collections::BTreeSet, fs, path::Path};

use counterfoil::db::Statement;
use sqlx::{Connection, Executor, SqlSafeStr, Statement as _};

use crate::support::both::TestDb;

/// Each store with its statements; a new store is added here, or the second test fails.
pub(super) const STORES: &[(&str, &[Statement])] = &[
    ("events/courier/store.rs", counterfoil::events::courier::STATEMENTS),
    ("events/deliveries/lists/store.rs", counterfoil::events::deliveries::lists::STATEMENTS),
    ("events/deliveries/store.rs", counterfoil::events::deliveries::STATEMENTS),
    ("events/endpoints/store.rs", counterfoil::events::endpoints::STATEMENTS),
    ("events/log/store.rs", counterfoil::events::log::STATEMENTS),
    ("jobs/store.rs", counterfoil::jobs::STATEMENTS),
    ("ledger/audit/store.rs", counterfoil::ledger::audit::STATEMENTS),
    ("ledger/erasure/store.rs", counterfoil::ledger::erasure::STATEMENTS),
    ("ledger/statement/store.rs", counterfoil::ledger::statement::STATEMENTS),
    ("ledger/store.rs", counterfoil::ledger::STATEMENTS),
    ("oauth/cluster/store.rs", counterfoil::oauth::cluster::STATEMENTS),
    ("oauth/credentials/store.rs", counterfoil::oauth::credentials::STATEMENTS),
    ("oauth/dpop/replay/store.rs", counterfoil::oauth::dpop::replay::STATEMENTS),
    ("oauth/lifecycle/store.rs", counterfoil::oauth::lifecycle::STATEMENTS),
    ("oauth/merchants/store.rs", counterfoil::oauth::merchants::STATEMENTS),
    ("oauth/replicas/store.rs", counterfoil::oauth::replicas::STATEMENTS),
    ("payouts/beneficiaries/store.rs", counterfoil::payouts::beneficiaries::STATEMENTS),
    ("payouts/checks/store.rs", counterfoil::payouts::checks::STATEMENTS),
    ("payouts/days/store.rs", counterfoil::payouts::days::STATEMENTS),
    ("payouts/funding/store.rs", counterfoil::payouts::funding::STATEMENTS),
    ("payouts/instruments/store.rs", counterfoil::payouts::instruments::STATEMENTS),
    ("payouts/limits/store.rs", counterfoil::payouts::limits::STATEMENTS),
    ("payouts/payout/audit/store.rs", counterfoil::payouts::payout::audit::STATEMENTS),
    ("payouts/payout/desk/store.rs", counterfoil::payouts::payout::desk::STATEMENTS),
    ("payouts/payout/store.rs", counterfoil::payouts::payout::STATEMENTS),
    ("payouts/sandbox/store.rs", counterfoil::payouts::sandbox::STATEMENTS),
    ("portal/links/store.rs", counterfoil::portal::links::STATEMENTS),
    ("portal/names/store.rs", counterfoil::portal::names::STATEMENTS),
    ("portal/passkeys/store.rs", counterfoil::portal::passkeys::STATEMENTS),
    ("portal/sessions/store.rs", counterfoil::portal::sessions::STATEMENTS),
    ("portal/totp/store.rs", counterfoil::portal::totp::STATEMENTS),
    ("portal/trail/store.rs", counterfoil::portal::trail::STATEMENTS),
    ("portal/users/store.rs", counterfoil::portal::users::STATEMENTS),
    ("pricing/cache/store.rs", counterfoil::pricing::cache::STATEMENTS),
    ("pricing/erasure/store.rs", counterfoil::pricing::erasure::STATEMENTS),
    ("pricing/exchanges/store.rs", counterfoil::pricing::exchanges::STATEMENTS),
    ("pricing/fx/store.rs", counterfoil::pricing::fx::STATEMENTS),
    ("pricing/plans/store.rs", counterfoil::pricing::plans::STATEMENTS),
    ("pricing/quotes/store.rs", counterfoil::pricing::quotes::STATEMENTS),
    ("vault/store.rs", counterfoil::vault::STATEMENTS),
    ("web/idempotency/store.rs", counterfoil::web::idempotency::STATEMENTS),
    ("web/requests/store.rs", counterfoil::web::requests::STATEMENTS),
];

/// How many values a text wants: those of each statement in it, since an engine counts them so.
fn wanted(sql: &str) -> usize {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    let of = |one: &str| one.split('$').skip(1).filter_map(number).collect::<BTreeSet<usize>>();
    sql.split(';').map(|one| of(one).len()).sum()
}

#[tokio::test]
async fn every_statement_is_accepted_by_both_engines() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let mut file = sqlx::SqliteConnection::connect(&sqlite.url).await.unwrap();
    let mut server = sqlx::PgConnection::connect(&postgres.url).await.unwrap();
    let mut faults = Vec::new();
    for (store, statements) in STORES {
        for statement in *statements {
            match (&mut file).prepare(statement.sqlite.into_sql_str()).await {
                Ok(prepared) => check(&mut faults, store, statement.sqlite, prepared.parameters()),
                Err(error) => {
                    faults.push(format!("{store} on SQLite: {error}: {}", statement.sqlite));
                }
            }
            match (&mut server).prepare(statement.postgres.into_sql_str()).await {
                Ok(prepared) => {
                    check(&mut faults, store, statement.postgres, prepared.parameters());
                }
                Err(error) => {
                    faults.push(format!("{store} on PostgreSQL: {error}: {}", statement.postgres));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// sqlx leaves a missing value as NULL on SQLite without a word, so the count is checked.
fn check<T>(
    faults: &mut Vec<String>,
    store: &str,
    sql: &str,
    parameters: Option<sqlx::Either<&[T], usize>>,
) {
    let count = match parameters {
        Some(sqlx::Either::Left(types)) => types.len(),
        Some(sqlx::Either::Right(count)) => count,
        None => 0,
    };
    if count != wanted(sql) {
        faults.push(format!("{store}: {count} parameters, the text names {}: {sql}", wanted(sql)));
    }
}

#[test]
fn every_store_is_in_the_list() {
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    found.sort();
    let known: Vec<_> = STORES.iter().map(|(store, _)| (*store).to_owned()).collect();
    assert_eq!(found, known, "list each store.rs, in order of its path");
}

fn walk(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.file_name().is_some_and(|name| name == "store.rs") {
            found.push(path.strip_prefix("src").unwrap().display().to_string());
        }
    }
}
