//! How the environment is written.

use super::values::choice;
use super::values::{Parsed, Raw};
use crate::base::environment::Environment;

pub(super) fn environment(raw: &Raw) -> Parsed<Environment> {
    choice(&[
        ("sandbox", Environment::Sandbox),
        ("staging", Environment::Staging),
        ("production", Environment::Production),
    ])(raw)
}
