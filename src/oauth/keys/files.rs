//! The ring's folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};

use crate::base::{
    failure::{Code, Failure, Result},
    random::Random,
    secret::Secret,
};

pub(super) const MANIFEST: &str = "ring.json";
const NONCE: usize = 12;

/// How private keys rest on disk.
#[derive(Clone, Debug)]
pub enum Protection {
    /// As PEM; the folder's permissions are all that protects them.
    Plain,
    /// Sealed with a key-encryption key. A copied folder or backup alone signs nothing.
    Sealed(Secret<[u8; 32]>),
}

/// One key in the manifest.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) kid: String,
    pub(super) alg: String,
    pub(super) made_at_us: i64,
    pub(super) active_from_us: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    keys: Vec<Entry>,
}

/// The folder with its manifest and key files.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    protection: Protection,
}

impl Folder {
    /// Makes the folder if it is missing, for its owner only.
    pub(super) fn open(path: &Path, protection: Protection) -> Result<Self> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| unusable(path, &error))?;
        Ok(Self { path: path.to_owned(), protection })
    }

    /// Keeps other processes from changing the ring meanwhile; ends with the value.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.path.join(".lock");
        let file = File::options().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unusable(&path, &error))?;
        file.lock().map_err(|error| unusable(&path, &error))?;
        Ok(file)
    }

    /// Something that changes whenever the manifest does; asked often.
    pub(super) fn stamp(&self) -> Option<(std::time::SystemTime, u64)> {
        let facts = fs::metadata(self.path.join(MANIFEST)).ok()?;
        Some((facts.modified().ok()?, facts.len()))
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let path = self.path.join(MANIFEST);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<Manifest>(&bytes)
                .map(|manifest| manifest.keys)
                .map_err(|error| unusable(&path, &error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(unusable(&path, &error)),
        }
    }

    pub(super) fn write_entries(&self, keys: Vec<Entry>) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(&Manifest { keys }).map_err(Failure::internal)?;
        text.push(b'\n');
        self.write(MANIFEST, &text)
    }

    pub(super) fn store(&self, kid: &str, pem: &Secret<String>, random: &Random) -> Result<()> {
        match &self.protection {
            Protection::Plain => self.write(&format!("{kid}.pem"), pem.expose().as_bytes()),
            Protection::Sealed(key) => {
                let nonce: [u8; NONCE] = random.bytes();
                // The key's name is sealed with it: files that change places do not open.
                let payload = Payload { msg: pem.expose().as_bytes(), aad: kid.as_bytes() };
                let sealed = ChaCha20Poly1305::new(key.expose().into())
                    .encrypt(&nonce.into(), payload)
                    .map_err(|_| Failure::internal("a signing key could not be sealed"))?;
                self.write(&format!("{kid}.sealed"), &[&nonce[..], &sealed].concat())
            }
        }
    }

    pub(super) fn load(&self, kid: &str) -> Result<Secret<String>> {
        let plain = self.path.join(format!("{kid}.pem"));
        if plain.exists() {
            return fs::read_to_string(&plain)
                .map(Secret::new)
                .map_err(|error| unusable(&plain, &error));
        }
        let path = self.path.join(format!("{kid}.sealed"));
        let bytes = fs::read(&path).map_err(|error| unusable(&path, &error))?;
        let Protection::Sealed(key) = &self.protection else {
            return Err(unusable(&path, &"it is encrypted; set keys.encryption_key"));
        };
        let opened = bytes.split_first_chunk::<NONCE>().and_then(|(nonce, sealed)| {
            let payload = Payload { msg: sealed, aad: kid.as_bytes() };
            ChaCha20Poly1305::new(key.expose().into()).decrypt(&(*nonce).into(), payload).ok()
        });
        opened
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Secret::new)
            .ok_or_else(|| unusable(&path, &"keys.encryption_key does not open it"))
    }

    /// Removes a private key; a file that is gone already is as good.
    pub(super) fn forget(&self, kid: &str) {
        for kind in ["pem", "sealed"] {
            _ = fs::remove_file(self.path.join(format!("{kid}.{kind}")));
        }
    }

    /// Written beside, flushed, then renamed: a crash leaves the old file or the new one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, beside) = (self.path.join(name), self.path.join(format!(".{name}.new")));
        let write = || {
            let mut file = File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| unusable(&path, &error))
    }
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let text = format!("the signing keys cannot be used: {}: {error}", path.display());
    Failure::new(Code::Unavailable).caused_by(text)
}
