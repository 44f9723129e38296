//! Passwords and client secrets: stored as argon2id, checked without paying for it each time.

mod hasher;
mod memory;

pub use hasher::{Cost, Hasher};
pub use memory::SecretMemory;
