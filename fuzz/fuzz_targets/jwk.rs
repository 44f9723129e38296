//! A key somebody wants to register.
#![no_main]

#[path = "../src/jwk.rs"]
mod jwk;

libfuzzer_sys::fuzz_target!(|data: &[u8]| jwk::run(data));
