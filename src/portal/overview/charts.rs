//! The charts: SVG that is drawn here, with every number in a table below.

use maud::{Markup, html};

use super::figures::{Day, Figures};
use crate::portal::frame::{digits, money};

/// The drawing, in its own units: 30 days of 20, and room for the words below.
const WIDTH: usize = 600;
const STEP: usize = 20;
const BAR: usize = 14;
const TOP: u64 = 8;
const TALL: u64 = 120;
const HEIGHT: u64 = 150;

pub(super) fn charts(figures: &Figures) -> Markup {
    let total = figures.total();
    let currency = figures.currency.code();
    let rate = total.per_mille().map_or("nothing has ended yet".to_owned(), percent);
    let amount = |minor: i64| format!("{} {currency}", digits(figures.amount(minor)));
    html! {
        (choice(figures))
        div.charts {
            (bars("volume", "Volume", &format!("{} arrived", amount(total.volume)), &figures.days,
                |day| Some(day.volume), |day| amount(day.volume), None))
            (bars("success", "Success rate", &rate, &figures.days, Day::per_mille,
                |day| day.per_mille().map_or("none ended".to_owned(), percent), Some(1000)))
            (bars("fees", "Fees", &format!("{} for what arrived", amount(total.fees)), &figures.days,
                |day| Some(day.fees), |day| amount(day.fees), None))
            (rails(figures))
        }
        details.numbers { summary { "The numbers, day by day" } (table(figures)) }
    }
}

fn choice(figures: &Figures) -> Markup {
    html! {
        @if figures.currencies.len() > 1 {
            form.narrow method="get" action="/portal" {
                div { label for="currency" { "In" }
                    select #currency name="currency" { @for currency in &figures.currencies {
                        option value=(currency.code()) selected[*currency == figures.currency] { (currency.code()) } } } }
                div.actions { button { "Show" } }
            }
        }
    }
}

fn bars(
    id: &str,
    title: &str,
    summary: &str,
    days: &[Day],
    value: impl Fn(&Day) -> Option<i64>,
    shown: impl Fn(&Day) -> String,
    ceiling: Option<i64>,
) -> Markup {
    let most = days.iter().filter_map(&value).max().unwrap_or(0);
    let ceiling = ceiling.unwrap_or(most).max(1);
    let (first, last) = (days.first(), days.last());
    html! {
        figure.chart {
            figcaption { h3 { (title) } p.sub { (summary) } }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(format!("{title}, the last {} days: {summary}", days.len())) {
                line.floor x1="0" x2=(WIDTH) y1=(TOP + TALL) y2=(TOP + TALL) {}
                @for (place, day) in days.iter().enumerate() {
                    @if let Some(value) = value(day) {
                        @let height = height(value, ceiling);
                        rect.bar.(id) x=(place * STEP + 3) width=(BAR) y=(TOP + TALL - height) height=(height) {
                            title { (day.date) ": " (shown(day)) }
                        }
                    }
                }
                @if let Some(first) = first { text x="0" y=(HEIGHT - 4) { (first.date) } }
                @if let Some(last) = last { text x=(WIDTH) y=(HEIGHT - 4) text-anchor="end" { (last.date) } }
            }
        }
    }
}

/// How tall a bar is; whatever is not nothing can be seen.
fn height(value: i64, ceiling: i64) -> u64 {
    let scaled = i128::from(value.max(0)) * i128::from(TALL) / i128::from(ceiling.max(1));
    let height = u64::try_from(scaled).unwrap_or(0).min(TALL);
    if value > 0 { height.max(2) } else { height }
}

fn rails(figures: &Figures) -> Markup {
    let slowest = figures.rails.iter().map(|rail| rail.seconds).max().unwrap_or(0).max(1);
    html! {
        figure.chart {
            figcaption { h3 { "Time on the rail" } p.sub { "From the rail's being asked until arrival, on the average" } }
            @if figures.rails.is_empty() { p.sub { "Nothing has arrived in these days." } }
            ul.rails { @for rail in &figures.rails {
                li {
                    span { (rail.name.replace('_', " ")) }
                    svg viewBox="0 0 120 10" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                        rect.bar.rail x="0" y="0" height="10" width=(height(rail.seconds, slowest)) {}
                    }
                    span.number { (duration(rail.seconds)) }
                    span.sub { (rail.payouts) @if rail.payouts == 1 { " payout" } @else { " payouts" } }
                }
            } }
        }
    }
}

fn table(figures: &Figures) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="The last thirty days" {
            table {
                thead { tr { th scope="col" { "Day (UTC)" } th.number scope="col" { "Made" } th.number scope="col" { "Arrived" }
                    th.number scope="col" { "Came to nothing" } th.number scope="col" { "Success" } th.number scope="col" { "Volume" } th.number scope="col" { "Fees" } } }
                tbody { @for day in figures.days.iter().rev() { tr {
                    th.day scope="row" { (day.date) } td.number { (day.made) } td.number { (day.arrived) } td.number { (day.lost) }
                    td.number { @match day.per_mille() { Some(rate) => (percent(rate)), None => "–" } }
                    td.number { (money(figures.amount(day.volume))) } td.number { (money(figures.amount(day.fees))) }
                } } }
            }
        }
    }
}

fn percent(per_mille: i64) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

/// In the largest unit that says enough.
fn duration(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_keep_within_the_drawing_and_small_ones_can_be_seen() {
        assert_eq!(height(0, 100), 0);
        assert_eq!(height(1, i64::MAX), 2);
        assert_eq!(height(50, 100), 60);
        assert_eq!(height(i64::MAX, i64::MAX), TALL);
        assert_eq!(height(-5, 100), 0);
        assert_eq!(height(5, 0), TALL);
    }
}
