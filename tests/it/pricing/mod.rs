//! Prices: the published vectors, an independent recomputation, plans, quotes.

mod audit;
mod command;
mod exchanges;
mod imports;
mod plans;
mod promises;
mod quotes;
mod rates;
mod recompute;
mod room;
mod served;
mod vectors;

use std::{collections::BTreeMap, sync::Arc};

use counterfoil::{
    base::{clock::Clock, ids::MerchantId, random::Random, timestamp::Timestamp},
    money::{Amount, Currency, Precision},
    pricing::{
        PlanId,
        fx::{DayRates, Policy, RateTable, Source},
        plans::{Draft, Plan, PlanBook, PlanVersion},
    },
};
use time::macros::date;

/// The moment at which these tests ask.
fn now() -> Timestamp {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

fn merchant() -> MerchantId {
    "mer_01HX8Z9K0M2N3P4Q5R6S7T8VAB".parse().unwrap()
}

fn usd(text: &str) -> Amount {
    Amount::parse(text, Currency::USD).unwrap()
}

/// Plans that are in force since a day ago.
fn book(drafts: Vec<Draft>) -> PlanBook {
    let random = Random::seeded(4);
    PlanBook::new(drafts.into_iter().map(|draft| {
        let since = Timestamp::from_micros(now().micros() - 86_400_000_000);
        Plan {
            id: PlanId::make(&Clock::hand_wound(since).0, &random),
            key: draft.key,
            merchant: draft.merchant,
            created_at: since,
            versions: vec![Arc::new(PlanVersion {
                number: 1,
                effective_from: since,
                ..draft.version
            })],
        }
    }))
}

fn rates(per_euro: &BTreeMap<String, String>, markup_bps: u32) -> RateTable {
    let rates = per_euro.iter().map(|(code, rate)| (code.parse().unwrap(), rate.parse().unwrap()));
    RateTable {
        source: Source::Ecb,
        day: DayRates::new(date!(2026 - 10 - 30), rates.collect()),
        policy: Policy {
            markup_bps,
            precision: Precision::PUBLISHED,
            max_age_business_days: Some(2),
        },
    }
}
