//! The part of the account page about passkeys.

use maud::{Markup, html};

use super::view::Seen;
use crate::portal::{
    frame::{ago, csrf, moment},
    passkeys::{Listed, MOST},
};

pub(super) fn section(seen: &Seen<'_>) -> Markup {
    html! {
        div.head { h2 #passkeys-head { "Passkeys" } }
        p.sub {
            "A passkey stands for password and code. Your telephone, your computer or a key that you carry keeps it and "
            "opens it with your finger, face or PIN; it answers to this address only, so a false page gets nothing."
        }
        @if !seen.passkeys.is_empty() { (list(seen)) }
        @if !seen.offers_passkeys {
            p.empty {
                "Browsers keep passkeys for a name and over https. Whoever runs this server sets " code { "public_url" }
                " to one, such as " code { "https://pay.example" } " (or " code { "http://localhost:8080" } " to try it)."
            }
        } @else if seen.passkeys.len() < MOST {
            (add(seen))
        } @else {
            p.empty { "Ten are as many as one person can have. Remove one to add another." }
        }
    }
}

fn list(seen: &Seen<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="passkeys-head" {
            table {
                thead { tr { th { "Name" } th { "Added" } th { "Last used" } th { span.sub { "Remove" } } } }
                tbody { @for passkey in seen.passkeys { (row(seen, passkey)) } }
            }
        }
    }
}

fn row(seen: &Seen<'_>, passkey: &Listed) -> Markup {
    let path = format!("/portal/account/passkeys/{}", passkey.id);
    html! {
        tr {
            td.name {
                (passkey.name)
                details {
                    summary { "Rename" span.unseen { " " (passkey.name) } }
                    form.inline method="post" action=(format!("{path}/name")) {
                        (csrf(seen.token))
                        input type="text" name="name" value=(passkey.name) required maxlength="60" autocomplete="off"
                            aria-label=(format!("New name of {}", passkey.name));
                        button { "Rename" }
                    }
                }
            }
            td { (moment(passkey.created_at)) }
            td {
                @if let Some(at) = passkey.used_at { (ago(at, seen.now)) } @else { "never" }
                @if !passkey.readable { p.sub { "This version of the server cannot read it, so it opens nothing. If that stays so, remove it and add it again." } }
            }
            td {
                form method="post" action=(format!("{path}/remove")) data-ask=(format!("Remove the passkey {}?", passkey.name)) {
                    (csrf(seen.token))
                    button.bad aria-label=(format!("Remove {}", passkey.name)) { "Remove" }
                }
            }
        }
    }
}

/// The form waits for the script: without one, the sentence above it stays.
fn add(seen: &Seen<'_>) -> Markup {
    html! {
        p.empty data-passkey-missing { "This browser does not know passkeys, or does not run this page’s script." }
        form.card #new-passkey method="post" action="/portal/account/passkeys" data-passkey="create"
            data-challenge="/portal/account/passkeys/challenge" hidden {
            h3 { "Add a passkey" }
            (csrf(seen.token))
            input type="hidden" name="credential";
            div.split {
                div {
                    label for="passkey-name" { "A name that you will know it by" }
                    input #passkey-name type="text" name="passkey-name" value=(seen.passkey_name) required maxlength="60"
                        autocomplete="off" placeholder="My laptop" aria-describedby="passkey-said";
                }
                @if seen.account.password_hash.is_some() {
                    div {
                        label for="passkey-current" { "Your password" }
                        input #passkey-current type="password" name="current" required maxlength="256"
                            autocomplete="current-password" aria-describedby="passkey-said";
                    }
                }
                @if seen.account.person.totp_since.is_some() {
                    div {
                        label for="passkey-code" { "A code of your app, or a recovery code" }
                        input #passkey-code type="text" name="code" required maxlength="24" autocomplete="one-time-code"
                            aria-describedby="passkey-said";
                    }
                }
            }
            p.actions { button.primary { "Add a passkey" } span.sub #passkey-said role="status" {} }
        }
    }
}
