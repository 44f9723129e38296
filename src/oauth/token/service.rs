//! A token request, from its headers to its answer.

use std::{net::IpAddr, sync::Arc};

use http::HeaderMap;

use super::{Grant, authentication};
use crate::{
    base::failure::{Code, Failure, Result},
    oauth::{
        authority::Authority,
        credentials::Client,
        dpop::{Endpoint, NonceSeen, ProofFault, nonce::Side, proof},
        merchants::MerchantStatus,
        refusal,
        scopes::Scopes,
    },
    web::form::Form,
};

/// A request as it arrived.
#[derive(Debug)]
pub struct TokenRequest<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path, before any router saw it.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its parameters.
    pub form: &'a Form,
    /// Where it came from.
    pub address: IpAddr,
}

/// The answer.
#[derive(Debug)]
pub struct Granted {
    /// The token.
    pub token: String,
    /// Its life in seconds.
    pub expires_in: u64,
    /// What it may do.
    pub scopes: Scopes,
    /// The current nonce, for a caller that used an older one.
    pub next_nonce: Option<String>,
}

/// Grants a token, or refuses.
///
/// The order is the defence: what costs nothing comes first, then the proof without its signature,
/// then the secret, then the signature, and the claim of the proof last. So a stranger gets no argon2
/// and no signature check for free, and a refused request never burns a `jti`.
pub async fn grant(authority: &Authority, request: &TokenRequest<'_>) -> Result<Granted> {
    let presented = authentication::presented(request.headers, request.form)?;
    check_grant_type(request.form)?;
    let htu = authority.htu(request.path)?;
    let known = authority.known();
    let expected = authority.expect(&known, Side::Authorization, request.method, &htu, None);
    let refuse = |fault: ProofFault| refusal::of_proof(authority, &fault, Endpoint::Token);
    let headers = request.headers.get_all("dpop").iter().map(http::HeaderValue::as_bytes);
    let header = proof::only_header(headers).map_err(refuse)?;
    let unverified = proof::read(header, &expected).map_err(refuse)?;

    let address = request.address;
    let caller = authentication::authenticate(authority, &known, &presented, address).await?;
    let client = &caller.client;
    if client.merchant_status != MerchantStatus::Active {
        return Err(Failure::because(Code::UnauthorizedClient, "the merchant is suspended"));
    }
    // Only a registered key: a stolen secret alone mints nothing.
    if client.key(unverified.jkt()).is_none() {
        return Err(refuse(ProofFault::KeyNotRegistered));
    }
    let scopes = granted_scopes(client, request.form.get("scope"))?;
    let audience = audience(authority, request.form)?;
    let jkt = *unverified.jkt();
    let key = authority.prepared().prepare(&jkt, unverified.claimed_key());
    let key = key.map_err(|fault| refuse(ProofFault::Jwk(fault)))?;
    let proof = unverified.verify(&key).map_err(refuse)?;
    authority.count_token(&client.credential.client_id).await?;
    caller.spend(authority, &known).await?;
    authority.claim(&known, &proof, Endpoint::Token).await?;

    let ctx = authority.ctx();
    let now = ctx.now();
    let grant = Grant {
        issuer: &authority.rules().issuer,
        audience,
        client_id: client.credential.client_id.as_str(),
        merchant: client.credential.merchant_id,
        scopes: &scopes,
        jkt: &jkt,
        lifetime: authority.rules().token_life,
    };
    let ring = authority.ring().current();
    let minted = grant.mint(ring.signer(), now, &ctx.random).map_err(Failure::internal)?;
    authority.mark_used(client, &jkt, now);
    metrics::counter!("tokens_minted_total").increment(1);
    let next_nonce = (proof.nonce == NonceSeen::Old).then(|| authority.nonce(Side::Authorization));
    let expires_in = authority.rules().token_life.as_secs();
    Ok(Granted { token: minted.token, expires_in, scopes, next_nonce })
}

/// Authenticates a request that needs no proof: revocation and introspection (RFC 9449 §6.2).
pub(in crate::oauth) async fn authenticate(
    authority: &Authority,
    request: &TokenRequest<'_>,
) -> Result<Arc<Client>> {
    let presented = authentication::presented(request.headers, request.form)?;
    let (known, address) = (authority.known(), request.address);
    let caller = authentication::authenticate(authority, &known, &presented, address).await?;
    caller.spend(authority, &known).await?;
    Ok(caller.client)
}

fn check_grant_type(form: &Form) -> Result<()> {
    match form.get("grant_type") {
        Some("client_credentials") => Ok(()),
        Some(_) => Err(Failure::new(Code::UnsupportedGrantType)),
        None => Err(Failure::because(
            Code::InvalidRequest,
            "grant_type is missing; send grant_type=client_credentials in the body",
        )),
    }
}

/// The scopes asked for, if the client has them all; without a wish, all it has.
fn granted_scopes(client: &Client, wanted: Option<&str>) -> Result<Scopes> {
    let granted = &client.credential.scopes;
    let Some(wanted) = wanted else { return Ok(granted.clone()) };
    let wanted: Scopes = wanted.parse()?;
    if granted.cover(&wanted) { Ok(wanted) } else { Err(Failure::new(Code::InvalidScope)) }
}

/// One audience per token (RFC 8707): a token for two servers could be carried from one to the other.
fn audience<'a>(authority: &'a Authority, form: &Form) -> Result<&'a str> {
    let mut wanted = form.all("resource");
    let Some(first) = wanted.next() else { return Ok(authority.origin()) };
    let known = authority.rules().origins.iter().find(|origin| *origin == first);
    match known {
        Some(known) if wanted.all(|other| other == first) => Ok(known),
        _ => Err(Failure::because(
            Code::InvalidTarget,
            format!("resource must be one of: {}", authority.rules().origins.join(", ")),
        )),
    }
}
