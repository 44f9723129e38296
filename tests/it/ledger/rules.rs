//! What an account, a hold and a reversal allow.

use std::time::Duration;

use counterfoil::{
    base::failure::Code,
    db,
    ledger::{self, AccountKind, Entry, EntryKind, HoldId, Transfer},
    money::{Amount, Currency},
};
use futures_util::future::join_all;

use super::{Books, usd};
use crate::support::both::both;

async fn hold(books: &Books, amount: Amount, minutes: u64) -> Result<HoldId, Code> {
    let expires = books.ctx.now().plus(Duration::from_mins(minutes));
    let held = db::write!(books.ctx.db, books.merchant, |tx| {
        let cause = "pay_x";
        ledger::place_hold(tx, &books.ctx, books.merchant, amount, cause, Some(expires)).await
    });
    held.map(|hold| hold.id).map_err(|failure| failure.code())
}

async fn release(books: &Books, id: HoldId) -> Result<(), Code> {
    let released = db::write!(books.ctx.db, books.merchant, |tx| {
        ledger::release_hold(tx, &books.ctx, books.merchant, id).await
    });
    released.map(|_| ()).map_err(|failure| failure.code())
}

async fn post(books: &Books, id: HoldId, parts: &[(AccountKind, Amount)]) -> Result<(), Code> {
    let posted = db::write!(books.ctx.db, books.merchant, |tx| {
        ledger::post_hold(tx, &books.ctx, books.merchant, id, EntryKind::Payout, parts, Vec::new())
            .await
    });
    posted.map(|_| ()).map_err(|failure| failure.code())
}

both! {
    async fn money_is_set_aside_used_and_the_rest_given_back(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("100.00")).await;
        let id = hold(&books, usd("60.00"), 5).await.unwrap();
        let balance = books.balance(Currency::USD).await;
        assert_eq!((balance.available, balance.pending), (usd("40.00"), usd("60.00")));
        assert_eq!(balance.total().unwrap(), usd("100.00"));
        let parts = [(AccountKind::Clearing, usd("50.00")), (AccountKind::Fees, usd("2.50"))];
        post(&books, id, &parts).await.unwrap();
        let balance = books.balance(Currency::USD).await;
        assert_eq!((balance.available, balance.pending), (usd("47.50"), usd("0.00")));
        books.close().await;
    }

    async fn a_hold_ends_exactly_once_however_many_try(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("100.00")).await;
        let id = hold(&books, usd("60.00"), 5).await.unwrap();
        let parts = [(AccountKind::Clearing, usd("60.00"))];
        let (releases, posts) = tokio::join!(
            join_all((0..20).map(|_| release(&books, id))),
            join_all((0..20).map(|_| post(&books, id, &parts))),
        );
        let won = releases.iter().chain(&posts).filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1);
        let lost = releases.iter().chain(&posts).filter_map(|outcome| outcome.err());
        assert!(lost.into_iter().all(|code| code == Code::InvalidState));
        books.hands.advance(Duration::from_mins(5));
        assert_eq!(ledger::expire_holds(&books.ctx).await.unwrap(), 0);
        books.close().await;
    }

    async fn holds_that_nobody_uses_expire(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("100.00")).await;
        let id = hold(&books, usd("60.00"), 5).await.unwrap();
        hold(&books, usd("10.00"), 6).await.unwrap();
        books.hands.advance(Duration::from_secs(299));
        assert_eq!(ledger::expire_holds(&books.ctx).await.unwrap(), 0);
        books.hands.advance(Duration::from_secs(1));
        assert_eq!(ledger::expire_holds(&books.ctx).await.unwrap(), 1);
        assert_eq!(books.balance(Currency::USD).await.available, usd("90.00"));
        assert_eq!(release(&books, id).await, Err(Code::InvalidState));
        books.close().await;
    }

    /// 64 at once against a balance that covers 40: exactly 40 succeed.
    async fn nothing_is_spent_twice_in_a_race(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("40.00")).await;
        let outcomes = join_all((0..64).map(|_| hold(&books, usd("1.00"), 5))).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 40);
        let lost: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        assert!(lost.iter().all(|code| *code == Code::InsufficientBalance), "{lost:?}");
        let balance = books.balance(Currency::USD).await;
        assert_eq!((balance.available, balance.pending), (usd("0.00"), usd("40.00")));
        books.close().await;
    }

    async fn more_than_there_is_is_refused_and_changes_nothing(test: TestDb) {
        let books = Books::open(&test).await;
        assert_eq!(hold(&books, usd("0.01"), 5).await, Err(Code::InsufficientBalance));
        books.deposit(usd("100.00")).await;
        assert_eq!(hold(&books, usd("100.01"), 5).await, Err(Code::InsufficientBalance));
        let euros = Amount::from_minor(1, Currency::EUR);
        assert_eq!(hold(&books, euros, 5).await, Err(Code::InsufficientBalance));
        let id = hold(&books, usd("10.00"), 5).await.unwrap();
        assert_eq!(post(&books, id, &[(AccountKind::Fees, usd("10.01"))]).await, Err(Code::Internal));
        assert_eq!(books.balance(Currency::USD).await.available, usd("90.00"));
        release(&books, id).await.unwrap();
        books.close().await;
    }

    async fn sums_beyond_what_an_account_can_hold_are_refused(test: TestDb) {
        let books = Books::open(&test).await;
        let most = Amount::from_minor(i64::MAX, Currency::USD);
        books.deposit(most).await;
        let one = Amount::from_minor(1, Currency::USD);
        let from = Transfer::new(AccountKind::Clearing, AccountKind::Available, one).unwrap();
        let refused = books.record(Entry::new(EntryKind::Deposit, "more", vec![from])).await;
        assert_eq!(refused.unwrap_err().code(), Code::ValidationError);
        assert_eq!(books.balance(Currency::USD).await.available, most);
        books.close().await;
    }

    async fn an_entry_is_reversed_once_and_stays_where_it_is(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("100.00")).await;
        let fee = Transfer::new(AccountKind::Available, AccountKind::Fees, usd("3.00")).unwrap();
        let entry = books.record(Entry::new(EntryKind::Fee, "x", vec![fee])).await.unwrap();
        let reverse = async || {
            db::write!(books.ctx.db, books.merchant, |tx| {
                ledger::reverse(tx, &books.ctx, books.merchant, entry.id).await
            })
        };
        reverse().await.unwrap();
        assert_eq!(books.balance(Currency::USD).await.available, usd("100.00"));
        assert_eq!(reverse().await.unwrap_err().code(), Code::InvalidState);
        let lines = db::read!(books.ctx.db, |tx| {
            let (usd, available) = (Currency::USD, AccountKind::Available);
            ledger::lines(tx, books.merchant, usd, available, None, 10).await
        });
        let kinds: Vec<_> = lines.unwrap().into_iter().map(|(_, line)| line.kind).collect();
        assert_eq!(kinds, [EntryKind::Reversal, EntryKind::Fee, EntryKind::Deposit]);
        books.close().await;
    }
}
