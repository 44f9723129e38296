//! The credentials of a client.
#![no_main]

#[path = "../src/basic.rs"]
mod basic;

libfuzzer_sys::fuzz_target!(|data: &[u8]| basic::run(data));
