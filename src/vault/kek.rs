//! The key that seals data keys, and the one way in which anything here is sealed.

use std::{fs, io, path::Path};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::base::{
    failure::{Code, Failure, Result},
    hex,
    private_file::{self, Reserved},
    random::Random,
    secret::Secret,
};

/// Random nonces of this length may be drawn for ever without one coming twice.
const NONCE: usize = 24;
/// In a sandbox without a configured key.
const FILE: &str = "vault.key";

/// The key-encryption key: it seals data keys and nothing else.
#[derive(Clone, Debug)]
pub struct Kek {
    key: Secret<[u8; 32]>,
    /// A name that tells nothing of the key, to say which one is missing.
    pub(super) id: String,
}

impl Kek {
    /// The configured key.
    pub fn new(key: Secret<[u8; 32]>) -> Self {
        let digest =
            Sha256::new().chain_update(b"counterfoil kek id").chain_update(key.expose()).finalize();
        let (id, _) = digest.split_at(8);
        Self { key, id: hex::encode(id) }
    }

    /// The configured key, or one in a file beside the signing keys, made on first use: then the
    /// database alone still opens nothing, and a sandbox needs no setting.
    pub fn configured_or_in(
        configured: Option<&Secret<[u8; 32]>>,
        folder: &Path,
        random: &Random,
    ) -> Result<Self> {
        if let Some(key) = configured {
            return Ok(Self::new(key.clone()));
        }
        let path = folder.join(FILE);
        match fs::exists(&path) {
            Ok(true) => {}
            Ok(false) => make(&path, random)?,
            Err(error) => return Err(unusable(&path, &error)),
        }
        let text = private_file::read(&path)?;
        let bytes = from_hex(text.expose().trim_ascii().as_bytes());
        bytes
            .map(Self::new)
            .ok_or_else(|| unusable(&path, &"it does not hold 64 hexadecimal digits"))
    }

    pub(super) fn seal(&self, name: &str, key: &[u8], random: &Random) -> Result<Vec<u8>> {
        seal(&self.key, name.as_bytes(), key, random)
    }

    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Option<Secret<[u8; 32]>> {
        let opened = open(&self.key, name.as_bytes(), sealed)?;
        <[u8; 32]>::try_from(opened.as_slice()).ok().map(Secret::new)
    }
}

/// Two processes that start together may both find no file; the second one reads what the first made.
fn make(path: &Path, random: &Random) -> Result<()> {
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(random.bytes());
    let beside = path.with_extension(format!("{:016x}", u64::from_be_bytes(random.bytes())));
    Reserved::new(&beside)?.fill(&Secret::new(hex::encode(&key[..])))?;
    // Unlike a rename, a link never takes the place of a key that is there: what is sealed with it
    // would be lost.
    let linked = fs::hard_link(&beside, path);
    let removed = fs::remove_file(&beside);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unusable(path, &error)),
        _ => removed.map_err(|error| unusable(path, &error)),
    }
}

fn from_hex(text: &[u8]) -> Option<Secret<[u8; 32]>> {
    let mut key = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(text.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Secret::new(key))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let text = format!("the key of the vault cannot be used: {}: {error}", path.display());
    Failure::new(Code::NotConfigured).caused_by(text)
}

/// Seals `clear` under `key`, bound to `about`.
pub(super) fn seal(
    key: &Secret<[u8; 32]>,
    about: &[u8],
    clear: &[u8],
    random: &Random,
) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE] = random.bytes();
    let sealed = XChaCha20Poly1305::new(key.expose().into())
        .encrypt(&nonce.into(), Payload { msg: clear, aad: about })
        .map_err(|_| Failure::internal("a value could not be sealed"))?;
    Ok([&nonce[..], &sealed].concat())
}

/// Opens what [`seal`] sealed under the same key about the same thing.
pub(super) fn open(
    key: &Secret<[u8; 32]>,
    about: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let payload = Payload { msg: sealed, aad: about };
    let opened = XChaCha20Poly1305::new(key.expose().into()).decrypt(&(*nonce).into(), payload);
    opened.ok().map(Zeroizing::new)
}
