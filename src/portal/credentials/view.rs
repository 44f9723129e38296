//! What the pages of credentials look like.

use maud::{Markup, html};

use super::service::{OVERLAPS, Seen, Wish};
use crate::{
    base::{failure::Failure, timestamp::Timestamp},
    oauth::{
        credentials::{Credential, CredentialStatus, KeyStatus, LastUses, RegisteredKey},
        jose::KeyKind,
        scopes::Scope,
    },
    portal::frame::{ago, csrf, download, fault_of, faults, moment, notice, short},
    web::query::Query,
};

fn status(credential: &Credential) -> Markup {
    match credential.status {
        CredentialStatus::Active => html! { span.badge.active { "active" } },
        CredentialStatus::Revoked { .. } => html! { span.badge.revoked { "revoked" } },
    }
}

fn last_use(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! { @match at { Some(at) => (ago(at, now)), None => span.sub { "never" } } }
}

fn name(credential: &Credential) -> &str {
    if credential.label.is_empty() { "Unnamed" } else { &credential.label }
}

pub(super) fn list(seen: &[(Credential, LastUses)], manages: bool, now: Timestamp) -> Markup {
    html! {
        div.head {
            div { h1 { "Credentials" } p.sub { "Each lets one of your servers mint tokens; every call is signed with its key." } }
            div.actions {
                @if !seen.is_empty() { (download("/portal/credentials.csv", &Query::default())) }
                @if manages { a.button.primary href="/portal/credentials/new" { "Register a credential" } }
            }
        }
        section {
            @if seen.is_empty() {
                div.empty {
                    p { strong { "There is no credential yet." } }
                    p { "Your servers cannot call before there is one. "
                        @if manages { a href="/portal/credentials/new" { "Register the first" } ": it takes a minute." }
                        @else { "Ask a developer, an admin or an owner of your team to register one." } }
                }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Credentials" {
                    table {
                        thead { tr { th { "Credential" } th { "Status" } th { "Scopes" } th { "Last use" } th { "Registered" } } }
                        tbody { @for (credential, uses) in seen {
                            tr {
                                td {
                                    a href=(format!("/portal/credentials/{}", credential.client_id)) { (name(credential)) }
                                    p.sub { (short(credential.client_id.as_str())) }
                                }
                                td { (status(credential)) }
                                td { (scopes_in_short(credential)) }
                                td { (last_use(uses.credential, now)) }
                                td { (moment(credential.created_at)) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

fn scopes_in_short(credential: &Credential) -> Markup {
    let held: Vec<&str> = credential.scopes.iter().map(Scope::as_str).collect();
    html! {
        @if held.len() == Scope::ALL.len() { "all" }
        @else if held.len() > 2 { span title=(held.join(" ")) { (held.len()) " of " (Scope::ALL.len()) } }
        @else { @for scope in held { code { (scope) } " " } }
    }
}

pub(super) fn one(seen: &Seen, token: &str, manages: bool, done: &str, now: Timestamp) -> Markup {
    let credential = &seen.client.credential;
    let live = credential.status == CredentialStatus::Active;
    let path = format!("/portal/credentials/{}", credential.client_id);
    html! {
        a.back href="/portal/credentials" { "← Credentials" }
        div.head { h1 { (name(credential)) " " (status(credential)) } }
        @match done {
            "key" => (notice("good", "The key is registered: proofs that it signs are accepted from now on.")),
            "retired" => (notice("good", "The key is retired: its proofs and tokens are refused from now on.")),
            "revoked" => (notice("good", "The credential is revoked: the next call is refused.")),
            _ => {},
        }
        section.card { (facts(seen, now)) }
        section {
            div.head { h2 #keys { "Keys" }
                @if live && manages { a.button href=(format!("{path}/keys/new")) { "Add a key" } } }
            (keys(seen, token, live && manages, &path, now))
        }
        @if live && manages {
            div.split.sections {
                (rotation(token, &path))
                section.card.danger {
                    h2 { "Revoke" }
                    p.sub { "For good, and at once: its tokens and proofs are refused from the next call on." }
                    form method="post" action=(format!("{path}/revoke")) data-ask="Revoke this credential for good?" {
                        (csrf(token))
                        p.actions { button.bad { "Revoke this credential" } }
                    }
                }
            }
        }
    }
}

fn facts(seen: &Seen, now: Timestamp) -> Markup {
    let credential = &seen.client.credential;
    let running =
        seen.client.secrets.iter().filter_map(|secret| secret.expires_at).filter(|end| *end > now);
    html! {
        dl.facts {
            dt { "Client id" } dd { code { (credential.client_id) } }
            dt { "Scopes" } dd { @for scope in credential.scopes.iter() { code title=(scope.about()) { (scope) } " " } }
            dt { "From" } dd {
                @if credential.addresses.is_empty() { "any address" }
                @for network in &credential.addresses { code { (network) } " " }
            }
            dt { "Registered" } dd { (moment(credential.created_at)) }
            dt { "Last use" } dd { (last_use(seen.uses.credential, now)) }
            @if let CredentialStatus::Revoked { at } = credential.status { dt { "Revoked" } dd { (moment(at)) } }
            @for end in running { dt { "Old secret" } dd { "goes on until " (moment(end)) } }
        }
    }
}

fn keys(seen: &Seen, token: &str, manages: bool, path: &str, now: Timestamp) -> Markup {
    let active = seen.client.keys.iter().filter(|key| key.status == KeyStatus::Active).count();
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="keys" {
            table {
                thead { tr { th { "Thumbprint" } th { "Kind" } th { "Status" } th { "Last use" } th { "Registered" } @if manages { th { span.sub { "Retire" } } } } }
                tbody { @for key in &seen.client.keys {
                    tr {
                        td { (short(key.jkt.as_str())) }
                        td { (kind(key)) }
                        td { @match key.status {
                            KeyStatus::Active => span.badge.active { "active" },
                            KeyStatus::Revoked { .. } => span.badge.revoked { "retired" },
                        } }
                        td { (last_use(seen.uses.keys.get(key.jkt.as_str()).copied(), now)) }
                        td { (moment(key.created_at)) }
                        @if manages { td { @if key.status == KeyStatus::Active { (retire(token, path, key, active)) } } }
                    }
                } }
            }
        }
    }
}

fn kind(key: &RegisteredKey) -> &'static str {
    match key.jwk.kind() {
        KeyKind::P256 => "ES256",
        KeyKind::Ed25519 => "Ed25519",
    }
}

fn retire(token: &str, path: &str, key: &RegisteredKey, active: usize) -> Markup {
    let ask = if active == 1 {
        "This is the last active key: without one the credential can call nothing. Retire it for good?"
    } else {
        "Retire this key for good?"
    };
    html! {
        form method="post" action=(format!("{path}/keys/{}/retire", key.jkt)) data-ask=(ask) {
            (csrf(token))
            button.bad aria-label=(format!("Retire key {}", key.jkt)) { "Retire" }
        }
    }
}

fn rotation(token: &str, path: &str) -> Markup {
    html! {
        section.card {
            h2 { "Rotate the secret" }
            p.sub { "You get a new one; the old one goes on for as long as your servers need to change over." }
            form method="post" action=(format!("{path}/rotate")) {
                (csrf(token))
                label for="overlap" { "The old secret goes on" }
                select #overlap name="overlap" {
                    @for (hours, text) in OVERLAPS { option value=(hours) selected[hours == 24] { (text) } }
                }
                p.actions { button { "Make a new secret" } }
            }
        }
    }
}

/// The rights that a first credential needs: enough to quote and pay, and no personal data in clear.
const USUAL: [Scope; 6] = [
    Scope::PricingRead,
    Scope::PricingQuote,
    Scope::PayoutsRead,
    Scope::PayoutsWrite,
    Scope::BeneficiariesRead,
    Scope::BalancesRead,
];

pub(super) fn register(token: &str, wish: &Wish<'_>, failure: Option<&Failure>) -> Markup {
    let fresh = failure.is_none();
    let holds = |scope: Scope| {
        if fresh { USUAL.contains(&scope) } else { wish.scopes.contains(&scope.as_str()) }
    };
    html! {
        a.back href="/portal/credentials" { "← Credentials" }
        div.head { h1 { "Register a credential" } }
        (faults(failure))
        form method="post" action="/portal/credentials" data-keys="/portal/credentials/challenge" {
            (csrf(token))
            ol.steps {
                li.card {
                    h2 { "What it may do" }
                    label for="label" { "Name" }
                    input #label name="label" value=(wish.label) required maxlength="100" placeholder="Checkout server"
                        autocomplete="off" aria-describedby=[failure.map(|_| "label-fault")];
                    (fault_of(failure, "label"))
                    fieldset {
                        legend { "Scopes" }
                        div.choices { @for scope in Scope::ALL {
                            label.choice {
                                input type="checkbox" name=(format!("scope.{scope}")) value="on" checked[holds(*scope)];
                                span { code { (scope) } small { (scope.about()) } }
                            }
                        } }
                    }
                    (fault_of(failure, "scopes"))
                }
                (pair(failure))
                (keep("Register"))
            }
        }
    }
}

pub(super) fn add_key(token: &str, credential: &Credential, failure: Option<&Failure>) -> Markup {
    let path = format!("/portal/credentials/{}", credential.client_id);
    html! {
        a.back href=(path) { "← " (name(credential)) }
        div.head { h1 { "Add a key" } }
        p.sub { "Both keys are accepted until you retire the old one, so that your servers can change over one by one." }
        (faults(failure))
        form method="post" action=(format!("{path}/keys")) data-keys="/portal/credentials/challenge" {
            (csrf(token))
            ol.steps { (pair(failure)) (keep("Add this key")) }
        }
    }
}

fn pair(failure: Option<&Failure>) -> Markup {
    html! {
        li.card {
            h2 { "Make the key pair" }
            p.sub { "It is made in this browser. The private half is never sent: not to us, not to anybody." }
            fieldset {
                legend { "Algorithm" }
                div.choices {
                    label.choice { input type="radio" name="alg" value="ES256" checked;
                        span { "ES256" small { "ECDSA on P-256: every library knows it" } } }
                    label.choice { input type="radio" name="alg" value="Ed25519";
                        span { "Ed25519" small { "Smaller and faster; not in every library yet" } } }
                }
            }
            (fault_of(failure, "jwk"))
            noscript { (notice("bad", "Making a key needs JavaScript. Without it, use `counterfoil credential register` on your own machine.")) }
            p.actions { button #make type="button" { "Make the key pair" } span #made role="status" {} }
            input type="hidden" name="jwk"; input type="hidden" name="proof";
        }
    }
}

fn keep(last: &str) -> Markup {
    html! {
        li.card.waits #keep {
            h2 { "Keep the private half" }
            p.sub { "You must store it, so it is made extractable: your servers sign with it. Download it now; it is gone "
                "when you leave this page. PEM is what the command and most libraries read; JWK is the same key as JSON." }
            p.actions {
                a.button #pem role="button" aria-disabled="true" { "Download PEM" }
                a.button #jwk role="button" aria-disabled="true" { "Download JWK" }
            }
            p.actions { button.primary #register disabled { (last) } span.hint #why { "Make the key pair and download it first." } }
        }
    }
}
