//! The transaction handle, and what it does on whichever engine it is.

use sqlx::{Postgres, Sqlite, pool::PoolConnection};

use super::{DbError, Engine, exec};
use crate::base::ids::MerchantId;

/// A connection lent by one of the two doors.
pub struct Tx {
    #[doc(hidden)]
    pub connection: Connection,
    in_snapshot: bool,
    /// Since the last clean point; see [`Tx::failed`].
    pub(super) has_failed: bool,
    pub(super) wakes: Wakes,
    allowance: Allowance,
}

/// How many statements there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowance {
    Any,
    /// The statement is the transaction.
    One,
    Spent,
}

/// What became of a statement that was its own transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// None was sent.
    Nothing,
    /// It is durable.
    Done,
    /// It has failed, whatever the body made of that.
    Failed,
}

/// Who is to be woken once this is committed.
#[derive(Clone, Debug, Default)]
pub(super) struct Wakes {
    pub(super) runner: bool,
    pub(super) courier: Vec<MerchantId>,
}

/// What the macros match on; nobody else does.
#[doc(hidden)]
pub enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Runs one expression on whichever engine this transaction belongs to.
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match &mut $tx.connection {
            Connection::Sqlite(c) => {
                let $c = &mut **c;
                $body
            }
            Connection::Postgres(c) => {
                let $c = &mut **c;
                $body
            }
        }
    };
}

impl Tx {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            in_snapshot: false,
            has_failed: false,
            wakes: Wakes::default(),
            allowance: Allowance::Any,
        }
    }

    /// Which engine this is, for the few places where their words differ.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Notes that a statement has failed: on `PostgreSQL` the transaction is lost then, whatever the
    /// caller makes of the error, and must not be told to be durable.
    #[doc(hidden)]
    pub fn failed(&mut self, error: sqlx::Error) -> DbError {
        self.has_failed = true;
        error.into()
    }

    /// Whether there may be this statement. Where it is the transaction, two in one text are not one, and its end
    /// is the commit, for which whoever asks for one row does not wait.
    #[doc(hidden)]
    pub fn admit(&mut self, sql: &str, waits_for_the_end: bool) -> Result<(), DbError> {
        match self.allowance {
            Allowance::Any => Ok(()),
            Allowance::One if waits_for_the_end && !sql.contains(';') => {
                self.allowance = Allowance::Spent;
                Ok(())
            }
            Allowance::One | Allowance::Spent => Err(DbError::NotForOne),
        }
    }

    pub(super) fn begin_alone(&mut self) {
        self.allowance = Allowance::One;
        self.has_failed = false;
    }

    pub(super) fn end_alone(&mut self) -> Alone {
        let spent = std::mem::replace(&mut self.allowance, Allowance::Any) == Allowance::Spent;
        match (spent, self.has_failed) {
            (false, _) => Alone::Nothing,
            (true, false) => Alone::Done,
            (true, true) => Alone::Failed,
        }
    }

    /// Makes all further reads of this closure see one moment; auditors' sums must agree.
    pub async fn snapshot(&mut self) -> Result<(), DbError> {
        let begin = match self.engine() {
            Engine::Sqlite => "BEGIN DEFERRED",
            Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.control(begin).await?;
        self.in_snapshot = true;
        Ok(())
    }

    /// Wakes the job runner once this is committed, and not before: it could not see the job yet.
    pub fn wake_runner_after_commit(&mut self) {
        self.wakes.runner = true;
    }

    /// Tells whoever delivers events of this merchant's once this is committed.
    pub fn wake_courier_after_commit(&mut self, merchant: MerchantId) {
        if self.wakes.courier.last() != Some(&merchant) {
            self.wakes.courier.push(merchant);
        }
    }

    pub(super) async fn end_snapshot(&mut self) {
        if std::mem::take(&mut self.in_snapshot) && self.control("ROLLBACK").await.is_err() {
            self.discard();
        }
    }

    pub(super) async fn ping(&mut self) -> Result<(), DbError> {
        exec!(self, "SELECT 1").map(|_| ())
    }

    /// Transaction control: unprepared, several statements in one trip.
    pub(super) async fn control(&mut self, sql: &'static str) -> Result<(), DbError> {
        on!(self, |c| sqlx::raw_sql(sql).execute(c).await.map(|_| ())).map_err(DbError::from)
    }

    /// Begins a transaction and waits for a merchant's lock, in one trip.
    pub(super) async fn begin_with_lock(&mut self, owner: i64) -> Result<(), DbError> {
        let sql = format!("BEGIN; SELECT pg_advisory_xact_lock({owner})");
        on!(self, |c| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(c).await.map(|_| ()))
            .map_err(DbError::from)
    }

    /// Takes a merchant's lock if it is free, between two control statements, in one trip.
    pub(super) async fn try_lock(
        &mut self,
        before: &str,
        owner: i64,
        after: &str,
    ) -> Result<bool, DbError> {
        let sql = format!(
            "{before} SELECT CASE WHEN pg_try_advisory_xact_lock({owner}) THEN 1 ELSE 0 END; {after}"
        );
        let rows =
            on!(self, |c| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(c).await.map(|rows| {
                rows.iter()
                    .any(|row| sqlx::Row::try_get::<i32, _>(row, 0).is_ok_and(|free| free == 1))
            }));
        rows.map_err(DbError::from)
    }

    /// Never gives this connection back to the pool: its state is not known.
    pub(super) fn discard(&mut self) {
        match &mut self.connection {
            Connection::Sqlite(c) => c.close_on_drop(),
            Connection::Postgres(c) => c.close_on_drop(),
        }
    }
}
