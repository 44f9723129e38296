//! Secrets on their way into the database and out of it.

use crate::{
    base::{failure::Result, timestamp::Timestamp},
    events::{
        EndpointId,
        signatures::{SigningKey, SigningKeys},
    },
    vault::Vault,
};

/// What a secret is sealed about: it opens in its own endpoint's row and nowhere else.
pub(super) fn secret_name(id: EndpointId) -> String {
    format!("{id}/secret")
}

/// The secrets of one endpoint as they rest.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) current: Vec<u8>,
    pub(crate) old: Option<Vec<u8>>,
    pub(crate) old_ends: Option<Timestamp>,
}

/// The keys that are good at this moment. Outside the doors of the database.
pub(crate) async fn open_keys(
    vault: &Vault,
    id: EndpointId,
    sealed: &Sealed,
    now: Timestamp,
) -> Result<SigningKeys> {
    let name = secret_name(id);
    let current = SigningKey::from_stored(&vault.open_sealed(&name, &sealed.current).await?)?;
    let in_grace = sealed.old_ends.is_some_and(|ends| now < ends);
    let previous = match sealed.old.as_deref().filter(|_| in_grace) {
        Some(old) => Some(SigningKey::from_stored(&vault.open_sealed(&name, old).await?)?),
        None => None,
    };
    Ok(SigningKeys { current, previous })
}
