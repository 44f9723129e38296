//! What the explainer looks like.

use maud::{Markup, html};

use crate::{
    base::failure::Failure,
    oauth::explain::{Explanation, Finding, Standing},
    portal::frame::{csrf, fault_of, faults},
};

/// What was typed and is shown again. Proof and token are not: a proof that was never sent still
/// counts, and a page may be left open.
pub(super) struct Typed<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    pub(super) sent_at: &'a str,
}

pub(super) fn page(
    token: &str,
    typed: &Typed<'_>,
    explanation: Option<&Explanation>,
    failure: Option<&Failure>,
) -> Markup {
    html! {
        div.head { div { h1 { "Proof explainer" }
            p.sub { "Was a request refused with " code { "invalid_dpop_proof" } "? Paste its proof, and read what each "
                "check says about it. Nothing is sent on, nothing is kept, and the proof is not used up." } } }
        @if let Some(explanation) = explanation { (answer(explanation)) }
        (faults(failure))
        section.card aria-labelledby="paste" {
            h2 #paste { @if explanation.is_some() { "Explain another one" } @else { "The refused request" } }
            (form(token, typed, failure))
        }
    }
}

fn form(token: &str, typed: &Typed<'_>, failure: Option<&Failure>) -> Markup {
    html! {
        form method="post" action="/portal/proofs" {
            (csrf(token))
            label for="proof" { "The proof: the value of the DPoP header" }
            textarea #proof.mono name="proof" rows="5" required spellcheck="false" autocomplete="off" autocapitalize="off"
                placeholder="eyJ0eXAiOiJkcG9wK2p3dCIs…" aria-describedby="proof-hint proof-fault" {}
            (fault_of(failure, "proof"))
            p.sub #proof-hint { "It is not shown again: a proof that was never sent could still be used." }
            div.inline.asked {
                div.short {
                    label for="method" { "Method" }
                    input #method name="method" value=(typed.method) maxlength="20" placeholder="POST" autocomplete="off" autocapitalize="characters" aria-describedby="method-fault";
                    (fault_of(failure, "method"))
                }
                div {
                    label for="url" { "Address of the request" }
                    input #url name="url" value=(typed.url) maxlength="2000" placeholder="https://pay.example/v1/payouts" autocomplete="off" spellcheck="false" aria-describedby="url-fault";
                    (fault_of(failure, "url"))
                }
                div {
                    label for="sent_at" { "When was it sent?" }
                    input #sent_at name="sent_at" value=(typed.sent_at) maxlength="40" placeholder="2026-01-31T12:00:00Z" autocomplete="off" aria-describedby="sent_at-fault sent_at-hint";
                    (fault_of(failure, "sent_at"))
                }
            }
            p.sub #sent_at-hint { "All three may be left out; then method and address cannot be compared, and the time only "
                "with this moment. Times are in UTC, as in your log, or seconds since 1970." }
            label for="token" { "Hash of the access token" }
            input #token name="token" autocomplete="off" spellcheck="false" maxlength="8192" aria-describedby="token-hint";
            (token_hint())
            div.actions { button.primary { "Explain" } }
        }
    }
}

fn token_hint() -> Markup {
    html! {
        div.sub #token-hint {
            p { "Better its hash than the token: whoever sees a token and has a proof for it can spend with it, and a hash "
                "is enough to compare. A token that is pasted here is hashed, compared and forgotten; it is neither "
                "stored nor logged nor shown." }
            pre tabindex="0" aria-label="How to hash a token" { "printf %s \"$TOKEN\" | openssl dgst -sha256 -binary | basenc --base64url | tr -d '='" }
        }
    }
}

fn answer(explanation: &Explanation) -> Markup {
    let wrong = explanation.findings.iter().filter(|finding| finding.standing == Standing::Bad);
    let open = explanation.findings.iter().any(|finding| finding.standing == Standing::Open);
    html! {
        section.card.verdict.(if explanation.told.is_some() { "bad" } else { "good" }) role="status" aria-labelledby="verdict" {
            h2 #verdict { @match wrong.count() {
                0 if open => "Nothing is wrong with what can be told",
                0 => "Nothing is wrong with this proof",
                1 => "One thing is wrong with this proof",
                count => { (count) " things are wrong with this proof" },
            } }
            @match &explanation.told {
                Some((error, description)) => p { "The refusal says " code { (error) } ": " (description) "." },
                None => p { "If it was refused, the reason lies elsewhere: the token (expired, revoked, of another key), the "
                    "merchant's allowance, or the scope. The answer of the request names it." },
            }
            ul.verdicts { @for finding in &explanation.findings { (line(finding, explanation)) } }
        }
    }
}

fn line(finding: &Finding, explanation: &Explanation) -> Markup {
    let (class, word) = match finding.standing {
        Standing::Good => ("on", "right"),
        Standing::Bad => ("refused", "wrong"),
        Standing::Open => ("open", "not told"),
    };
    let client = explanation.client.as_ref().filter(|_| finding.about == "key");
    html! {
        li {
            code { (finding.about) }
            span.badge.(class) { (word) }
            div {
                p { (finding.said) }
                @if !finding.fix.is_empty() { p.fix { (finding.fix) } }
                @if let Some(client) = client {
                    p { a href=(format!("/portal/credentials/{}", client.credential.client_id)) { "Open the credential" } }
                }
            }
        }
    }
}
