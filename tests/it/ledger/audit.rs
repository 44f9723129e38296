//! The audit sees what somebody has changed behind our back, and names the place.

use counterfoil::{db, ledger, money::Currency};

use super::{Books, usd};
use crate::support::both::both;

async fn tampered(books: &Books, change: &'static str) -> Vec<String> {
    db::write!(books.ctx.db, books.merchant, |tx| Ok(db::exec!(tx, change)?)).unwrap();
    ledger::audit::verify(&books.ctx).await.unwrap().faults
}

both! {
    async fn every_kind_of_tampering_is_named(test: TestDb) {
        let books = Books::open(&test).await;
        books.deposit(usd("100.00")).await;
        books.deposit(usd("5.00")).await;
        let clean = ledger::audit::verify(&books.ctx).await.unwrap();
        assert_eq!((clean.accounts, clean.faults), (2, Vec::new()));
        assert_eq!(books.balance(Currency::USD).await.available, usd("105.00"));

        let change = "UPDATE ledger_accounts SET balance_minor = 99 WHERE kind = 'available'";
        let faults = tampered(&books, change).await;
        assert!(faults.len() == 1 && faults[0].contains("the balance is 99"), "{faults:?}");
        let change = "UPDATE ledger_postings SET change_minor = 7, balance_minor = 7
            WHERE kind = 'clearing' AND version = 1";
        let faults = tampered(&books, change).await;
        let named = |what: &str| faults.iter().any(|fault| fault.contains(what));
        assert!(named("not to zero") && named("posting 2 does not follow"), "{faults:#?}");
        let change = "DELETE FROM ledger_postings WHERE kind = 'clearing' AND version = 2";
        let faults = tampered(&books, change).await;
        assert!(faults.iter().any(|fault| fault.contains("there are 1 postings")), "{faults:#?}");
    }
}
