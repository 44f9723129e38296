//! What is shown once, right after it was made.

use maud::{Markup, html};

use super::calls;
use crate::{
    base::secret::Secret,
    oauth::credentials::{Credential, Registered},
    portal::frame::notice,
};

fn once(client: &str, secret: &str) -> Markup {
    html! {
        label { "Client id" }
        div.secret data-copy="the client id" { code #client-id { (client) } }
        label { "Client secret" }
        div.secret data-copy="the client secret" { code #client-secret { (secret) } }
    }
}

pub(super) fn registered(made: &Registered, origin: &str) -> Markup {
    let (client, secret) = (made.credential.client_id.as_str(), made.secret.expose());
    html! {
        div.head { h1 { "Your new credential" } }
        (notice("warn", "The secret is shown now and never again: we keep only a hash of it. Store it \
            beside the private key."))
        section.card { (once(client, secret))
            label { "Key thumbprint (jkt)" }
            p { code #jkt { (made.jkt) } }
        }
        section aria-labelledby="first" {
            h2 #first { "Your first call" }
            (calls::ready(origin, client, secret))
        }
        p.actions {
            a.button.primary href=(format!("/portal/credentials/{client}")) { "I have stored it" }
        }
    }
}

pub(super) fn rotated(credential: &Credential, secret: &Secret<String>) -> Markup {
    let client = credential.client_id.as_str();
    html! {
        div.head { h1 { "The new secret of " (credential.label) } }
        (notice("warn", "It is shown now and never again. Put it where your servers read it, then let the \
            old one run out."))
        section.card { (once(client, secret.expose())) }
        p.actions {
            a.button.primary href=(format!("/portal/credentials/{client}")) { "I have stored it" }
        }
    }
}
