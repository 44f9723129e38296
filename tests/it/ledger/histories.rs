//! Random histories against an oracle that is too simple to be wrong.

use std::collections::HashMap;

use counterfoil::{
    base::random::Random,
    db,
    ledger::{self, AccountKind, Entry, EntryKind, HoldId, Transfer},
    money::{Amount, Currency},
};

use super::Books;
use crate::support::both::both;

/// What should be there, in cents.
#[derive(Default)]
struct Oracle {
    available: i64,
    holds: HashMap<HoldId, i64>,
}

const STEPS: u64 = 400;

fn cents(minor: i64) -> Amount {
    Amount::from_minor(minor, Currency::USD)
}

async fn step(books: &Books, random: &Random, oracle: &mut Oracle) {
    let draw = |below: u64| i64::try_from(random.below(below)).unwrap();
    let (ctx, merchant) = (&books.ctx, books.merchant);
    let some_hold = oracle.holds.keys().min().copied();
    match (draw(6), some_hold) {
        (0, _) => {
            let minor = draw(1_000) + 1;
            books.deposit(cents(minor)).await;
            oracle.available += minor;
        }
        (1 | 2, _) => {
            let minor = draw(600) + 1;
            let held = db::write!(ctx.db, merchant, |tx| {
                ledger::place_hold(tx, ctx, merchant, cents(minor), "x", None).await
            });
            assert_eq!(held.is_ok(), minor <= oracle.available);
            if let Ok(hold) = held {
                oracle.available -= minor;
                oracle.holds.insert(hold.id, minor);
            }
        }
        (3, Some(id)) => {
            let minor = oracle.holds.remove(&id).unwrap();
            let used = draw(u64::try_from(minor).unwrap() + 1);
            let fee = used / 10;
            let parts =
                [(AccountKind::Clearing, cents(used - fee)), (AccountKind::Fees, cents(fee))];
            db::write!(ctx.db, merchant, |tx| {
                ledger::post_hold(tx, ctx, merchant, id, EntryKind::Payout, &parts, Vec::new())
                    .await
            })
            .unwrap();
            oracle.available += minor - used;
        }
        (4, Some(id)) => {
            db::write!(ctx.db, merchant, |tx| ledger::release_hold(tx, ctx, merchant, id).await)
                .unwrap();
            oracle.available += oracle.holds.remove(&id).unwrap();
        }
        _ => {
            let minor = draw(50) + 1;
            let fee =
                Transfer::new(AccountKind::Available, AccountKind::Fees, cents(minor)).unwrap();
            let paid = books.record(Entry::new(EntryKind::Fee, "x", vec![fee])).await;
            assert_eq!(paid.is_ok(), minor <= oracle.available);
            if paid.is_ok() {
                oracle.available -= minor;
            }
        }
    }
}

both! {
    async fn the_books_agree_with_the_oracle_after_every_step(test: TestDb) {
        for seed in 1..=3 {
            let books = Books::open_again(&test, seed).await;
            let (random, mut oracle) = (Random::seeded(seed), Oracle::default());
            books.deposit(cents(1)).await;
            oracle.available += 1;
            for number in 0..STEPS {
                step(&books, &random, &mut oracle).await;
                let balance = books.balance(Currency::USD).await;
                let held = oracle.holds.values().sum::<i64>();
                let seen = (balance.available.minor(), balance.pending.minor());
                assert_eq!(seen, (oracle.available, held), "seed {seed}, step {number}");
            }
            books.close().await;
        }
    }
}
