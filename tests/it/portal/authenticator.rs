//! An authenticator in a few lines, made from the standard and not from what checks it: ES256, the
//! attestation "none".

use counterfoil::oauth::jose::base64url;
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

/// One passkey, with everything that could be wrong about its answers.
#[derive(Clone)]
pub(super) struct Authenticator {
    pub(super) key: SigningKey,
    pub(super) id: Vec<u8>,
    pub(super) origin: String,
    pub(super) party: String,
    pub(super) verifies: bool,
    pub(super) user: Vec<u8>,
    /// Sent, and then counted on, with each answer; 0 stays 0, as in passkeys that are synchronised.
    pub(super) counter: u32,
}

impl Authenticator {
    /// A new one on a browser at this origin.
    pub(super) fn at(origin: &str, seed: &str) -> Self {
        let secret: [u8; 32] = Sha256::digest(format!("authenticator {seed}")).into();
        let host = origin.split("://").nth(1).unwrap().split(':').next().unwrap();
        Self {
            key: SigningKey::from_slice(&secret).unwrap(),
            id: Sha256::digest(format!("credential {seed}")).to_vec(),
            origin: origin.to_owned(),
            party: host.to_owned(),
            verifies: true,
            user: Vec::new(),
            counter: 1,
        }
    }

    /// What `navigator.credentials.create` would give for these options.
    pub(super) fn make(&mut self, options: &Value) -> String {
        let options = &options["publicKey"];
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        self.user = base64url::decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let point = self.key.verifying_key().to_sec1_point(false);
        let mut data = self.data(WITH_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // COSE: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(point.x().unwrap());
        data.extend([0x22, 0x58, 0x20]);
        data.extend(point.y().unwrap());
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend(data);
        self.answer(&json!({
            "clientDataJSON": base64url::encode(self.said("webauthn.create", options)),
            "attestationObject": base64url::encode(object),
        }))
    }

    /// What `navigator.credentials.get` would give for these options.
    pub(super) fn sign(&mut self, options: &Value) -> String {
        let options = &options["publicKey"];
        assert_eq!(options["userVerification"], "required");
        assert_eq!(options["allowCredentials"], json!([]), "it tells nobody's credentials");
        let (data, said) = (self.data(0), self.said("webauthn.get", options));
        let mut signed = data.clone();
        signed.extend(Sha256::digest(&said));
        let signature: Signature = self.key.sign(&signed);
        self.answer(&json!({
            "clientDataJSON": base64url::encode(said),
            "authenticatorData": base64url::encode(data),
            "signature": base64url::encode(signature.to_der().as_bytes()),
            "userHandle": base64url::encode(&self.user),
        }))
    }

    fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        let said = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        });
        said.to_string().into_bytes()
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(&self.party).to_vec();
        data.push(flags | PRESENT | if self.verifies { VERIFIED } else { 0 });
        data.extend(self.counter.to_be_bytes());
        self.counter += u32::from(self.counter > 0);
        data
    }

    fn answer(&self, response: &Value) -> String {
        let id = base64url::encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }
}
