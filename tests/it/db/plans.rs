//! What `SQLite` reads for each statement. It knows nothing of how rows are spread until somebody runs
//! ANALYZE, which nobody does: what it chooses on an empty database is what it chooses on ten million rows.

use sqlx::{Connection, Row};

use super::statements::STORES;
use crate::support::both::TestDb;

/// Tables that grow with every payout. No request may read all of a merchant's rows in one of them.
const GROWING: &[&str] = &[
    "api_requests",
    "beneficiaries",
    "events",
    "fx_exchanges",
    "fx_quotes",
    "idempotency_answers",
    "idempotency_keys",
    "instruments",
    "ledger_entries",
    "ledger_holds",
    "ledger_postings",
    "payout_attempts",
    "payout_transitions",
    "payouts",
    "portal_trail",
    "quotes",
    "webhook_deliveries",
];

/// What auditors ask for, what a sandbox forgets when it begins anew, and what stops at the first row.
const MAY: &[(&str, &str)] = &[
    ("events/log", "SELECT sequence, created_at_us FROM events WHERE merchant_id = $1 ORDER BY"),
    ("events/log", "SELECT s.merchant_id, s.last, COUNT(e.sequence)"),
    ("ledger/audit", ""),
    ("ledger/erasure", ""),
    // An operator's command, by hand.
    ("payouts/beneficiaries", "SELECT merchant_id FROM beneficiaries WHERE id = $1"),
    ("payouts/beneficiaries", "DELETE FROM beneficiaries WHERE merchant_id = $1"),
    ("payouts/instruments", "DELETE FROM instruments WHERE merchant_id = $1"),
    ("payouts/sandbox", ""),
    ("pricing/erasure", ""),
    ("web/idempotency", "DELETE FROM idempotency_answers WHERE merchant_id = $1"),
    ("web/idempotency", "DELETE FROM idempotency_keys WHERE merchant_id = $1"),
];

fn may(store: &str, sql: &str) -> bool {
    MAY.iter().any(|(room, begins)| store.starts_with(room) && sql.starts_with(begins))
}

/// The growing table that a line of a plan reads whole, or as much of it as a merchant has.
fn read_whole<'a>(sql: &str, line: &str) -> Option<&'a str> {
    let mut words = line.split(' ');
    let (how, what) = (words.next()?, words.next()?);
    let is_it = |table: &&str| *table == what || sql.contains(&format!(" {table} {what} "));
    let table = GROWING.iter().copied().find(is_it)?;
    let whole = how == "SCAN" || line.ends_with("(merchant_id=?)");
    // The least of an index is its first entry.
    let first = line.contains("COVERING INDEX") && sql.contains("(SELECT MIN(");
    (whole && !first).then_some(table)
}

async fn plan(file: &mut sqlx::SqliteConnection, sql: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(file).await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn no_request_reads_all_rows_of_a_merchant() {
    let db = TestDb::sqlite().await;
    let mut file = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    let mut faults = Vec::new();
    for (store, statements) in STORES {
        for sql in statements.iter().flat_map(|statement| statement.sqlite.split(';')) {
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            if may(store, &sql) {
                continue;
            }
            for line in plan(&mut file, &sql).await {
                if let Some(table) = read_whole(&sql, &line) {
                    faults.push(format!("{store} reads {table} whole: {line}: {sql}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Flat to ten million rows is a matter of the plan: one index finds, narrows and orders.
#[tokio::test]
async fn lists_walk_the_index_of_their_filter_and_sort_nothing() {
    let db = TestDb::sqlite().await;
    let mut file = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    let mut seen = 0;
    for (store, statements) in STORES {
        for sql in statements.iter().map(|statement| statement.sqlite) {
            let Some((_, rest)) = sql.split_once("INDEXED BY ") else { continue };
            let index = rest.split_whitespace().next().unwrap();
            let lines = plan(&mut file, sql).await;
            let walked = lines.iter().find(|line| line.contains(&format!("INDEX {index} ")));
            let walked = walked.unwrap_or_else(|| panic!("{store}: {lines:?}"));
            let order = sql.rsplit("ORDER BY ").next().unwrap();
            if order.starts_with("id DESC") || order.starts_with("d.id DESC") {
                seen += 1;
                assert!(
                    !lines.iter().any(|line| line.contains("TEMP B-TREE")),
                    "{store}: {lines:?}"
                );
                let columns = walked.split_once('(').unwrap().1;
                assert!(columns.contains("id<?") || columns.contains("quote_id=?"), "{walked}");
            }
        }
    }
    assert!(seen > 10, "{seen} lists are held to their index");
}
