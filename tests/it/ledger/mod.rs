//! The ledger on both engines: rules, races, histories against an oracle, and the audit.

mod audit;
mod histories;
mod rules;

use counterfoil::{
    base::{clock::Clock, clock::HandWound, ids::MerchantId, random::Random},
    ctx::Ctx,
    db::{self},
    ledger::{self, AccountKind, Balance, Entry, EntryKind, Transfer},
    money::{Amount, Currency},
    oauth::merchants::{self, NewMerchant},
};

use crate::support::{app::START, both::TestDb};

/// A database with one merchant, and the hands of its clock.
struct Books {
    ctx: Ctx,
    hands: HandWound,
    merchant: MerchantId,
}

impl Books {
    async fn open(test: &TestDb) -> Self {
        Self::open_again(test, 0).await
    }

    /// The same with another merchant in the same database.
    async fn open_again(test: &TestDb, number: u64) -> Self {
        let (clock, hands) = Clock::hand_wound(START);
        let ctx = Ctx { db: test.open().await, clock, random: Random::seeded(number) };
        let merchant = merchant(&ctx, &format!("owner{number}@shop.example")).await;
        Self { ctx, hands, merchant }
    }

    /// Money comes in.
    async fn deposit(&self, amount: Amount) {
        let from = Transfer::new(AccountKind::Clearing, AccountKind::Available, amount).unwrap();
        self.record(Entry::new(EntryKind::Deposit, "deposit", vec![from])).await.unwrap();
    }

    async fn record(&self, entry: Entry) -> counterfoil::base::failure::Result<ledger::Recorded> {
        db::write!(self.ctx.db, self.merchant, |tx| {
            ledger::record(tx, &self.ctx, self.merchant, &entry).await
        })
    }

    async fn balance(&self, currency: Currency) -> Balance {
        let found = db::read!(self.ctx.db, |tx| ledger::balance(tx, self.merchant, currency).await);
        found.unwrap().expect("the merchant has this currency")
    }

    /// Ends the test: the books must agree with themselves.
    async fn close(self) {
        let findings = ledger::audit::verify(&self.ctx).await.unwrap();
        assert!(findings.faults.is_empty(), "{:#?}", findings.faults);
        self.ctx.db.close().await;
    }
}

async fn merchant(ctx: &Ctx, email: &str) -> MerchantId {
    let new = NewMerchant::check("Shop", email).unwrap();
    merchants::create(ctx, &new).await.unwrap().id
}

fn usd(text: &str) -> Amount {
    Amount::parse(text, Currency::USD).unwrap()
}
