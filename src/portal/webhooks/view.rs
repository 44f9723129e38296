//! What endpoints look like.

use maud::{Markup, html};

use super::service::{OVERLAPS, Seen};
use crate::{
    base::{failure::Failure, pagination, timestamp::Timestamp},
    events::{
        deliveries::{self, Delivery},
        endpoints::{Because, Endpoint, Health, Status, WAITING_SHOWN},
    },
    portal::{
        events::answer,
        frame::{
            Head, Narrow, ago, badge, csrf, download, empty, fault_of, faults, faults_of_query,
            filters, looked_through, moment, notice, onward, short, table,
        },
    },
    web::query::Query,
};

pub(super) fn list(seen: &[Seen], manages: bool, done: &str) -> Markup {
    let heads = [
        Head::Text("Endpoint"),
        Head::Text("Status"),
        Head::Text("Events"),
        Head::Text("How it is doing"),
        Head::Text("Added"),
    ];
    let rows: Vec<Markup> = seen.iter().map(row).collect();
    html! {
        div.head {
            div { h1 { "Webhooks" } p.sub { "Where events are sent: signed, and repeated until they arrive." } }
            div.actions {
                @if !rows.is_empty() { (download("/portal/webhooks.csv", &Query::default())) }
                @if manages { a.button.primary href="/portal/webhooks/new" { "Add an endpoint" } }
            }
        }
        @if done == "deleted" { (notice("good", "The endpoint is deleted: nothing is sent there any more.")) }
        @if seen.iter().any(|seen| is_failing(&seen.endpoint)) { (notice("warn", "Every attempt at one of these endpoints has failed for more than a day.")) }
        section {
            @if rows.is_empty() {
                (empty("Nobody is told of events yet.", &html! {
                    @if manages { a href="/portal/webhooks/new" { "Add an endpoint" } ": an address of yours that takes a POST for each event." }
                    @else { "Ask a developer, an admin or an owner of your team to add an endpoint." }
                    " Until then, they wait in " a href="/portal/events" { "the log" } "."
                }))
            } @else { (table("Webhook endpoints", &heads, &rows)) }
        }
    }
}

fn row(seen: &Seen) -> Markup {
    let Seen { endpoint, health } = seen;
    html! {
        tr {
            td.target { a href=(path(endpoint)) { (endpoint.url) } p.sub { (short(&endpoint.id.to_string())) } }
            td { (badge(endpoint.status.as_str())) }
            td { @for word in endpoint.filter.words().iter().take(4) { code { (word) } " " }
                @if endpoint.filter.words().len() > 4 { "…" } }
            td { (doing(endpoint, health)) }
            td { (moment(endpoint.created_at)) }
        }
    }
}

fn path(endpoint: &Endpoint) -> String {
    format!("/portal/webhooks/{}", endpoint.id)
}

/// How it is doing, in a line or two.
fn doing(endpoint: &Endpoint, health: &Health) -> Markup {
    let seen = health.delivered + health.failed;
    html! {
        @if let Some(since) = endpoint.failing_since { strong.bad { "Failing since " (moment(since)) } br; }
        @match (seen, health.failed) {
            (0, _) => span.sub { "Nothing has arrived there yet" },
            (_, 0) => { "All of the latest " (seen) " arrived" },
            (_, failed) => { (health.delivered) " of the latest " (seen) " arrived, " (failed) " never did" },
        }
        @if health.waiting > 0 { p.sub { (many(health.waiting)) " on their way" } }
        @if endpoint.status != Status::Active && health.behind > 0 { p.sub { "and " (health.behind) " more in the log" } }
    }
}

fn many(count: i64) -> String {
    if count < WAITING_SHOWN { count.to_string() } else { format!("{WAITING_SHOWN} or more") }
}

/// The page of an endpoint.
pub(super) struct Page<'a> {
    pub(super) seen: &'a Seen,
    pub(super) deliveries: &'a pagination::Page<Delivery>,
    pub(super) query: &'a Query,
    /// What is wrong with the filters.
    pub(super) wrong: Option<&'a Failure>,
    /// Why something that was sent did not happen, and what was typed into it.
    pub(super) refused: Option<&'a Failure>,
    pub(super) typed: (&'a str, &'a str),
    pub(super) only_failed: bool,
    /// For forms, if there are any.
    pub(super) token: Option<&'a str>,
    pub(super) now: Timestamp,
}

pub(super) fn one(page: &Page<'_>) -> Markup {
    let Seen { endpoint, health } = page.seen;
    html! {
        a.back href="/portal/webhooks" { "← Webhooks" }
        div.head {
            h1 { (endpoint.url) " " (badge(endpoint.status.as_str())) }
            @if let Some(token) = page.token { (buttons(endpoint, token)) }
        }
        (said(page.query))
        (faults(page.refused))
        @if let Some(why) = why(endpoint) { (notice("bad", why)) }
        @if is_failing(endpoint) { (notice("warn", "Every attempt has failed for more than a day. After five days we switch it off; nothing is lost meanwhile.")) }
        section.card { (facts(endpoint, health, page.now)) }
        section aria-labelledby="deliveries" { (deliveries(page)) }
        @if let Some(token) = page.token { (changes(page, token)) }
    }
}

fn said(query: &Query) -> Markup {
    let planned = query.get("planned").and_then(|count| count.parse::<u32>().ok());
    let from = query.get("from").and_then(|number| number.parse::<u64>().ok());
    html! {
        @match query.get("done") {
            Some("changed") => (notice("good", "The endpoint is changed.")),
            Some("off") => (notice("good", "It is switched off. What happens meanwhile waits in the log.")),
            Some("on") => (notice("good", "It is switched on, and goes on where it stopped.")),
            Some("again") => {
                @match (planned, from) {
                    (Some(0), None) | (None, _) => (notice("warn", "There was nothing to deliver again in this range.")),
                    (Some(planned), None) => (notice("good", &format!("{planned} deliveries are on their way again."))),
                    (Some(planned), Some(from)) => (notice("warn", &format!("{planned} deliveries are on their way again. The range is long: go on from number {from}."))),
                }
            },
            _ => {},
        }
    }
}

/// Its merchant was told so by an event, and should see it here as well.
fn is_failing(endpoint: &Endpoint) -> bool {
    endpoint.status == Status::Active && endpoint.warned_at.is_some()
}

fn why(endpoint: &Endpoint) -> Option<&'static str> {
    match (endpoint.status, endpoint.because) {
        (Status::Disabled, Some(Because::Gone)) => Some(
            "We switched it off: it answered 410, which means that nobody wants to be called there. Reactivate it when that was a mistake.",
        ),
        (Status::Disabled, _) => Some(
            "We switched it off: every attempt has failed for days. Nothing is lost; reactivate it when the receiver works again.",
        ),
        _ => None,
    }
}

fn buttons(endpoint: &Endpoint, token: &str) -> Markup {
    html! {
        div.actions {
            @if endpoint.status == Status::Active {
                form method="post" action=(format!("{}/test", path(endpoint))) { (csrf(token)) button.primary { "Send a test" } }
            }
            a.button href=(format!("{}/edit", path(endpoint))) { "Edit" }
        }
    }
}

fn facts(endpoint: &Endpoint, health: &Health, now: Timestamp) -> Markup {
    html! {
        dl.facts {
            dt { "Endpoint" } dd { code { (endpoint.id) } }
            dt { "Events" } dd { @for word in endpoint.filter.words() { code { (word) } " " } }
            dt { "Signed as" } dd { (endpoint.dialect.as_str()) " · " (endpoint.dialect.schedule().attempts()) " attempts" }
            dt { "Health" } dd { (doing(endpoint, health)) }
            @if health.failures > 1 { dt { "In a row" } dd { (health.failures) " failed attempts" } }
            @if health.paused_until > now { dt { "Left alone" } dd { "until " (moment(health.paused_until)) } }
            @if let Some(end) = health.old_secret_ends.filter(|end| *end > now) { dt { "Old secret" } dd { "signs as well until " (moment(end)) } }
            dt { "Added" } dd { (moment(endpoint.created_at)) }
            @if endpoint.updated_at != endpoint.created_at { dt { "Changed" } dd { (ago(endpoint.updated_at, now)) } }
        }
    }
}

fn deliveries(page: &Page<'_>) -> Markup {
    let own = path(&page.seen.endpoint);
    let words: Vec<&str> = deliveries::Status::ALL.iter().map(|status| status.as_str()).collect();
    let fields = [Narrow::OneOf { name: "status", label: "Status", words: &words }];
    let heads = [
        Head::Text("Event"),
        Head::Text("Status"),
        Head::Number("Attempts"),
        Head::Text("Last answer"),
        Head::Text("When"),
    ];
    let rows: Vec<Markup> = page.deliveries.data.iter().map(|seen| delivery(page, seen)).collect();
    let failed = page.query.get("status") == Some("failed");
    html! {
        div.head { h2 #deliveries { @if failed { "Dead letters" } @else { "Deliveries" } }
            @if page.deliveries.may_have_rows() { (download(&format!("{own}/deliveries.csv"), &page.query.without(&["done", "planned", "from"]))) } }
        (filters(&own, &page.query.without(&["done", "planned", "from"]), &fields))
        (faults_of_query(page.wrong))
        @if page.wrong.is_some() {}
        @else if !rows.is_empty() { (table("Deliveries", &heads, &rows)) }
        @else if page.deliveries.next_cursor.is_none() { (nothing(page)) }
        (looked_through("deliveries", page.query, rows.len(), page.deliveries.next_cursor.as_deref(), ""))
        (onward(&own, &page.query.without(&["done", "planned", "from"]), page.deliveries.next_cursor.as_deref()))
    }
}

fn nothing(page: &Page<'_>) -> Markup {
    match page.query.get("status") {
        Some("failed") => empty(
            "There are no dead letters.",
            &html! { "Everything that was sent here arrived, or still has attempts left." },
        ),
        Some(_) => empty(
            "No delivery is like this.",
            &html! { a href=(path(&page.seen.endpoint)) { "Show all" } "." },
        ),
        None => empty(
            "Nothing was sent here yet.",
            &html! { "Send a test to see whether your receiver takes it, and checks the signature." },
        ),
    }
}

fn delivery(page: &Page<'_>, delivery: &Delivery) -> Markup {
    let takes = page.seen.endpoint.status == Status::Active;
    html! {
        tr {
            td { a href=(format!("/portal/events/{}", delivery.event_id)) { (short(&delivery.event_id.to_string())) } }
            td { (badge(delivery.status.as_str())) }
            td.number { (delivery.attempts) " of " (delivery.max_attempts) }
            td { (answer(delivery)) }
            td { @match (delivery.status, delivery.next_attempt_at) {
                (deliveries::Status::Pending, _) if !takes => span.sub { "when it is on again" },
                (deliveries::Status::Pending, Some(at)) => span { "next " (moment(at)) },
                _ => (moment(delivery.updated_at)),
            } }
        }
    }
}

/// What can be changed about it.
fn changes(page: &Page<'_>, token: &str) -> Markup {
    let endpoint = &page.seen.endpoint;
    let own = path(endpoint);
    html! {
        div.split.sections {
            @if endpoint.status == Status::Active { (range(page, token)) }
            section.card {
                h2 { "Rotate the secret" }
                p.sub { "You get a new one. Meanwhile deliveries carry a signature of each." }
                form method="post" action=(format!("{own}/rotate")) {
                    (csrf(token))
                    label for="overlap" { "The old secret goes on" }
                    select #overlap name="overlap" { @for (hours, text) in OVERLAPS { option value=(hours) { (text) } } }
                    p.actions { button { "Make a new secret" } }
                }
            }
            (switch(endpoint, token))
            section.card.danger {
                h2 { "Delete" }
                p.sub { "What is still on its way is called off. Its deliveries stay in the log of each event." }
                form method="post" action=(format!("{own}/delete")) data-ask="Delete this endpoint for good?" {
                    (csrf(token))
                    p.actions { button.bad { "Delete this endpoint" } }
                }
            }
        }
    }
}

fn range(page: &Page<'_>, token: &str) -> Markup {
    let (after, through) = page.typed;
    let after = page.query.get("from").unwrap_or(after);
    html! {
        section.card {
            h2 { "Deliver a range again" }
            p.sub { "By the numbers of events, both ends included. What is on its way already is left alone." }
            form method="post" action=(format!("{}/again", path(&page.seen.endpoint))) {
                (csrf(token))
                div.inline {
                    div { label for="after" { "From number" }
                        input #after name="after" inputmode="numeric" value=(after) placeholder="1" autocomplete="off" aria-describedby=[page.refused.map(|_| "after-fault")];
                        (fault_of(page.refused, "after")) }
                    div { label for="through" { "To number" }
                        input #through name="through" inputmode="numeric" value=(through) placeholder="the newest" autocomplete="off" aria-describedby=[page.refused.map(|_| "through-fault")];
                        (fault_of(page.refused, "through")) }
                }
                label.choice.alone { input type="checkbox" name="only_failed" value="on" checked[page.only_failed];
                    span { "Dead letters only" small { "Events that failed and were never delivered" } } }
                p.actions { button { "Deliver again" } }
            }
        }
    }
}

fn switch(endpoint: &Endpoint, token: &str) -> Markup {
    let own = path(endpoint);
    html! {
        section.card {
            @if endpoint.status == Status::Active {
                h2 { "Switch off" }
                p.sub { "Nothing is sent there any more. What happens meanwhile waits in the log, for " (LOG_DAYS) " at least." }
                form method="post" action=(format!("{own}/off")) {
                    (csrf(token))
                    p.actions { button { "Switch it off" } }
                }
            } @else {
                h2 { "Switch on" }
                p.sub { "It goes on where it stopped: nothing is lost." }
                form method="post" action=(format!("{own}/on")) {
                    (csrf(token))
                    label.choice.alone { input type="checkbox" name="skip_missed" value="on";
                        span { "Skip what it missed" small { "Begin with what happens from now on" } } }
                    p.actions { button.primary { "Switch it on" } }
                }
            }
        }
    }
}

/// What consumers are promised; operators can only keep the log for longer.
const LOG_DAYS: &str = "90 days";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_not_counted() {
        assert_eq!([many(3), many(WAITING_SHOWN)], ["3", "1000 or more"]);
        let latest = crate::events::endpoints::LATEST;
        assert_eq!(latest, 100, "the head of the file says so");
    }
}
