//! Rows as cells.

use crate::{
    base::timestamp::Timestamp,
    oauth::{
        credentials::{Credential, CredentialStatus, LastUses},
        scopes::Scope,
    },
    payouts::{beneficiaries::Beneficiary, payout::Payout},
    portal::{trail::Line, users::Person},
    pricing::quotes::{QuoteState, SignedQuote},
};

fn moment(at: Option<Timestamp>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

fn text(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

pub(super) const PAYOUTS: &[&str] = &[
    "id",
    "status",
    "reason",
    "source_amount",
    "source_currency",
    "dest_amount",
    "dest_currency",
    "fee_amount",
    "fee_currency",
    "fee_bearer",
    "rate",
    "method",
    "beneficiary_id",
    "instrument_id",
    "quote_id",
    "reference",
    "purpose",
    "created_at",
    "updated_at",
    "completed_at",
];

pub(super) fn payout(payout: &Payout) -> Vec<String> {
    let amounts = &payout.amounts;
    vec![
        payout.id.to_string(),
        payout.status.as_str().to_owned(),
        text(payout.reason.as_ref()),
        amounts.source.render(),
        amounts.source.currency().code().to_owned(),
        amounts.dest.render(),
        amounts.dest.currency().code().to_owned(),
        amounts.fee.render(),
        amounts.fee.currency().code().to_owned(),
        amounts.bearer.as_str().to_owned(),
        amounts.rate.map(|rate| rate.to_string()).unwrap_or_default(),
        payout.method.as_str().to_owned(),
        payout.beneficiary.to_string(),
        payout.instrument.to_string(),
        payout.quote.to_string(),
        text(payout.reference.as_ref()),
        text(payout.purpose.as_ref()),
        payout.created_at.to_string(),
        payout.updated_at.to_string(),
        moment(payout.moments.completed),
    ]
}

pub(super) const QUOTES: &[&str] = &[
    "id",
    "source_amount",
    "source_currency",
    "dest_amount",
    "dest_currency",
    "dest_country",
    "method",
    "fee_amount",
    "fee_currency",
    "rate",
    "plan_id",
    "plan_version",
    "created_at",
    "expires_at",
    "consumed_at",
    "consumed_by",
];

pub(super) fn quote(signed: &SignedQuote) -> Vec<String> {
    let quote = &signed.quote;
    let (facts, outcome) = (&quote.facts, &quote.outcome);
    let payment = &facts.payment;
    let (at, by) = match &quote.state {
        QuoteState::Open => (None, String::new()),
        QuoteState::Consumed { at, by } => (Some(*at), by.clone()),
    };
    vec![
        quote.id.to_string(),
        payment.amount.render(),
        payment.amount.currency().code().to_owned(),
        outcome.dest_amount.render(),
        payment.dest_currency.code().to_owned(),
        payment.dest_country.map(|country| country.code().to_owned()).unwrap_or_default(),
        payment.method.map(|method| method.as_str().to_owned()).unwrap_or_default(),
        outcome.fee.amount.render(),
        outcome.fee.amount.currency().code().to_owned(),
        facts.exchange_rate.as_ref().map(|used| used.rate.to_string()).unwrap_or_default(),
        facts.plan.to_string(),
        facts.version.number.to_string(),
        quote.created_at.to_string(),
        quote.expires_at.to_string(),
        moment(at),
        by,
    ]
}

/// Without what is personal: that is asked for one by one, and each look is written down.
pub(super) const BENEFICIARIES: &[&str] = &[
    "id",
    "type",
    "status",
    "display_name",
    "country",
    "external_ref",
    "created_at",
    "updated_at",
];

pub(super) fn beneficiary(beneficiary: &Beneficiary) -> Vec<String> {
    vec![
        beneficiary.id.to_string(),
        beneficiary.kind.as_str().to_owned(),
        beneficiary.status.as_str().to_owned(),
        beneficiary.display_name.clone(),
        beneficiary.country.code().to_owned(),
        text(beneficiary.external_ref.as_ref()),
        beneficiary.created_at.to_string(),
        beneficiary.updated_at.to_string(),
    ]
}

pub(super) const TRAIL: &[&str] = &["id", "at", "who", "action", "subject", "note", "address"];

pub(super) fn line(line: &Line) -> Vec<String> {
    vec![
        line.id.to_string(),
        line.at.to_string(),
        line.email.clone(),
        line.action.as_str().to_owned(),
        line.subject.clone(),
        line.note.clone(),
        line.address.clone(),
    ]
}

pub(super) const CREDENTIALS: &[&str] =
    &["client_id", "label", "status", "scopes", "addresses", "last_used_at", "created_at"];

pub(super) fn credential((credential, uses): &(Credential, LastUses)) -> Vec<String> {
    let status = match credential.status {
        CredentialStatus::Active => "active",
        CredentialStatus::Revoked { .. } => "revoked",
    };
    let scopes: Vec<&str> = credential.scopes.iter().map(Scope::as_str).collect();
    let addresses: Vec<String> = credential.addresses.iter().map(ToString::to_string).collect();
    vec![
        credential.client_id.to_string(),
        credential.label.clone(),
        status.to_owned(),
        scopes.join(" "),
        addresses.join(" "),
        moment(uses.credential),
        credential.created_at.to_string(),
    ]
}

pub(super) const TEAM: &[&str] =
    &["id", "email", "name", "role", "status", "codes_since", "signed_in_at", "created_at"];

pub(super) fn person(person: &Person) -> Vec<String> {
    vec![
        person.id.to_string(),
        person.email.clone(),
        person.name.clone(),
        person.role.as_str().to_owned(),
        person.status.as_str().to_owned(),
        moment(person.totp_since),
        moment(person.signed_in_at),
        person.created_at.to_string(),
    ]
}
