//! What production refuses. Each refusal names the key, the danger and the way out.

use super::sections::{DEFAULT_DATABASE_URL, RailName, ReplayStore};
use super::{Config, DEFAULT_KEYS_DIR, Environment, WebOrigin};
use crate::db::Engine;

/// The KiB of memory and the passes below which guessing a leaked hash becomes cheap (OWASP's floor for argon2id).
const ARGON2_FLOOR: (u32, u32) = (19 << 10, 2);

/// Names everything in a production configuration that is only safe in a sandbox.
pub(super) fn refusals(config: &Config) -> Vec<String> {
    if config.environment != Environment::Production {
        return Vec::new();
    }
    let mut refused = Vec::new();
    let mut refuse_if = |unsafe_here: bool, key: &str, why: &str| {
        if unsafe_here {
            refused.push(format!("production refuses `{key}`: {why}"));
        }
    };

    let extra = config.extra_public_urls.iter().map(|origin| ("extra_public_urls", origin));
    let origins = [("public_url", &config.public_url), ("oauth.issuer", &config.oauth.issuer)];
    let mut named = Vec::new();
    for (key, origin) in origins.into_iter().chain(extra) {
        if let Some(why) = not_public(origin).filter(|_| !named.contains(&origin)) {
            named.push(origin);
            refuse_if(true, key, &format!("{origin} {why}"));
        }
    }
    refuse_if(
        config.database_url.expose() == DEFAULT_DATABASE_URL,
        "database_url",
        "the default is a file relative to wherever the process starts, so a start elsewhere begins \
         with empty books; name the database",
    );
    refuse_if(
        config.keys_dir.as_os_str() == DEFAULT_KEYS_DIR,
        "keys_dir",
        "the default is relative to wherever the process starts, so a start elsewhere signs with other \
         keys; name the directory",
    );
    refuse_if(
        config.keys.encryption_key.is_none(),
        "keys.encryption_key",
        "signing keys would rest on disk unencrypted; set it or `keys.encryption_key_file`",
    );
    refuse_if(
        config.oauth.replay_store == ReplayStore::Memory
            && config.database_url.engine() == Engine::Postgres,
        "oauth.replay_store",
        "with memory a proof could be used once on each replica that shares the database; choose auto, \
         redis or postgres",
    );
    let (memory, passes) = ARGON2_FLOOR;
    refuse_if(
        config.oauth.argon2_memory_kib < memory || config.oauth.argon2_iterations < passes,
        "oauth.argon2_memory",
        "less than 19MiB or 2 iterations make leaked hashes cheap to guess; keep the defaults",
    );
    refuse_if(
        config.payouts.rail == RailName::Sandbox,
        "payouts.rail",
        "the sandbox rail says that money has arrived which was never sent; set it to manual",
    );
    refuse_if(
        config.webhooks.allow_loopback,
        "webhooks.allow_loopback",
        "merchants could make this server call its own neighbours; set it to false",
    );
    refuse_if(
        config.metrics.enabled && config.metrics.listen.is_none(),
        "metrics.listen",
        "unset, /metrics tells every caller how business goes; set an internal address, or \
         `metrics.enabled` to false",
    );
    refused
}

fn not_public(origin: &WebOrigin) -> Option<&'static str> {
    if origin.is_loopback() {
        Some("is this machine only; set the address that callers use")
    } else if !origin.is_https() {
        Some("is not https, so tokens and proofs would travel readable")
    } else {
        None
    }
}
