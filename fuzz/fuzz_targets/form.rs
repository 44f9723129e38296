//! A form.
#![no_main]

#[path = "../src/form.rs"]
mod form;

libfuzzer_sys::fuzz_target!(|data: &[u8]| form::run(data));
