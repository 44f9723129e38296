//! The two dialects describe one schema, and starting twice or too old is safe.

use std::collections::BTreeMap;

use counterfoil::db::{Db, Options, latest_version};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::task::JoinSet;

use crate::support::{
    both::{TestDb, both},
    scratch,
};

/// Table, then its columns (with NOT NULL), unique keys and foreign keys, as comparable text.
type Shape = BTreeMap<String, Vec<String>>;

#[tokio::test]
async fn both_dialects_have_the_same_shape() {
    let (sqlite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let (left, right) = (sqlite_shape(&sqlite.url).await, postgres_shape(&postgres.url).await);
    assert!(left.len() > 5, "the shapes have tables to compare");
    assert_eq!(left, right);
}

/// A file that nobody lists would never run, and nothing else would tell.
#[test]
fn every_file_is_a_step() {
    for engine in ["sqlite", "postgres"] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/").to_owned() + engine;
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(i64::try_from(files).unwrap(), latest_version(), "{engine}");
    }
}

async fn sqlite_shape(url: &str) -> Shape {
    let mut file = SqliteConnection::connect(url).await.unwrap();
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'
            AND name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    let mut shape = Shape::new();
    for (table,) in tables {
        let mut facts = Vec::new();
        let columns: Vec<(String, bool, i64)> = query(
            &mut file,
            format!("SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')"),
        )
        .await;
        facts.extend(columns.iter().map(|(name, not_null, _)| column(name, *not_null)));
        let indexes: Vec<(String,)> = query(
            &mut file,
            format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1"),
        )
        .await;
        for (index,) in indexes {
            let names: Vec<(String,)> = query(
                &mut file,
                format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"),
            )
            .await;
            let names: Vec<_> = names.into_iter().map(|(name,)| name).collect();
            facts.push(format!("unique ({})", names.join(", ")));
        }
        let keys: Vec<(i64, String, String, String)> = query(
            &mut file,
            format!(
                "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list('{table}')
                 ORDER BY id, seq"
            ),
        )
        .await;
        facts.extend(foreign_keys(keys));
        facts.sort();
        shape.insert(table, facts);
    }
    shape
}

async fn query<T>(file: &mut SqliteConnection, sql: String) -> Vec<T>
where
    T: Send + Unpin + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
{
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(file).await.unwrap()
}

async fn postgres_shape(url: &str) -> Shape {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text, is_nullable = 'NO'
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'";
    const UNIQUE: &str = "SELECT t.relname::text, string_agg(a.attname::text, ', ' ORDER BY k.n)
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(col, n)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.col
        WHERE i.indisunique AND t.relname NOT LIKE '\\_%' GROUP BY t.relname, i.indexrelid";
    const FOREIGN: &str = "SELECT c.oid::bigint, t.relname::text, f.relname::text,
            a.attname::text, b.attname::text
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        JOIN pg_class f ON f.oid = c.confrelid
        CROSS JOIN LATERAL unnest(c.conkey, c.confkey) WITH ORDINALITY AS k(x, y, n)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.x
        JOIN pg_attribute b ON b.attrelid = f.oid AND b.attnum = k.y
        WHERE c.contype = 'f' ORDER BY c.oid, k.n";
    let mut server = PgConnection::connect(url).await.unwrap();
    let mut shape = Shape::new();
    let columns: Vec<(String, String, bool)> =
        sqlx::query_as(COLUMNS).fetch_all(&mut server).await.unwrap();
    for (table, name, not_null) in columns {
        shape.entry(table).or_default().push(column(&name, not_null));
    }
    let unique: Vec<(String, String)> =
        sqlx::query_as(UNIQUE).fetch_all(&mut server).await.unwrap();
    for (table, columns) in unique {
        shape.entry(table).or_default().push(format!("unique ({columns})"));
    }
    let foreign: Vec<(i64, String, String, String, String)> =
        sqlx::query_as(FOREIGN).fetch_all(&mut server).await.unwrap();
    let mut by_table: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (id, table, target, from, to) in foreign {
        by_table.entry(table).or_default().push((id, target, from, to));
    }
    for (table, keys) in by_table {
        shape.entry(table).or_default().extend(foreign_keys(keys));
    }
    for facts in shape.values_mut() {
        facts.sort();
    }
    shape
}

fn column(name: &str, not_null: bool) -> String {
    format!("column {name}{}", if not_null { " not null" } else { "" })
}

fn foreign_keys(rows: Vec<(i64, String, String, String)>) -> Vec<String> {
    let mut keys: BTreeMap<i64, (String, Vec<String>)> = BTreeMap::new();
    for (id, target, from, to) in rows {
        keys.entry(id).or_insert_with(|| (target, Vec::new())).1.push(format!("{from}={to}"));
    }
    keys.into_values()
        .map(|(target, pairs)| format!("-> {target} ({})", pairs.join(", ")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_replicas_may_migrate_an_empty_database_at_once() {
    let folder = scratch::directory("together");
    let file = format!("sqlite://{}/counterfoil.db", folder.display());
    let server = crate::support::postgres::shared();
    server.execute("CREATE DATABASE together").await;
    for url in [file, server.url("together")] {
        let mut replicas = JoinSet::new();
        for _ in 0..6 {
            let url = url.clone();
            replicas.spawn(async move {
                let db = Db::connect(&url, &Options::default()).await?;
                db.migrate().await?;
                db.check_version().await
            });
        }
        for outcome in replicas.join_all().await {
            outcome.unwrap();
        }
    }
}

/// Outside the sandbox this is how a new installation meets `serve`: it must hear what to do.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_refused_with_the_way_out() {
    let file = format!("sqlite://{}/counterfoil.db", scratch::directory("empty").display());
    let server = crate::support::postgres::empty_database().await;
    for url in [&file, &server.url] {
        let db = Db::connect(url, &Options::default()).await.unwrap();
        let text = db.check_version().await.unwrap_err().cause_chain().unwrap();
        assert!(text.contains("run `counterfoil migrate`"), "{text}");
        db.close().await;
    }
}

both! {
    /// An old program must not write into a schema that it does not know.
    async fn a_database_from_the_future_is_refused(test: TestDb) {
        let db = test.open().await;
        db.check_version().await.unwrap();
        let newer = latest_version() + 1;
        let insert = "INSERT INTO _sqlx_migrations
            (version, description, success, checksum, execution_time) VALUES ($1, 'next', $2, $3, 0)";
        counterfoil::db::write!(db, super::HOUSE, |tx| {
            Ok(counterfoil::db::exec!(tx, insert, newer, true, &[0_u8][..])?)
        })
        .unwrap();
        for refused in [db.check_version().await, db.migrate().await] {
            let text = refused.unwrap_err().cause_chain().unwrap();
            assert!(text.contains("newer than this program"), "{text}");
        }
    }
}
