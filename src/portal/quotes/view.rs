//! What quotes look like.

use maud::{Markup, html};

use crate::{
    base::{
        failure::{Failure, Result},
        pagination::Page,
        timestamp::Timestamp,
    },
    portal::frame::{Head, badge, download, empty, moment, money, onward, short, table},
    pricing::{
        engine::Step,
        fx::UsedRate,
        plans::RULES,
        quotes::{Explanation, Quote, QuoteState, SignedQuote, Standing, Verdict},
    },
    web::query::Query,
};

const PATH: &str = "/portal/quotes";

fn standing(quote: &Quote, now: Timestamp) -> Markup {
    badge(quote.standing(now).as_str())
}

pub(super) fn list(query: &Query, found: &Page<SignedQuote>, now: Timestamp) -> Markup {
    let heads = [
        Head::Text("Quote"),
        Head::Number("Amount"),
        Head::Number("Fee"),
        Head::Number("Received"),
        Head::Text("Way"),
        Head::Text("State"),
        Head::Text("Given"),
    ];
    let rows: Vec<Markup> = found.data.iter().map(|signed| row(&signed.quote, now)).collect();
    html! {
        div.head { div { h1 { "Quotes" } p.sub { "Each is a fee and a rate that were promised for a while, to be used once." } }
            @if !rows.is_empty() { (download("/portal/quotes.csv", &Query::default())) } }
        section {
            @if !rows.is_empty() { (table("Quotes", &heads, &rows)) }
            @else if query.get("cursor").is_some() { (empty("There are no older quotes.", &html! { a href=(PATH) { "See the newest" } "." })) }
            @else { (empty("No quote was given yet.", &html! {
                "Your servers ask for one with " code { "POST /v1/pricing/quote" } "; a payout that names it pays what it says. "
                a href="/docs" { "The API, call by call" } "." })) }
        }
        (onward(PATH, query, found.next_cursor.as_deref()))
    }
}

fn row(quote: &Quote, now: Timestamp) -> Markup {
    html! {
        tr {
            td { a href={ (PATH) "/" (quote.id) } { (short(&quote.id.to_string())) } }
            td.number { (money(quote.facts.payment.amount)) }
            td.number { (money(quote.outcome.fee.amount)) }
            td.number { (money(quote.outcome.dest_amount)) }
            td { (way(quote)) }
            td { (standing(quote, now)) }
            td { (moment(quote.created_at)) }
        }
    }
}

/// How it is delivered and where; what was left open is open.
fn way(quote: &Quote) -> Markup {
    let payment = &quote.facts.payment;
    let method = payment.method.map(|method| method.as_str().replace('_', " "));
    html! {
        (method.unwrap_or_else(|| "any method".to_owned()))
        @if let Some(country) = payment.dest_country { " to " (country.code()) }
    }
}

pub(super) fn one(explained: &Explanation, now: Timestamp) -> Result<Markup> {
    let SignedQuote { quote, offer, signature } = &explained.signed;
    let offer = serde_json::to_string(&**offer).map_err(Failure::internal)?;
    Ok(html! {
        a.back href=(PATH) { "← Quotes" }
        div.head {
            div { h1 { "Quote for " (money(quote.facts.payment.amount)) " " (standing(quote, now)) } p.sub { code { (quote.id) } } }
        }
        div.split.sections {
            section.card aria-labelledby="promise" { h2 #promise { "What was promised" } (promise(quote)) }
            section.card aria-labelledby="state" { h2 #state { "What became of it" } (state(quote, now)) }
        }
        section aria-labelledby="steps" {
            h2 #steps { "How the fee comes about" }
            p.sub { "Exact until the last step, and rounded once." }
            (steps(&explained.steps))
        }
        (rates(quote))
        section aria-labelledby="considered" { h2 #considered { "Which plan, and why no other" } (considered(&explained.considered)) }
        section.card aria-labelledby="rules" {
            h2 #rules { "Which of two plans goes first" }
            p.sub { "The first rule in which they differ decides." }
            ol.rules { @for (rule, _) in RULES { li { (rule) } } }
        }
        section.card aria-labelledby="signature" {
            h2 #signature { "Signature" }
            p.sub { "A detached JWS (RFC 7515, appendix F) over the offer below, byte for byte; "
                a href="/.well-known/jwks.json" { "/.well-known/jwks.json" } " has the key." }
            div.copied data-copy="the offer" { pre.wrapped tabindex="0" { (offer) } }
            div.copied data-copy="the signature" { pre.wrapped tabindex="0" { (signature) } }
        }
    })
}

fn promise(quote: &Quote) -> Markup {
    let facts = &quote.facts;
    html! {
        dl.facts.sums {
            dt { "Amount" } dd { (money(facts.payment.amount)) }
            dt { "Fee" } dd { strong { (money(quote.outcome.fee.amount)) } p.sub { (facts.version.terms.fee.as_str()) } }
            @if let Some(used) = &facts.exchange_rate {
                dt { "Rate" } dd { "1 " (used.from.code()) " = " (used.rate) " " (used.to.code()) }
            }
            dt { "Received" } dd { strong { (money(quote.outcome.dest_amount)) } p.sub { "before a fee that the beneficiary bears" } }
            dt { "Way" } dd { (way(quote)) }
            dt { "Plan" } dd { (facts.version.name) p.sub { (short(&facts.plan.to_string())) ", version " (facts.version.number) } }
        }
    }
}

fn state(quote: &Quote, now: Timestamp) -> Markup {
    html! {
        dl.facts {
            dt { "Given" } dd { (moment(quote.created_at)) }
            dt { (if quote.expires_at > now { "Holds until" } else { "Held until" }) } dd { (moment(quote.expires_at)) }
            @match &quote.state {
                QuoteState::Consumed { at, by } => {
                    dt { "Used" } dd { (moment(*at)) }
                    dt { "By" } dd {
                        @if by.starts_with("pay_") { a href={ "/portal/payouts/" (by) } { (short(by)) } } @else { (short(by)) }
                    }
                },
                QuoteState::Open => {
                    dt { "Used" } dd { @match quote.standing(now) {
                        Standing::Expired => "never; ask for a new one",
                        _ => "not yet: name it in a payout as quote_id",
                    } }
                },
            }
        }
    }
}

fn steps(steps: &[Step]) -> Markup {
    let heads = [Head::Text("Step"), Head::Text("With"), Head::Number("Comes to")];
    let rows: Vec<Markup> = steps
        .iter()
        .map(|step| {
            html! { tr { td { (step.step) } td { (step.detail) } td.number { (step.result) } } }
        })
        .collect();
    table("How the fee comes about", &heads, &rows)
}

fn rates(quote: &Quote) -> Markup {
    let facts = &quote.facts;
    let used = [
        ("the amount, into the fee's currency", &facts.amount_rate),
        ("the plan's amounts, into the fee's currency", &facts.terms_rate),
        ("the exchange", &facts.exchange_rate),
    ];
    let heads = [
        Head::Text("For"),
        Head::Text("Pair"),
        Head::Number("Rate"),
        Head::Number("Middle rate"),
        Head::Number("Margin"),
        Head::Text("Source"),
        Head::Text("As of"),
    ];
    let known = used.into_iter().filter_map(|(what, rate)| rate.as_ref().map(|rate| (what, rate)));
    let rows: Vec<Markup> = known.map(|(what, used)| rate(what, used)).collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="rates" { h2 #rates { "Rates" } (table("Rates", &heads, &rows)) }
        }
    }
}

fn rate(what: &str, used: &UsedRate) -> Markup {
    html! {
        tr {
            td { (what) }
            td { (used.from.code()) " → " (used.to.code()) }
            td.number { (used.rate) }
            td.number { (used.mid) }
            td.number { (used.markup_bps) " bps" }
            td { (used.source) }
            td { (moment(used.as_of)) }
        }
    }
}

/// The winner first, then the others, each with what it has lost by.
fn considered(considered: &[Verdict]) -> Markup {
    let heads = [Head::Text("Plan"), Head::Number("Version"), Head::Text("Outcome")];
    let mut sorted: Vec<&Verdict> = considered.iter().collect();
    sorted.sort_by_key(|verdict| (verdict.lost.is_some(), &verdict.key));
    let rows: Vec<Markup> = sorted.into_iter().map(verdict).collect();
    table("Which plan, and why no other", &heads, &rows)
}

fn verdict(verdict: &Verdict) -> Markup {
    let version = verdict.version.map_or("–".to_owned(), |version| version.to_string());
    html! {
        tr {
            td { code { (verdict.key) } }
            td.number { (version) }
            td { @match &verdict.lost {
                None => (badge("applied")),
                Some(why) => (why),
            } }
        }
    }
}
