//! What the list of requests looks like.

use maud::{Markup, html};

use crate::{
    base::{failure::Failure, pagination::Page},
    portal::frame::{
        Head, Narrow, download, empty, faults_of_query, filters, moment, onward, short, table,
    },
    web::{query::Query, requests::Line},
};

const PATH: &str = "/portal/requests";

pub(super) fn list(
    lines: &Page<Line>,
    query: &Query,
    failure: Option<&Failure>,
    is_on: bool,
) -> Markup {
    let narrowed = query.get("outcome").or(query.get("request_id")).is_some();
    let fields = [
        Narrow::OneOf { name: "outcome", label: "Outcome", words: &["refused"] },
        Narrow::Text { name: "request_id", label: "Request id", example: "req_…" },
    ];
    let heads = [
        Head::Text("When"),
        Head::Text("Request"),
        Head::Text("Answer"),
        Head::Number("Took"),
        Head::Text("Credential"),
    ];
    let rows: Vec<Markup> = lines.data.iter().map(row).collect();
    html! {
        div.head {
            div { h1 { "API requests" } p.sub { "What your servers have asked, the newest first. Bodies, tokens and values are never kept." } }
            @if !rows.is_empty() { (download("/portal/requests.csv", query)) }
        }
        section {
            (filters(PATH, query, &fields))
            (faults_of_query(failure))
            @if failure.is_some() {}
            @else if rows.is_empty() { (nothing(narrowed, is_on, query.get("cursor").is_some())) }
            @else { (table("API requests", &heads, &rows)) }
            (onward(PATH, query, lines.next_cursor.as_deref()))
        }
    }
}

fn nothing(narrowed: bool, is_on: bool, later: bool) -> Markup {
    match (is_on, narrowed || later) {
        (false, _) => empty(
            "The request log is switched off.",
            &html! { "Whoever runs this server switches it on with " code { "requests.keep_days" } "." },
        ),
        (true, true) => empty(
            "No request like this is kept.",
            &html! { "A new one is shown within a second. The id of a request is the " code { "X-Request-ID" } " of its answer." },
        ),
        (true, false) => empty(
            "No server of yours has asked anything yet.",
            &html! { "A " a href="/portal/credentials" { "credential" } " ends with a first call to paste; it is shown here a second later." },
        ),
    }
}

fn row(line: &Line) -> Markup {
    html! {
        tr {
            td { (moment(line.at)) }
            td.target { strong { (line.method) } " " code { (line.path) } p.sub { code { (line.request) } } }
            td {
                span.badge.(outcome(line.status)) { (line.status) }
                @if let Some(code) = &line.code { p.sub { (code) } }
            }
            td.number { (took(line.micros)) }
            td { a href=(format!("/portal/credentials/{}", line.client)) { (short(&line.client)) } }
        }
    }
}

const fn outcome(status: i64) -> &'static str {
    match status {
        ..400 => "on",
        400..500 => "pending_approval",
        _ => "failed",
    }
}

fn took(micros: i64) -> String {
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_milliseconds() {
        assert_eq!([took(0), took(1_250), took(1_234_567)], ["0.0 ms", "1.2 ms", "1234.5 ms"]);
    }
}
