//! Tokens that have been verified before.

use std::sync::{Arc, OnceLock};

use moka::sync::Cache;

use crate::{
    base::failure::Result,
    oauth::{
        authority::Authority,
        credentials::{Client, ClientId, KeyStatus},
        dpop::{ProofFault, UnverifiedProof},
        jose::PublicKey,
        lifecycle,
        token::{AccessToken, TokenFault, TokenRules, verify},
    },
};

/// About a kilobyte each.
const KEPT: u64 = 50_000;

/// Verified tokens by the whole SHA-256 of their text; shortening it would let a forged token meet a
/// real one. Refusals are not kept, or strangers would choose what fills the memory.
#[derive(Clone, Debug)]
pub struct SeenTokens(Arc<Cache<[u8; 32], Arc<Seen>>>);

/// A token and its client, as of one generation of everybody's access.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) token: AccessToken,
    pub(super) client: Arc<Client>,
    /// The key that the token is bound to, once a proof has brought it.
    key: OnceLock<Arc<PublicKey>>,
    generation: i64,
}

impl Seen {
    /// The key of a proof that is bound to this token: prepared at its first proof, at hand afterwards.
    pub(super) fn key(
        &self,
        authority: &Authority,
        proof: &UnverifiedProof<'_>,
    ) -> Result<Arc<PublicKey>, ProofFault> {
        proof.must_be_bound_to(&self.token.jkt)?;
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let key = authority.prepared().prepare(proof.jkt(), proof.claimed_key())?;
        Ok(self.key.get_or_init(|| key).clone())
    }
}

impl Default for SeenTokens {
    fn default() -> Self {
        Self(Arc::new(Cache::builder().max_capacity(KEPT).build()))
    }
}

impl SeenTokens {
    /// A token that was verified before; whether it is still good is not asked.
    pub(super) fn known(&self, digest: &[u8; 32]) -> Option<Arc<Seen>> {
        self.0.get(digest)
    }

    /// The token, if its signature, times, client and key are all good now.
    ///
    /// A token seen before costs no signature; what can change is looked at again whenever anybody's
    /// access has changed: revocation of the token, the client and the key.
    pub(super) async fn admit(
        &self,
        authority: &Authority,
        text: &str,
        digest: [u8; 32],
    ) -> Result<Result<Arc<Seen>, TokenFault>> {
        let generation = authority.generation().await?;
        let known = self.0.get(&digest);
        if let Some(seen) = &known
            && let Err(fault) = still_good(authority, &seen.token)
        {
            self.0.invalidate(&digest);
            return Ok(Err(fault));
        }
        let token = match known {
            Some(seen) if seen.generation == generation => {
                metrics::counter!("token_cache_total", "outcome" => "hit").increment(1);
                return Ok(Ok(seen));
            }
            Some(seen) => seen.token.clone(),
            None => match first_sight(authority, text) {
                Ok(token) => token,
                Err(fault) => return Ok(Err(fault)),
            },
        };
        metrics::counter!("token_cache_total", "outcome" => "miss").increment(1);
        let Some(client) = standing(authority, &token).await? else {
            self.0.invalidate(&digest);
            return Ok(Err(TokenFault::Revoked));
        };
        let seen = Arc::new(Seen { token, client, key: OnceLock::new(), generation });
        self.0.insert(digest, seen.clone());
        Ok(Ok(seen))
    }
}

fn first_sight(authority: &Authority, text: &str) -> Result<AccessToken, TokenFault> {
    let audiences: Vec<&str> = authority.rules().origins.iter().map(String::as_str).collect();
    let rules = TokenRules {
        issuer: &authority.rules().issuer,
        audiences: &audiences,
        now: authority.ctx().now(),
    };
    let ring = authority.ring().current();
    verify(text, &rules, |kid| ring.verifier(kid))
}

/// What time alone can change about a verified token, and the removal of its signing key.
fn still_good(authority: &Authority, token: &AccessToken) -> Result<(), TokenFault> {
    token.check_times(authority.ctx().now())?;
    match authority.ring().current().verifier(&token.kid) {
        Some(_) => Ok(()),
        None => Err(TokenFault::UnknownKey),
    }
}

/// The token's client, unless the token, the client or the key has been revoked.
async fn standing(authority: &Authority, token: &AccessToken) -> Result<Option<Arc<Client>>> {
    if lifecycle::is_revoked(authority.ctx(), token.merchant, &token.jti).await? {
        return Ok(None);
    }
    let Some(client_id) = ClientId::presented(&token.client_id) else { return Ok(None) };
    let client = authority.client(&client_id).await?;
    let holds_key = |client: &Client| {
        let mut keys = client.keys.iter();
        keys.any(|key| key.jkt == token.jkt && key.status == KeyStatus::Active)
    };
    Ok(client.filter(|client| client.is_active() && holds_key(client)))
}
