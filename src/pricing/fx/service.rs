//! Keeping rates, and promising exchanges.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use time::Date;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Owner, Tx},
    jobs::{Handler, Job, Next, Retry},
    pricing::{
        FxQuoteId,
        cache::{Cached, Counter},
    },
};

use super::{BuiltIn, DayRates, FxQuote, Policy, RateSource, RateTable, Source, store};

/// How many days share a transaction: the whole history has seven thousand.
const DAYS_AT_ONCE: usize = 250;

/// The rates in use, kept in memory.
#[derive(Clone, Debug)]
pub struct Rates {
    source: Source,
    policy: Policy,
    cached: Arc<Cached<RateTable>>,
}

impl Rates {
    /// Rates of one source, under the operator's policy.
    pub fn new(source: Source, policy: Policy) -> Self {
        Self { source, policy, cached: Arc::default() }
    }

    /// The newest day of the source, at most a second old in memory. How old the day itself may be
    /// is judged when a rate is asked for.
    pub async fn table(&self, ctx: &Ctx) -> Result<Arc<RateTable>> {
        self.cached.get(ctx.now(), || Box::pin(count(ctx)), || Box::pin(self.load(ctx))).await
    }

    async fn load(&self, ctx: &Ctx) -> Result<(i64, RateTable)> {
        let (count, day) = db::read!(ctx.db, |tx| {
            tx.snapshot().await?;
            let count = Counter::Rates.read(tx).await?;
            Ok((count, store::newest_day(tx, self.source).await?))
        })?;
        let (source, policy) = (self.source, self.policy);
        let table = match day {
            Some(day) => RateTable { source, day, policy },
            // Without any rates every pair is simply unlisted; there is no day that could be old.
            None => RateTable {
                source,
                day: DayRates::new(Date::MIN, std::collections::BTreeMap::new()),
                policy: Policy { max_age_business_days: None, ..policy },
            },
        };
        Ok((count, table))
    }
}

async fn count(ctx: &Ctx) -> Result<i64> {
    db::read!(ctx.db, |tx| Counter::Rates.read(tx).await)
}

/// Stores what a source has; gives the number of days that were new or corrected.
pub async fn save_days(ctx: &Ctx, source: Source, days: &[DayRates]) -> Result<u64> {
    let mut saved = 0;
    for some in days.chunks(DAYS_AT_ONCE) {
        let now = ctx.now();
        saved += db::write!(ctx.db, Owner::House, |tx| {
            Counter::Rates.grow(tx).await?;
            let mut saved = 0;
            for day in some {
                saved += u64::from(store::save_day(tx, source, day, now).await?);
            }
            Ok(saved)
        })?;
    }
    Ok(saved)
}

/// Stores the built-in day, for a sandbox that fetches nothing.
pub async fn ensure_snapshot(ctx: &Ctx) -> Result<u64> {
    save_days(ctx, BuiltIn.word(), &BuiltIn.fetch().await?).await
}

/// The job that asks the source again and again.
pub struct Refresh {
    source: Option<Box<dyn RateSource>>,
    every: Duration,
}

impl Refresh {
    /// The job's kind and unique name.
    pub const KIND: &'static str = "pricing.refresh_rates";

    /// A job for this source; without one, it ends what an earlier configuration has queued.
    pub fn new(source: Option<Box<dyn RateSource>>, every: Duration) -> Self {
        Self { source, every }
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.as_ref().map(|source| source.word().as_str());
        write!(f, "Refresh({source:?})")
    }
}

impl Handler for Refresh {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    /// Never dies: a source that is away for a week must be asked again on the eighth day. Until
    /// then the age of the rates is what refuses to price.
    fn retry(&self) -> Retry {
        Retry {
            max_attempts: i64::MAX,
            first_pause: Duration::from_mins(1),
            longest_pause: self.every,
        }
    }

    fn run<'a>(&'a self, ctx: &'a Ctx, _: &'a Job) -> BoxFuture<'a, Result<Next>> {
        Box::pin(async move {
            let Some(source) = &self.source else { return Ok(Next::Done) };
            let days = source.fetch().await?;
            let saved = save_days(ctx, source.word(), &days).await?;
            let newest = days.last().map(|day| day.date.to_string());
            tracing::info!(saved, newest, "Exchange rates were asked for.");
            Ok(Next::At(ctx.now().plus(self.every)))
        })
    }
}

/// Stores a promise; durable once the transaction is.
pub async fn save(ctx: &Ctx, quote: &FxQuote) -> Result<()> {
    db::write!(ctx.db, quote.merchant, |tx| Ok(store::insert_quote(tx, quote).await?))
}

/// A merchant's own FX quote.
pub async fn find(ctx: &Ctx, merchant: MerchantId, id: FxQuoteId) -> Result<FxQuote> {
    db::read!(ctx.db, |tx| find_in(tx, merchant, id).await)
}

async fn find_in(tx: &mut Tx, merchant: MerchantId, id: FxQuoteId) -> Result<FxQuote> {
    let found = store::find_quote(tx, merchant, id).await?;
    found.ok_or_else(|| Failure::because(Code::NotFound, "there is no FX quote with this id"))
}

/// Uses an FX quote inside the transaction of the exchange that names it: exactly one does.
///
/// `now` must be read inside that transaction; `rates` are those of this moment, against which a
/// quote that is not locked is held.
pub async fn consume(
    tx: &mut Tx,
    rates: &RateTable,
    (merchant, id): (MerchantId, FxQuoteId),
    by: &str,
    now: Timestamp,
) -> Result<FxQuote> {
    let quote = find_in(tx, merchant, id).await?;
    quote.check_use(rates, now)?;
    if store::consume_quote(tx, merchant, id, now, by).await? {
        return Ok(quote);
    }
    // Somebody on another replica came first.
    find_in(tx, merchant, id).await?.check_use(rates, now)?;
    Err(Failure::internal("an open FX quote could not be used"))
}
