//! The configuration: read once at the start, typed, and complete.
//!
//! Defaults < `counterfoil.toml` < `COUNTERFOIL_*` variables < flags. A key that nobody knows is refused
//! with the nearest one that exists, and all faults are told together. `counterfoil.example.toml` at the
//! root of the repository documents every key and is where the known keys come from; tests compare it
//! with the code. Nothing outside this folder reads the environment.
//!
//! To add a key: document it in the example, read it in its section under `sections/`, and say in
//! `production.rs` whether its default is safe with real money.

mod catalogue;
mod environment;
mod fault;
mod layers;
mod origin;
mod production;
mod reader;
mod sections;
mod sources;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::base::environment::Environment;
use crate::base::secret::Secret;
use crate::db;
pub use catalogue::EXAMPLE;
pub use fault::ConfigFault;
use layers::Layers;
pub use origin::WebOrigin;
use reader::Reader;
use sections::Around;
pub use sections::{
    DatabaseUrl, DepositAccount, Fx, Http, Jobs, Keys, Limits, Log, LogFormat, Mail, MailHome,
    Metrics, NonceMode, OAuth, Otlp, Payouts, RailName, RateFile, ReplayStore, Requests,
    SigningAlg, TlsFiles, Webhooks,
};
pub use sources::{PROFILE_VARIABLE, Sources};
use values::{Parsed, list, path, socket};

/// What a sandbox starts with.
const DEFAULT_KEYS_DIR: &str = "keys";
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Everything that can be set, with its final value.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sandbox, staging or production.
    pub environment: Environment,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address callers use; proofs of possession are compared with it, never with `Host`.
    pub public_url: WebOrigin,
    /// Further addresses callers use.
    pub extra_public_urls: Vec<WebOrigin>,
    /// The database.
    pub database_url: DatabaseUrl,
    /// Where signing keys are kept.
    pub keys_dir: PathBuf,
    /// The Redis that replicas share, if any.
    pub redis_url: Option<Secret<String>>,
    /// How the database's doors are built.
    pub database: db::Options,
    /// Limits and peers of the listener.
    pub http: Http,
    /// How often somebody may ask.
    pub limits: Limits,
    /// Tokens and proofs.
    pub oauth: OAuth,
    /// How signing keys rest.
    pub keys: Keys,
    /// Exchange rates.
    pub fx: Fx,
    /// What may leave, and how.
    pub payouts: Payouts,
    /// Letters to people.
    pub mail: Mail,
    /// Delivery of events.
    pub webhooks: Webhooks,
    /// What merchants see of their requests.
    pub requests: Requests,
    /// What is logged.
    pub log: Log,
    /// Where traces go.
    pub otlp: Otlp,
    /// Whether and where metrics are served.
    pub metrics: Metrics,
    /// The durable queue.
    pub jobs: Jobs,
}

impl Config {
    /// Reads all sources, or tells everything that is wrong with them.
    pub fn load(sources: &Sources) -> Result<Self, ConfigFault> {
        let mut reader = Reader::new(Layers::gather(sources));
        let config = Self::read(&mut reader);
        let mut faults = reader.into_faults();
        faults.extend(production::refusals(&config));
        if faults.is_empty() { Ok(config) } else { Err(ConfigFault::new(faults)) }
    }

    /// With port 0 the system picks the port, and the defaults that follow the listener follow it there.
    #[must_use]
    pub fn bound_to(mut self, address: SocketAddr) -> Self {
        let assumed = WebOrigin::of_listener(self.listen);
        let actual = WebOrigin::of_listener(address);
        for origin in [&mut self.public_url, &mut self.oauth.issuer] {
            if *origin == assumed {
                *origin = actual.clone();
            }
        }
        self.listen = address;
        self
    }

    /// Every origin under which callers may address us.
    pub fn origins(&self) -> impl Iterator<Item = &WebOrigin> {
        std::iter::once(&self.public_url).chain(&self.extra_public_urls)
    }

    fn read(reader: &mut Reader) -> Self {
        let environment = reader.or("environment", Environment::Sandbox, environment::environment);
        let listen = reader.or("listen", DEFAULT_LISTEN, socket);
        // With another port and a fixed default, every proof would be made for an address that does not
        // match; so the default follows the listener.
        let public_url = reader.or("public_url", WebOrigin::of_listener(listen), origin::origin);
        let database_url = DatabaseUrl::read(reader);
        let redis_url = reader.secret(("redis_url", "redis_url_file"), redis_url);
        let around = Around {
            environment,
            public_url: &public_url,
            database_url: &database_url,
            redis_url: redis_url.as_ref(),
        };
        let oauth = OAuth::read(reader, &around);
        let payouts = sections::Payouts::read(reader, &around);
        Self {
            environment,
            listen,
            extra_public_urls: reader.or("extra_public_urls", Vec::new(), list(origin::origin)),
            public_url,
            database_url,
            keys_dir: reader.or("keys_dir", PathBuf::from(DEFAULT_KEYS_DIR), path),
            redis_url,
            database: sections::database::read(reader),
            http: Http::read(reader),
            limits: Limits::read(reader),
            oauth,
            keys: Keys::read(reader),
            fx: Fx::read(reader),
            payouts,
            mail: Mail::read(reader),
            webhooks: Webhooks::read(reader),
            requests: Requests::read(reader),
            log: Log::read(reader),
            otlp: Otlp::read(reader),
            metrics: Metrics::read(reader),
            jobs: Jobs::read(reader),
        }
    }
}

/// Reads a duration such as "24h", within bounds, as the file writes them; or says what is wanted.
pub fn duration(text: &str, bounds: RangeInclusive<Duration>) -> Result<Duration, String> {
    values::duration(bounds)(&values::Raw::Text(text.to_owned()))
}

fn redis_url(url: &str) -> Parsed<String> {
    let known = ["redis://", "rediss://", "redis+unix://", "unix://"];
    let wanted = "redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT";
    known
        .iter()
        .any(|s| url.starts_with(s))
        .then(|| url.to_owned())
        .ok_or_else(|| wanted.to_owned())
}
