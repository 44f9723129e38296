//! What the account page looks like.

use std::fmt::Write;

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

use super::passkeys;
use crate::{
    base::{failure::Failure, timestamp::Timestamp},
    portal::{
        frame::{ago, csrf, fault_of, faults, moment, notice},
        passkeys::Listed,
        sessions::{Session, SessionId},
        totp::{Enrolment, Recovery},
        users::Account,
    },
};

/// What it shows.
pub(super) struct Seen<'a> {
    pub(super) account: &'a Account,
    pub(super) enrolment: Option<Enrolment>,
    pub(super) recovery_left: i64,
    pub(super) passkeys: &'a [Listed],
    pub(super) offers_passkeys: bool,
    /// What was typed.
    pub(super) passkey_name: &'a str,
    pub(super) sessions: &'a [Session],
    pub(super) own: SessionId,
    pub(super) token: &'a str,
    pub(super) done: &'a str,
    pub(super) failure: Option<&'a Failure>,
    pub(super) now: Timestamp,
}

pub(super) fn page(seen: &Seen<'_>) -> Markup {
    let person = &seen.account.person;
    html! {
        div.head { div {
            h1 { "Your account" }
            p.sub { (person.email) " · " (person.role.as_str()) ": " (person.role.about()) }
        } }
        @match seen.done {
            "password" => (notice("good", "Your password is changed, and every other session has ended.")),
            "codes-off" => (notice("good", "Sign-in codes are off.")),
            "passkey" => (notice("good", "Your passkey is added. The next time, sign in with it.")),
            "passkey-renamed" => (notice("good", "The passkey has its new name.")),
            "passkey-removed" => (notice("good", "The passkey is removed: it opens nothing here any more.")),
            "sessions" => (notice("good", "Done: what was signed in there is signed out.")),
            _ => {},
        }
        @if seen.account.password_hash.is_none() {
            (notice("warn", "You have no password yet. Choose one now: the link that brought you here works once."))
        }
        (faults(seen.failure))
        div.split.sections { (password(seen)) (codes(seen)) }
        section #passkeys { (passkeys::section(seen)) }
        section { (sessions(seen)) }
    }
}

fn password(seen: &Seen<'_>) -> Markup {
    let has_one = seen.account.password_hash.is_some();
    html! {
        section.card {
            h2 { @if has_one { "Change your password" } @else { "Choose a password" } }
            form method="post" action="/portal/account/password" {
                (csrf(seen.token))
                input type="hidden" name="username" autocomplete="username" value=(seen.account.person.email);
                @if has_one {
                    label for="current" { "The one you have" }
                    input #current type="password" name="current" required autocomplete="current-password"
                        maxlength="256" aria-describedby=[seen.failure.map(|_| "current-fault")];
                    (fault_of(seen.failure, "current"))
                }
                label for="password" { "A new one of 12 characters or more" }
                input #password type="password" name="password" required minlength="12" maxlength="256"
                    autocomplete="new-password" aria-describedby=[seen.failure.map(|_| "password-fault")];
                (fault_of(seen.failure, "password"))
                p.actions { button.primary { @if has_one { "Change it" } @else { "Set it" } } span.hint { "Your other sessions end." } }
            }
        }
    }
}

fn codes(seen: &Seen<'_>) -> Markup {
    html! {
        section.card #codes {
            h2 { "Sign-in codes " @if seen.account.person.totp_since.is_some() { span.badge.on { "on" } } @else { span.badge { "off" } } }
            @match (&seen.enrolment, seen.account.person.totp_since) {
                (_, Some(since)) => (on(seen, since)),
                (Some(enrolment), None) => (confirm(seen, enrolment)),
                (None, None) => {
                    p.sub { "An app on your phone shows six digits that change every half minute. With them a stolen password opens nothing." }
                    form method="post" action="/portal/account/codes" {
                        (csrf(seen.token))
                        p.actions { button { "Set up codes" } }
                    }
                },
            }
        }
    }
}

fn code_field(seen: &Seen<'_>, label: &str) -> Markup {
    html! {
        label for="code" { (label) }
        input #code name="code" required autocomplete="one-time-code" maxlength="30" spellcheck="false"
            aria-describedby=[seen.failure.map(|_| "code-fault")];
        (fault_of(seen.failure, "code"))
    }
}

fn confirm(seen: &Seen<'_>, enrolment: &Enrolment) -> Markup {
    html! {
        p.sub { "Scan this with your app, or type the secret, then enter the code that it shows." }
        (square(&enrolment.address()))
        p { code #secret { (enrolment.typed()) } }
        form method="post" action="/portal/account/codes/confirm" {
            (csrf(seen.token))
            (code_field(seen, "The code it shows now"))
            p.actions { button.primary { "Turn codes on" } }
        }
    }
}

fn on(seen: &Seen<'_>, since: Timestamp) -> Markup {
    html! {
        p.sub { "On since " (moment(since)) ". " (seen.recovery_left) " recovery codes are left." }
        form method="post" action="/portal/account/codes/off" {
            (csrf(seen.token))
            (code_field(seen, "To turn them off, a code or a recovery code"))
            p.actions { button.bad { "Turn codes off" } }
        }
    }
}

/// A QR code as one path; no image leaves the page and none comes in.
fn square(text: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return html! {} };
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // A text takes everything.
            _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let size = code.size();
    html! {
        svg.qr viewBox=(format!("0 0 {size} {size}")) role="img" aria-label="The secret as a QR code" shape-rendering="crispEdges" {
            path d=(path) {}
        }
    }
}

pub(super) fn recovery(codes: &Recovery) -> Markup {
    html! {
        div.head { h1 { "Sign-in codes are on" } }
        (notice("warn", "Keep these recovery codes where your phone is not. Each opens your account once; they are not shown again."))
        section.card { ul.codes { @for code in codes.shown() { li { (code) } } } }
        p.actions { a.button.primary href="/portal/account" { "I have stored them" } }
    }
}

fn sessions(seen: &Seen<'_>) -> Markup {
    html! {
        div.head {
            h2 #sessions { "Where you are signed in" }
            @if seen.sessions.len() > 1 {
                form method="post" action="/portal/account/sessions/others/end" { (csrf(seen.token)) button { "End all others" } }
            }
        }
        div.scroll tabindex="0" role="region" aria-labelledby="sessions" {
            table {
                thead { tr { th { "Browser" } th { "Address" } th { "Signed in" } th { "Last used" } th { span.sub { "End" } } } }
                tbody { @for session in seen.sessions {
                    tr {
                        td { (browser(&session.agent)) @if session.id == seen.own { " " span.badge.active { "this one" } } }
                        td { code { (session.address) } }
                        td { (moment(session.created_at)) }
                        td { (ago(session.seen_at, seen.now)) }
                        td { @if session.id != seen.own {
                            form method="post" action=(format!("/portal/account/sessions/{}/end", session.id)) {
                                (csrf(seen.token)) button.bad { "End" }
                            }
                        } }
                    }
                } }
            }
        }
    }
}

/// The name that people know, out of what a browser calls itself; the whole of it as a title.
fn browser(agent: &str) -> Markup {
    const NAMES: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 5] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("Mac OS", "macOS"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let known = |table: &[(&str, &'static str)]| {
        table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let name = known(&NAMES).unwrap_or("Another program");
    html! { span title=(agent) { (name) @if let Some(system) = known(&SYSTEMS) { " on " (system) } } }
}
