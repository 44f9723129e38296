//! The statements of the request log.

use super::{Answered, Filter, Line, LineId, target};
use crate::{
    base::{ids::MerchantId, pagination::PageRequest, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx, statement},
};

const INSERT: Statement = statement!(
    "INSERT INTO api_requests
    (merchant_id, id, at_us, method, path, status, code, client_id, request_id, micros)
    SELECT j.value->>0, j.value->>1, CAST(j.value->>2 AS BIGINT), j.value->>3, j.value->>4,
        CAST(j.value->>5 AS BIGINT), j.value->>6, j.value->>7, j.value->>8,
        CAST(j.value->>9 AS BIGINT)
    FROM ",
    JSON_ROWS("$1"),
    ""
);

const PAGE: &str = "SELECT id, at_us, method, path, status, code, client_id, request_id, micros
    FROM api_requests WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// In the words of the partial index.
const REFUSED: &str = "SELECT id, at_us, method, path, status, code, client_id, request_id, micros
    FROM api_requests WHERE merchant_id = $1 AND id < $2 AND status >= 400
    ORDER BY id DESC LIMIT $3";

const NAMED: &str = "SELECT id, at_us, method, path, status, code, client_id, request_id, micros
    FROM api_requests WHERE merchant_id = $1 AND id < $2 AND request_id = $4
    ORDER BY id DESC LIMIT $3";

/// The next merchant who has lines, and the oldest of them.
const OLDEST: &str = "SELECT merchant_id, id FROM api_requests WHERE merchant_id > $1
    ORDER BY merchant_id, id LIMIT 1";

/// Ids are ordered by when the request came.
const FORGET: &str = "DELETE FROM api_requests WHERE merchant_id = $1 AND id IN (
        SELECT r.id FROM api_requests r
        WHERE r.merchant_id = $1 AND r.id < $2 ORDER BY r.id LIMIT $3)";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    INSERT,
    Statement::same(PAGE),
    Statement::same(REFUSED),
    Statement::same(NAMED),
    Statement::same(OLDEST),
    Statement::same(FORGET),
];

/// After every id in the order of bytes.
const AFTER_ALL: &str = "rql_~";

/// A line on its way in, in the order of the columns. SQLite finds ten places of an array in two thirds of
/// the time that it takes to find ten names in an object.
pub(super) type Row<'a> =
    (MerchantId, LineId, i64, &'a str, String, u16, Option<&'static str>, &'a str, &'a str, i64);

pub(super) fn row(id: LineId, line: &Answered) -> Row<'_> {
    (
        line.merchant,
        id,
        line.at.micros(),
        line.method.as_str(),
        line.path_and_query.split_once('?').map_or_else(
            || target(&line.path_and_query, None),
            |(path, query)| target(path, Some(query)),
        ),
        line.status,
        line.code,
        &line.client,
        &line.request,
        i64::try_from(line.micros).unwrap_or(i64::MAX),
    )
}

pub(super) async fn insert(tx: &mut Tx, rows: &str) -> Result<(), DbError> {
    let sql = INSERT.on(tx.engine());
    db::exec!(tx, sql, rows)?;
    Ok(())
}

db::row! {
    struct LineRow {
        id: LineId,
        at_us: Timestamp,
        method: String,
        path: String,
        status: i64,
        code: Option<String>,
        client_id: String,
        request_id: String,
        micros: i64,
    }
}

impl From<LineRow> for Line {
    fn from(row: LineRow) -> Self {
        let LineRow { id, at_us: at, method, path, status, code, micros, .. } = row;
        let (client, request) = (row.client_id, row.request_id);
        Self { id, at, method, path, status, code, client, request, micros }
    }
}

pub(super) async fn page(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    request: &PageRequest,
) -> Result<Vec<Line>, DbError> {
    let (before, most) = (request.after.as_deref().unwrap_or(AFTER_ALL), request.fetch());
    let rows = match filter {
        Filter::All => db::all!(tx, LineRow, PAGE, merchant, before, most)?,
        Filter::Refused => db::all!(tx, LineRow, REFUSED, merchant, before, most)?,
        Filter::Named(name) => db::all!(tx, LineRow, NAMED, merchant, before, most, name)?,
    };
    Ok(rows.into_iter().map(Line::from).collect())
}

/// The merchant with lines who comes after this one (the first, without one), and the oldest of them.
pub(super) async fn oldest(
    tx: &mut Tx,
    after: Option<MerchantId>,
) -> Result<Option<(MerchantId, LineId)>, DbError> {
    let after = after.map(|merchant| merchant.to_string()).unwrap_or_default();
    db::optional!(tx, (MerchantId, LineId), OLDEST, after)
}

/// Drops some of a merchant's lines that are older than the first to be kept; gives how many.
pub(super) async fn forget(
    tx: &mut Tx,
    merchant: MerchantId,
    first_kept: &str,
    most: u32,
) -> Result<u64, DbError> {
    db::exec!(tx, FORGET, merchant, first_kept, i64::from(most))
}
