//! One protected request, from its headers to its caller.

use http::{header, request::Parts};
use sha2::{Digest, Sha256};

use super::{Caller, Pass};
use crate::{
    base::failure::{Code, Failure, Result},
    oauth::{
        authority::per_minute,
        dpop::{Endpoint, NonceSeen, ProofFault, nonce::Side, proof},
        jose::TokenHash,
        merchants::MerchantStatus,
        refusal,
        scopes::Scope,
        token::{LONGEST, TokenFault},
    },
    web::{
        address,
        form::{self, is_form},
    },
};

/// Checks everything. Cheap things come first, the signature late, the claim of the proof last: a
/// stranger gets little work out of us, and a refused request never burns a `jti`.
pub(super) async fn caller(pass: &Pass, parts: &Parts, needed: Option<Scope>) -> Result<Caller> {
    let authority = &pass.access.authority;
    let token = presented(pass, parts)?;
    let digest: [u8; 32] = Sha256::digest(token).into();
    let refuse = |fault: ProofFault| {
        // Refused before the token was looked at: only one that has been verified before tells whose
        // log this belongs into. A stranger's costs us no signature.
        if let Some(seen) = pass.access.seen.known(&digest) {
            pass.hold(&seen);
        }
        refusal::of_proof(authority, &fault, Endpoint::Resource)
    };
    let token_hash = TokenHash::of_digest(&digest);
    let htu = authority.htu(&pass.path)?;
    let method = parts.method.as_str();
    let known = authority.known();
    let expected = authority.expect(&known, Side::Resource, method, &htu, Some(&token_hash));
    let headers = parts.headers.get_all("dpop").iter().map(http::HeaderValue::as_bytes);
    let header = proof::only_header(headers).map_err(refuse)?;
    let unverified = proof::read(header, &expected).map_err(refuse)?;

    let seen = pass.access.seen.admit(authority, token, digest).await?;
    let seen = seen.map_err(|fault| refusal::of_token(authority, fault))?;
    // From here on the merchant's own log tells of it: a refused proof is what they look for there.
    pass.hold(&seen);
    let key = seen.key(authority, &unverified).map_err(refuse)?;
    let proof = unverified.verify(&key).map_err(refuse)?;

    let proxies = &authority.rules().proxies;
    let address = address::client(&parts.extensions, &parts.headers, proxies);
    if seen.client.merchant_status != MerchantStatus::Active {
        return Err(Failure::because(Code::Forbidden, "the merchant is suspended"));
    }
    if !seen.client.allows(address) {
        return Err(Failure::because(
            Code::Forbidden,
            "this credential may not be used from this address",
        ));
    }
    let caller = Caller {
        merchant: seen.token.merchant,
        client_id: seen.client.credential.client_id.clone(),
        scopes: seen.token.scopes.clone(),
        jkt: seen.token.jkt,
        address,
        token_ends: seen.token.expires_at,
    };
    count(pass, &caller).await?;
    if let Some(scope) = needed.filter(|scope| !caller.scopes.has(*scope)) {
        let message = format!("the access token lacks the scope {scope}");
        let failure = Failure::because(Code::InsufficientScope, message);
        return Err(refusal::challenged(authority, failure, Some(scope.as_str())));
    }
    authority.claim(&known, &proof, Endpoint::Resource).await?;
    authority.mark_used(&seen.client, &caller.jkt, authority.ctx().now());
    if proof.nonce == NonceSeen::Old {
        pass.next_nonce.get_or_init(|| authority.nonce(Side::Resource));
    }
    pass.checked.get_or_init(|| ());
    Ok(caller)
}

/// The merchant's allowance over all of `/v1`.
async fn count(pass: &Pass, caller: &Caller) -> Result<()> {
    let authority = &pass.access.authority;
    let quota = per_minute("merchant", authority.rules().merchant_per_minute);
    let verdict = authority.limiter().take(quota, &caller.merchant.to_string()).await;
    pass.quota.get_or_init(|| verdict);
    verdict.into_result()
}

/// The one token of a request, taken from the one place where it may stand.
fn presented<'a>(pass: &Pass, parts: &'a Parts) -> Result<&'a str> {
    let authority = &pass.access.authority;
    let malformed = |what: &'static str| {
        refusal::challenged(authority, Failure::because(Code::InvalidRequest, what), None)
    };
    // In a URL it would end up in logs and histories; a form is the other place where RFC 6750 lets
    // a token stand, and two tokens are one too many. No route here takes a form.
    let query = parts.uri.query().unwrap_or_default();
    if query.split('&').any(names_a_token) || is_form(&parts.headers) {
        return Err(malformed(
            "send the access token in the Authorization header only, never in the URL or a form",
        ));
    }
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Err(refusal::unauthenticated(authority)) };
    if values.next().is_some() {
        return Err(malformed("there is more than one Authorization header"));
    }
    let value = value.to_str().map_err(|_| malformed("the Authorization header is not ASCII"))?;
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        // RFC 9449 §7.2: a bound token without its proof is a stolen token.
        return Err(refusal::of_token(authority, TokenFault::Bearer));
    }
    if !scheme.eq_ignore_ascii_case("dpop") {
        return Err(refusal::unauthenticated(authority));
    }
    let token = rest.trim_matches(' ');
    if !is_token68(token) {
        return Err(malformed("the Authorization header must be: DPoP, a space, one access token"));
    }
    if token.len() > LONGEST {
        return Err(refusal::of_token(authority, TokenFault::TooLong));
    }
    Ok(token)
}

/// Whether a pair of the query is a token, however its name is spelt.
fn names_a_token(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    form::decode(name.as_bytes()).is_ok_and(|name| name == "access_token")
}

/// RFC 9110 §11.2.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    !body.is_empty() && body.bytes().all(allowed)
}
