//! Profiles: a small TOML file that says who calls whom, with which secret and key.
//!
//! ```toml
//! base_url = "https://pay.example"
//! client_id = "ant_oc_…"
//! client_secret = "ant_ocs_…"         # or client_secret_file = "…"
//! private_key = "shop.pem"            # PKCS#8 in PEM
//! scope = "payouts:read"              # optional; without it, all that the credential has
//! ```
//!
//! Relative paths start at the profile's own folder.

use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::Deserialize;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        private_file::{self, Reserved},
        secret::Secret,
    },
    oauth::keys::SigningKey,
};

/// Who calls whom.
#[derive(Debug)]
pub struct Profile {
    /// The server, without a slash at the end.
    pub base_url: String,
    /// The credential.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret<String>,
    /// Its key.
    pub key: SigningKey,
    /// The rights to ask for; none means all.
    pub scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    base_url: String,
    client_id: String,
    client_secret: Option<Secret<String>>,
    client_secret_file: Option<PathBuf>,
    private_key: PathBuf,
    scope: Option<String>,
}

impl Profile {
    /// Reads a profile, its key, and its secret if that is in a file of its own.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            let shown = path.display();
            return Err(Failure::because(
                Code::NotFound,
                format!(
                    "there is no profile at {shown}: `counterfoil credential register … \
                     --profile-out {shown}` makes one; --profile and COUNTERFOIL_PROFILE name another"
                ),
            ));
        }
        let text = private_file::read(path)?;
        let written = parse(text.expose()).map_err(|why| unusable(path, &why))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let client_secret = match (written.client_secret, written.client_secret_file) {
            (Some(secret), None) => secret,
            (None, Some(file)) => {
                let text = private_file::read(&folder.join(file))?;
                Secret::new(text.expose().trim_end().to_owned())
            }
            _ => {
                let why = "needs either client_secret or client_secret_file, and not both";
                return Err(unusable(path, why));
            }
        };
        let key_path = folder.join(&written.private_key);
        let key = SigningKey::from_pem(&private_file::read(&key_path)?)
            .map_err(|fault| unusable(&key_path, &fault.to_string()))?;
        let base_url = base_url(&written.base_url).map_err(|why| unusable(path, &why))?;
        let Written { client_id, scope, .. } = written;
        Ok(Self { base_url, client_id, client_secret, key, scope })
    }
}

/// Writes a profile into its reserved file.
pub fn write(
    file: Reserved,
    base_url: &str,
    client_id: &str,
    secret: &Secret<String>,
    key_file: &Path,
) -> Result<()> {
    let key_file = as_seen_from(file.path(), key_file)?;
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let text = Secret::new(format!(
        "# For `counterfoil call`. Whoever can read this file can call as its owner.\n\
         base_url = {}\nclient_id = {}\nclient_secret = {}\nprivate_key = {}\n",
        quoted(base_url),
        quoted(client_id),
        quoted(secret.expose()),
        quoted(&key_file),
    ));
    file.fill(&text)
}

/// The key's path as the profile names it: relative within its folder, so that the folder can be
/// moved; absolute elsewhere.
fn as_seen_from(profile: &Path, key_file: &Path) -> Result<String> {
    let profile = std::path::absolute(profile).map_err(Failure::internal)?;
    let key_file = std::path::absolute(key_file).map_err(Failure::internal)?;
    let folder = profile.parent().unwrap_or(&profile);
    let path = key_file.strip_prefix(folder).unwrap_or(&key_file);
    path.to_str().map(str::to_owned).ok_or_else(|| unusable(path, "is not a name in UTF-8"))
}

fn parse(text: &str) -> Result<Written, String> {
    toml::from_str(text).map_err(|error| {
        // The parser's own Display would quote the line, which may hold the secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("line {line}: {}", error.message())
    })
}

/// An address that a path can be put behind, and nothing else: a query or a user name in it would
/// end up somewhere in each request.
fn base_url(text: &str) -> Result<String, String> {
    let wanted = "base_url must be like https://pay.example, without user, query and fragment";
    let url = Url::parse(text).map_err(|_| wanted.to_owned())?;
    let bare = url.username().is_empty() && url.password().is_none();
    let plain = url.query().is_none() && url.fragment().is_none();
    if !(bare && plain && ["http", "https"].contains(&url.scheme())) {
        return Err(wanted.to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn unusable(path: &Path, why: &str) -> Failure {
    Failure::because(Code::InvalidParameter, format!("{} {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_an_address_and_nothing_else() {
        assert_eq!(base_url("https://Pay.Example/").unwrap(), "https://pay.example");
        assert_eq!(base_url("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(base_url("https://pay.example/api/").unwrap(), "https://pay.example/api");
        for wrong in [
            "",
            "pay.example",
            "ftp://pay.example",
            "https://user@pay.example",
            "https://pay.example?x=1",
            "https://pay.example#x",
        ] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_names_its_line_and_quotes_nothing() {
        let fault = |text: &str| parse(text).err().unwrap();
        let told = fault("base_url = \"x\"\nclient_secret = hunter2\n");
        assert!(told.starts_with("line 2: ") && !told.contains("hunter2"), "{told}");
        assert!(fault("client_sekret = \"hunter2\"").contains("client_sekret"));
    }

    #[test]
    fn a_key_beside_its_profile_moves_with_it() {
        let seen =
            |profile: &str, key: &str| as_seen_from(Path::new(profile), Path::new(key)).unwrap();
        assert_eq!(seen("/a/p.toml", "/a/k.pem"), "k.pem");
        assert_eq!(seen("/a/p.toml", "/a/keys/k.pem"), "keys/k.pem");
        assert_eq!(seen("/a/p.toml", "/b/k.pem"), "/b/k.pem");
    }
}
