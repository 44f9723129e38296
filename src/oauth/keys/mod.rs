//! The keys that sign access tokens, and the JWKS that lets anybody verify them.
//!
//! The ring is a folder: `ring.json` names each key and the moment from which it signs; each private
//! key is a file of its own, readable by its owner only. What a key is for follows from the time
//! alone, so that rotating is one small write and every replica comes to the same view:
//!
//! ```text
//! made ── published, not used yet ──▶ active_from ── signs ──▶ next key's active_from
//!      ── published, for the tokens still out ──▶ + token life + skew ──▶ gone
//! ```

mod files;
mod ring;
mod signing_key;
mod view;

pub use files::Protection;
pub use ring::{Ring, RingKey, Stage};
pub use signing_key::{SigningKey, SigningKeyFault};
pub use view::RingView;

use std::time::Duration;

/// How long verifiers may keep a copy of the JWKS.
pub const JWKS_LIFE: Duration = Duration::from_mins(5);
/// A new key is published this long before it signs, so that every copy of the JWKS has it.
pub const LEAD: Duration = Duration::from_mins(10);
/// A superseded key stays published this much longer than its last token lives.
pub const SKEW: Duration = Duration::from_mins(5);
