//! A secret, shown once.

use maud::{Markup, html};

use crate::{
    base::timestamp::Timestamp,
    events::{
        endpoints::Endpoint,
        signatures::{Dialect, SigningKeys},
    },
    portal::frame::{moment, notice},
};

/// After an endpoint was made.
pub(super) fn created(endpoint: &Endpoint, keys: &SigningKeys) -> Markup {
    html! {
        div.head { h1 { "The endpoint is ready" } }
        (notice("good", "What happens from now on is sent there."))
        (secret(endpoint, keys))
        p.actions { a.button.primary href=(format!("/portal/webhooks/{}", endpoint.id)) { "Go to the endpoint, and send it a test" } }
    }
}

/// After its secret was changed.
pub(super) fn rotated(
    endpoint: &Endpoint,
    keys: &SigningKeys,
    old_ends: Option<Timestamp>,
) -> Markup {
    html! {
        div.head { h1 { "The new secret" } }
        @match old_ends {
            Some(end) => p.notice.warn role="status" { "Every delivery carries two signatures until " (moment(end)) ": one of each secret. Change over before." },
            None => (notice("warn", "The old secret signs nothing any more.")),
        }
        (secret(endpoint, keys))
        p.actions { a.button.primary href=(format!("/portal/webhooks/{}", endpoint.id)) { "I have kept it" } }
    }
}

fn secret(endpoint: &Endpoint, keys: &SigningKeys) -> Markup {
    html! {
        section.card {
            h2 { "Secret" }
            p { "Keep it where " code { (endpoint.url) } " can read it. This page shows it once; your servers can read it again at "
                code { "GET /v1/webhooks/" (endpoint.id) "/secret" } "." }
            div.secret data-copy="the secret" { code #secret { (keys.current.secret().expose()) } }
            @if endpoint.dialect == Dialect::Standard { @if let Some(public) = keys.current.public() {
                h3 { "Public key" }
                p.sub { "For " code { "v1a" } " signatures: who has this can check deliveries and not forge them." }
                div.secret data-copy="the public key" { code { (public) } }
            } }
        }
    }
}
