//! The floor that every room stands on: time, randomness, ids, secrets, failures, pages, forms of contact, private files.
//!
//! Nothing here knows of money, HTTP or tables. Time and randomness are values that are handed
//! in, never taken, so that a test can wind the clock and repeat the dice.

pub mod clock;
pub mod contact;
pub mod environment;
pub mod failure;
pub mod hex;
pub mod ids;
pub mod metadata;
pub mod mod97;
pub mod pagination;
pub mod private_file;
pub mod random;
pub mod secret;
pub mod tasks;
pub mod timestamp;
pub mod together;
pub mod words;
