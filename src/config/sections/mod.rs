//! The sections of the file, one per table, each with the function that reads it.

pub(super) mod database;
mod deposits;
mod fx;
mod http;
mod keys;
mod limits;
mod mail;
mod oauth;
mod observe;
mod payouts;
mod work;

pub(super) use database::DEFAULT_DATABASE_URL;
pub use database::DatabaseUrl;
pub use deposits::DepositAccount;
pub use fx::{Fx, RateFile};
pub use http::{Http, TlsFiles};
pub use keys::Keys;
pub use limits::Limits;
pub use mail::{Mail, MailHome};
pub(super) use oauth::Around;
pub use oauth::{NonceMode, OAuth, ReplayStore, SigningAlg};
pub use observe::{Log, LogFormat, Metrics, Otlp};
pub use payouts::{Payouts, RailName};
pub use work::{Jobs, Requests, Webhooks};
