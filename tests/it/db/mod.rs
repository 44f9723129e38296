//! The database's doors, its migrations and its statements, on both engines.

mod backup;
mod faults;
mod idempotency;
mod jobs;
mod lanes;
mod migrations;
mod one_statement;
mod plans;
mod statements;

use std::{future::poll_fn, pin::pin, task::Poll};

use counterfoil::{
    base::{
        clock::{Clock, HandWound},
        failure::Result,
        ids::MerchantId,
        random::Random,
        timestamp::Timestamp,
    },
    ctx::Ctx,
    db::{self, Db, Owner, Tx},
};

/// A merchant's row without the cost of a password.
pub(crate) async fn merchant(db: &Db, seed: u64) -> MerchantId {
    let id = MerchantId::make(&Clock::system(), &Random::seeded(seed));
    insert(db, id).await.expect("a merchant can be made");
    id
}

async fn insert(db: &Db, id: MerchantId) -> Result<()> {
    db::write!(db, id, |tx| insert_in(tx, id).await)
}

async fn insert_in(tx: &mut Tx, id: MerchantId) -> Result<()> {
    const INSERT: &str = "INSERT INTO merchants
        (id, name, email, status, created_at_us)
        VALUES ($1, 'A shop', $2, 'active', 0)";
    db::exec!(tx, INSERT, id, id.to_string())?;
    Ok(())
}

async fn is_there(db: &Db, id: MerchantId) -> bool {
    let found: Result<Option<(i64,)>> = db::read!(db, |tx| Ok(db::optional!(
        tx,
        (i64,),
        "SELECT created_at_us FROM merchants WHERE id = $1",
        id
    )?));
    found.expect("merchants can be looked for").is_some()
}

/// Polls a future so often that it had to wait `waits` times; whether it came to its end before.
async fn goes_on<F: Future + Unpin>(future: F, mut waits: usize) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        waits = waits.saturating_sub(1);
        if waits == 0 { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

async fn count(db: &Db) -> i64 {
    let counted: Result<i64> =
        db::read!(db, |tx| Ok(db::one!(tx, (i64,), "SELECT COUNT(*) FROM merchants")?.0));
    counted.expect("merchants can be counted")
}

/// A context whose clock the test winds.
fn ctx(db: &Db) -> (Ctx, HandWound) {
    let (clock, hands) = Clock::hand_wound(Timestamp::from_unix_seconds(1_800_000_000));
    (Ctx { db: db.clone(), clock, random: Random::seeded(1) }, hands)
}

const HOUSE: Owner = Owner::House;
