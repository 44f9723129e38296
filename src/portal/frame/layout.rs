//! The page around a page.

use maud::{DOCTYPE, Markup, html};

use super::{
    assets::{self, Asset},
    words::csrf,
};
use crate::{
    base::environment::Environment,
    portal::{
        sessions::Session,
        users::{Person, Right},
    },
};

/// A place in the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::portal) enum Nav {
    Overview,
    Payouts,
    Quotes,
    Beneficiaries,
    Prices,
    Credentials,
    Events,
    Webhooks,
    Requests,
    Proofs,
    Team,
    Trail,
    Account,
}

/// A line of the navigation: the place, the right to it, its path and its name.
type Line = (Nav, Option<Right>, &'static str, &'static str);

/// The navigation, in order; what somebody may not open is not shown to them.
const NAV: &[(&str, &[Line])] = &[
    (
        "Money",
        &[
            (Nav::Overview, Some(Right::SeeMoney), "/portal", "Overview"),
            (Nav::Payouts, Some(Right::SeeMoney), "/portal/payouts", "Payouts"),
            (Nav::Quotes, Some(Right::SeeMoney), "/portal/quotes", "Quotes"),
            (Nav::Beneficiaries, Some(Right::SeeMoney), "/portal/beneficiaries", "Beneficiaries"),
            (Nav::Prices, Some(Right::SeeMoney), "/portal/prices", "Prices"),
        ],
    ),
    (
        "Integration",
        &[
            (Nav::Credentials, Some(Right::SeeCredentials), "/portal/credentials", "Credentials"),
            (Nav::Webhooks, Some(Right::SeeEvents), "/portal/webhooks", "Webhooks"),
            (Nav::Events, Some(Right::SeeEvents), "/portal/events", "Events"),
            (Nav::Requests, Some(Right::SeeEvents), "/portal/requests", "API requests"),
            (Nav::Proofs, Some(Right::SeeCredentials), "/portal/proofs", "Proof explainer"),
        ],
    ),
    (
        "People",
        &[
            (Nav::Team, Some(Right::SeeTeam), "/portal/team", "Team"),
            (Nav::Trail, Some(Right::SeeTrail), "/portal/trail", "Audit trail"),
            (Nav::Account, None, "/portal/account", "Your account"),
        ],
    ),
];

/// What a page says of itself.
#[derive(Debug)]
pub(in crate::portal) struct Frame<'a> {
    pub(in crate::portal) title: &'a str,
    pub(in crate::portal) nav: Option<Nav>,
    pub(in crate::portal) session: Option<&'a Session>,
    pub(in crate::portal) csrf: &'a str,
    pub(in crate::portal) environment: Environment,
    /// A module that this page needs beside those of all.
    pub(super) script: Option<&'a Asset>,
}

impl Frame<'_> {
    /// The whole document.
    pub(in crate::portal) fn around(&self, body: &Markup) -> Markup {
        let full = self.session.filter(|_| self.nav.is_some());
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Counterfoil" }
                    link rel="icon" href=(assets::ICON.path);
                    link rel="stylesheet" href=(assets::STYLE.path);
                    script type="module" src=(assets::PAGE.path) {}
                    @if let Some(script) = self.script { script type="module" src=(script.path) {} }
                }
                body.(if full.is_some() { "inside" } else { "outside" }) {
                    a.skip href="#main" { "Skip to the page" }
                    @if let Some(session) = full { (self.side(&session.person)) }
                    main #main tabindex="-1" { (body) }
                }
            }
        }
    }

    fn side(&self, person: &Person) -> Markup {
        html! {
            header.side {
                a.brand href="/portal" { (mark()) span { "Counterfoil" } }
                @if self.environment != Environment::Production {
                    span.world { (self.environment.as_str()) }
                }
                nav aria-label="Portal" {
                    @for (group, lines) in NAV { (self.group(group, lines, person)) }
                }
                div.who {
                    p { strong { (person.shown()) } span.role { (person.role.as_str()) } }
                    form method="post" action="/portal/sign-out" {
                        (csrf(self.csrf))
                        button.quiet { "Sign out" }
                    }
                }
            }
        }
    }

    fn group(&self, name: &str, lines: &[Line], person: &Person) -> Markup {
        let open: Vec<&Line> = lines
            .iter()
            .filter(|(_, right, ..)| right.is_none_or(|right| person.role.has(right)))
            .collect();
        html! {
            @if !open.is_empty() {
                p.group { (name) }
                ul { @for (nav, _, path, name) in open {
                    li { a href=(path) aria-current=[(self.nav == Some(*nav)).then_some("page")] { (name) } }
                } }
            }
        }
    }
}

/// The two halves of a tally stick: they match in one way only.
pub(in crate::portal) fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false" {
            path d="M6 3h9v5l3 3-3 3 3 3-3 3 3 3-3 3v3H6z" {}
            path.other d="M26 3h-8v4l3 4-3 3 3 3-3 3 3 3-3 3v3h8z" {}
        }
    }
}
