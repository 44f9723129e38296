//! A form.

use counterfoil::web::form::Form;

pub(crate) fn run(data: &[u8]) {
    if let Ok(form) = Form::parse(data) {
        for name in ["grant_type", "scope", "token", "client_id"] {
            assert!(form.all(name).count() <= 1);
            assert_ne!(form.get(name), Some(""));
        }
    }
}
