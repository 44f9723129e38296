//! Who may ask.

mod keys;
