//! The URL that a proof is for: the path of a request, a line break, and an `htu`.
#![no_main]

#[path = "../src/htu.rs"]
mod htu;

libfuzzer_sys::fuzz_target!(|data: &[u8]| htu::run(data));
