//! What a payout's own page looks like.

use std::borrow::Cow;

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{
    service::Seen,
    view::{PATH, status},
};
use crate::{
    base::failure::{Failure, Result},
    ledger::statement::Movement,
    money::Amount,
    payouts::payout::{Actor, FeeBearer, FixedSide, Payout, PayoutStatus, Transition},
    portal::frame::{
        Head, badge, csrf, digits, empty, fault_of, faults, moment, money, notice, short, table,
    },
};

/// What whoever looks may do, and what they have just done.
pub(super) struct Look<'a> {
    pub(super) token: &'a str,
    /// Whether they may let payouts go.
    pub(super) approves: bool,
    /// Whether they may call payouts off.
    pub(super) manages: bool,
    /// Whether they may see credentials.
    pub(super) credentials: bool,
    pub(super) done: &'a str,
    /// What was typed, when it was refused.
    pub(super) reason: &'a str,
    pub(super) failure: Option<&'a Failure>,
    pub(super) origin: &'a str,
}

pub(super) fn page(seen: &Seen, look: &Look<'_>) -> Result<Markup> {
    let payout = &seen.payout;
    let amounts = amounts(payout)?;
    Ok(html! {
        a.back href=(PATH) { "← Payouts" }
        div.head {
            div {
                h1 { (money(payout.amounts.source)) " to " (seen.payee.display_name) " " (status(payout)) }
                p.sub { code #payout { (payout.id) } }
            }
        }
        @match look.done {
            "approved" => (notice("good", "It is approved and on its way to its rail.")),
            "rejected" => (notice("good", "It is sent back; the money that was set aside is yours again.")),
            "cancelled" => (notice("good", "It is called off; the money that was set aside is yours again.")),
            _ => {},
        }
        (faults(look.failure))
        @if payout.status.awaits_decision() { (waiting(seen, look)) }
        div.split.sections {
            section.card aria-labelledby="amounts" { h2 #amounts { "Amounts" } (amounts) }
            section.card aria-labelledby="payee" { h2 #payee { "To" } (payee(seen)) }
        }
        div.split.sections {
            section.card aria-labelledby="timeline" { h2 #timeline { "Timeline" } (timeline(seen, look)) }
            section.card aria-labelledby="facts" { h2 #facts { "About it" } (about(seen, look)) }
        }
        section aria-labelledby="entries" { h2 #entries { "Ledger entries" } (entries(&seen.movements)) }
        div.split.sections {
            (receipt(payout, look.origin))
            @if look.manages && payout.status.can_be_cancelled() { (cancel(payout, look)) }
        }
    })
}

/// Who has to say something, and the form for those who may.
fn waiting(seen: &Seen, look: &Look<'_>) -> Markup {
    let payout = &seen.payout;
    let why = seen.steps.last().map_or("", |step| step.cause.as_str());
    html! {
        section.card.callout aria-labelledby="decision" {
            @if payout.status != PayoutStatus::PendingApproval {
                h2 #decision { "It is held for a look" }
                p { "Whoever runs this server looks at it: " (why) ". Nobody of your team can let it through." }
            } @else if !look.approves {
                h2 #decision { "It waits for approval" }
                p { "An owner or an approver of your team has to look at it: " (why) "." }
            } @else if seen.is_own {
                h2 #decision { "It waits for somebody else" }
                p { "You hold a key of the credential that made it, so another owner or an approver has to decide. "
                    "Owners and admins invite them under Team." }
            } @else {
                h2 #decision { "Does it go out?" }
                p.sub { (capital(why)) "." }
                (decision(seen, look))
            }
        }
    }
}

/// What is decided is said once more beside the buttons, and bound by two digests.
fn decision(seen: &Seen, look: &Look<'_>) -> Markup {
    let (payout, path) = (&seen.payout, format!("{PATH}/{}", seen.payout.id));
    let account = seen.instrument.shown.masked.as_deref().unwrap_or_default();
    html! {
        p { strong { (money(payout.amounts.dest)) } " by " (payout.method.as_str().replace('_', " ")) " to "
            strong { (seen.payee.display_name) } ", " (seen.instrument.method.word.replace('_', " ")) " "
            code { (account) }
            @if let Some(reference) = &payout.reference { ", reference “" (reference) "”" } "." }
        form method="post" action={ (path) "/approve" } {
            (csrf(look.token))
            input type="hidden" name="digest" value=(payout.digest());
            input type="hidden" name="seen" value=(seen.digest());
            label for="reason" { "Reason " span.sub { "needed to reject; the timeline shows it" } }
            input #reason type="text" name="reason" maxlength="255" value=(look.reason) autocomplete="off"
                aria-describedby=[look.failure.map(|_| "reason-fault")];
            (fault_of(look.failure, "reason"))
            p.actions {
                button.primary #approve { "Approve" }
                button.bad #reject formaction={ (path) "/reject" } { "Reject" }
            }
        }
    }
}

/// The sums as they are booked: what is set aside, and what arrives.
fn amounts(payout: &Payout) -> Result<Markup> {
    let it = &payout.amounts;
    let total = it.total_debited()?;
    let bearer = match it.bearer {
        FeeBearer::Merchant => "on top, borne by you",
        FeeBearer::Beneficiary => "taken from what arrives",
    };
    let fixed = |side| if it.fixed == side { " · fixed" } else { "" };
    Ok(html! {
        dl.facts.sums {
            dt { "Sent" span.sub { (fixed(FixedSide::Source)) } } dd { (money(it.source)) }
            dt { "Fee" } dd { (money(it.fee)) p.sub { (bearer) @if !payout.fee_is_final() { ", as promised" } } }
            @if it.buffer.is_positive() {
                dt { "Buffer" } dd { (money(it.buffer)) p.sub { "until the rate is known" } }
            }
            dt { "Set aside" } dd {
                strong { (money(total)) }
                @if let Some(fee) = it.fee_apart() { " and " (money(fee)) }
                p.sub { (if payout.status.is_end() { "settled" } else { "until it is at an end" }) }
            }
            @if let Some(rate) = it.rate {
                dt { "Rate" } dd { "1 " (it.source.currency().code()) " = " (rate) " " (it.dest.currency().code()) }
            }
            dt { "Received" span.sub { (fixed(FixedSide::Dest)) } } dd { strong { (money(it.dest)) } }
            dt { "Quote" } dd { a href={ "/portal/quotes/" (payout.quote) } { (short(&payout.quote.to_string())) } }
        }
    })
}

fn payee(seen: &Seen) -> Markup {
    let (payout, shown) = (&seen.payout, &seen.instrument.shown);
    let fact = |name: &'static str, text: Option<&str>| {
        html! { @if let Some(text) = text { dt { (name) } dd { (text) } } }
    };
    html! {
        dl.facts {
            dt { "Beneficiary" } dd {
                @if seen.is_known { a href={ "/portal/beneficiaries/" (payout.beneficiary) } { (seen.payee.display_name) } }
                @else { (seen.payee.display_name) " " (badge("deleted")) }
                @if seen.payee.status.as_str() != "active" { " " (badge(seen.payee.status.as_str())) }
                p.sub { (seen.payee.kind.as_str()) ", " (seen.payee.country.code()) }
            }
            dt { "Account" } dd {
                code { (shown.masked.as_deref().unwrap_or("****")) }
                p.sub { (seen.instrument.method.word.replace('_', " "))
                    @if let Some(label) = &seen.instrument.label { " · " (label) } }
            }
            (fact("Bank", shown.bank.as_deref()))
            (fact("Network", payout.network.as_deref()))
            dt { "Method" } dd { (payout.method.as_str().replace('_', " ")) }
            (fact("Purpose", payout.purpose.as_deref()))
            (fact("Reference", payout.reference.as_deref()))
        }
    }
}

fn timeline(seen: &Seen, look: &Look<'_>) -> Markup {
    html! {
        ol.timeline { @for step in seen.steps.iter().rev() {
            li.(step.to.as_str()) {
                p { (badge(step.to.as_str())) " " (moment(step.at)) }
                p { (capital(&step.cause)) }
                p.sub { "by " (by(step, seen, look)) }
            }
        } }
    }
}

fn by(step: &Transition, seen: &Seen, look: &Look<'_>) -> Markup {
    actor(&step.actor, seen, look)
}

fn actor(actor: &Actor, seen: &Seen, look: &Look<'_>) -> Markup {
    html! {
        @match actor {
            Actor::Client(id) => {
                "your server " @if look.credentials { a href={ "/portal/credentials/" (id) } { (short(id)) } } @else { (short(id)) }
            },
            Actor::Person(id) => (seen.people.get(id).map_or("somebody of your team", String::as_str)),
            Actor::Operator(name) => { "the operator, " (name) },
            Actor::House => "Counterfoil’s own checks",
            Actor::Rail(name) => { "the " (name) " rail" },
        }
    }
}

fn about(seen: &Seen, look: &Look<'_>) -> Markup {
    let payout = &seen.payout;
    let notes: Map<String, Value> =
        serde_json::from_str(&payout.metadata.to_json()).unwrap_or_default();
    let plain = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    html! {
        dl.facts {
            dt { "Made" } dd { (moment(payout.created_at)) }
            dt { "By" } dd { (actor(&payout.made_by, seen, look)) }
            dt { "Changed" } dd { (moment(payout.updated_at)) }
            @if let Some(reason) = &payout.reason { dt { "Why" } dd { (capital(reason)) } }
            @if let Some(rail) = &payout.railed.provider { dt { "Rail" } dd { (rail) } }
            @if let Some(reference) = &payout.railed.reference {
                dt { "Its reference" } dd { code { (reference) } }
            }
            @for (name, value) in &notes { dt { (name) } dd { (plain(value)) } }
        }
    }
}

/// Each side of each entry that is the merchant's own.
fn entries(movements: &[Movement]) -> Markup {
    let heads = [
        Head::Text("When"),
        Head::Text("Entry"),
        Head::Text("Kind"),
        Head::Number("Available"),
        Head::Number("Set aside"),
        Head::Text("Currency"),
    ];
    let rows: Vec<Markup> = movements.iter().map(entry).collect();
    html! {
        @if rows.is_empty() { (empty("It has moved nothing.", &html! { "Its books were started over since." })) }
        @else { (table("Ledger entries", &heads, &rows)) }
    }
}

fn entry(movement: &Movement) -> Markup {
    html! {
        tr {
            td { (moment(movement.at)) }
            td { (short(&movement.entry.to_string())) }
            td { (movement.kind.as_str().replace('_', " ")) @if movement.reversed { " " (badge("reversed")) } }
            td.number { (change(movement.available)) }
            td.number { (change(movement.pending)) }
            td { (movement.currency().code()) }
        }
    }
}

/// With its sign, and nothing for nothing.
fn change(amount: Amount) -> String {
    if amount.is_zero() {
        return "–".to_owned();
    }
    let sign = if amount.is_positive() { "+" } else { "" };
    format!("{sign}{}", digits(amount))
}

fn receipt(payout: &Payout, origin: &str) -> Markup {
    let path = format!("{PATH}/{}/receipt", payout.id);
    html! {
        section.card aria-labelledby="receipt" {
            h2 #receipt { "Receipt" }
            p.sub { "What is known of it now, signed by this server. Whoever gets it can check it without asking us." }
            p.actions {
                a.button href=(path) { "See the receipt" }
                a.button href={ (path) "/file" } download { "Download" }
            }
            div.copied data-copy="the command" {
                pre.wrapped tabindex="0" { (command(payout, origin)) }
            }
        }
    }
}

/// What checks a receipt that was downloaded.
pub(super) fn command(payout: &Payout, origin: &str) -> String {
    let file = file_name(payout);
    format!("counterfoil verify-receipt {file} \\\n  --jwks {origin}/.well-known/jwks.json")
}

/// Under which name a receipt is downloaded.
pub(super) fn file_name(payout: &Payout) -> String {
    format!("receipt-{}.jws", payout.id)
}

fn cancel(payout: &Payout, look: &Look<'_>) -> Markup {
    html! {
        section.card.danger aria-labelledby="cancel" {
            h2 #cancel { "Call it off" }
            p.sub { "It has not been let through, so it can be called off: everything that was set aside is yours again." }
            form method="post" action={ (PATH) "/" (payout.id) "/cancel" } data-ask="Call this payout off?" {
                (csrf(look.token))
                label for="why" { "Reason " span.sub { "if there is one" } }
                input #why type="text" name="reason" maxlength="255" autocomplete="off";
                p.actions { button.bad { "Call this payout off" } }
            }
        }
    }
}

/// A cause as a sentence begins; causes are written small.
fn capital(text: &str) -> Cow<'_, str> {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => {
            Cow::Owned(first.to_uppercase().chain(letters).collect())
        }
        _ => Cow::Borrowed(text),
    }
}
