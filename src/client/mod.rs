//! The caller's half: what an integrating server does to call us.
//!
//! A profile says who calls and with which key; a proof is signed for each request; a call mints a
//! token and sends. It knows keys and JOSE and nothing else of the server: a client that shared the
//! server's checks would share its mistakes, and calls between the two would prove nothing.

mod call;
pub mod profile;
mod proof;
pub mod receipt;

pub use call::{Answer, Call, Caller};
pub use profile::Profile;
pub use proof::{About, Prover};
