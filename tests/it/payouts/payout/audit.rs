//! The audit sees what somebody has changed behind our back, and names the payout.

use std::time::Duration;

use counterfoil::{
    db,
    payouts::payout::{self, Actor},
};
use serde_json::json;

use super::Shop;
use crate::support::{app::TestApp, both::both};

async fn faults(app: &TestApp, id: &str) -> Vec<String> {
    let (_, faults) = payout::audit::verify(&app.ctx).await.unwrap();
    faults.into_iter().filter(|fault| fault.contains(&format!("{id}:"))).collect()
}

async fn tampered(shop: &Shop<'_>, id: &str, change: &'static str) -> Vec<String> {
    assert_eq!(faults(shop.app, id).await, Vec::<String>::new(), "before {change}");
    let changed =
        db::write!(shop.app.ctx.db, shop.client.merchant, |tx| Ok(db::exec!(tx, change, id)?));
    assert!(changed.unwrap() > 0, "{change}");
    faults(shop.app, id).await
}

/// A change to a payout that has arrived, and what must be said about it.
const COMPLETED: &[(&str, &str)] = &[
    (
        "UPDATE payouts SET status = 'sent' WHERE id = $1",
        "it is sent, its last step led to completed",
    ),
    ("UPDATE payouts SET steps = 9 WHERE id = $1", "it counts 9 steps, 6 are written down"),
    ("UPDATE payouts SET fixed_side = 'none' WHERE id = $1", "unknown words"),
    (
        "UPDATE payouts SET source_minor = source_minor + 1 WHERE id = $1",
        "is for 100.25 EUR, not for 100.26 EUR",
    ),
    ("UPDATE payouts SET fee_hold_id = hold_id WHERE id = $1", "for a fee that nobody owes"),
    ("UPDATE payouts SET fee_currency = 'USD' WHERE id = $1", "nothing is set aside for its fee"),
    (
        "DELETE FROM payout_transitions WHERE payout_id = $1 AND number = 6",
        "it counts 6 steps, 5 are",
    ),
    (
        "DELETE FROM payout_transitions WHERE payout_id = $1 AND number = 3",
        "step 3 is missing, number 4 is there",
    ),
    (
        "UPDATE payout_transitions SET to_status = 'failed' WHERE payout_id = $1 AND number = 4",
        "step 4 leads from approved to failed; there is no such step",
    ),
    (
        "UPDATE payout_transitions SET from_status = 'processing' WHERE payout_id = $1 AND number = 4",
        "step 4 begins at processing, the last led to approved",
    ),
    (
        "UPDATE payout_transitions SET to_status = 'paid' WHERE payout_id = $1 AND number = 6",
        "its last step led to paid",
    ),
    (
        "UPDATE ledger_holds SET state = 'held', used_minor = NULL, ended_at_us = NULL WHERE cause = $1",
        "is still held",
    ),
    ("UPDATE ledger_holds SET state = 'released' WHERE cause = $1", "was released, not posted"),
    ("UPDATE ledger_holds SET used_minor = used_minor - 1 WHERE cause = $1", "100.24 EUR of"),
    (
        "UPDATE ledger_holds SET amount_minor = amount_minor + 5 WHERE cause = $1",
        "is for 100.30 EUR, not for 100.25 EUR",
    ),
    ("UPDATE ledger_holds SET cause = 'somebody' WHERE cause = $1", "was placed for somebody"),
    ("UPDATE quotes SET consumed_by = 'pay_other' WHERE consumed_by = $1", "was used by pay_other"),
    (
        "UPDATE quotes SET state = 'open', consumed_by = NULL, consumed_at_us = NULL WHERE consumed_by = $1",
        "was not used",
    ),
    (
        "DELETE FROM payout_attempts WHERE payout_id = $1",
        "handed over 0 times; by its steps it was 1",
    ),
    (
        "DELETE FROM events WHERE about = $1 AND kind = 'payout.sent'",
        "1 steps are payout.sent, 0 events tell of it",
    ),
];

/// The same for one that waits for a decision.
const WAITING: &[(&str, &str)] = &[
    (
        "UPDATE ledger_holds SET state = 'expired', used_minor = 0, ended_at_us = 1 WHERE cause = $1",
        "was expired already",
    ),
    (
        "INSERT INTO payout_attempts SELECT merchant_id, id, 'att_1', 'sandbox', 1 FROM payouts WHERE id = $1",
        "handed over 1 times; by its steps it was 0",
    ),
];

/// The same for one that an operator has let through.
const APPROVED: &[(&str, &str)] = &[
    (
        "UPDATE payout_decisions SET digest = 'seen' WHERE payout_id = $1",
        "not any more what operator:alice has approved",
    ),
    (
        "UPDATE payouts SET reference = 'another' WHERE id = $1",
        "not any more what operator:alice has approved",
    ),
    (
        "UPDATE payout_decisions SET actor = 'operator:bob' WHERE payout_id = $1",
        "operator:alice has let it through without",
    ),
    (
        "DELETE FROM payout_decisions WHERE payout_id = $1",
        "operator:alice has let it through without",
    ),
];

both! {
    async fn every_kind_of_tampering_is_named(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "9000.00").await;
        let mut numbers = 0..;
        let mut make = async |reference: &str| {
            let key = format!("{}", numbers.next().unwrap());
            shop.paid(&key, "100.00", &json!({ "reference": reference })).await
        };
        let merchant = shop.client.merchant;
        let approve = async |id: &str| {
            let seen = payout::get(&app.ctx, merchant, id.parse().unwrap()).await.unwrap();
            let alice = Actor::Operator("alice".to_owned());
            payout::decide(&app.ctx, (merchant, seen.id), &seen.digest(), &alice, Ok("fine")).await.unwrap();
        };
        for (changes, reference) in
            [(COMPLETED, "plain"), (WAITING, "sandbox:approval"), (APPROVED, "sandbox:approval")]
        {
            let mut ids = Vec::new();
            for _ in changes {
                ids.push(make(reference).await);
            }
            shop.let_go().await;
            if changes == APPROVED {
                for id in &ids {
                    approve(id).await;
                }
                shop.let_go().await;
            }
            for ((change, said), id) in changes.iter().zip(&ids) {
                let faults = tampered(&shop, id, change).await;
                assert!(faults.iter().any(|fault| fault.contains(said)), "{change}: {faults:#?}");
                assert!(faults[0].starts_with(&merchant.to_string()), "{faults:?}");
            }
        }
        let (looked_at, _) = payout::audit::verify(&app.ctx).await.unwrap();
        let all = COMPLETED.len() + WAITING.len() + APPROVED.len();
        assert_eq!(usize::try_from(looked_at).unwrap(), all);
    }

    async fn a_return_has_used_the_fee_and_a_failure_nothing(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let mut ids = Vec::new();
        for reference in ["sandbox:returned", "sandbox:failed", "sandbox:late_return"] {
            ids.push(shop.paid(reference, "100.00", &json!({ "reference": reference })).await);
        }
        shop.let_go().await;
        shop.wait(Duration::from_hours(24)).await;
        let change = "UPDATE ledger_holds SET used_minor = used_minor + 1 WHERE cause = $1";
        for (id, said) in ids.iter().zip(["0.26 EUR of", "0.01 EUR of", "100.26 EUR of"]) {
            let faults = tampered(&shop, id, change).await;
            assert!(faults.len() == 1 && faults[0].contains(said), "{faults:?}");
        }
    }

    async fn events_that_are_no_longer_kept_are_not_missed(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let old = shop.paid("old", "100.00", &json!({})).await;
        shop.let_go().await;
        let new = shop.paid("new", "100.00", &json!({})).await;
        shop.let_go().await;
        let forget = "DELETE FROM events WHERE sequence <
            (SELECT MAX(sequence) FROM events WHERE about = $1 AND kind = 'payout.processing')";
        assert_eq!(tampered(&shop, &old, forget).await, Vec::<String>::new());
        let lose = "DELETE FROM events WHERE about = $1 AND kind = 'payout.created'";
        assert!(tampered(&shop, &new, lose).await[0].contains("payout.created"));
    }

    async fn pages_are_turned_and_every_merchant_is_looked_at(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shops = [Shop::open(&app, "9000.00").await, Shop::open(&app, "9000.00").await];
        let mut last = String::new();
        for number in 0..205 {
            last = shops[0].paid(&number.to_string(), "1.00", &json!({})).await;
        }
        let other = shops[1].paid("one", "1.00", &json!({})).await;
        assert_eq!(payout::audit::verify(&app.ctx).await.unwrap(), (206, Vec::new()));
        let change = "UPDATE payouts SET steps = 2 WHERE id = $1";
        assert_eq!(tampered(&shops[0], &last, change).await.len(), 1);
        assert_eq!(tampered(&shops[1], &other, change).await.len(), 1);
    }
}
