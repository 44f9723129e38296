//! What a receipt's page looks like.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    detail::{command, file_name},
    view::PATH,
};
use crate::{
    base::failure::{Failure, Result},
    oauth::jose::base64url,
    payouts::payout::Payout,
};

pub(super) fn page(payout: &Payout, jws: &str, origin: &str) -> Result<Markup> {
    let path = format!("{PATH}/{}", payout.id);
    let says = says(jws)?;
    Ok(html! {
        a.back href=(path) { "← The payout" }
        div.head {
            div { h1 { "Receipt" } p.sub { code { (payout.id) } } }
            a.button.primary href={ (path) "/receipt/file" } download=(file_name(payout)) { "Download" }
        }
        section.card {
            p { "Signed by this server a moment ago. Show it to whoever trusts neither you nor the wire; with the "
                "download beside it, this judges it:" }
            div.copied data-copy="the command" { pre.wrapped tabindex="0" { (command(payout, origin)) } }
            p.sub { "Keep the keys of the day beside it: " a href="/.well-known/jwks.json" { "/.well-known/jwks.json" } "." }
        }
        section aria-labelledby="says" { h2 #says { "What it says" } pre tabindex="0" { (says) } }
        section aria-labelledby="jws" {
            h2 #jws { "As it is signed" }
            div.copied data-copy="the receipt" { pre.wrapped #receipt tabindex="0" { (jws) } }
        }
    })
}

/// The payload for people. It is ours, made a moment ago.
fn says(jws: &str) -> Result<String> {
    let payload = jws.split('.').nth(1).unwrap_or_default();
    let json =
        base64url::decode(payload).ok_or_else(|| Failure::internal("a receipt is no JWS"))?;
    let says: Value = serde_json::from_slice(&json).map_err(Failure::internal)?;
    serde_json::to_string_pretty(&says).map_err(Failure::internal)
}
