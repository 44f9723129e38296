//! The statements of the log.

use super::{Event, EventType, Mark, NewEvent};
use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    events::EventId,
};

/// The merchant's row is locked until the end of the transaction: whoever comes second waits for the
/// first one's number to be real or given back.
const NEXT: &str = "INSERT INTO event_sequences (merchant_id, last) VALUES ($1, 1)
    ON CONFLICT (merchant_id) DO UPDATE SET last = event_sequences.last + 1
    RETURNING last";

const INSERT: &str = "INSERT INTO events
    (merchant_id, sequence, id, kind, about, body, created_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

const AFTER: &str = "SELECT id, sequence, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";

const BEFORE: &str = "SELECT id, sequence, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3";

const OF_KIND: &str = "SELECT id, sequence, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND sequence >= $2 AND sequence < $3 AND kind = $4
    ORDER BY sequence DESC LIMIT $5";

const ABOUT: &str = "SELECT id, sequence, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND about = $2 AND sequence < $3
    AND ($4 = '' OR kind = $4) ORDER BY sequence DESC LIMIT $5";
const MARKS: &str = "SELECT sequence, kind, about, created_at_us
    FROM events WHERE merchant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";

const HEADS: &str = "SELECT merchant_id, last FROM event_sequences
    WHERE merchant_id > $1 ORDER BY merchant_id LIMIT $2";

const FIND: &str = "SELECT id, sequence, kind, about, body, created_at_us
    FROM events WHERE merchant_id = $1 AND id = $2";

const LAST: &str = "SELECT last FROM event_sequences WHERE merchant_id = $1";

const KINDS: &str = "SELECT about, kind, COUNT(*) FROM events
    WHERE merchant_id = $1 AND about >= $2 AND about <= $3
    GROUP BY about, kind ORDER BY about, kind LIMIT 20000";

const OLDEST: &str = "SELECT sequence, created_at_us FROM events
    WHERE merchant_id = $1 ORDER BY sequence LIMIT 1";

/// Events are dropped from the oldest on, so what is there must be one run that ends at the counter.
const GAPS: &str = "SELECT s.merchant_id, s.last, COUNT(e.sequence),
        CAST(COALESCE(MIN(e.sequence), s.last + 1) AS BIGINT),
        CAST(COALESCE(MAX(e.sequence), s.last) AS BIGINT)
    FROM event_sequences s LEFT JOIN events e ON e.merchant_id = s.merchant_id
    WHERE s.merchant_id > $1
    GROUP BY s.merchant_id, s.last ORDER BY s.merchant_id LIMIT 500";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(NEXT),
    Statement::same(INSERT),
    Statement::same(AFTER),
    Statement::same(BEFORE),
    Statement::same(OF_KIND),
    Statement::same(ABOUT),
    Statement::same(MARKS),
    Statement::same(HEADS),
    Statement::same(FIND),
    Statement::same(LAST),
    Statement::same(KINDS),
    Statement::same(OLDEST),
    Statement::same(GAPS),
];

/// Takes the merchant's next number.
pub(super) async fn next(tx: &mut Tx, merchant: MerchantId) -> Result<i64, DbError> {
    let (sequence,) = db::one!(tx, (i64,), NEXT, merchant)?;
    Ok(sequence)
}

pub(super) async fn insert(
    tx: &mut Tx,
    merchant: MerchantId,
    (id, sequence, at): (EventId, i64, Timestamp),
    event: &NewEvent,
    body: &[u8],
) -> Result<(), DbError> {
    let NewEvent { kind, about, .. } = event;
    db::exec!(tx, INSERT, merchant, sequence, id, kind.as_str(), about, body, at)?;
    Ok(())
}

db::row! {
    struct EventRow {
        id: EventId,
        sequence: i64,
        kind: String,
        about: String,
        body: Vec<u8>,
        created_at_us: Timestamp,
    }
}

impl TryFrom<EventRow> for Event {
    type Error = DbError;

    fn try_from(row: EventRow) -> Result<Self, DbError> {
        let EventRow { id, sequence, kind, about, body, created_at_us: created_at } = row;
        let kind = EventType::parse(&kind)
            .ok_or_else(|| DbError::unreadable("event", format!("its kind is {kind}")))?;
        Ok(Self { id, sequence, kind, about, body, created_at })
    }
}

pub(super) async fn after(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = db::all!(tx, EventRow, AFTER, merchant, sequence, limit)?;
    rows.into_iter().map(Event::try_from).collect()
}

/// The newest ones before a number.
pub(super) async fn before(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = db::all!(tx, EventRow, BEFORE, merchant, sequence, limit)?;
    rows.into_iter().map(Event::try_from).collect()
}

/// The newest ones of a kind between two numbers.
pub(super) async fn of_kind(
    tx: &mut Tx,
    merchant: MerchantId,
    kind: EventType,
    (from, before): (i64, i64),
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = db::all!(tx, EventRow, OF_KIND, merchant, from, before, kind.as_str(), limit)?;
    rows.into_iter().map(Event::try_from).collect()
}

/// The newest ones about a resource; with a kind that is not empty, of that kind.
pub(super) async fn about(
    tx: &mut Tx,
    merchant: MerchantId,
    about: &str,
    kind: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let rows = db::all!(tx, EventRow, ABOUT, merchant, about, before, kind, limit)?;
    rows.into_iter().map(Event::try_from).collect()
}

pub(super) async fn marks(
    tx: &mut Tx,
    merchant: MerchantId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<Mark>, DbError> {
    let rows = db::all!(tx, (i64, String, String, _), MARKS, merchant, sequence, limit)?;
    let mark = |(sequence, kind, about, at): (_, String, _, _)| Mark {
        kind: EventType::parse(&kind),
        sequence,
        about,
        at,
    };
    Ok(rows.into_iter().map(mark).collect())
}

/// The merchants after one that have events, each with the number of its newest.
pub(super) async fn heads(
    tx: &mut Tx,
    after: &str,
    limit: i64,
) -> Result<Vec<(MerchantId, i64)>, DbError> {
    db::all!(tx, (MerchantId, i64), HEADS, after, limit)
}

pub(super) async fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    id: EventId,
) -> Result<Option<Event>, DbError> {
    db::optional!(tx, EventRow, FIND, merchant, id)?.map(Event::try_from).transpose()
}

/// The number of the newest event; zero when there was none.
pub(super) async fn last(tx: &mut Tx, merchant: MerchantId) -> Result<i64, DbError> {
    Ok(db::optional!(tx, (i64,), LAST, merchant)?.map_or(0, |(last,)| last))
}

/// How often each kind of event tells of each of some neighbouring resources.
pub(super) async fn kinds(
    tx: &mut Tx,
    merchant: MerchantId,
    from: &str,
    until: &str,
) -> Result<Vec<(String, EventType, i64)>, DbError> {
    let rows = db::all!(tx, (String, String, i64), KINDS, merchant, from, until)?;
    // A kind that this program does not know tells it nothing.
    let read =
        |(about, kind, count): (_, String, _)| Some((about, EventType::parse(&kind)?, count));
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The number of the oldest event that is kept, and when it was written.
pub(super) async fn oldest(
    tx: &mut Tx,
    merchant: MerchantId,
) -> Result<Option<(i64, Timestamp)>, DbError> {
    db::optional!(tx, (i64, Timestamp), OLDEST, merchant)
}

/// One merchant's log in numbers.
pub(super) struct Run {
    pub(super) merchant: String,
    pub(super) last: i64,
    pub(super) count: i64,
    pub(super) lowest: i64,
    pub(super) highest: i64,
}

/// The logs of the next merchants after one.
pub(super) async fn runs(tx: &mut Tx, after: &str) -> Result<Vec<Run>, DbError> {
    let rows = db::all!(tx, (String, i64, i64, i64, i64), GAPS, after)?;
    let run =
        |(merchant, last, count, lowest, highest)| Run { merchant, last, count, lowest, highest };
    Ok(rows.into_iter().map(run).collect())
}
