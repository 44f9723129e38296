//! What events look like.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::service::Seen;
use crate::{
    base::{failure::Failure, pagination::Page, timestamp::Timestamp},
    events::{
        deliveries::{Delivery, Status},
        endpoints::{self, Endpoint},
        log::{Event, EventType},
    },
    portal::frame::{
        Head, Narrow, ago, badge, csrf, download, empty, fault_of, faults, faults_of_query,
        filters, moment, notice, onward, short, table,
    },
    web::query::Query,
};

const PATH: &str = "/portal/events";

pub(super) fn list(events: &Page<Event>, query: &Query, failure: Option<&Failure>) -> Markup {
    let kinds: Vec<&str> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
    let fields = [
        Narrow::OneOf { name: "type", label: "Type", words: &kinds },
        Narrow::Text { name: "about", label: "About", example: "pay_…" },
    ];
    let heads = [Head::Number("No."), Head::Text("Event"), Head::Text("About"), Head::Text("When")];
    let rows: Vec<Markup> = events.data.iter().map(row).collect();
    let narrowed = query.get("type").or(query.get("about")).is_some();
    html! {
        div.head {
            div { h1 { "Events" } p.sub { "Everything that happened, numbered without a gap. What your endpoints ask for is sent to them." } }
            @if !rows.is_empty() { (download("/portal/events.csv", query)) }
        }
        section {
            (filters(PATH, query, &fields))
            (faults_of_query(failure))
            @if failure.is_some() {}
            @else if rows.is_empty() { (nothing(events, narrowed)) }
            @else { (table("Events", &heads, &rows)) }
            (onward(PATH, query, events.next_cursor.as_deref()))
        }
    }
}

fn nothing(events: &Page<Event>, narrowed: bool) -> Markup {
    match (narrowed, events.has_more) {
        (true, true) => empty(
            "None among the newest five thousand events.",
            &html! { "Go on with “Older” to look further back." },
        ),
        (true, false) => empty(
            "No event is like this.",
            &html! { "Take away a filter, or look at " a href=(PATH) { "all events" } "." },
        ),
        (false, _) => empty(
            "Nothing has happened yet.",
            &html! { "Creating a payout or a beneficiary leaves the first event here. To be told of it, "
            a href="/portal/webhooks" { "add a webhook endpoint" } "." },
        ),
    }
}

fn row(event: &Event) -> Markup {
    html! {
        tr {
            td.number { (event.sequence) }
            td { a href=(format!("{PATH}/{}", event.id)) { (event.kind.as_str()) } p.sub { (short(&event.id.to_string())) } }
            td { a href=(format!("{PATH}?about={}", event.about)) { (short(&event.about)) } }
            td { (moment(event.created_at)) }
        }
    }
}

pub(super) fn one(
    seen: &Seen,
    token: Option<&str>,
    done: &str,
    failure: Option<&Failure>,
    now: Timestamp,
) -> Markup {
    let event = &seen.event;
    html! {
        a.back href=(PATH) { "← Events" }
        div.head { h1 { (event.kind.as_str()) } }
        @match done {
            "again" => (notice("good", "It is on its way again, from the first attempt on.")),
            "test" => (notice("good", "The test is on its way; open this page again to see what came of it.")),
            "waiting" => (notice("warn", "It was on its way there already, so nothing was added.")),
            _ => {},
        }
        (faults(failure))
        section.card { dl.facts {
            dt { "Event" } dd { code { (event.id) } }
            dt { "Number" } dd { (event.sequence) }
            dt { "About" } dd { a href=(format!("{PATH}?about={}", event.about)) { code { (event.about) } } }
            dt { "When" } dd { (moment(event.created_at)) " · " (ago(event.created_at, now)) }
        } }
        section aria-labelledby="deliveries" { h2 #deliveries { "Deliveries" } (deliveries(seen, token)) }
        @if let Some(token) = token { (elsewhere(seen, token, failure)) }
        section aria-labelledby="body" { h2 #body { "Body" } (body(event)) }
    }
}

fn body(event: &Event) -> Markup {
    let exact = String::from_utf8_lossy(&event.body);
    let readable = serde_json::from_slice::<serde_json::Value>(&event.body)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| exact.to_string());
    html! {
        div.tabs {
            details open { summary { "To read" } div.copied data-copy="the body to read" { pre tabindex="0" { (readable) } } }
            details { summary { "Exactly as it is signed and sent, " (event.body.len()) " bytes" }
                div.copied data-copy="the exact body" { pre.wrap tabindex="0" { (exact) } } }
        }
    }
}

fn deliveries(seen: &Seen, token: Option<&str>) -> Markup {
    if seen.deliveries.is_empty() {
        let next = if seen.endpoints.is_empty() {
            html! { "There is no endpoint. " a href="/portal/webhooks" { "Add one" } ", and deliver this event to it from here." }
        } else {
            html! { "No endpoint asked for events of this type when it happened, or it waits for one that is switched off." }
        };
        return empty("It was sent to nobody.", &next);
    }
    let mut heads = vec![
        Head::Text("Endpoint"),
        Head::Text("Status"),
        Head::Number("Attempts"),
        Head::Text("Last answer"),
        Head::Text("Next attempt"),
    ];
    if token.is_some() {
        heads.push(Head::Deed("Deliver again"));
    }
    let row = |delivery: &Delivery| {
        html! {
            tr {
                td.target { a href=(format!("/portal/webhooks/{}", delivery.endpoint_id)) { (delivery.url) } }
                td { (badge(delivery.status.as_str())) }
                td.number { (delivery.attempts) " of " (delivery.max_attempts) }
                td { (answer(delivery)) }
                td { (next(delivery, is_active(seen, delivery))) }
                @if let Some(token) = token { td { (button(seen, delivery, token)) } }
            }
        }
    };
    let rows: Vec<Markup> = seen.deliveries.iter().map(row).collect();
    table("Deliveries", &heads, &rows)
}

/// What the receiver said last.
pub(in crate::portal) fn answer(delivery: &Delivery) -> Markup {
    html! {
        @if let Some(status) = delivery.response_status {
            "HTTP " (status) @if let Some(ms) = delivery.duration_ms { span.sub { " in " (ms) " ms" } }
        } @else if delivery.attempts == 0 { span.sub { "not tried yet" } }
        @else { "no answer" }
        @if let Some(error) = &delivery.error { p.sub { (error) } }
        @if let Some(body) = delivery.response_body.as_deref().filter(|body| !body.is_empty()) {
            details { summary { "What it answered" } pre.wrap tabindex="0" { (body) } }
        }
        (lines("Headers of the answer", delivery.response_headers.as_ref()))
        (lines("Headers of the request", delivery.request_headers.as_ref()))
    }
}

fn lines(title: &str, headers: Option<&BTreeMap<String, String>>) -> Markup {
    html! {
        @if let Some(headers) = headers.filter(|headers| !headers.is_empty()) {
            details { summary { (title) } pre.wrap tabindex="0" {
                @for (name, value) in headers { (name) ": " (value) "\n" }
            } }
        }
    }
}

fn next(delivery: &Delivery, takes: bool) -> Markup {
    html! {
        @match (delivery.status, delivery.next_attempt_at, delivery.delivered_at) {
            (Status::Delivered, _, Some(at)) => span.sub { "arrived " (moment(at)) },
            (Status::Pending, ..) if !takes => span.sub { "when its endpoint is on again" },
            (Status::Pending, Some(at), _) => (moment(at)),
            (Status::Failed, ..) => span.sub { "none: every attempt was made" },
            _ => span.sub { "none" },
        }
    }
}

fn is_active(seen: &Seen, delivery: &Delivery) -> bool {
    let mut known = seen.endpoints.iter();
    known.any(|endpoint| endpoint.id == delivery.endpoint_id && can_take(endpoint))
}

fn can_take(endpoint: &Endpoint) -> bool {
    endpoint.status == endpoints::Status::Active
}

fn button(seen: &Seen, delivery: &Delivery, token: &str) -> Markup {
    let newer =
        |other: &Delivery| other.endpoint_id == delivery.endpoint_id && other.id > delivery.id;
    let waits = delivery.status == Status::Pending;
    html! {
        // One button for each endpoint, at its last round.
        @if waits || seen.deliveries.iter().any(newer) {}
        @else if is_active(seen, delivery) {
            form method="post" action=(format!("{PATH}/{}/deliver", seen.event.id)) {
                (csrf(token))
                input type="hidden" name="endpoint" value=(delivery.endpoint_id);
                button aria-label=(format!("Deliver again to {}", delivery.url)) { "Deliver again" }
            }
        }
    }
}

/// To endpoints that were not sent it: a new one, or one whose filter left it out.
fn elsewhere(seen: &Seen, token: &str, failure: Option<&Failure>) -> Markup {
    let had = |endpoint: &Endpoint| {
        seen.deliveries.iter().any(|delivery| delivery.endpoint_id == endpoint.id)
    };
    let others: Vec<&Endpoint> =
        seen.endpoints.iter().filter(|endpoint| can_take(endpoint) && !had(endpoint)).collect();
    html! {
        @if !others.is_empty() {
            section.card aria-labelledby="elsewhere" {
                h2 #elsewhere { "Deliver to another endpoint" }
                form.inline method="post" action=(format!("{PATH}/{}/deliver", seen.event.id)) {
                    (csrf(token))
                    div {
                        label for="endpoint" { "Endpoint" }
                        select #endpoint name="endpoint" {
                            @for endpoint in others { option value=(endpoint.id) { (endpoint.url) } }
                        }
                        (fault_of(failure, "endpoint"))
                    }
                    button { "Deliver" }
                }
            }
        }
    }
}
