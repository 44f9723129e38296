//! The pricing room on a database, without a server around it.

use std::time::Duration;

use counterfoil::{
    base::{
        clock::{Clock, HandWound},
        ids::MerchantId,
        random::Random,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Db, Engine},
    money::Precision,
    oauth::{
        jose::Alg,
        keys::{Protection, Ring},
    },
    pricing::{
        Parts, Pricing,
        fx::{Policy, Rates, Source, ensure_snapshot},
        plans::{self, Format, Plans},
        quotes,
    },
    web::rate_limit::RateLimiter,
};

use crate::{
    db::merchant,
    support::{both::TestDb, scratch},
};

/// The Monday after the built-in rates.
pub(super) const START: Timestamp = Timestamp::from_micros(1_793_610_000_000_000);

pub(super) struct Room {
    pub(super) pricing: Pricing,
    pub(super) ctx: Ctx,
    pub(super) hands: HandWound,
    pub(super) merchant: MerchantId,
}

impl Room {
    /// With these plans, the built-in rates and one merchant.
    pub(super) async fn open(db: &TestDb, toml: &str) -> Self {
        let room = Self::bare(db.open().await, 1).await;
        plans::import(&room.ctx, &plans::drafts(toml, Format::Toml).unwrap()).await.unwrap();
        ensure_snapshot(&room.ctx).await.unwrap();
        room
    }

    /// Without plans and rates.
    pub(super) async fn bare(db: Db, seed: u64) -> Self {
        let (clock, hands) = Clock::hand_wound(START);
        let ctx = Ctx { db, clock, random: Random::seeded(seed) };
        let merchant = merchant(&ctx.db, seed).await;
        let pricing = pricing(&ctx, None);
        Self { pricing, ctx, hands, merchant }
    }

    /// The same on every replica that the engine allows: several share a server, one owns a file.
    pub(super) async fn replicas(self, db: &TestDb) -> Vec<Self> {
        let mut rooms = vec![self];
        while db.engine == Engine::Postgres && rooms.len() < 4 {
            let first = &rooms[0];
            let ctx = Ctx { db: db.open().await, ..first.ctx.clone() };
            let (pricing, hands) = (pricing(&ctx, None), first.hands.clone());
            rooms.push(Self { pricing, hands, merchant: first.merchant, ctx });
        }
        rooms
    }

    pub(super) async fn close(self) {
        self.ctx.db.close().await;
    }
}

/// One more room on the same database, as another replica has it.
pub(super) fn pricing(ctx: &Ctx, max_age: Option<u32>) -> Pricing {
    let policy =
        Policy { markup_bps: 45, precision: Precision::PUBLISHED, max_age_business_days: max_age };
    let source = if max_age.is_some() { Source::Ecb } else { Source::Snapshot };
    Pricing::new(Parts {
        ctx: ctx.clone(),
        plans: Plans::default(),
        intake: quotes::Intake::new(ctx),
        rates: Rates::new(source, policy),
        ring: ring(ctx),
        limiter: RateLimiter::new(ctx.clock.clone(), None),
        fx_quote_life: Duration::from_mins(1),
        fx_per_minute: 30,
    })
}

fn ring(ctx: &Ctx) -> Ring {
    let keys = scratch::directory("keys").join("keys");
    let life = Duration::from_hours(1);
    let (clock, random) = (ctx.clock.clone(), ctx.random.clone());
    Ring::open(&keys, Protection::Plain, Alg::Es256, life, clock, random).unwrap()
}

/// Runs a statement that no store has, to do what only damage can do.
pub(super) async fn damage(
    ctx: &Ctx,
    sql: &'static str,
) -> counterfoil::base::failure::Result<u64> {
    db::write!(ctx.db, db::Owner::House, |tx| Ok(db::exec!(tx, sql)?))
}
