//! Who may ask.

mod cases;
mod catalogue;
mod credentials;
mod first_call;
mod guesses;
mod keys;
mod merchants;
mod replay;
