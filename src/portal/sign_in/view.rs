//! The pages in front of the door.

use maud::{Markup, html};

use crate::{
    base::failure::Failure,
    portal::{
        frame::{csrf, fault_of, faults, mark},
        users::Account,
    },
};

fn card(title: &str, body: &Markup) -> Markup {
    html! {
        section.card.door {
            p.brand { (mark()) span { "Counterfoil" } }
            h1 { (title) }
            (body)
        }
    }
}

/// Without a script, or in a browser without passkeys, it stays hidden.
pub(super) fn passkey(token: &str, next: &str) -> Markup {
    html! {
        form method="post" action="/portal/sign-in/passkey" data-passkey="get"
            data-challenge="/portal/sign-in/passkey/challenge" hidden {
            (csrf(token))
            input type="hidden" name="next" value=(next);
            input type="hidden" name="credential";
            button.wide { "Sign in with a passkey" }
            p.sub role="status" {}
        }
    }
}

pub(super) fn password(
    token: &str,
    next: &str,
    email: &str,
    failure: Option<&Failure>,
    passkey: Option<&Markup>,
) -> Markup {
    card(
        "Sign in",
        &html! {
            (faults(failure))
            form method="post" action="/portal/sign-in" {
                (csrf(token))
                input type="hidden" name="next" value=(next);
                label for="email" { "E-mail address" }
                input #email type="email" name="email" value=(email) required autocomplete="username"
                    maxlength="254";
                label for="password" { "Password" }
                input #password type="password" name="password" required
                    autocomplete="current-password" maxlength="256";
                button.primary { "Sign in" }
            }
            @if let Some(passkey) = passkey { (passkey) }
            p.hint { "No password, or none that works? Ask an owner of your team for a new invitation, or "
                "whoever runs this server for a sign-in link: " code { "counterfoil merchant sign-in-link" } "." }
        },
    )
}

pub(super) fn code(token: &str, next: &str, failure: Option<&Failure>) -> Markup {
    let wrong = failure.is_some().then_some("code-fault");
    card(
        "Your code",
        &html! {
            (faults(failure))
            form method="post" action="/portal/sign-in/code" {
                (csrf(token))
                input type="hidden" name="next" value=(next);
                label for="code" { "The six digits that your app shows, or a recovery code" }
                input #code name="code" required autocomplete="one-time-code" maxlength="30"
                    spellcheck="false" aria-describedby=[wrong];
                (fault_of(failure, "code"))
                button.primary { "Go on" }
            }
            form method="post" action="/portal/sign-out" {
                (csrf(token))
                button.quiet { "Begin again" }
            }
        },
    )
}

pub(super) fn link(token: &str, link: &str, account: &Account) -> Markup {
    card(
        "One-time sign-in",
        &html! {
            p { "This link signs you in as " strong { (account.person.email) } ", once." }
            form method="post" action=(format!("/portal/link/{link}")) {
                (csrf(token))
                button.primary { "Sign in" }
            }
        },
    )
}

pub(super) fn invitation(
    token: &str,
    link: &str,
    account: &Account,
    name: &str,
    failure: Option<&Failure>,
) -> Markup {
    let role = account.person.role;
    card(
        "Join the team",
        &html! {
            p { "You are invited as " strong { (role.as_str()) } ": " (role.about()) "." }
            (faults(failure))
            form method="post" action=(format!("/portal/link/{link}")) {
                (csrf(token))
                label for="email" { "E-mail address" }
                input #email type="email" value=(account.person.email) readonly autocomplete="username";
                label for="name" { "Your name" }
                input #name name="name" value=(name) required maxlength="100" autocomplete="name"
                    aria-describedby=[failure.map(|_| "name-fault")];
                (fault_of(failure, "name"))
                label for="password" { "A password of 12 characters or more" }
                input #password type="password" name="password" required minlength="12"
                    maxlength="256" autocomplete="new-password"
                    aria-describedby=[failure.map(|_| "password-fault")];
                (fault_of(failure, "password"))
                button.primary { "Join" }
            }
        },
    )
}
