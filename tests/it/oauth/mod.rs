//! Who may ask.

mod cases;
mod catalogue;
mod credentials;
mod first_call;
mod fuzzing;
mod guesses;
mod keys;
mod merchants;
mod mutations;
mod replay;
mod wycheproof;
