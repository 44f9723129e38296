//! What the first page looks like.

use maud::{Markup, html};

use super::{charts::charts, figures::Figures};
use crate::{
    base::{environment::Environment, timestamp::Timestamp},
    ledger::Balance,
    oauth::merchants::{Merchant, MerchantStatus},
    payouts::payout::Payout,
    portal::frame::{ago, badge, digits, moment, money, notice, short},
};

/// What it shows.
pub(super) struct Seen<'a> {
    /// Nothing, when nothing has been counted.
    pub(super) figures: Option<Figures>,
    pub(super) merchant: &'a Merchant,
    pub(super) balances: &'a [Balance],
    pub(super) payouts: &'a [Payout],
    pub(super) credentials: usize,
    /// Whether payouts wait for an approval that whoever looks may give.
    pub(super) waiting: bool,
    pub(super) manages: bool,
    pub(super) environment: Environment,
    pub(super) now: Timestamp,
}

pub(super) fn page(seen: &Seen<'_>) -> Markup {
    html! {
        div.head { div { h1 { (seen.merchant.name) } p.sub { "Merchant " code { (seen.merchant.id) } } } }
        @if seen.merchant.status == MerchantStatus::Suspended {
            (notice("bad", "This merchant is suspended: its tokens are refused. Ask whoever runs this server."))
        }
        @if seen.credentials == 0 && seen.manages { (first_steps()) }
        section aria-labelledby="balances" { h2 #balances { "Balances" } (balances(seen)) }
        @if seen.waiting { (waiting()) }
        @if let Some(figures) = &seen.figures {
            section aria-labelledby="days" { h2 #days { "The last 30 days" } (charts(figures)) }
        }
        section { div.head { h2 #payouts { "Latest payouts" } a.button href="/portal/payouts" { "All payouts" } } (payouts(seen)) }
    }
}

fn first_steps() -> Markup {
    html! {
        section.card.callout aria-labelledby="first" {
            h2 #first { "Make your first call" }
            p { "Your server needs a credential: a name, a secret, and a key pair that is made in this "
                "browser. It takes a minute, and ends with a command to paste." }
            p { a.button.primary href="/portal/credentials/new" { "Register a credential" } }
        }
    }
}

fn waiting() -> Markup {
    html! {
        section.card.callout aria-labelledby="waiting" {
            h2 #waiting { "Payouts wait for approval" }
            p.actions { a.button.primary href="/portal/payouts?status=pending_approval" { "Look at them" } }
        }
    }
}

fn balances(seen: &Seen<'_>) -> Markup {
    html! {
        @if seen.balances.is_empty() {
            div.empty {
                p { strong { "There is no money here yet." } }
                @if seen.environment == Environment::Sandbox {
                    p { "In a sandbox whoever runs the server makes some:" }
                    pre tabindex="0" { "counterfoil balance credit --merchant " (seen.merchant.id)
                        " --currency USD --amount 1000.00" }
                } @else {
                    p { "What comes in is shown here as soon as it is booked." }
                }
            }
        } @else {
            ul.tiles {
                @for balance in seen.balances {
                    li.tile {
                        p.label { (balance.currency().code()) }
                        p.amount { (digits(balance.available)) }
                        p.sub { "available · " (balance.pending.render()) " set aside" }
                        p.sub { "changed " (ago(balance.updated_at, seen.now)) }
                    }
                }
            }
        }
    }
}

fn payouts(seen: &Seen<'_>) -> Markup {
    html! {
        @if seen.payouts.is_empty() {
            div.empty {
                p { strong { "Nothing was paid out yet." } }
                p { "Payouts are made by your servers: ask for a quote, then create a payout bound to it. "
                    a href="/docs" { "The API, call by call" } "." }
            }
        } @else {
            div.scroll tabindex="0" role="region" aria-labelledby="payouts" {
                table {
                    thead { tr { th { "Payout" } th.number { "Sent" } th.number { "Received" } th { "Status" } th { "Made" } } }
                    tbody {
                        @for payout in seen.payouts { (row(payout)) }
                    }
                }
            }
        }
    }
}

fn row(payout: &Payout) -> Markup {
    let (from, to) = (payout.amounts.source, payout.amounts.dest);
    html! {
        tr {
            td { a href={ "/portal/payouts/" (payout.id) } { (short(&payout.id.to_string())) } @if let Some(reference) = &payout.reference { p.sub { (reference) } } }
            td.number { (money(from)) }
            td.number { (money(to)) }
            td { (badge(payout.status.as_str())) }
            td { (moment(payout.created_at)) }
        }
    }
}
