//! What the prices look like.

use maud::{Markup, html};

use super::words::{bounds, charged, covered, tiers};
use crate::{
    base::{failure::Failure, timestamp::Timestamp},
    money::{Country, Currency},
    portal::frame::{Head, badge, empty, fault_of, faults, moment, money, notice, short, table},
    pricing::{
        Method,
        fx::{RateTable, Source},
        plans::{FeeRule, Plan, PlanVersion, RULES, Tiers},
        quotes::Preview,
    },
    web::query::Query,
};

/// What the page shows.
pub(super) struct Seen<'a> {
    pub(super) query: &'a Query,
    pub(super) plans: Vec<&'a Plan>,
    pub(super) table: &'a RateTable,
    pub(super) base: Currency,
    pub(super) preview: Option<&'a Preview>,
    pub(super) refused: Option<&'a Failure>,
    pub(super) strange: Option<&'a Failure>,
    pub(super) now: Timestamp,
}

pub(super) fn page(seen: &Seen<'_>) -> Markup {
    html! {
        div.head { div { h1 { "Prices" } p.sub { "What a payout costs, by which plan, and at which rate of exchange." } } }
        (faults(seen.refused))
        section.card aria-labelledby="try" { h2 #try { "What would it cost?" } (form(seen))
            @if let Some(preview) = seen.preview { (answer(preview)) } }
        section aria-labelledby="plans" { h2 #plans { "Fee plans" } (plans(seen)) }
        section aria-labelledby="rates" { h2 #rates { "Exchange rates" } (faults(seen.strange)) (rates(seen)) }
    }
}

fn form(seen: &Seen<'_>) -> Markup {
    let (query, refused) = (seen.query, seen.refused);
    let typed = |name: &str| query.get(name).unwrap_or_default().to_owned();
    let methods: Vec<(String, String)> =
        Method::ALL.iter().map(|m| (m.to_string(), m.as_str().replace('_', " "))).collect();
    let mut countries: Vec<(String, String)> =
        Country::all().into_iter().map(|c| (c.code().to_owned(), c.name().to_owned())).collect();
    countries.sort_by(|a, b| a.1.cmp(&b.1));
    html! {
        form method="get" action="/portal/prices" {
            div.inline.asked {
                div.short { label for="amount" { "You send" }
                    input #amount name="amount" required inputmode="decimal" autocomplete="off" maxlength="20" value=(typed("amount"))
                        placeholder="1000.00" aria-describedby="amount-fault";
                    (fault_of(refused, "amount")) }
                div.short { label for="source_currency" { "in" } (currency("source_currency", &typed("source_currency"), "USD"))
                    (fault_of(refused, "source_currency")) }
                div.short { label for="dest_currency" { "They get" } (currency("dest_currency", &typed("dest_currency"), "EUR"))
                    (fault_of(refused, "dest_currency")) }
                div { label for="dest_country" { "To" } (choice("dest_country", &typed("dest_country"), &countries))
                    (fault_of(refused, "dest_country")) }
                div { label for="method" { "By" } (choice("method", &typed("method"), &methods))
                    (fault_of(refused, "method")) }
            }
            div.actions { button.primary { "Price it" } p.hint { "Nothing is promised: a quote is asked for by your server." } }
        }
    }
}

fn currency(name: &str, typed: &str, example: &str) -> Markup {
    html! {
        input id=(name) name=(name) required list="currencies" maxlength="5" size="6" autocomplete="off" autocapitalize="characters"
            spellcheck="false" value=(typed) placeholder=(example) aria-describedby=(format!("{name}-fault"));
        @if name == "source_currency" {
            datalist #currencies { @for currency in Currency::all() { option value=(currency.code()) { (currency.name()) } } }
        }
    }
}

fn choice(name: &str, typed: &str, options: &[(String, String)]) -> Markup {
    let strange = !typed.is_empty() && !options.iter().any(|(value, _)| value == typed);
    html! {
        select id=(name) name=(name) aria-describedby=(format!("{name}-fault")) {
            option value="" { "Not said" }
            @if strange { option value=(typed) selected { (typed) } }
            @for (value, shown) in options { option value=(value) selected[value == typed] { (shown) } }
        }
    }
}

fn answer(preview: &Preview) -> Markup {
    let quote = &preview.quote;
    let (amount, fee) = (quote.facts.payment.amount, quote.outcome.fee.amount);
    html! {
        div #answer.priced role="status" {
            dl.facts {
                dt { "Fee" } dd { strong { (money(fee)) } " by " (quote.facts.version.name) }
                dt { "You send" } dd { (money(amount)) }
                dt { "They get" } dd { (money(quote.outcome.dest_amount)) }
                @if let Some(used) = &quote.facts.exchange_rate {
                    dt { "Rate" } dd { "1 " (used.from) " = " (used.rate) " " (used.to)
                        span.sub { " · " (used.mid) " in the market, less " (percent(used.markup_bps)) " · " (source(&used.source)) ", " (moment(used.as_of)) } }
                }
            }
            details { summary { "How the fee comes about" }
                ol { @for step in &preview.steps { li { (step.step) ": " (step.detail) " → " strong { (step.result) } } } }
            }
            details { summary { "Why this plan and no other" }
                ul { @for verdict in &preview.considered { li { code { (verdict.key) } ": "
                    @match &verdict.lost { None => strong { "it prices this payment" }, Some(why) => (why) } } } }
            }
        }
    }
}

fn plans(seen: &Seen<'_>) -> Markup {
    let heads = [
        Head::Text("Plan"),
        Head::Text("Prices"),
        Head::Text("Charges"),
        Head::Number("Priority"),
        Head::Text("Since"),
    ];
    let rows: Vec<Markup> = seen.plans.iter().map(|plan| row(plan, seen.now)).collect();
    html! {
        @if rows.is_empty() {
            (empty("There is no plan yet, so nothing can be priced.",
                &html! { "Whoever runs this server imports plans with " code { "counterfoil plan import FILE" } "." }))
        } @else {
            (table("Fee plans", &heads, &rows))
            details.which { summary { "Which plan prices a payment, when several could" }
                p { "The first of these rules in which two plans differ decides:" }
                ol { @for (rule, _) in RULES { li { (capital(rule)) "." } } }
            }
        }
    }
}

fn row(plan: &Plan, now: Timestamp) -> Markup {
    let Some(version) = plan.version_at(now).or_else(|| plan.latest()) else { return html! {} };
    let next = plan
        .versions
        .iter()
        .find(|later| later.effective_from > now && later.number != version.number);
    html! {
        tr {
            td { strong { (version.name) } @if plan.merchant.is_some() { " " span.badge.on { "made for you" } }
                p.sub { (short(&plan.id.to_string())) } }
            td { (covered(&version.covers)) @if !version.active { " " (badge("retired")) } }
            td { (charged(&version.terms)) p.sub { (bounds(&version.terms)) }
                @if let FeeRule::Tiered(all) = &version.terms.fee { (tier_table(all, &version.name)) } }
            td.number { (version.priority) }
            td { (moment(version.effective_from)) p.sub { "version " (version.number) }
                @if let Some(next) = next { p.sub { (coming(next)) } }
                @if plan.versions.len() > 1 { (history(plan, now)) } }
        }
    }
}

fn coming(next: &PlanVersion) -> Markup {
    html! { "version " (next.number) " (" (charged(&next.terms)) ") from " (moment(next.effective_from)) }
}

fn history(plan: &Plan, now: Timestamp) -> Markup {
    html! {
        details { summary { (plan.versions.len()) " versions" }
            ul.plain { @for version in plan.versions.iter().rev() {
                li { (version.number) ": " (charged(&version.terms)) @if !version.active { ", retired" }
                    p.sub { @if version.effective_from > now { "from " } @else { "since " } (moment(version.effective_from)) } }
            } }
        }
    }
}

fn tier_table(all: &Tiers, name: &str) -> Markup {
    html! {
        details { summary { (all.tiers.len()) " tiers" }
            p.sub { (tiers(all)) }
            table.small aria-label=(format!("Tiers of {name}")) {
                thead { tr { th.number scope="col" { "From" } th.number scope="col" { "Below" } th.number scope="col" { "Fee" } } }
                tbody { @for tier in &all.tiers { tr {
                    td.number { (money(tier.min_volume)) }
                    td.number { @match tier.max_volume { Some(most) => (money(most)), None => "no end" } }
                    td.number { @if !tier.fixed_fee.is_zero() { (money(tier.fixed_fee)) " + " } (tier.percentage_fee) " %" }
                } } }
            }
        }
    }
}

fn rates(seen: &Seen<'_>) -> Markup {
    let table_of = seen.table;
    let listed: Vec<Currency> = table_of.day.currencies().collect();
    let other = listed.iter().copied().find(|currency| *currency != seen.base);
    // Asked of the table itself, so that it is stale here exactly when it refuses to price.
    let stale = other.and_then(|other| table_of.customer(seen.base, other, seen.now).err());
    let heads = [Head::Text("Currency"), Head::Number("In the market"), Head::Number("Your rate")];
    let rows: Vec<Markup> = listed.iter().filter(|currency| **currency != seen.base)
        .filter_map(|currency| table_of.customer(seen.base, *currency, seen.now).ok())
        .map(|used| html! { tr { td { (used.to) " " span.sub { (used.to.name()) } } td.number { (used.mid) } td.number { (used.rate) } } })
        .collect();
    html! {
        @if listed.len() < 2 {
            (empty("There are no exchange rates yet.", &html! { "Payments in one currency need none. Whoever runs this server sets their source in " code { "[fx]" } "." }))
        } @else {
            p.sub { "From " (source(table_of.source.as_str())) ", of " (moment(table_of.day.as_of()))
                ". Your rate is the market's less " (percent(table_of.policy.markup_bps)) "." }
            form.narrow method="get" action="/portal/prices" {
                div { label for="base" { "One unit of" }
                    select #base name="base" { @for currency in &listed {
                        option value=(currency.code()) selected[*currency == seen.base] { (currency.code()) " " (currency.name()) } } }
                    (fault_of(seen.strange, "base")) }
                div.actions { button { "Show" } }
            }
            @match &stale {
                Some(failure) => (notice("warn", &format!("{}.", capital(failure.message())))),
                None => (table(&format!("What one {} is worth", seen.base), &heads, &rows)),
            }
        }
    }
}

/// A word of a source, for people.
fn source(word: &str) -> &'static str {
    if word == Source::Ecb.as_str() {
        "the European Central Bank"
    } else {
        "a built-in day of the European Central Bank"
    }
}

/// Hundredths of a per cent, written exactly.
fn percent(basis_points: u32) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}
