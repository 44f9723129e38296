//! What somebody fills in about an endpoint.

use maud::{Markup, html};

use crate::{
    base::failure::{Failure, FieldFault, Result},
    events::{
        endpoints::{Endpoint, Filter},
        log::EventType,
        outbound::{Outbound, Target},
        signatures::Dialect,
    },
    portal::frame::{csrf, fault_of, faults},
};

/// What the name of each box in front of an event begins with.
const EVENT: &str = "event.";
/// The ways of signing that can be chosen here; those of other APIs belong to endpoints made there.
pub(super) const DIALECTS: [(Dialect, &str, &str); 2] = [
    (Dialect::Payouts, "Payouts API", "X-Webhook-Signature: HMAC-SHA256 of time and body"),
    (
        Dialect::Standard,
        "Standard Webhooks",
        "webhook-signature, for the libraries of standardwebhooks.com",
    ),
];

/// What was typed and ticked.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish<'a> {
    pub(super) url: &'a str,
    pub(super) dialect: &'a str,
    pub(super) events: Vec<&'a str>,
}

impl<'a> Wish<'a> {
    /// Of a form.
    pub(super) fn read(
        field: impl Fn(&str) -> &'a str,
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        let events = names.filter_map(|name| name.strip_prefix(EVENT)).collect();
        Self { url: field("url"), dialect: field("dialect"), events }
    }

    /// The address and the filter, or everything that is wrong with them.
    pub(super) async fn checked(&self, outbound: &Outbound) -> Result<(Target, Filter)> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: &str| {
            faults.push(FieldFault { field: field.to_owned(), message: message.to_owned() });
        };
        let url = self.url.trim();
        let target = if url.is_empty() { Err("is required") } else { outbound.check(url).await };
        if let Err(why) = &target {
            fault("url", why);
        }
        let filter = Filter::read(self.events.iter().copied());
        if filter.is_err() {
            fault("events", "must name at least one event, a group of them, or all");
        }
        match (target, filter) {
            (Ok(target), Ok(filter)) => Ok((target, filter)),
            _ => Err(Failure::invalid(faults)),
        }
    }

    /// The chosen way of signing.
    pub(super) fn chosen(&self) -> Result<Dialect> {
        let known = DIALECTS.iter().find(|(dialect, ..)| dialect.as_str() == self.dialect);
        known.map(|(dialect, ..)| *dialect).ok_or_else(|| {
            Failure::invalid(Vec::new()).field("dialect", "must be one of the choices")
        })
    }
}

/// The groups of events, as filters write them.
fn groups() -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for kind in EventType::ALL {
        if let Some((group, _)) = kind.as_str().split_once('.') {
            let group = format!("{group}.*");
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
    }
    groups
}

/// The form of a new endpoint.
pub(super) fn create(token: &str, wish: &Wish<'_>, failure: Option<&Failure>) -> Markup {
    let chosen = if wish.dialect.is_empty() { Dialect::Payouts.as_str() } else { wish.dialect };
    html! {
        a.back href="/portal/webhooks" { "← Webhooks" }
        div.head { h1 { "Add a webhook endpoint" } }
        p.sub { "Every event that it asks for is sent there, signed, and repeated until it answers with a 2xx." }
        (faults(failure))
        form.card method="post" action="/portal/webhooks" {
            (csrf(token))
            (fields(wish, failure))
            fieldset {
                legend { "Signed in the manner of" }
                div.choices { @for (dialect, name, about) in DIALECTS {
                    label.choice {
                        input type="radio" name="dialect" value=(dialect.as_str()) checked[chosen == dialect.as_str()];
                        span { (name) small { (about) } }
                    }
                } }
                (fault_of(failure, "dialect"))
            }
            p.actions { button.primary { "Add this endpoint" } }
        }
    }
}

/// The form of one that there is.
pub(super) fn change(
    token: &str,
    endpoint: &Endpoint,
    wish: &Wish<'_>,
    failure: Option<&Failure>,
) -> Markup {
    let path = format!("/portal/webhooks/{}", endpoint.id);
    html! {
        a.back href=(path) { "← " (endpoint.url) }
        div.head { h1 { "Edit the endpoint" } }
        p.sub { "With another address, whatever waits is tried there at once." }
        (faults(failure))
        form.card method="post" action=(format!("{path}/edit")) {
            (csrf(token))
            (fields(wish, failure))
            p.actions { button.primary { "Save" } a href=(path) { "Leave it as it is" } }
        }
    }
}

fn fields(wish: &Wish<'_>, failure: Option<&Failure>) -> Markup {
    html! {
        label for="url" { "Address" }
        input #url type="url" name="url" value=(wish.url) required maxlength="2048" placeholder="https://example.com/webhooks"
            autocomplete="off" aria-describedby=[failure.map(|_| "url-fault")];
        (fault_of(failure, "url"))
        fieldset {
            legend { "Events" }
            div.choices {
                (event(wish, "*", "Everything, and what is new later"))
                @for group in groups() { (event(wish, &group, &count(&group))) }
            }
            (fault_of(failure, "events"))
            details.single open[wish.events.iter().any(|word| !word.ends_with('*'))] {
                summary { "Single events" }
                div.choices { @for kind in EventType::ALL.iter().filter(|kind| **kind != EventType::Test) {
                    (event(wish, kind.as_str(), ""))
                } }
            }
        }
    }
}

fn event(wish: &Wish<'_>, word: &str, about: &str) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name=(format!("{EVENT}{word}")) value="on" checked[wish.events.contains(&word)];
            span { code { (word) } @if !about.is_empty() { small { (about) } } }
        }
    }
}

fn count(group: &str) -> String {
    let prefix = group.trim_end_matches('*');
    let of_group = |kind: &&EventType| kind.as_str().starts_with(prefix);
    match EventType::ALL.iter().filter(of_group).count() {
        1 => "one event".to_owned(),
        count => format!("{count} events"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_that_is_offered_is_a_filter() {
        let groups = groups();
        assert!(groups.iter().any(|group| group == "payout.*"));
        assert!(Filter::read(groups.iter().map(String::as_str)).is_ok());
        assert_eq!(count("funding.*"), "one event");
    }
}
