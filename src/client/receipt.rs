//! Judging a receipt, as anybody can who has the published keys and knows nothing else of the server.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Url, redirect::Policy};
use serde_json::Value;

use super::call::in_the_clear;
use crate::{
    base::failure::{Code, Failure, Result},
    oauth::jose::{
        Alg, ClaimedKey, Jkt, JwkFault, PublicJwk, PublicKey, base64url,
        compact::{self, Compact, HeaderFault, Part},
        json::{Json, Object},
    },
};

/// The type of a receipt, and of the offer inside it.
const RECEIPT: &str = "receipt+jws";
const OFFER: &str = "quote+jws";
/// The longest receipt that is read at all.
const LONGEST: usize = 256 << 10;
/// The longest set of keys.
const LONGEST_JWKS: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// Published keys, by their own thumbprints: what a set calls them proves nothing.
#[derive(Debug)]
pub struct Jwks(Vec<PublicKey>);

/// A receipt whose signature fits.
#[derive(Debug)]
pub struct Receipt {
    /// Who signed.
    pub kid: Jkt,
    /// How.
    pub alg: Alg,
    /// What it says.
    pub says: Value,
    /// Whether the quote's own signature was verified; its key can have retired before.
    pub quote_verified: bool,
}

impl Jwks {
    /// Reads a set of keys. Keys of other kinds are passed over, as RFC 7517 wants; a private one is
    /// not: whoever has published it can be impersonated by everybody.
    pub fn read(json: &[u8]) -> Result<Self> {
        let unreadable =
            || refused("this is no JWKS: it must be a JSON object with an array of keys in `keys`");
        let set = Object::parse(json).map_err(|_| unreadable())?;
        let Some(Json::Array(listed)) = set.get("keys") else { return Err(unreadable()) };
        let mut keys = Vec::new();
        for key in listed {
            let point = ClaimedKey::read(Some(key)).and_then(|key| PublicJwk::import(&key));
            match point.and_then(PublicKey::new) {
                Ok(key) => keys.push(key),
                Err(JwkFault::Private) => {
                    return Err(refused("the JWKS publishes a private key; trust none of it"));
                }
                Err(_) => {}
            }
        }
        Ok(Self(keys))
    }

    /// Fetches a set of keys.
    pub async fn fetch(url: &str) -> Result<Self> {
        if in_the_clear(url) {
            // Whoever is on the way could put a key of its own into the set.
            return Err(refused("keys that come over plain http prove nothing; use https"));
        }
        let gone = |error: reqwest::Error| {
            let why = format!("the JWKS cannot be fetched from {url}: {}", error.without_url());
            Failure::new(Code::Unavailable).caused_by(why)
        };
        let url_read = Url::parse(url).map_err(|error| refused(format!("{url}: {error}")))?;
        let http = Client::builder().redirect(Policy::none()).timeout(PATIENCE);
        // Without TLS no certificates are needed, and a small container may have none.
        let http = if url_read.scheme() == "http" { http.tls_certs_only([]) } else { http };
        let http = http.build().map_err(Failure::internal)?;
        let answer = http.get(url_read).send().await.and_then(reqwest::Response::error_for_status);
        let mut answer = answer.map_err(gone)?;
        let mut json = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(gone)? {
            json.extend_from_slice(&piece);
            if json.len() > LONGEST_JWKS {
                return Err(refused(format!("{url} answers with more than a JWKS can be")));
            }
        }
        Self::read(&json)
    }

    fn find(&self, kid: &Jkt) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.jkt() == kid)
    }
}

impl Receipt {
    /// Judges a receipt: the JWS alone, the answer that has it in `receipt`, or what `counterfoil call
    /// --json` prints of that. Nothing that it says is looked at before its signature is good.
    pub fn verify(text: &str, keys: &Jwks) -> Result<Self> {
        let jws = find_jws(text)?;
        let (kid, alg, payload) = match open(&jws, RECEIPT, keys) {
            Ok(opened) => opened,
            Err(fault) => return Err(refused(fault.sentence())),
        };
        let says = compact::object(&payload, Part::Payload)
            .ok()
            .and_then(|_| serde_json::from_slice::<Value>(&payload).ok())
            .ok_or_else(|| {
                refused("the signature fits, but it does not say what a receipt says")
            })?;
        let quote_verified = check_quote(&says, keys)?;
        Ok(Self { kid, alg, says, quote_verified })
    }
}

/// Why a JWS is not believed.
enum Fault {
    NotOne,
    Type,
    Header,
    UnknownKey(String),
    Signature,
}

impl Fault {
    fn sentence(self) -> String {
        match self {
            Self::NotOne => {
                "there is no receipt in this file: it must be a compact JWS, or the JSON \
                             answer that has one in `receipt`"
                    .to_owned()
            }
            Self::Type => format!("this is signed, but no receipt: its type is not {RECEIPT}"),
            Self::Header => {
                "the header of this receipt asks for what nobody should accept".to_owned()
            }
            Self::UnknownKey(kid) => format!(
                "the key {kid} is not in the JWKS; use the JWKS of the day on which the receipt was \
                 issued, or ask for a new receipt"
            ),
            Self::Signature => {
                "the signature is wrong: somebody has changed this receipt, or it was \
                                never signed by the key that it names"
                    .to_owned()
            }
        }
    }
}

fn open(jws: &str, typ: &str, keys: &Jwks) -> Result<(Jkt, Alg, Vec<u8>), Fault> {
    let jws = Compact::split(jws.as_bytes(), LONGEST).map_err(|_| Fault::NotOne)?;
    let header = jws.header().map_err(|_| Fault::NotOne)?;
    let header = compact::object(&header, Part::Header).map_err(|_| Fault::NotOne)?;
    let alg = compact::check_header(&header, typ).map_err(|fault| match fault {
        HeaderFault::Typ => Fault::Type,
        HeaderFault::Alg | HeaderFault::Crit => Fault::Header,
    })?;
    let name = header.required_text("kid").unwrap_or("without a name");
    let kid: Option<Jkt> = name.parse().ok();
    let key = kid.as_ref().and_then(|kid| keys.find(kid));
    let key = key.ok_or_else(|| Fault::UnknownKey(name.chars().take(100).collect()))?;
    let signature = jws.signature().ok_or(Fault::Signature)?;
    key.verify(alg, jws.signing_input(), &signature).map_err(|_| Fault::Signature)?;
    let payload = jws.payload().map_err(|_| Fault::NotOne)?;
    Ok((*key.jkt(), alg, payload))
}

fn find_jws(text: &str) -> Result<String> {
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let answer = Object::parse(text.as_bytes()).ok();
    let answer = answer.as_ref().map(|answer| match answer.get("body") {
        Some(Json::Object(body)) => body,
        _ => answer,
    });
    let jws = answer.and_then(|answer| answer.required_text("receipt"));
    jws.map(str::to_owned).ok_or_else(|| refused(Fault::NotOne.sentence()))
}

/// The offer inside carries a signature of its own, from the time before there was a payout. False
/// when its key is not known any more; a wrong one is refused.
fn check_quote(says: &Value, keys: &Jwks) -> Result<bool> {
    let missing = || refused("the signature fits, but the receipt names no quote");
    let quote = says.get("quote").ok_or_else(missing)?;
    let offer = quote.get("offer").cloned().ok_or_else(missing)?;
    let signature = quote.get("quote_signature").and_then(Value::as_str).ok_or_else(missing)?;
    let offer: BTreeMap<String, String> = serde_json::from_value(offer).map_err(|_| missing())?;
    let same = |name: &str, told: &Value| {
        told.get(name).and_then(Value::as_str) == offer.get(name).map(String::as_str)
    };
    if !same("quote_id", quote) || !same("merchant_id", says) {
        return Err(refused("the quote in this receipt is another one's"));
    }
    let payload = serde_json::to_vec(&offer).map_err(Failure::internal)?;
    let whole = signature.replacen("..", &format!(".{}.", base64url::encode(payload)), 1);
    match open(&whole, OFFER, keys) {
        Ok(_) => Ok(true),
        Err(Fault::UnknownKey(_)) => Ok(false),
        Err(_) => Err(refused("the signature of the quote in this receipt is wrong")),
    }
}

fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> Failure {
    Failure::because(Code::InvalidState, why)
}
