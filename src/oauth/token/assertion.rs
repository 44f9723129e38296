//! `private_key_jwt` (RFC 7523): the registered key instead of a shared secret, and no argon2.

use std::{sync::Arc, time::Duration};

use crate::{
    base::{failure::Result, timestamp::Timestamp},
    oauth::{
        authority::{Authority, Claimed},
        credentials::{Client, ClientId},
        jose::{
            Alg, Jkt, PublicKey,
            compact::{self, Compact, Part},
            json::{Json, Object},
            numeric_date,
        },
        refusal,
    },
};

const LONGEST: usize = 4_096;
/// No `typ`, or one of these; never a proof's, so that a proof cannot be shown as an assertion.
const TYPES: &[&str] = &["JWT", "client-authentication+jwt"];
/// How long an assertion may be good for. Not longer than its `jti` is remembered.
const LONGEST_LIFE: Duration = Duration::from_mins(5);
const LONGEST_JTI: usize = 256;

/// An assertion that was good, to be spent when everything else about the request is.
#[derive(Debug)]
pub(super) struct Unspent {
    jkt: Jkt,
    name: String,
}

impl Unspent {
    /// An assertion counts once: one that was overheard is worth nothing afterwards.
    pub(super) async fn spend(&self, authority: &Authority) -> Result<()> {
        let claimed = authority.claim_name(&authority.known(), &self.jkt, &self.name).await?;
        if claimed == Claimed::Now { Ok(()) } else { Err(refusal::of_client()) }
    }
}

/// Finds the client that signed the assertion.
pub(super) async fn authenticate(
    authority: &Authority,
    jwt: &str,
) -> Result<(Arc<Client>, Unspent)> {
    let read = Assertion::read(authority, jwt).ok_or_else(refusal::of_client)?;
    let client = authority.client(&read.client).await?.filter(|client| client.is_active());
    let client = client.ok_or_else(refusal::of_client)?;
    let jkt = read.signed_by(&client).ok_or_else(refusal::of_client)?;
    // The prefix keeps these names apart from those of proofs.
    let name = format!("assertion:{}", read.jti);
    Ok((client, Unspent { jkt, name }))
}

/// An assertion that fits this server and this moment, if its signature turns out to be good.
struct Assertion<'a> {
    jws: Compact<'a>,
    alg: Alg,
    kid: Option<String>,
    client: ClientId,
    jti: String,
}

impl<'a> Assertion<'a> {
    fn read(authority: &Authority, jwt: &'a str) -> Option<Self> {
        let jws = Compact::split(jwt.as_bytes(), LONGEST).ok()?;
        let header = jws.header().ok()?;
        let header = compact::object(&header, Part::Header).ok()?;
        let alg = compact::check_open_header(&header, TYPES).ok()?;
        let kid = header.text("kid").ok()?.map(str::to_owned);
        let payload = jws.payload().ok()?;
        let claims = compact::object(&payload, Part::Payload).ok()?;
        let subject = claims.required_text("sub")?;
        let jti = claims.required_text("jti")?;
        let fits = claims.required_text("iss") == Some(subject)
            && is_for_us(authority, claims.get("aud"))
            && is_timely(&claims, authority.ctx().now(), authority.rules().window)
            && (1..=LONGEST_JTI).contains(&jti.len());
        let (client, jti) = (ClientId::presented(subject), jti.to_owned());
        fits.then_some(Self { jws, alg, kid, client, jti })
    }

    /// The client's active key that made the signature. A client has few keys, and a `kid` picks one.
    fn signed_by(&self, client: &Client) -> Option<Jkt> {
        let signature = self.jws.signature()?;
        let named = |jkt: &Jkt| self.kid.as_ref().is_none_or(|kid| *kid == jkt.as_str());
        let fits = |jkt: &&Jkt| {
            let key = client.key(jkt).filter(|key| key.jwk.kind() == self.alg.key_kind());
            let key = key.and_then(|key| PublicKey::new(key.jwk).ok());
            let input = self.jws.signing_input();
            key.is_some_and(|key| key.verify(self.alg, input, &signature).is_ok())
        };
        let keys = client.keys.iter().map(|key| &key.jkt);
        keys.filter(|jkt| named(jkt)).find(fits).copied()
    }
}

/// The issuer or the token endpoint, alone: an assertion that another server would take too could be
/// carried from there to here.
fn is_for_us(authority: &Authority, audience: Option<&Json<'_>>) -> bool {
    let audience = match audience {
        Some(Json::Text(text)) => text,
        Some(Json::Array(items)) => match items.as_slice() {
            [Json::Text(text)] => text,
            _ => return false,
        },
        _ => return false,
    };
    *audience == authority.rules().issuer || *audience == authority.token_endpoint()
}

fn is_timely(claims: &Object<'_>, now: Timestamp, window: Duration) -> bool {
    let time = |name| claims.get(name).map(numeric_date::read);
    let Some(Some(expires_at)) = time("exp") else { return false };
    let has_come = |name| match time(name) {
        None => true,
        Some(moment) => moment.is_some_and(|moment| moment <= now.plus(window)),
    };
    now < expires_at && expires_at <= now.plus(LONGEST_LIFE) && has_come("nbf") && has_come("iat")
}
