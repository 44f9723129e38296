//! Where the public key of a credential comes from: made here, or brought along.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::failure::{Code, Failure, Result};
use crate::base::private_file::Reserved;
use crate::base::random::Random;
use crate::base::secret::Secret;
use crate::oauth::jose::{KeyKind, PublicJwk};
use crate::oauth::keys::SigningKey;

/// More than any public key has.
const LARGEST_JWK: u64 = 8 << 10;

/// One of the two ways, as flags.
#[derive(Debug, clap::Args)]
pub(super) struct KeySource {
    /// Make a key pair here
    #[arg(
        long,
        value_enum,
        requires = "private_key_out",
        required_unless_present = "public_jwk",
        conflicts_with = "public_jwk"
    )]
    generate: Option<Kind>,
    /// Where the private half goes: PKCS#8 in PEM, readable by you only; an existing file is kept
    #[arg(long, value_name = "FILE", requires = "generate", conflicts_with = "public_jwk")]
    private_key_out: Option<PathBuf>,
    /// A file with the public half as a JWK
    #[arg(long, value_name = "FILE")]
    public_jwk: Option<PathBuf>,
}

/// The kinds of keys that can sign proofs.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// EC P-256, which every library knows
    Es256,
    /// Ed25519
    Ed25519,
}

/// A public key, and the private half if it was made here and waits to be saved.
pub(super) struct Key {
    pub(super) public: PublicJwk,
    private: Option<(Reserved, Secret<String>)>,
}

impl KeySource {
    /// Gets the key. The file for the private half is made first: a key that cannot be saved must
    /// not be registered.
    pub(super) fn key(&self, random: &Random) -> Result<Key> {
        match (self.generate, &self.private_key_out, &self.public_jwk) {
            (Some(kind), Some(path), None) => generate(kind, path, random),
            (None, None, Some(path)) => Ok(Key { public: read_public(path)?, private: None }),
            _ => Err(Failure::because(
                Code::InvalidParameter,
                "give either --generate with --private-key-out, or --public-jwk",
            )),
        }
    }
}

impl Key {
    /// Writes the private half where it belongs. Gives the file, if there is one.
    pub(super) fn save(self) -> Result<Option<PathBuf>> {
        let Some((file, pem)) = self.private else { return Ok(None) };
        let path = file.path().to_owned();
        file.fill(&pem)?;
        Ok(Some(path))
    }
}

fn generate(kind: Kind, path: &Path, random: &Random) -> Result<Key> {
    let file = Reserved::new(path)?;
    let kind = match kind {
        Kind::Es256 => KeyKind::P256,
        Kind::Ed25519 => KeyKind::Ed25519,
    };
    let pem = SigningKey::generate(kind, random).map_err(Failure::internal)?;
    let public = *SigningKey::from_pem(&pem).map_err(Failure::internal)?.public().jwk();
    Ok(Key { public, private: Some((file, pem)) })
}

/// A private JWK is refused and not merely cut down: who passes it around must learn of it.
fn read_public(path: &Path) -> Result<PublicJwk> {
    let wrong = |why: String| {
        Failure::new(Code::ValidationError)
            .field("public_jwk", format!("({}) {why}", path.display()))
    };
    let cannot = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    if fs::metadata(path).map_err(cannot)?.len() > LARGEST_JWK {
        return Err(wrong("is larger than a public key can be".to_owned()));
    }
    let bytes = fs::read(path).map(Secret::new).map_err(cannot)?;
    PublicJwk::parse(bytes.expose()).map_err(|fault| wrong(fault.to_string()))
}
