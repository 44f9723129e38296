//! Where money comes in, and what moved it: the ledger as merchants read it.

mod coordinates;
pub mod http;
mod model;
mod play;
mod service;
mod wire;

pub use coordinates::Coordinates;
pub use model::{Transaction, TransactionId, TransactionStatus};
pub use play::coordinates as play_coordinates;
pub use service::{details, transactions};
pub use wire::TransactionBody;
