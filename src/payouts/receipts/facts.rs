//! What a receipt says, in the one spelling that is signed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    base::timestamp::Timestamp,
    payouts::{
        instruments::Instrument,
        payout::{Payout, PayoutStatus, Transition},
    },
    pricing::quotes::SignedQuote,
};

/// Members in the order of their names, as RFC 8785 wants them: the same facts are the same bytes.
pub(super) type Members = BTreeMap<&'static str, Fact>;

/// A member. There are no numbers: what a float makes of them differs from reader to reader.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Fact {
    /// Words, amounts, times.
    Text(String),
    /// Yes or no.
    Truth(bool),
    /// What belongs together.
    Group(Members),
    /// One after the other.
    List(Vec<Members>),
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What a receipt is made of, as it was at one moment.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) payout: &'a Payout,
    pub(super) steps: &'a [Transition],
    pub(super) instrument: &'a Instrument,
    pub(super) quote: &'a SignedQuote,
}

impl Known<'_> {
    /// Everything that is signed.
    pub(super) fn facts(&self, issued_at: Timestamp) -> Members {
        let Self { payout, steps, instrument, quote } = self;
        let amounts = &payout.amounts;
        let (source, dest, fee) = (amounts.source, amounts.dest, amounts.fee);
        let mut facts = Members::from([
            ("beneficiary_id", payout.beneficiary.to_string().into()),
            ("created_at", payout.created_at.to_string().into()),
            ("dest_amount", dest.render().into()),
            ("dest_currency", dest.currency().code().into()),
            ("fee", fee.render().into()),
            ("fee_bearer", amounts.bearer.as_str().into()),
            ("fee_currency", fee.currency().code().into()),
            ("final", Fact::Truth(payout.status.is_end())),
            ("instrument", Fact::Group(masked(instrument))),
            ("issued_at", issued_at.to_string().into()),
            ("merchant_id", payout.merchant.to_string().into()),
            ("method", payout.method.as_str().into()),
            ("payout_id", payout.id.to_string().into()),
            ("quote", Fact::Group(offered(quote))),
            ("rail_type", payout.rail_type.as_str().into()),
            ("source_amount", source.render().into()),
            ("source_currency", source.currency().code().into()),
            ("status", payout.status.as_str().into()),
            ("timeline", Fact::List(steps.iter().map(taken).collect())),
        ]);
        add(
            &mut facts,
            [
                ("exchange_rate", amounts.rate.map(|rate| rate.to_string())),
                ("network", payout.network.clone()),
                ("rail_provider", payout.railed.provider.clone()),
                ("rail_reference", payout.railed.reference.clone()),
                ("reference", payout.reference.clone()),
            ],
        );
        facts
    }
}

/// What is absent is left out, so that "nothing" has one spelling.
fn add(facts: &mut Members, more: impl IntoIterator<Item = (&'static str, Option<String>)>) {
    facts.extend(more.into_iter().filter_map(|(name, text)| Some((name, text?.into()))));
}

/// The account by which its owner knows it again, and from which nobody else learns it.
fn masked(instrument: &Instrument) -> Members {
    let shown = &instrument.shown;
    let mut facts = Members::from([
        ("instrument_id", instrument.id.to_string().into()),
        ("method", instrument.method.word.into()),
    ]);
    add(
        &mut facts,
        [
            ("country", instrument.country.map(|country| country.to_string())),
            ("currency", instrument.currency.map(|currency| currency.to_string())),
            ("display_bank", shown.bank.clone()),
            ("display_last4", shown.last4.clone()),
            ("display_network", shown.network.clone()),
            ("masked_account", shown.masked.clone()),
        ],
    );
    facts
}

/// The promise that the payout was made under, with its own signature.
fn offered(signed: &SignedQuote) -> Members {
    let offer = signed.offer.iter();
    Members::from([
        ("offer", Fact::Group(offer.map(|(name, text)| (*name, text.clone().into())).collect())),
        ("quote_id", signed.quote.id.to_string().into()),
        ("quote_signature", signed.signature.clone().into()),
    ])
}

/// Who took a step is told by kind only, and why not at all: an operator's name and the reasons of a
/// screening are no business of those to whom a merchant shows a receipt.
fn taken(step: &Transition) -> Members {
    let mut facts = Members::from([
        ("actor", step.actor.kind().into()),
        ("at", step.at.to_string().into()),
        ("number", step.number.to_string().into()),
        ("to", step.to.as_str().into()),
    ]);
    add(&mut facts, [("from", step.from.map(PayoutStatus::as_str).map(str::to_owned))]);
    facts
}
