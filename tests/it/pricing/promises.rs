//! Quotes in the database: given, shown, used once.

use std::{sync::Arc, time::Duration};

use counterfoil::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        pagination::PageQuery,
        timestamp::Timestamp,
    },
    db::{self, Statement},
    money::Currency,
    oauth::jose::{Jkt, base64url},
    pricing::{
        Method, QuoteId,
        plans::Payment,
        quotes::{self, Quote, SignedQuote, Standing, Wanted},
    },
    web::idempotency::{Answer, Key, Request},
};
use serde_json::{Value, json};
use sqlx::{Connection, Row};
use tokio::task::JoinSet;

use super::{
    room::{Room, damage, pricing},
    usd,
};
use crate::{
    db::merchant,
    support::both::{TestDb, both},
};

const PLANS: &str = r#"
    [[plans]]
    key = "all"
    name = "Everything"
    fee_type = "hybrid"
    fixed_fee = "0.25"
    percentage_fee = "0.50"
    fixed_currency = "USD"

    [[plans]]
    key = "volume"
    name = "By volume"
    source_currency = "USD"
    dest_currency = "USD"
    fee_type = "tiered"
    tier_mode = "whole"
    tier_on = "monthly_volume"
    tiers = [
        { min_volume = "0.00", max_volume = "100.00", percentage_fee = "1.00" },
        { min_volume = "100.00", percentage_fee = "0.10" },
    ]
"#;

fn to_germany() -> Payment {
    Payment {
        amount: usd("1000.00"),
        dest_currency: Currency::EUR,
        dest_country: Some("DE".parse().unwrap()),
        method: Some(Method::Sepa),
    }
}

fn at_home() -> Payment {
    let method = Some(Method::Ach);
    Payment { amount: usd("100.00"), dest_currency: Currency::USD, dest_country: None, method }
}

fn wanted(payment: &Payment) -> Wanted {
    Wanted {
        source_amount: payment.amount,
        dest_amount: None,
        dest_currency: payment.dest_currency,
        dest_country: payment.dest_country,
        method: payment.method.unwrap(),
    }
}

async fn give(room: &Room, payment: Payment) -> SignedQuote {
    let signed = quotes::prepare(&room.pricing, room.merchant, payment).await.unwrap();
    db::write!(room.ctx.db, room.merchant, |tx| quotes::save(tx, &signed).await).unwrap();
    signed
}

/// Uses a quote at a moment, as the payout `by` would.
async fn take(
    room: &Room,
    whose: (MerchantId, QuoteId),
    wanted: &Wanted,
    by: &str,
    at: Timestamp,
) -> Result<Quote> {
    let book = room.pricing.plans.book(&room.ctx).await?;
    // Read before, as payouts do: whether it is still open is asked in the transaction.
    let quote = quotes::get(&room.ctx, whose.0, whose.1).await?.quote;
    db::write!(room.ctx.db, whose.0, |tx| quotes::consume(tx, &book, &quote, wanted, by, at)
        .await)?;
    Ok(quotes::get(&room.ctx, whose.0, whose.1).await?.quote)
}

fn code(outcome: &Result<Quote>) -> Code {
    outcome.as_ref().map_err(Failure::code).expect_err("it must be refused")
}

both! {
    async fn what_is_stored_reads_back_bit_for_bit(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        for payment in [to_germany(), at_home()] {
            let given = give(&room, payment).await;
            let found = quotes::get(&room.ctx, room.merchant, given.quote.id).await.unwrap();
            assert_eq!(found, given);
            assert_eq!(found.quote.facts.compute().unwrap(), given.quote.outcome);
            assert_eq!(found.quote.facts.write().unwrap(), given.quote.facts.write().unwrap());
        }
        room.close().await;
    }

    async fn a_quote_whose_numbers_do_not_follow_is_shown_to_nobody(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let given = give(&room, to_germany()).await.quote;
        assert_eq!(quotes::verify(&room.ctx).await.unwrap(), (1, Vec::new()));
        damage(&room.ctx, "UPDATE quotes SET fee_minor = fee_minor - 1").await.unwrap();
        let (looked_at, faults) = quotes::verify(&room.ctx).await.unwrap();
        assert!(looked_at == 1 && faults[0].contains(&given.id.to_string()), "{faults:?}");
        let refused = quotes::get(&room.ctx, room.merchant, given.id).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal);
        let (whose, same) = ((room.merchant, given.id), wanted(&to_germany()));
        let used = take(&room, whose, &same, "pay_1", given.created_at).await;
        assert_eq!(code(&used), Code::Internal);
        room.close().await;
    }

    async fn of_a_hundred_payouts_exactly_one_uses_a_quote(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let given = give(&room, to_germany()).await.quote;
        let rooms = Arc::new(room.replicas(&db).await);
        let mut payouts = JoinSet::new();
        for number in 0..100 {
            let (rooms, given) = (rooms.clone(), given.clone());
            payouts.spawn(async move {
                let room = &rooms[number % rooms.len()];
                let whose = (room.merchant, given.id);
                let by = format!("pay_{number}");
                take(room, whose, &wanted(&to_germany()), &by, given.created_at).await
            });
        }
        let outcomes = payouts.join_all().await;
        let room = &rooms[0];
        let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(lost.code(), Code::QuoteAlreadyUsed);
        }
        let found = quotes::get(&room.ctx, room.merchant, given.id).await.unwrap().quote;
        assert_eq!(found.state, won[0].state);
        assert_eq!(found.standing(given.expires_at), Standing::Consumed);
        let sent = quotes::month_volume(&room.ctx, room.merchant, Currency::USD, given.created_at);
        assert_eq!(sent.await.unwrap(), usd("1000.00"), "counted once");
        for room in Arc::into_inner(rooms).unwrap() {
            room.close().await;
        }
    }

    async fn the_last_microsecond_is_inside_and_the_next_is_not(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let last = |quote: &Quote| Timestamp::from_micros(quote.expires_at.micros() - 1);
        let (in_time, late) = (give(&room, to_germany()).await.quote, give(&room, to_germany()).await.quote);
        let wanted = wanted(&to_germany());
        let used = take(&room, (room.merchant, in_time.id), &wanted, "pay_1", last(&in_time)).await;
        assert_eq!(used.unwrap().standing(last(&in_time)), Standing::Consumed);
        let refused = take(&room, (room.merchant, late.id), &wanted, "pay_2", late.expires_at).await;
        assert_eq!(code(&refused), Code::QuoteExpired);
        let found = quotes::get(&room.ctx, room.merchant, late.id).await.unwrap().quote;
        assert_eq!(found.standing(last(&late)), Standing::Open, "a late try leaves it as it was");
        room.close().await;
    }

    async fn each_refusal_is_precise_and_leaves_the_quote_open(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let given = give(&room, to_germany()).await.quote;
        let whose = (room.merchant, given.id);
        let other = Wanted { source_amount: usd("1000.01"), ..wanted(&to_germany()) };
        let refused = take(&room, whose, &other, "pay_1", given.created_at).await.unwrap_err();
        assert_eq!((refused.code(), &*refused.fields()[0].field), (Code::QuoteMismatch, "source_amount"));
        let stranger = merchant(&room.ctx.db, 9).await;
        let same = wanted(&to_germany());
        let refused = take(&room, (stranger, given.id), &same, "pay_1", given.created_at).await;
        assert_eq!(code(&refused), Code::NotFound, "another merchant's quote is no quote");
        assert!(quotes::get(&room.ctx, stranger, given.id).await.is_err());
        take(&room, whose, &same, "pay_1", given.created_at).await.unwrap();
        let refused = take(&room, whose, &same, "pay_1", given.expires_at).await;
        assert_eq!(code(&refused), Code::QuoteAlreadyUsed, "a used quote does not expire");
        room.close().await;
    }

    async fn a_payout_that_fails_after_all_gives_the_quote_back(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let given = give(&room, at_home()).await.quote;
        let whose = (room.merchant, given.id);
        let book = room.pricing.plans.book(&room.ctx).await.unwrap();
        let undone: Result<()> = db::write!(room.ctx.db, room.merchant, |tx| {
            quotes::consume(tx, &book, &given, &wanted(&at_home()), "pay_1", given.created_at).await?;
            Err(Failure::new(Code::InvalidState))
        });
        assert_eq!(undone.unwrap_err().code(), Code::InvalidState);
        take(&room, whose, &wanted(&at_home()), "pay_2", given.created_at).await.unwrap();
        room.close().await;
    }

    async fn the_months_own_volume_picks_the_tier(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let fee = async |room: &Room| give(room, at_home()).await.quote;
        let first = fee(&room).await;
        assert_eq!(first.outcome.fee.amount, usd("1.00"));
        let whose = (room.merchant, first.id);
        take(&room, whose, &wanted(&at_home()), "pay_1", first.created_at).await.unwrap();
        let second = fee(&room).await;
        assert_eq!((second.outcome.fee.amount, second.facts.month_volume), (usd("0.10"), usd("100.00")));
        let other = Room { merchant: merchant(&room.ctx.db, 9).await, ..Room::beside(&room) };
        assert_eq!(fee(&other).await.outcome.fee.amount, usd("1.00"), "its own month is empty");
        db::write!(room.ctx.db, room.merchant, |tx| quotes::uncount(tx, whose.0, whose.1).await).unwrap();
        assert_eq!(fee(&room).await.outcome.fee.amount, usd("1.00"), "a payout that came to nothing");
        let whose = (room.merchant, second.id);
        take(&room, whose, &wanted(&at_home()), "pay_2", second.created_at).await.unwrap();
        assert_eq!(fee(&room).await.outcome.fee.amount, usd("0.10"));
        room.hands.advance(Duration::from_hours(31 * 24));
        assert_eq!(fee(&room).await.outcome.fee.amount, usd("1.00"), "a new month begins with nothing");
        room.close().await;
    }

    async fn pages_show_each_quote_once_and_the_newest_first(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let stranger = Room { merchant: merchant(&room.ctx.db, 9).await, ..Room::beside(&room) };
        let mut given = Vec::new();
        for _ in 0..7 {
            given.push(give(&room, at_home()).await.quote.id);
            give(&stranger, at_home()).await;
            room.hands.advance(Duration::from_millis(1));
        }
        given.reverse();
        let (mut shown, mut cursor) = (Vec::new(), None);
        loop {
            let query = PageQuery { limit: Some("3".to_owned()), cursor };
            let page = quotes::list(&room.ctx, room.merchant, &query.check("pq_").unwrap()).await.unwrap();
            assert!(page.data.len() <= 3);
            shown.extend(page.data.iter().map(|signed| signed.quote.id));
            cursor = page.next_cursor;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(shown, given);
        room.close().await;
    }

    async fn a_key_makes_one_quote_and_tells_it_again(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let ask = async |amount: &str| {
            let key = Key::parse("mine").unwrap();
            let body = json!({ "amount": amount });
            let request = Request::new(room.merchant, "pricing.quote", key, "/", &body);
            let new = quotes::NewQuote { payment: Payment { amount: usd(amount), ..to_germany() } };
            let answer = |signed: &SignedQuote| Answer::json(201, &signed.quote.id);
            quotes::create(&room.pricing, room.merchant, &new, Some(&request), answer).await
        };
        let first = ask("5.00").await.unwrap();
        room.hands.advance(Duration::from_hours(1));
        // It could not be priced now: what was promised is told again all the same.
        damage(&room.ctx, "DELETE FROM fx_day_rates").await.unwrap();
        damage(&room.ctx, "UPDATE pricing_generations SET value = value + 1").await.unwrap();
        assert!(quotes::prepare(&room.pricing, room.merchant, to_germany()).await.is_err());
        let again = ask("5.00").await.unwrap();
        assert_eq!((&again.body, again.replayed, first.replayed), (&first.body, true, false));
        assert_eq!(ask("6.00").await.unwrap_err().code(), Code::IdempotencyConflict);
        let page = PageQuery::default().check("pq_").unwrap();
        assert_eq!(quotes::list(&room.ctx, room.merchant, &page).await.unwrap().data.len(), 1);
        room.close().await;
    }

    async fn the_signature_proves_the_offer_and_nothing_else(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let SignedQuote { offer, signature, .. } = give(&room, to_germany()).await;
        let verifies = |offer: &Value| {
            let (header, sealed) = signature.split_once("..").unwrap();
            let said: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
            assert_eq!(said["typ"], quotes::OFFER_TYPE);
            let kid: Jkt = said["kid"].as_str().unwrap().parse().unwrap();
            let key = room.pricing.ring.current().verifier(&kid).unwrap();
            let payload = base64url::encode(serde_json::to_vec(offer).unwrap());
            let alg = room.pricing.ring.current().signer().alg();
            let bytes = base64url::decode(sealed).unwrap();
            key.verify(alg, format!("{header}.{payload}").as_bytes(), &bytes).is_ok()
        };
        let mut offer = json!(*offer);
        assert!(verifies(&offer));
        offer["fee"] = json!("0.01");
        assert!(!verifies(&offer));
        room.close().await;
    }
}

impl Room {
    /// The same room for somebody else.
    fn beside(&self) -> Self {
        Self {
            pricing: pricing(&self.ctx, None),
            ctx: self.ctx.clone(),
            hands: self.hands.clone(),
            merchant: self.merchant,
        }
    }
}

/// Flat to ten million rows is a matter of the plan: the primary key alone finds and orders.
#[tokio::test]
async fn the_list_walks_the_primary_key_and_sorts_nothing() {
    let list = quotes::STATEMENTS
        .iter()
        .map(|statement: &Statement| statement.sqlite)
        .find(|sql| sql.contains("ORDER BY id DESC"))
        .unwrap();
    let db = TestDb::sqlite().await;
    let mut file = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {list}"));
    let rows = sqlx::query(explain).bind("mer_").bind("pq_~").bind(3).fetch_all(&mut file).await;
    let plan: Vec<String> = rows.unwrap().iter().map(|row| row.get("detail")).collect();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert!(plan[0].contains("sqlite_autoindex_quotes_1 (merchant_id=? AND id<?)"), "{plan:?}");
}

/// A used quote must say by whom, an open one must not; the schema holds to it.
#[tokio::test]
async fn a_half_used_quote_cannot_be_stored() {
    let db = TestDb::sqlite().await;
    let room = Room::open(&db, PLANS).await;
    give(&room, at_home()).await;
    for sql in [
        "UPDATE quotes SET state = 'consumed'",
        "UPDATE quotes SET consumed_by = 'pay_1'",
        "UPDATE quotes SET state = 'gone'",
    ] {
        assert!(damage(&room.ctx, sql).await.is_err(), "{sql}");
    }
    room.close().await;
}

both! {
    async fn quotes_that_arrive_together_are_stored_together_and_none_suffers_anothers_fault(db: TestDb) {
        let room = Room::open(&db, PLANS).await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(quotes::prepare(&room.pricing, room.merchant, to_germany()).await.unwrap());
        }
        // The second and the fourth have one id: the database can take one of them only.
        made[3].quote.id = made[1].quote.id;
        // The first is at the desk when the others arrive, so that these are one batch.
        let stored = made.iter().map(|signed| room.pricing.intake.store(signed.clone()));
        let outcomes = futures_util::future::join_all(stored).await;
        let codes: Vec<_> = outcomes.iter().map(|o| o.as_ref().err().map(Failure::code)).collect();
        assert_eq!(codes, [None, None, None, Some(Code::Internal), None]);
        let page = PageQuery::default().check("pq_").unwrap();
        let kept = quotes::list(&room.ctx, room.merchant, &page).await.unwrap().data;
        let mut wanted = vec![made[0].clone(), made[1].clone(), made[2].clone(), made[4].clone()];
        wanted.sort_by_key(|signed| std::cmp::Reverse(signed.quote.id));
        assert_eq!(kept, wanted);
        room.close().await;
    }
}
