//! The two ceremonies of `WebAuthn`. `webauthn-rs` reads and judges what authenticators send; no other file
//! names it.

use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder, WebauthnError,
};

use super::model::{LIFE, Listed};
use crate::{
    base::{
        failure::{Failure, Result},
        ids,
    },
    config::{Config, WebOrigin},
    portal::users::{Person, UserId},
};

/// The relying party: the name that passkeys are bound to, and the origins that may ask for one.
#[derive(Debug)]
pub struct Party(Webauthn);

/// A public key with its counter.
#[derive(Clone, Debug)]
pub struct Key {
    passkey: Passkey,
    /// As it is stored: what a later version of the crate would write may be another text.
    written: String,
}

/// What a browser brings to sign somebody in; nothing in it has been checked.
#[derive(Debug)]
pub struct Assertion(PublicKeyCredential);

/// Why an answer does not count. For the trail: whoever tries is told one thing in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The counter has not moved on: there may be a second device with this key.
    Copied,
    /// Another challenge, origin, signature, or nobody has touched the device.
    Wrong,
}

impl Party {
    /// None where no browser would play along: passkeys want a name, not an address of numbers, and https
    /// unless that name is this machine's.
    pub fn of(config: &Config) -> Option<Self> {
        let own = &config.public_url;
        if !own.is_https() && !own.is_loopback() {
            return None;
        }
        let url = |origin: &WebOrigin| Url::parse(origin.as_str()).ok();
        let address = url(own)?;
        let builder = WebauthnBuilder::new(address.domain()?, &address).ok()?;
        let builder = builder.rp_name("Counterfoil").timeout(LIFE);
        let extra = config.extra_public_urls.iter().filter_map(url);
        let builder = extra.fold(builder, |builder, url| builder.append_allowed_origin(&url));
        builder.build().ok().map(Self)
    }

    /// What the browser is told to make a passkey with, and what we keep until it answers.
    pub(super) fn register(&self, person: &Person, own: &[Listed]) -> Result<(Value, String)> {
        let handle = Uuid::from_u128(handle(person.id)?);
        let known = own.iter().map(|own| own.credential_id.clone().into()).collect();
        let (options, state) = self
            .0
            .start_passkey_registration(handle, &person.email, person.shown(), Some(known))
            .map_err(Failure::internal)?;
        let mut options = serde_json::to_value(options).map_err(Failure::internal)?;
        // The crate leaves this to the authenticator; without it, nobody could sign in by it alone.
        if let Some(wanted) = options.pointer_mut("/publicKey/authenticatorSelection") {
            *wanted = json!({
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            });
        }
        Ok((options, serde_json::to_string(&state).map_err(Failure::internal)?))
    }

    /// The passkey that was made; none when the answer is not one to that challenge.
    pub(super) fn registered(&self, state: &str, given: &str) -> Result<Option<Key>> {
        let state: PasskeyRegistration = serde_json::from_str(state).map_err(Failure::internal)?;
        let Ok(given) = serde_json::from_str::<RegisterPublicKeyCredential>(given) else {
            return Ok(None);
        };
        self.0.finish_passkey_registration(&given, &state).ok().map(Key::of).transpose()
    }

    /// What the browser is told to find a passkey with, whoever's it is.
    pub(super) fn ask(&self) -> Result<(Value, String)> {
        let (options, state) =
            self.0.start_discoverable_authentication().map_err(Failure::internal)?;
        let mut options = serde_json::to_value(options).map_err(Failure::internal)?;
        // The crate means a form that completes itself; here somebody presses a button.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        Ok((options, serde_json::to_string(&state).map_err(Failure::internal)?))
    }

    /// Judges an answer: challenge, origin, party, that the person was there and verified, signature,
    /// counter. Gives the key as it is to be kept from now on.
    pub(super) fn answered(
        &self,
        state: &str,
        given: &Assertion,
        key: &Key,
    ) -> Result<Result<Key, Refusal>> {
        let state: DiscoverableAuthentication =
            serde_json::from_str(state).map_err(Failure::internal)?;
        let keys = [DiscoverableKey::from(&key.passkey)];
        Ok(match self.0.finish_discoverable_authentication(&given.0, state, &keys) {
            Ok(result) => {
                let mut passkey = key.passkey.clone();
                let changed = passkey.update_credential(&result) == Some(true);
                Ok(if changed { Key::of(passkey)? } else { key.clone() })
            }
            Err(WebauthnError::CredentialPossibleCompromise) => Err(Refusal::Copied),
            Err(_) => Err(Refusal::Wrong),
        })
    }
}

impl Assertion {
    /// Reads it, if it is one.
    pub fn read(given: &str) -> Option<Self> {
        serde_json::from_str(given).ok().map(Self)
    }

    /// The credential that it names.
    pub fn credential_id(&self) -> &[u8] {
        self.0.get_credential_id()
    }

    /// Whether the authenticator has made the passkey for this person.
    pub fn is_of(&self, user: UserId) -> bool {
        let made_for = self.0.get_user_unique_id();
        handle(user).is_ok_and(|handle| made_for == Some(&handle.to_be_bytes()))
    }
}

impl Key {
    fn of(passkey: Passkey) -> Result<Self> {
        let written = serde_json::to_string(&passkey).map_err(Failure::internal)?;
        Ok(Self { passkey, written })
    }

    /// The id that its authenticator has given it.
    pub fn credential_id(&self) -> &[u8] {
        self.passkey.cred_id().as_ref()
    }

    pub(super) fn written(&self) -> &str {
        &self.written
    }

    pub(super) fn read(written: String) -> Option<Self> {
        let passkey = serde_json::from_str(&written).ok()?;
        Some(Self { passkey, written })
    }
}

/// What authenticators know somebody by: the number of their id, which tells nothing of them.
fn handle(user: UserId) -> Result<u128> {
    ids::parse(&user.to_string(), UserId::PREFIX).map_err(Failure::internal)
}
