//! The heart of the portal: credentials whose key pair is made in the merchant's browser.
//!
//! The private half is made by `assets/keys.js` and offered as a download; what is sent is the public
//! half and a signature over a one-time challenge. No route here takes a private key: one that is sent
//! all the same is refused by the reader of JWKs, and named as such.

mod calls;
pub mod http;
mod service;
mod shown;
mod view;
