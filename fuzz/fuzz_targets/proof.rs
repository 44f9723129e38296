//! A proof from a stranger, whole and in parts.
#![no_main]

#[path = "../src/proof.rs"]
mod proof;

libfuzzer_sys::fuzz_target!(|data: &[u8]| proof::run(data));
