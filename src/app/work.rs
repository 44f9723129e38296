//! Jobs: who runs which, and which come again and again.

use crate::{
    base::failure::Result,
    config::{Config, RateFile, ReplayStore},
    ctx::Ctx,
    db::{self, Owner},
    events::deliveries,
    jobs::{self, NewJob},
    ledger,
    oauth::{dpop::replay, lifecycle},
    payouts::{Payouts, days, payout},
    portal,
    pricing::fx,
    web::{idempotency, requests},
};

/// What happens again and again.
const RECURRING: [&str; 8] = [
    days::Counting::KIND,
    portal::Housekeeping::KIND,
    lifecycle::Housekeeping::KIND,
    fx::Refresh::KIND,
    ledger::ExpireHolds::KIND,
    idempotency::ForgetAnswers::KIND,
    deliveries::Housekeeping::KIND,
    requests::Housekeeping::KIND,
];

/// Everybody who runs jobs.
pub(super) fn handlers(config: &Config, payouts: &Payouts) -> Result<Vec<Box<dyn jobs::Handler>>> {
    let source: Option<Box<dyn fx::RateSource>> = match &config.fx.rates {
        Some(RateFile::Path(path)) => Some(Box::new(fx::EcbFile(path.clone()))),
        Some(RateFile::Url(url)) => Some(Box::new(fx::EcbUrl::new(url)?)),
        None => None,
    };
    let refresh = fx::Refresh::new(source, config.fx.refresh);
    let advance = payout::Advance(payouts.clone());
    Ok(vec![
        Box::new(lifecycle::Housekeeping),
        Box::new(ledger::ExpireHolds),
        Box::new(idempotency::ForgetAnswers),
        Box::new(portal::Housekeeping),
        Box::new(days::Counting),
        Box::new(replay::Sweep),
        Box::new(refresh),
        Box::new(advance),
        Box::new(deliveries::Housekeeping::new(config.webhooks.retention)),
        Box::new(requests::Housekeeping::new(config.requests.kept())),
    ])
}

/// Queues what happens again and again; a second replica queues nothing twice.
pub(super) async fn schedule(ctx: &Ctx, config: &Config) -> Result<()> {
    let now = ctx.now();
    db::write!(ctx.db, Owner::House, |tx| {
        for kind in RECURRING {
            jobs::enqueue(tx, ctx, &NewJob::new(kind, now, &())?.unique(kind)).await?;
        }
        Ok(())
    })?;
    if config.oauth.replay_store == ReplayStore::Postgres {
        replay::schedule(ctx).await?;
    }
    Ok(())
}
