//! Calls to addresses that merchants chose.
//!
//! Whoever may name an address that this server calls can aim it at the server's own neighbours
//! (server-side request forgery). So every address is judged twice: [`Target`] when it is given, and
//! the resolver under the client whenever a connection is made. Redirects are never followed,
//! environment proxies are ignored, and little of an answer is read.

mod addresses;
mod client;
mod names;
mod target;

pub use addresses::Reach;
pub use client::{Answer, Fault, Options, Outbound, Sent};
pub use names::{Names, RefusedAddress, SystemNames};
pub use target::{Rules, Target};
