//! What lists of payouts look like.

use maud::{Markup, html};

use super::service::Listed;
use crate::{
    base::failure::Failure,
    payouts::payout::{Payout, PayoutStatus},
    portal::frame::{
        Head, Narrow, badge, download, empty, filters, looked_through, moment, money, onward,
        short, table, unread,
    },
    pricing::Method,
    web::query::Query,
};

/// Where the list is.
pub(super) const PATH: &str = "/portal/payouts";

/// The word of a payout's state.
pub(super) fn status(payout: &Payout) -> Markup {
    badge(payout.status.as_str())
}

/// The list with what narrows it; nothing was looked for when that could not be read.
pub(super) fn list(query: &Query, found: Result<&Listed, &Failure>) -> Markup {
    html! {
        div.head {
            div { h1 { "Payouts" } p.sub { "Money on its way to your beneficiaries, the newest first." } }
            @if query.get("status") != Some(PayoutStatus::PendingApproval.as_str()) {
                a.button href={ (PATH) "?status=pending_approval" } { "Waiting for approval" }
            }
            @if found.is_ok_and(|found| found.page.may_have_rows()) { (download("/portal/payouts.csv", query)) }
        }
        @if let Err(failure) = found { (unread(failure)) }
        (narrowed(query))
        @if let Ok(found) = found {
            section { (rows(query, found)) }
            (onward(PATH, query, found.page.next_cursor.as_deref()))
        }
    }
}

fn narrowed(query: &Query) -> Markup {
    let states: Vec<&str> = PayoutStatus::ALL.iter().map(|status| status.as_str()).collect();
    let methods: Vec<&str> = Method::ALL.iter().map(|method| method.as_str()).collect();
    filters(
        PATH,
        query,
        &[
            Narrow::OneOf { name: "status", label: "Status", words: &states },
            Narrow::OneOf { name: "method", label: "Method", words: &methods },
            Narrow::Text { name: "currency", label: "Currency", example: "EUR" },
            Narrow::Day { name: "from", label: "From" },
            Narrow::Day { name: "until", label: "Until" },
            Narrow::Text { name: "reference", label: "Reference or id", example: "Invoice 7" },
            Narrow::Text { name: "beneficiary", label: "Beneficiary", example: "ben_…" },
        ],
    )
}

fn rows(query: &Query, found: &Listed) -> Markup {
    let is_narrowed = query.pairs().any(|(name, _)| name != "cursor");
    let waits = query.get("status") == Some(PayoutStatus::PendingApproval.as_str());
    html! {
        @if !found.page.data.is_empty() { (payouts("Payouts", found)) } @else if found.page.next_cursor.is_none() {
            @if waits && query.pairs().count() == 1 {
                (empty("Nothing waits for approval.",
                    &html! { a href=(PATH) { "See all payouts" } "." }))
            } @else if is_narrowed || query.get("cursor").is_some() {
                (empty("No payout is like that.",
                    &html! { "Widen what you look for, or " a href=(PATH) { "see all payouts" } "." }))
            } @else {
                (empty("Nothing was paid out yet.", &html! {
                    "Payouts are made by your servers: ask for a quote, then create a payout bound to it. "
                    a href="/docs" { "The API, call by call" } "." }))
            }
        }
        (looked_through("payouts", query, found.page.data.len(), found.page.next_cursor.as_deref(),
            "; a day in “Until” gets there at once"))
    }
}

/// The rows of some payouts, here and on other pages.
pub(in crate::portal) fn payouts(label: &str, found: &Listed) -> Markup {
    let heads = [
        Head::Text("Payout"),
        Head::Text("To"),
        Head::Number("Sent"),
        Head::Number("Received"),
        Head::Text("Status"),
        Head::Text("Made"),
    ];
    let rows: Vec<Markup> = found.page.data.iter().map(|payout| row(payout, found)).collect();
    table(label, &heads, &rows)
}

fn row(payout: &Payout, found: &Listed) -> Markup {
    let name = found.names.get(&payout.beneficiary).map_or("", String::as_str);
    html! {
        tr {
            td {
                a href={ (PATH) "/" (payout.id) } { (short(&payout.id.to_string())) }
                @if let Some(reference) = &payout.reference { p.sub { (reference) } }
            }
            td.name { (name) p.sub { "by " (payout.method.as_str().replace('_', " ")) } }
            td.number { (money(payout.amounts.source)) }
            td.number { (money(payout.amounts.dest)) }
            td { (status(payout)) }
            td.when { (moment(payout.created_at)) }
        }
    }
}
