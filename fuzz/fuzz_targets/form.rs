//! A form.
#![no_main]

use counterfoil::web::form::Form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(form) = Form::parse(data) {
        for name in ["grant_type", "scope", "token", "client_id"] {
            assert!(form.all(name).count() <= 1);
            assert_ne!(form.get(name), Some(""));
        }
    }
});
