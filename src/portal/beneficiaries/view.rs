//! What beneficiaries look like.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{person, service::Seen};
use crate::{
    base::{failure::Failure, pagination::Page, timestamp::Timestamp},
    payouts::{
        beneficiaries::{Beneficiary, BeneficiaryStatus, Pii, STATUSES},
        instruments::Instrument,
    },
    portal::{
        frame::{
            Head, Narrow, ago, badge, csrf, download, empty, filters, looked_through, moment,
            onward, short, table, unread,
        },
        payouts,
    },
    web::query::Query,
};

const PATH: &str = "/portal/beneficiaries";

pub(super) fn list(
    query: &Query,
    found: Result<&Page<Beneficiary>, &Failure>,
    now: Timestamp,
) -> Markup {
    html! {
        div.head { div { h1 { "Beneficiaries" } p.sub { "Whom you pay. What is personal rests sealed." } }
            @if found.is_ok_and(Page::may_have_rows) { (download("/portal/beneficiaries.csv", query)) } }
        @if let Err(failure) = found { (unread(failure)) }
        (filters(PATH, query, &[
            Narrow::OneOf { name: "status", label: "Status", words: STATUSES },
            Narrow::OneOf { name: "type", label: "Kind", words: &["individual", "business"] },
            Narrow::Text { name: "country", label: "Country", example: "DE" },
            Narrow::Text { name: "external_ref", label: "Your reference", example: "Exactly as you gave it" },
        ]))
        @if let Ok(found) = found {
            section { (rows(query, found, now)) }
            (onward(PATH, query, found.next_cursor.as_deref()))
        }
    }
}

fn rows(query: &Query, found: &Page<Beneficiary>, now: Timestamp) -> Markup {
    let heads = [
        Head::Text("Beneficiary"),
        Head::Text("Kind"),
        Head::Text("Country"),
        Head::Text("Your reference"),
        Head::Text("Status"),
        Head::Text("Changed"),
        Head::Text("Made"),
    ];
    let rows: Vec<Markup> = found.data.iter().map(|found| row(found, now)).collect();
    html! {
        @if !rows.is_empty() { (table("Beneficiaries", &heads, &rows)) }
        (looked_through("beneficiaries", query, rows.len(), found.next_cursor.as_deref(), ""))
        @if !rows.is_empty() || found.next_cursor.is_some() {}
        @else if query.pairs().next().is_some() {
            (empty("No beneficiary is like that.", &html! {
                "Widen what you look for, or " a href=(PATH) { "see all beneficiaries" } "." }))
        } @else {
            (empty("There is nobody to pay yet.", &html! {
                "Your servers add them with " code { "POST /v1/beneficiaries" } ", and an account for each. "
                a href="/docs" { "The API, call by call" } "." }))
        }
    }
}

fn row(found: &Beneficiary, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name { a href={ (PATH) "/" (found.id) } { (found.display_name) } p.sub { (short(&found.id.to_string())) } }
            td { (found.kind.as_str()) }
            td { (found.country.code()) }
            td.name { (found.external_ref.as_deref().unwrap_or("–")) }
            td { (badge(found.status.as_str())) }
            td { (ago(found.updated_at, now)) }
            td { (moment(found.created_at)) }
        }
    }
}

/// Its page; with what is personal, when that was asked for.
pub(super) fn one(seen: &Seen, token: &str, sees_persons: bool, pii: Option<&Pii>) -> Markup {
    let found = &seen.beneficiary;
    html! {
        a.back href=(PATH) { "← Beneficiaries" }
        div.head { div { h1 { (found.display_name) " " (badge(found.status.as_str())) } p.sub { code { (found.id) } } } }
        div.split.sections {
            section.card aria-labelledby="facts" { h2 #facts { "About it" } (facts(found)) }
            @if sees_persons || pii.is_some() {
                section.card aria-labelledby="who" { h2 #who { "Personal data" } (personal(found, token, pii)) }
            }
        }
        section aria-labelledby="accounts" { h2 #accounts { "Accounts" } (accounts(&seen.instruments)) }
        section aria-labelledby="payouts" {
            div.head {
                h2 #payouts { "Latest payouts" }
                @if seen.payouts.page.has_more { a.button href={ "/portal/payouts?beneficiary=" (found.id) } { "All of them" } }
            }
            @if seen.payouts.page.data.is_empty() {
                (empty("Nothing was paid to it yet.", &html! {
                    "A payout names " code { (found.id) } " and one of its accounts." }))
            } @else { (payouts::payouts("Latest payouts", &seen.payouts)) }
        }
    }
}

fn facts(found: &Beneficiary) -> Markup {
    let notes: Map<String, Value> =
        serde_json::from_str(&found.metadata.to_json()).unwrap_or_default();
    html! {
        dl.facts {
            dt { "Kind" } dd { (found.kind.as_str()) }
            dt { "Country" } dd { (found.country.code()) }
            @if let Some(reference) = &found.external_ref { dt { "Your reference" } dd { (reference) } }
            @match &found.status {
                BeneficiaryStatus::Active => {},
                BeneficiaryStatus::Archived { at } => { dt { "Archived" } dd { (moment(*at)) } },
                // Why is not told: who is under suspicion must not be warned.
                BeneficiaryStatus::Blocked { at, .. } => { dt { "Blocked" } dd { (moment(*at)) p.sub { "by whoever runs this server; it cannot be paid" } } },
            }
            dt { "Made" } dd { (moment(found.created_at)) @if found.source_batch_id.is_some() { p.sub { "by a batch" } } }
            dt { "Changed" } dd { (moment(found.updated_at)) }
            @for (name, value) in &notes {
                dt { (name) } dd { @match value { Value::String(text) => (text), other => (other.to_string()) } }
            }
        }
    }
}

fn personal(found: &Beneficiary, token: &str, pii: Option<&Pii>) -> Markup {
    html! {
        @match pii {
            Some(pii) => {
                p.sub role="status" { "That you have seen it is in the audit trail." }
                (person::shown(pii))
                p.actions { a.button href={ (PATH) "/" (found.id) } { "Hide it" } }
            },
            None => {
                p { "It rests sealed. Open it only if you need it: your name, the time and your address go into the "
                    "audit trail." }
                form method="post" action={ (PATH) "/" (found.id) "/person" } {
                    (csrf(token))
                    p.actions { button #show { "Show who it is" } }
                }
            },
        }
    }
}

fn accounts(instruments: &[Instrument]) -> Markup {
    let heads = [
        Head::Text("Account"),
        Head::Text("Form"),
        Head::Text("Bank or network"),
        Head::Text("Currency"),
        Head::Text("Country"),
        Head::Text("Status"),
        Head::Text("Made"),
    ];
    let rows: Vec<Markup> = instruments.iter().map(account).collect();
    html! {
        @if rows.is_empty() {
            (empty("It has no account yet.", &html! {
                "Your servers add one with " code { "POST /v1/beneficiaries/{id}/instruments" } "." }))
        } @else { (table("Accounts", &heads, &rows)) }
    }
}

fn account(instrument: &Instrument) -> Markup {
    let shown = &instrument.shown;
    let home = shown.bank.as_deref().or(shown.network.as_deref());
    html! {
        tr {
            td.name {
                code { (shown.masked.as_deref().unwrap_or("****")) }
                @if instrument.is_default { " " (badge("default")) }
                @if let Some(label) = &instrument.label { p.sub { (label) } }
            }
            td { (instrument.method.word.replace('_', " ")) }
            td { (home.unwrap_or("–")) }
            td { (instrument.currency.map_or("any", |currency| currency.code())) }
            td { (instrument.country.map_or("–", |country| country.code())) }
            td { (badge(instrument.status.as_str())) }
            td { (moment(instrument.created_at)) }
        }
    }
}
