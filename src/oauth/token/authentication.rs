//! Who is asking at the token endpoint and its neighbours.

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};

use super::assertion;
use crate::{
    base::{
        failure::{Code, Failure, Result},
        secret::Secret,
    },
    oauth::{
        authority::Authority,
        credentials::{Client, ClientId},
        dpop::replay::Known,
        refusal,
    },
    web::form::{self, Form},
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a caller presents to authenticate, before anything of it is believed.
#[derive(Debug)]
pub(super) enum Presented {
    /// RFC 6749 §2.3.1.
    Basic { client: String, secret: Secret<String> },
    /// RFC 7523: a JWT signed with a registered key.
    Assertion { jwt: String, named: Option<String> },
}

/// Finds the one method that a request uses; two at once are refused, because each could name
/// another client.
pub(super) fn presented(headers: &HeaderMap, form: &Form) -> Result<Presented> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (authorization, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(malformed("there is more than one Authorization header"));
    }
    let named = form.get("client_id").map(str::to_owned);
    let assertion = form.get("client_assertion");
    match (authorization, assertion) {
        (Some(_), Some(_)) => Err(malformed("use one method of client authentication, not two")),
        _ if form.get("client_secret").is_some()
            && (authorization.is_some() || assertion.is_some()) =>
        {
            Err(malformed("use one method of client authentication, not two"))
        }
        (Some(authorization), None) => {
            let (client, secret) =
                basic(authorization.as_bytes()).ok_or_else(refusal::of_client)?;
            if named.is_some_and(|named| named != client) {
                return Err(malformed("client_id differs from the authenticated client"));
            }
            Ok(Presented::Basic { client, secret })
        }
        (None, Some(jwt)) => match form.get("client_assertion_type") {
            Some(JWT_BEARER) => Ok(Presented::Assertion { jwt: jwt.to_owned(), named }),
            _ => Err(malformed("client_assertion_type must be the jwt-bearer URN of RFC 7523")),
        },
        // A secret in the body ends up in logs of bodies; only Basic is registered.
        (None, None) => Err(refusal::of_client()),
    }
}

/// Scheme without case, base64, then both halves form-decoded.
pub fn basic(header: &[u8]) -> Option<(String, Secret<String>)> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = Secret::new(BASE64_STANDARD.decode(rest.trim_ascii()).ok()?);
    let colon = decoded.expose().iter().position(|byte| *byte == b':')?;
    let (client, secret) = decoded.expose().split_at_checked(colon)?;
    let client = form::decode(client).ok()?;
    let secret = Secret::new(form::decode(secret.get(1..)?).ok()?);
    let empty = client.is_empty() || secret.expose().is_empty();
    (!empty).then_some((client, secret))
}

/// A client that has shown who it is.
#[derive(Debug)]
pub(super) struct Authenticated {
    pub(super) client: Arc<Client>,
    assertion: Option<assertion::Unspent>,
}

impl Authenticated {
    /// Uses up what may be used once; the step before the request takes effect.
    pub(super) async fn spend(&self, authority: &Authority, known: &Known) -> Result<()> {
        match &self.assertion {
            Some(assertion) => assertion.spend(authority, known).await,
            None => Ok(()),
        }
    }
}

/// Authenticates, or answers the same for every reason: unknown, revoked, wrong secret, wrong place.
pub(super) async fn authenticate(
    authority: &Authority,
    known: &Known,
    presented: &Presented,
    address: IpAddr,
) -> Result<Authenticated> {
    let (client, assertion) = match presented {
        Presented::Basic { client, secret } => {
            (by_secret(authority, client, secret, address).await?, None)
        }
        Presented::Assertion { jwt, named } => {
            let (client, unspent) = assertion::authenticate(authority, known, jwt, address).await?;
            if named.as_ref().is_some_and(|named| named != client.credential.client_id.as_str()) {
                return Err(malformed("client_id differs from the authenticated client"));
            }
            (client, Some(unspent))
        }
    };
    if !client.allows(address) {
        tracing::warn!(client = %client.credential.client_id, "A credential was used from an address that is not on its list.");
        return Err(refusal::of_client());
    }
    Ok(Authenticated { client, assertion })
}

async fn by_secret(
    authority: &Authority,
    id: &str,
    secret: &Secret<String>,
    address: IpAddr,
) -> Result<Arc<Client>> {
    let id = ClientId::presented(id);
    // A client that we have met is counted when it turns out that its secret is not remembered; who
    // has not been met is counted before anything is done for it.
    let met = id.as_ref().is_some_and(|id| authority.has_met(id));
    if !met {
        authority.count_stranger(address).await?;
    }
    let id = id.ok_or_else(refusal::of_client)?;
    let client = authority.client(&id).await?;
    // From an address that is not on its list a client counts as nobody: strangers there must not
    // use up what those on the list may try.
    let at_home = client.as_ref().is_some_and(|client| client.allows(address));
    let client = client.filter(|client| client.is_active());
    let (now, secrets) = (authority.ctx().now(), authority.secrets());
    // Nobody's secret for an unknown client: the check then costs as much and always fails.
    let nobodys = || vec![authority.hasher().dummy().to_owned()];
    let stored = client.as_ref().map_or_else(nobodys, |client| client.valid_secrets(now));
    let permission = async {
        if met {
            authority.count_stranger(address).await?;
        }
        authority.count_guess(&id, at_home, address).await
    };
    let fits = secrets.check(authority.hasher(), id.as_str(), secret, &stored, permission).await?;
    let client = client.filter(|_| fits).ok_or_else(refusal::of_client)?;
    authority.knew_the_secret(&id, address);
    Ok(client)
}

fn malformed(what: &'static str) -> Failure {
    Failure::because(Code::InvalidRequest, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<(String, String)> {
        let read = basic(header.as_bytes());
        read.map(|(client, secret)| (client, secret.expose().clone()))
    }

    #[test]
    fn basic_is_form_decoded_and_nothing_is_guessed() {
        let header = |text: &str| format!("bAsIc {}", BASE64_STANDARD.encode(text));
        let pair = |client: &str, secret: &str| Some((client.to_owned(), secret.to_owned()));
        assert_eq!(read(&header("a:b")), pair("a", "b"));
        assert_eq!(read(&header("a%3Ab:c%20d+e%2B:f")), pair("a:b", "c d e+:f"));
        for bad in [":b", "a:", "ab", "", "a%4:b", "a:%ff"] {
            assert_eq!(read(&header(bad)), None, "{bad}");
        }
        for bad in ["Bearer YTpi", "Basic", "Basic ", "Basic !!!!", "BasicYTpi", "Basic YTpi YTpi"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
