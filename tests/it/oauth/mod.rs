//! Who may ask.

mod credentials;
mod first_call;
mod keys;
mod replay;
