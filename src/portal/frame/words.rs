//! Small pieces that many pages have.

use maud::{Markup, html};
use time::macros::format_description;

use crate::{
    base::{
        failure::{Failure, FieldFault},
        timestamp::Timestamp,
    },
    money::Amount,
};

/// The hidden field that every form has.
pub(in crate::portal) fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(token); }
}

/// A moment, for people and for machines.
pub(in crate::portal) fn moment(at: Timestamp) -> Markup {
    let format =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute]");
    let text = at.date_time().format(format).unwrap_or_else(|_| at.to_string());
    html! { time datetime=(at) title=(at) { (text) " UTC" } }
}

/// How long ago, in the largest unit that says enough.
pub(in crate::portal) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let seconds = now.since(at).as_secs();
    let (count, unit) = match seconds {
        0..120 => (0, ""),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    let text = if count == 0 { "just now".to_owned() } else { format!("{count} {unit} ago") };
    html! { time datetime=(at) title=(at) { (text) } }
}

/// The two ends of a long name; the whole of it is its title.
pub(in crate::portal) fn short(text: &str) -> Markup {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 20 {
        return html! { code { (text) } };
    }
    let start: String = letters.iter().take(10).collect();
    let end: String = letters.iter().skip(letters.len() - 6).collect();
    html! { code title=(text) { (start) "…" (end) } }
}

/// The word of a state; `assets/style.css` knows the colours of those that please or worry.
pub(in crate::portal) fn badge(word: &str) -> Markup {
    html! { span.badge.(word) { (word.replace('_', " ")) } }
}

/// An amount with its currency.
pub(in crate::portal) fn money(amount: Amount) -> Markup {
    html! { (digits(amount)) " " (amount.currency().code()) }
}

/// An amount with blanks between thousands; narrow ones, which do not break.
pub(in crate::portal) fn digits(amount: Amount) -> String {
    let text = amount.render();
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut shown = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push('\u{202f}');
        }
        shown.push(digit);
    }
    rest.map_or(shown.clone(), |rest| format!("{shown}.{rest}"))
}

/// A line above the page that says how it went.
pub(in crate::portal) fn notice(kind: &str, text: &str) -> Markup {
    html! { p.notice.(kind) role=(if kind == "bad" { "alert" } else { "status" }) { (text) } }
}

/// What is wrong with a form, above it: the message, or nothing when the fields say it.
pub(in crate::portal) fn faults(failure: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = failure {
            @if failure.fields().is_empty() {
                (notice("bad", &sentence(failure.message())))
            } @else {
                (notice("bad", "That did not go through yet; see below."))
            }
        }
    }
}

/// What is wrong with the filters of a list, above it.
pub(in crate::portal) fn faults_of_query(failure: Option<&Failure>) -> Markup {
    html! {
        @if let Some(failure) = failure {
            @if failure.fields().is_empty() { (notice("bad", &sentence(failure.message()))) }
            @for FieldFault { field, message } in failure.fields() {
                (notice("bad", &sentence(&format!("{} {message}", field.replace('_', " ")))))
            }
        }
    }
}

/// What is wrong with one field, under it. Its input names it with `aria-describedby`.
pub(in crate::portal) fn fault_of(failure: Option<&Failure>, field: &str) -> Markup {
    let of_field = |fault: &&FieldFault| fault.field == field;
    html! {
        @for fault in failure.map(Failure::fields).unwrap_or_default().iter().filter(of_field) {
            p.fault id=(format!("{field}-fault")) { (sentence(&format!("it {}", fault.message))) }
        }
    }
}

/// A message as a sentence: messages are written small, for programs' logs.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let shown = |text: &str| {
            digits(Amount::parse(text, "USD".parse().unwrap()).unwrap()).replace('\u{202f}', " ")
        };
        assert_eq!(shown("1234567.80"), "1 234 567.80");
        assert_eq!(shown("999.00"), "999.00");
        assert_eq!(shown("1000.00"), "1 000.00");
    }
}
