//! A rule: what a form cannot say.

use serde_json::{Map, Value};

use crate::base::timestamp::Timestamp;

/// What one member of the credentials must pass besides its form. A rule finds a slip before money
/// goes astray; none can tell that an account exists.
#[derive(Debug)]
pub struct Rule {
    /// The member that is refused.
    pub field: &'static str,
    /// Its name in the API.
    pub name: &'static str,
    /// What to do when it fails.
    pub otherwise: &'static str,
    /// The other members that it looks at; while one of these is faulty it says nothing.
    pub with: &'static [&'static str],
    passes: fn(&Given<'_>) -> bool,
}

/// A slip of the finger is what check digits are for.
const LOOK: &str = "does not pass its check digits; compare it with its source";

impl Rule {
    /// A rule of check digits.
    pub(super) const fn digits(
        field: &'static str,
        name: &'static str,
        passes: fn(&Given<'_>) -> bool,
    ) -> Self {
        Self::new(field, name, passes, LOOK)
    }

    pub(super) const fn new(
        field: &'static str,
        name: &'static str,
        passes: fn(&Given<'_>) -> bool,
        otherwise: &'static str,
    ) -> Self {
        Self { field, name, otherwise, with: &[], passes }
    }

    pub(super) const fn with(mut self, others: &'static [&'static str]) -> Self {
        self.with = others;
        self
    }

    /// Whether the credentials pass; a member that was not given does.
    pub(super) fn passes(&self, given: &Given<'_>) -> bool {
        !given.has(self.field) || (self.passes)(given)
    }
}

/// Credentials whose forms are right, and the moment at which they are looked at.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    members: &'a Map<String, Value>,
    pub(super) now: Timestamp,
}

impl<'a> Given<'a> {
    pub(super) const fn new(members: &'a Map<String, Value>, now: Timestamp) -> Self {
        Self { members, now }
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text, or an empty one when it was not given.
    pub(super) fn text(self, name: &str) -> &'a str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn whole(self, name: &str) -> i64 {
        self.members.get(name).and_then(Value::as_i64).unwrap_or_default()
    }
}
