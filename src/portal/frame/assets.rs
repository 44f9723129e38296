//! The files of the pages, in the binary. A file's path holds the hash of its content, so that browsers
//! keep it for ever and never show an old one.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::base::hex;

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    /// Where it is served.
    pub(super) path: String,
    /// Its type.
    pub(super) media: &'static str,
    /// What is in it.
    pub(super) content: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, media: &'static str, content: &'static str) -> Self {
        let hash = hex::encode(&Sha256::digest(content));
        let short = hash.get(..12).unwrap_or_default();
        Self { path: format!("/portal/assets/{name}-{short}.{ending}"), media, content }
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../assets/style.css"))
});
/// Makes key pairs; only the pages that need one load it.
pub(super) static KEYS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("keys", "js", SCRIPT, include_str!("../assets/keys.js")));
/// Asks for passkeys; only the pages that need one load it.
pub(super) static PASSKEYS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("passkeys", "js", SCRIPT, include_str!("../assets/passkeys.js")));
/// Copy buttons and questions before something ends.
pub(super) static PAGE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "js", SCRIPT, include_str!("../assets/page.js")));
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("icon", "svg", "image/svg+xml", include_str!("../assets/icon.svg"))
});

/// All of them.
pub(super) fn all() -> [&'static Asset; 5] {
    [&STYLE, &KEYS, &PASSKEYS, &PAGE, &ICON]
}
