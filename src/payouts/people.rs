//! What the routes of beneficiaries and instruments share.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    base::{
        failure::{Failure, Result},
        ids::MerchantId,
    },
    ctx::Ctx,
    vault::Vault,
    web::{
        idempotency::{Key, Request},
        json::{Fields, text},
    },
};

/// The database, the time, the dice, and what seals personal data.
#[derive(Clone, Debug)]
pub struct People {
    /// The world.
    pub ctx: Ctx,
    /// What rests encrypted.
    pub vault: Vault,
}

impl People {
    /// A request that must act at most once. What is remembered of its body is a keyed fingerprint: a
    /// plain hash of a card number could be found again by hashing all card numbers.
    pub(super) fn request(
        &self,
        merchant: MerchantId,
        operation: &'static str,
        key: Key,
        target: &str,
        body: &Value,
    ) -> Result<Request> {
        let mut sorted = body.clone();
        sorted.sort_all_objects();
        let bytes =
            zeroize::Zeroizing::new(serde_json::to_vec(&sorted).map_err(Failure::internal)?);
        let fingerprint = self.vault.fingerprint("idempotency", &bytes)?;
        Ok(Request::new(merchant, operation, key, target, &json!(fingerprint)))
    }
}

/// Reads the published hint of risk. It is checked and not kept: it is somebody's personal data, and
/// nothing here uses it.
pub(super) fn end_user_ip(fields: &mut Fields<'_>) {
    let wanted = "must be an IPv4 or IPv6 address";
    fields.optional("end_user_ip", text(|text| text.parse::<IpAddr>().map_err(|_| wanted)));
}
