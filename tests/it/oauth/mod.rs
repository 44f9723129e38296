//! Who may ask.

mod first_call;
mod keys;
mod replay;
