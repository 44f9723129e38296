//! `private_key_jwt` (RFC 7523): the registered key instead of a shared secret, and no argon2.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{
    base::{
        failure::{Code, Failure, Result},
        timestamp::Timestamp,
    },
    oauth::{
        authority::{Authority, Claimed},
        credentials::{Client, ClientId, KeyStatus, RegisteredKey},
        dpop::replay::Known,
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
    pub(super) async fn spend(&self, authority: &Authority, known: &Known) -> Result<()> {
        match authority.claim_name(known, &self.jkt, &self.name).await? {
            Claimed::Now => Ok(()),
            Claimed::Before => Err(refusal::of_client()),
            Claimed::Perhaps => Err(pausing(Duration::from_secs(1))),
        }
    }
}

/// Finds the client that signed the assertion. Whatever costs something is counted before it is done.
pub(super) async fn authenticate(
    authority: &Authority,
    known: &Known,
    jwt: &str,
    address: IpAddr,
) -> Result<(Arc<Client>, Unspent)> {
    let read = Assertion::read(authority, jwt);
    if !read.as_ref().is_some_and(|read| authority.has_met(&read.client)) {
        authority.count_stranger(address).await?;
    }
    let read = read.ok_or_else(refusal::of_client)?;
    let client = authority.client(&read.client).await?.filter(|client| client.is_active());
    let client = client.ok_or_else(refusal::of_client)?;
    authority.count_assertion(&read.client, address).await?;
    let jkt = read.signed_by(&client).ok_or_else(refusal::of_client)?;
    if let Some(until) = known.forgotten_until.filter(|until| read.may_be_forgotten(*until)) {
        // It may have been used before the record was lost, and would then be used a second time.
        let now = authority.ctx().now();
        return Err(if now <= until { pausing(until.since(now)) } else { refusal::of_client() });
    }
    // The prefix keeps these names apart from those of proofs.
    let name = format!("assertion:{}", read.jti);
    Ok((client, Unspent { jkt, name }))
}

/// While nothing that is signed now can be told from what was used before a loss.
fn pausing(wait: Duration) -> Failure {
    Failure::new(Code::TemporarilyUnavailable)
        .retry_after(wait)
        .caused_by("used assertions may have been forgotten")
}

/// An assertion that fits this server and this moment, if its signature turns out to be good.
struct Assertion<'a> {
    jws: Compact<'a>,
    alg: Alg,
    kid: Option<String>,
    client: ClientId,
    jti: String,
    times: Times,
}

/// What it says about its life.
struct Times {
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
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
        let times = Times::read(&claims, authority.ctx().now(), authority.rules().window)?;
        let fits = claims.required_text("iss") == Some(subject)
            && is_for_us(authority, claims.get("aud"))
            && (1..=LONGEST_JTI).contains(&jti.len());
        let (client, jti) = (ClientId::presented(subject)?, jti.to_owned());
        fits.then_some(Self { jws, alg, kid, client, jti, times })
    }

    /// The client's active key, if it made the signature.
    fn signed_by(&self, client: &Client) -> Option<Jkt> {
        let key = self.named_key(client).filter(|key| key.jwk.kind() == self.alg.key_kind())?;
        let public = PublicKey::new(key.jwk).ok()?;
        let (input, signature) = (self.jws.signing_input(), self.jws.signature()?);
        public.verify(self.alg, input, &signature).ok().map(|()| key.jkt)
    }

    /// The key that `kid` names; without one, the only key there is. To try all keys of a client would
    /// let one forged assertion buy twenty signature checks.
    fn named_key<'c>(&self, client: &'c Client) -> Option<&'c RegisteredKey> {
        let mut active = client.keys.iter().filter(|key| key.status == KeyStatus::Active);
        match &self.kid {
            Some(kid) => active.find(|key| key.jkt.as_str() == kid),
            None => active.next().filter(|_| active.next().is_none()),
        }
    }

    /// Whether it may have been used before a loss: what was used then was dated `until` at most, and
    /// ended one life later at most.
    fn may_be_forgotten(&self, until: Timestamp) -> bool {
        let Times { issued_at, expires_at } = self.times;
        issued_at.is_none_or(|at| at <= until) && expires_at <= until.plus(LONGEST_LIFE)
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

impl Times {
    fn read(claims: &Object<'_>, now: Timestamp, window: Duration) -> Option<Self> {
        let time = |name| claims.get(name).map(numeric_date::read);
        let expires_at = time("exp")??;
        let has_come = |moment: Option<Option<Timestamp>>| match moment {
            None => true,
            Some(moment) => moment.is_some_and(|moment| moment <= now.plus(window)),
        };
        let issued_at = time("iat");
        let timely = now < expires_at
            && expires_at <= now.plus(LONGEST_LIFE)
            && has_come(time("nbf"))
            && has_come(issued_at);
        timely.then_some(Self { issued_at: issued_at.flatten(), expires_at })
    }
}
