//! What the database says, compared with what the receivers have noted.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::{
    base::ids::MerchantId,
    db::{self, Db},
    events::log::{self, Event, EventType},
    payouts::payout::PayoutStatus,
};

use super::shops::{Door, Note, Shop};

const STEPS: &str = "SELECT payout_id, to_status FROM payout_transitions WHERE merchant_id = $1";
const ENDPOINT: &str = "SELECT status FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2";
const DELIVERIES: &str = "SELECT sequence, status, attempts, max_attempts FROM webhook_deliveries
    WHERE merchant_id = $1 AND endpoint_id = $2 ORDER BY sequence";
/// Endpoints with something left to do.
const BUSY: &str = "SELECT e.id FROM webhook_endpoints e WHERE e.status = 'active' AND (
    e.planned_through < (SELECT s.last FROM event_sequences s WHERE s.merchant_id = e.merchant_id)
    OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.merchant_id = e.merchant_id
        AND d.endpoint_id = e.id AND d.status = 'pending'))";
const DELIVERED: &str = "SELECT COUNT(*) FROM webhook_deliveries WHERE status = 'delivered'";

/// Of all events, for all endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) events: usize,
    pub(super) delivered: usize,
    pub(super) dead: usize,
    pub(super) switched_off: usize,
}

/// Endpoints that are still served and not done.
pub(super) async fn busy(db: &Db) -> BTreeSet<String> {
    let busy = db::read!(db, |tx| Ok(db::all!(tx, (String,), BUSY)?)).unwrap();
    busy.into_iter().map(|(id,)| id).collect()
}

pub(super) async fn delivered(db: &Db) -> i64 {
    db::read!(db, |tx| Ok(db::one!(tx, (i64,), DELIVERED)?)).unwrap().0
}

/// Everything that must hold for one merchant when all is done.
pub(super) async fn check(db: &Db, shop: &Shop) -> Ends {
    let merchant: MerchantId = shop.victim.merchant.parse().unwrap();
    let log = whole_log(db, merchant).await;
    let told = told(&log);
    let steps = steps(db, merchant).await;
    assert_eq!(told, steps, "each step has its event, and each event its step");
    let made = shop.made.lock().unwrap().clone();
    for id in made {
        assert!(told.contains_key(&(id.clone(), "payout.created")), "{id} was acknowledged");
    }
    let mut ends = Ends { events: log.len(), ..Ends::default() };
    for door in [&shop.moody, &shop.hopeless, &shop.gone] {
        let seen = Books { db, merchant, log: &log, door }.check(door.id == shop.hopeless.id).await;
        ends.delivered += seen.delivered;
        ends.dead += seen.dead;
        ends.switched_off += seen.switched_off;
    }
    ends
}

/// Numbered from 1 on, without a gap.
async fn whole_log(db: &Db, merchant: MerchantId) -> Vec<Event> {
    let mut log: Vec<Event> = Vec::new();
    loop {
        let last = log.last().map_or(0, |event| event.sequence);
        let page = db::read!(db, |tx| log::after(tx, merchant, last, &[], 1_000).await);
        let (page, _) = page.unwrap();
        if page.is_empty() {
            break;
        }
        log.extend(page);
    }
    for (number, event) in (1..).zip(&log) {
        assert_eq!(event.sequence, number, "a gap");
    }
    log
}

type Told = BTreeMap<(String, &'static str), usize>;

/// How often each payout was told of, in each of its states.
fn told(log: &[Event]) -> Told {
    let mut told = Told::new();
    for event in log.iter().filter(|event| event.about.starts_with("pay_")) {
        *told.entry((event.about.clone(), event.kind.as_str())).or_default() += 1;
    }
    told
}

/// How often each payout was in each state, in the words of its events.
async fn steps(db: &Db, merchant: MerchantId) -> Told {
    let rows = db::read!(db, |tx| Ok(db::all!(tx, (String, String), STEPS, merchant)?)).unwrap();
    let mut steps = Told::new();
    for (payout, to) in rows {
        let to = PayoutStatus::parse(&to).unwrap();
        *steps.entry((payout, to.event().as_str())).or_default() += 1;
    }
    steps
}

/// One endpoint's.
struct Books<'a> {
    db: &'a Db,
    merchant: MerchantId,
    log: &'a [Event],
    door: &'a Door,
}

type Row = (i64, String, i64, i64);

impl Books<'_> {
    async fn check(&self, only_completed: bool) -> Ends {
        let Self { db, merchant, door, .. } = *self;
        let (status, rows) = db::read!(db, |tx| {
            let (status,) = db::one!(tx, (String,), ENDPOINT, merchant, &door.id)?;
            Ok((status, db::all!(tx, Row, DELIVERIES, merchant, &door.id)?))
        })
        .unwrap();
        let off = status == "disabled";
        let told = self
            .log
            .iter()
            .filter(|event| event.kind == EventType::WebhookDisabled && event.about == door.id);
        assert_eq!(told.count(), usize::from(off), "it is {status}");
        self.all_planned(&rows, only_completed, off);
        let notes = door.notes.lock().unwrap();
        for (number, note) in &*notes {
            let event = self.log.get(usize::try_from(number - 1).unwrap());
            let event = event.unwrap_or_else(|| panic!("{number} came and never happened"));
            assert_eq!(event.body, note.body, "what comes is what happened");
        }
        let mut ends = Ends { switched_off: usize::from(off), ..Ends::default() };
        for row in &rows {
            self.one(row, notes.get(&row.0), off, &mut ends);
        }
        ends
    }

    /// Each event that it wants has its delivery, once.
    fn all_planned(&self, rows: &[Row], only_completed: bool, off: bool) {
        // The endpoints are older than the first payout, and younger than everything else.
        let begun = self.log.iter().skip_while(|event| event.kind != EventType::PayoutCreated);
        let wanted = begun
            .filter(|event| !only_completed || event.kind == EventType::PayoutCompleted)
            .map(|event| event.sequence);
        let wanted: Vec<i64> = wanted.collect();
        let planned: Vec<i64> = rows.iter().map(|row| row.0).collect();
        if off {
            assert_eq!(planned, wanted[..planned.len()], "a stretch without a gap");
        } else {
            assert_eq!(planned, wanted);
        }
    }

    fn one(&self, row: &Row, note: Option<&Note>, off: bool, ends: &mut Ends) {
        let (number, status, attempts, most) = row;
        let requests = note.map_or(0, |note| note.requests);
        let acknowledged = note.is_some_and(|note| note.acknowledged);
        match status.as_str() {
            "delivered" => {
                assert!(acknowledged, "{number} is delivered, and nobody has it");
                ends.delivered += 1;
            }
            "failed" => {
                assert_eq!(attempts, most, "{number} was given up too soon");
                assert!(requests > 0, "{number} was given up and never sent");
                ends.dead += 1;
            }
            left => assert!(off, "{number} for {} is {left}", self.door.id),
        }
    }
}
