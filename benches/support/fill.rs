//! Makes a few real payouts into millions: what the server itself has written is copied row by row, under
//! ids of their own and at moments of their own, spread over half a year.
//!
//! A payout and all it leaves takes some 18 kB. Up to a million all of that is there for each. Beyond that,
//! payouts, their quotes and their idempotency keys are there for each; everything else (steps, events,
//! deliveries, entries, postings, holds, lines of the request log, what a quote says) for the newest 300 000,
//! since no page reads further back, and what is written goes to its end.

use std::time::Instant;

use counterfoil::db::Engine;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection,
    postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use crate::support::both::TestDb;

/// Of how many payouts everything is there: the newest.
const fn whole(rows: i64) -> i64 {
    if rows <= 1_000_000 { rows } else { 300_000 }
}
const BATCH: i64 = 100_000;
/// After so many payouts the pattern of merchants begins anew: nine of ten are the first merchant's,
/// the others take turns.
const PATTERN: i64 = 90;
/// A number that is no smaller than any size, and a multiple of the pattern.
const BASE: i64 = PATTERN * 10_000_000;
/// Over how long all of it has happened, in microseconds: 180 days.
const SPAN: i64 = 180 * 86_400 * 1_000_000;
const STATES: &str = "created pending_screening screening_failed pending_approval approved processing \
    sent failed returned cancelled manual_review velocity_blocked pending_engine_review";

/// A connection of our own, which may do what the server never does.
enum Hand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What is copied, and how.
struct Copies<'a> {
    table: &'a str,
    /// Columns that are not the template's, and what they are. `b` is the row of the batch, `r` the template.
    with: &'a [(&'a str, &'a str)],
    /// Which rows of the batch take part.
    of: &'a str,
}

impl Hand {
    async fn open(db: &TestDb) -> Self {
        match db.engine {
            Engine::Sqlite => {
                let options: SqliteConnectOptions = db.url.parse().unwrap();
                let options = options
                    .foreign_keys(false)
                    .pragma("synchronous", "OFF")
                    .pragma("journal_mode", "OFF")
                    .pragma("temp_store", "MEMORY")
                    .pragma("cache_size", "-2000000");
                Self::Sqlite(options.connect().await.unwrap())
            }
            Engine::Postgres => {
                let options: PgConnectOptions = db.url.parse().unwrap();
                let mut server = options.connect().await.unwrap();
                // Rows refer to each other as the server's do; nobody has to check that of each.
                server.execute("SET session_replication_role = replica").await.unwrap();
                server.execute("SET work_mem = '256MB'").await.unwrap();
                server.execute("SET synchronous_commit = off").await.unwrap();
                Self::Postgres(server)
            }
        }
    }

    async fn run(&mut self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Sqlite(file) => file.execute(text).await.map(|_| ()),
            Self::Postgres(server) => server.execute(text).await.map(|_| ()),
        };
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let text = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(file) => sqlx::query_scalar(text).fetch_one(file).await.unwrap(),
            Self::Postgres(server) => sqlx::query_scalar(text).fetch_one(server).await.unwrap(),
        }
    }

    async fn columns(&mut self, table: &str) -> Vec<String> {
        match self {
            Self::Sqlite(file) => {
                let sql = AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')"));
                let rows = sqlx::query(sql).fetch_all(file).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(server) => {
                let sql = AssertSqlSafe(format!(
                    "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
                    WHERE table_name = '{table}' AND table_schema = 'public'"
                ));
                let rows = sqlx::query(sql).fetch_all(server).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Eight digits of a number that looks like chance.
    fn hex(&self, of: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("printf('%08X', ({of}) % 4294967296)"),
            Self::Postgres(_) => format!("LPAD(UPPER(TO_HEX(({of}) % 4294967296)), 8, '0')"),
        }
    }

    fn bytes(&self, of: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("CAST({of} AS BLOB)"),
            Self::Postgres(_) => format!("CONVERT_TO({of}, 'UTF8')"),
        }
    }

    /// The letters of an id that was made at this moment, in microseconds.
    fn letters(&self, at: &str, n: &str) -> String {
        let digit = |place: u32| {
            let shift = (9 - place) * 5;
            format!(
                "SUBSTR('0123456789ABCDEFGHJKMNPQRSTVWXYZ', CAST(((({at}) / 1000) >> {shift}) & 31 AS INTEGER) + 1, 1)"
            )
        };
        let time: Vec<String> = (0..10).map(digit).collect();
        let (one, other) = (format!("({n}) * 2654435761"), format!("({n}) * 40503 + 12345678"));
        format!("{} || {} || {}", time.join(" || "), self.hex(&one), self.hex(&other))
    }

    /// One or some real rows of each merchant, numbered.
    async fn template(&mut self, table: &str, which: &str, order: &str) {
        self.template_with(table, which, ("t.merchant_id", order), "").await;
    }

    /// The same, numbered within groups, with more columns for the copies to use.
    async fn template_with(
        &mut self,
        table: &str,
        which: &str,
        (group, order): (&str, &str),
        more: &str,
    ) {
        self.run(&format!(
            "CREATE TEMP TABLE r_{table} AS SELECT t.*,
                ROW_NUMBER() OVER (PARTITION BY {group} ORDER BY {order}) - 1 AS nth,
                COUNT(*) OVER (PARTITION BY {group}) AS many{more}
            FROM {table} t WHERE {which}"
        ))
        .await;
    }

    /// A batch begins empty.
    async fn clear(&mut self) {
        let sql = if matches!(self, Self::Sqlite(_)) { "DELETE FROM b" } else { "TRUNCATE b" };
        self.run(sql).await;
    }

    async fn copy(&mut self, copies: &Copies<'_>) {
        let Copies { table, with, of } = copies;
        let columns = self.columns(table).await;
        for (name, _) in *with {
            assert!(columns.iter().any(|column| column == name), "{table} has no {name}");
        }
        let value = |column: &String| match with.iter().find(|(name, _)| name == column) {
            Some((_, what)) => (*what).to_owned(),
            None => format!("r.{column}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        self.run(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM b CROSS JOIN r_{table} r
            WHERE r.merchant_id = b.m AND {of} ORDER BY b.n",
            columns.join(", "),
            values.join(", ")
        ))
        .await;
    }

    /// The rows of a batch: number, merchant, place among the merchant's (below zero: only a part of it is
    /// there), moment, letters of its ids and of its payee's.
    async fn batch(&mut self, (from, until): (i64, i64), now: i64, rows: i64, people: i64) {
        let newest = BASE + whole(rows) - 1;
        let step = SPAN / rows;
        let at = format!("{now} - ({newest} - n) * {step}");
        let payee =
            format!("((n * 7919) / {PATTERN} % {}) * {PATTERN} + n % {PATTERN}", people / PATTERN);
        let u = self.letters(&at, "n");
        let who = self.letters(&born("p", now), "p");
        self.clear().await;
        self.run(&format!(
            "INSERT INTO b (n, m, k, at, u, who)
            WITH RECURSIVE s(n) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT n + 1 FROM s WHERE n < {until} - 1),
                t AS (SELECT n, {payee} AS p FROM s)
            SELECT n, m.merchant_id, CASE WHEN n < {BASE} THEN -1
                    WHEN n % 10 < 9 THEN (n - {BASE}) / 10 * 9 + n % 10
                    ELSE (n - {BASE}) / {PATTERN} END,
                {at}, {u}, {who}
            FROM t JOIN merchants_by_place m
                ON m.place = CASE WHEN n % 10 < 9 THEN 0 ELSE 1 + n / 10 % 9 END"
        ))
        .await;
    }
}

/// When somebody was added, long before the first payout.
fn born(n: &str, now: i64) -> String {
    format!("{now} - {SPAN} - 864000000000 + ({n}) * 500000")
}

/// How many beneficiaries there are for so many payouts.
fn people(rows: i64) -> i64 {
    (rows / 10 / PATTERN).clamp(1, 11_111) * PATTERN
}

/// Fills a database in which each of these merchants has made one payout that has arrived; the first has most.
pub(crate) async fn fill(db: &TestDb, merchants: &[String], rows: i64, now: i64) {
    let begun = Instant::now();
    let mut hand = Hand::open(db).await;
    prepare(&mut hand, merchants).await;
    add_people(&mut hand, now, rows).await;
    let whole = whole(rows);
    let mut from = BASE + whole - rows;
    while from < BASE + whole {
        let end = if from < BASE { BASE } else { BASE + whole };
        let until = (from + BATCH).min(end);
        hand.run("BEGIN").await;
        hand.batch((from, until), now, rows, people(rows)).await;
        add_payouts(&mut hand).await;
        if from >= BASE {
            add_the_rest(&mut hand).await;
        }
        hand.run("COMMIT").await;
        from = until;
        if (from - BASE) % 1_000_000 == 0 {
            eprintln!("    {} rows to go after {:?}", BASE + whole - from, begun.elapsed());
        }
    }
    finish(&mut hand, merchants, now).await;
    match hand {
        Hand::Sqlite(mut file) => {
            file.execute("PRAGMA journal_mode = WAL").await.unwrap();
            file.close().await.unwrap();
        }
        Hand::Postgres(mut server) => {
            // What autovacuum has done by the time that a table has grown to this.
            server.execute("VACUUM ANALYZE").await.unwrap();
            server.close().await.unwrap();
        }
    }
    eprintln!("    filled in {:?}", begun.elapsed());
}

async fn prepare(hand: &mut Hand, merchants: &[String]) {
    hand.run("CREATE TEMP TABLE b (n INTEGER PRIMARY KEY, m TEXT, k BIGINT, at BIGINT, u TEXT, who TEXT)").await;
    hand.run("CREATE TEMP TABLE merchants_by_place (place BIGINT, merchant_id TEXT)").await;
    for (place, merchant) in merchants.iter().enumerate() {
        hand.run(&format!("INSERT INTO merchants_by_place VALUES ({place}, '{merchant}')")).await;
    }
    let (all, paid) = ("TRUE", "t.cause IN (SELECT id FROM payouts)");
    let about = "t.about IN (SELECT id FROM payouts)";
    for (table, which, order) in [
        ("beneficiaries", all, "t.id"),
        ("instruments", all, "t.id"),
        ("payouts", all, "t.id"),
        ("quotes", "t.id IN (SELECT quote_id FROM payouts)", "t.id"),
        ("idempotency_keys", "t.operation = 'payouts.create'", "t.key"),
        ("payout_transitions", all, "t.number"),
        ("ledger_holds", paid, "t.id"),
        ("ledger_entries", paid, "t.id"),
        ("api_requests", "t.path = '/v1/payouts' AND t.status = 201", "t.id"),
        ("portal_trail", all, "t.id"),
    ] {
        hand.template(table, which, order).await;
    }
    hand.template_with(
        "ledger_postings",
        "t.entry_id IN (SELECT id FROM r_ledger_entries)",
        ("t.merchant_id, t.currency, t.kind", "t.version"),
        ", (SELECT e.nth FROM r_ledger_entries e WHERE e.id = t.entry_id) AS entry_nth,
        (SELECT a.version FROM ledger_accounts a WHERE a.merchant_id = t.merchant_id
            AND a.currency = t.currency AND a.kind = t.kind) AS base",
    )
    .await;
    let last =
        ", (SELECT s.last FROM event_sequences s WHERE s.merchant_id = t.merchant_id) AS base";
    hand.template_with("events", about, ("t.merchant_id", "t.sequence"), last).await;
    let event = ", (SELECT e.nth FROM r_events e WHERE e.merchant_id = t.merchant_id
            AND e.sequence = t.sequence) AS event_nth,
        (SELECT e.base FROM r_events e WHERE e.merchant_id = t.merchant_id
            AND e.sequence = t.sequence) AS base,
        (SELECT e.many FROM r_events e WHERE e.merchant_id = t.merchant_id
            AND e.sequence = t.sequence) AS events";
    hand.template_with("webhook_deliveries", about, ("t.merchant_id", "t.sequence"), event).await;
    for table in ["payouts", "events", "ledger_postings", "api_requests", "webhook_deliveries"] {
        assert!(hand.number(&format!("SELECT COUNT(*) FROM r_{table}")).await > 0, "no {table}");
    }
}

async fn add_people(hand: &mut Hand, now: i64, rows: i64) {
    let (count, mut from) = (people(rows), 0);
    while from < count {
        let until = (from + BATCH).min(count);
        let at = born("n", now);
        let (u, fingerprint) = (hand.letters(&at, "n"), hand.bytes("b.u"));
        hand.run("BEGIN").await;
        hand.clear().await;
        hand.run(&format!(
            "INSERT INTO b (n, m, k, at, u, who)
            WITH RECURSIVE s(n) AS (SELECT CAST({from} AS BIGINT) UNION ALL SELECT n + 1 FROM s WHERE n < {until} - 1)
            SELECT n, m.merchant_id, 0, {at}, {u}, ''
            FROM s JOIN merchants_by_place m
                ON m.place = CASE WHEN n % 10 < 9 THEN 0 ELSE 1 + n / 10 % 9 END"
        ))
        .await;
        hand.copy(&Copies {
            table: "beneficiaries",
            with: &[
                ("id", "'ben_' || b.u"),
                ("external_ref", "'supplier ' || b.n"),
                ("fingerprint", &fingerprint),
                ("created_at_us", "b.at"),
                ("updated_at_us", "b.at"),
            ],
            of: "TRUE",
        })
        .await;
        hand.copy(&Copies {
            table: "instruments",
            with: &[
                ("id", "'ins_' || b.u"),
                ("beneficiary_id", "'ben_' || b.u"),
                ("created_at_us", "b.at"),
                ("updated_at_us", "b.at"),
            ],
            of: "TRUE",
        })
        .await;
        hand.run("COMMIT").await;
        from = until;
    }
}

async fn add_payouts(hand: &mut Hand) {
    let when = |(number, state): (i64, &str)| format!("WHEN {number} THEN '{state}'");
    let cases: Vec<String> = (0..).zip(STATES.split_whitespace()).map(when).collect();
    // Of a hundred, 87 have arrived; the others are one in each other state.
    let status = format!("CASE b.n / {PATTERN} % 100 {} ELSE 'completed' END", cases.join(" "));
    hand.copy(&Copies {
        table: "payouts",
        with: &[
            ("id", "'pay_' || b.u"),
            ("beneficiary_id", "'ben_' || b.who"),
            ("instrument_id", "'ins_' || b.who"),
            ("quote_id", "'pq_' || b.u"),
            ("hold_id", "'hld_' || b.u"),
            ("reference", "'invoice ' || b.n"),
            ("status", &status),
            ("screened_at_us", "b.at + 100000"),
            ("approved_at_us", "b.at + 200000"),
            ("processed_at_us", "b.at + 300000"),
            ("completed_at_us", "b.at + 2000000"),
            ("created_at_us", "b.at"),
            ("updated_at_us", "b.at + 2000000"),
        ],
        of: "TRUE",
    })
    .await;
    hand.copy(&Copies {
        table: "quotes",
        with: &[
            ("id", "'pq_' || b.u"),
            ("facts", "CASE WHEN b.k < 0 THEN '' ELSE r.facts END"),
            ("signature", "CASE WHEN b.k < 0 THEN '' ELSE r.signature END"),
            ("created_at_us", "b.at"),
            ("expires_at_us", "b.at + 900000000"),
            ("consumed_at_us", "b.at + 1000"),
            ("consumed_by", "'pay_' || b.u"),
        ],
        of: "TRUE",
    })
    .await;
    let key = hand.hex("b.n * 2654435761");
    hand.copy(&Copies {
        table: "idempotency_keys",
        with: &[
            ("key", &format!("LOWER({key}) || '-' || b.u")),
            ("resource_id", "'pay_' || b.u"),
            ("created_at_us", "b.at"),
        ],
        of: "TRUE",
    })
    .await;
}

/// A table, what is not the template's, and which rows take part.
type Copied<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// What a payout leaves beside itself.
async fn add_the_rest(hand: &mut Hand) {
    let at = ("created_at_us", "b.at");
    let one_of_several =
        |prefix: &str| format!("'{prefix}_' || SUBSTR(b.u, 1, 24) || (10 + r.nth)");
    let (entry, event) = (one_of_several("txn"), one_of_several("evt"));
    let posted = entry.replace("r.nth", "r.entry_nth");
    let delivery = one_of_several("dlv");
    let number = "r.base + b.k * r.many + r.nth + 1";
    let sequence = "r.base + b.k * r.events + r.event_nth + 1";
    let told = event.replace("r.nth", "r.event_nth");
    let copies: [Copied<'_>; 8] = [
        (
            "payout_transitions",
            &[("payout_id", "'pay_' || b.u"), ("at_us", "b.at + r.nth")],
            "TRUE",
        ),
        ("ledger_holds", &[("id", "'hld_' || b.u"), ("cause", "'pay_' || b.u"), at], "r.nth = 0"),
        ("ledger_entries", &[("id", &entry), ("cause", "'pay_' || b.u"), at], "TRUE"),
        ("ledger_postings", &[("version", number), ("entry_id", &posted), at], "TRUE"),
        ("events", &[("sequence", number), ("id", &event), ("about", "'pay_' || b.u"), at], "TRUE"),
        (
            "webhook_deliveries",
            &[
                ("id", &delivery),
                ("sequence", sequence),
                ("event_id", &told),
                ("about", "'pay_' || b.u"),
                ("status", "CASE WHEN b.n / 90 % 1000 = 0 THEN 'failed' ELSE 'delivered' END"),
                ("next_attempt_at_us", "NULL"),
                at,
                ("updated_at_us", "b.at + 1000"),
            ],
            "TRUE",
        ),
        (
            "api_requests",
            &[
                ("id", "'rql_' || b.u"),
                ("request_id", "'req_' || b.u"),
                ("status", "CASE WHEN b.n % 200 = 7 THEN 422 ELSE 201 END"),
                ("at_us", "b.at"),
            ],
            "r.nth = 0",
        ),
        (
            "portal_trail",
            &[("id", "'trl_' || b.u"), ("subject", "'pay_' || b.u"), ("at_us", "b.at")],
            "r.nth = 0 AND b.n % 10 = 3",
        ),
    ];
    for (table, with, of) in copies {
        hand.copy(&Copies { table, with, of }).await;
    }
}

/// Counters go on from where the copies end, and charts have something to show.
async fn finish(hand: &mut Hand, merchants: &[String], now: i64) {
    hand.run(
        "UPDATE ledger_accounts SET version = (SELECT COALESCE(MAX(p.version), 0) FROM ledger_postings p
            WHERE p.merchant_id = ledger_accounts.merchant_id
            AND p.currency = ledger_accounts.currency AND p.kind = ledger_accounts.kind)",
    )
    .await;
    hand.run(
        "UPDATE event_sequences SET last = (SELECT MAX(e.sequence) FROM events e
            WHERE e.merchant_id = event_sequences.merchant_id)",
    )
    .await;
    // Nothing is sent anywhere while we measure.
    hand.run(
        "UPDATE webhook_endpoints SET status = 'inactive', planned_through =
            (SELECT s.last FROM event_sequences s WHERE s.merchant_id = webhook_endpoints.merchant_id)",
    )
    .await;
    hand.run("DELETE FROM payout_days").await;
    hand.run("DELETE FROM payout_day_marks").await;
    hand.run("INSERT INTO payout_day_marks SELECT merchant_id, last FROM event_sequences").await;
    let big = merchants.first().unwrap();
    for ago in 0..180 {
        let day = counterfoil::base::timestamp::Timestamp::from_micros(now - ago * SPAN / 180);
        let day = day.date_time().date();
        for (measures, names) in
            [("made arrived lost fees", "EUR USD GBP CHF"), ("rail", "sepa ach wire swift")]
        {
            for measure in measures.split(' ') {
                for name in names.split(' ') {
                    hand.run(&format!(
                        "INSERT INTO payout_days VALUES ('{big}', '{day}', '{measure}', '{name}', 900, 90000)"
                    ))
                    .await;
                }
            }
        }
    }
}
