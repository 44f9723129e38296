//! Hands the sections their typed values, and keeps what went wrong, so that all faults are told together.

use std::cmp::Ordering;

use zeroize::Zeroize;

use super::layers::{Found, Layers};
use super::values::{Parsed, Raw, text};
use crate::base::secret::Secret;

/// A key that the code asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) key: &'static str,
    pub(super) has_default: bool,
}

/// Typed access to the layers.
#[derive(Debug)]
pub(super) struct Reader {
    layers: Layers,
    /// Every key the code reads; a test compares it with the example.
    pub(super) asked: Vec<Asked>,
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { layers, asked: Vec::new() }
    }

    /// A key with a default.
    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        kind: impl Fn(&Raw) -> Parsed<T>,
    ) -> T {
        self.asked.push(Asked { key, has_default: true });
        self.parse(key, kind).unwrap_or(default)
    }

    /// A key that may stay unset.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&Raw) -> Parsed<T>,
    ) -> Option<T> {
        self.asked.push(Asked { key, has_default: false });
        self.parse(key, kind)
    }

    /// A secret, given itself or through the file that its `_file` twin names. The twin that stands in
    /// the stronger place counts; both in one place is a fault, because one of them is forgotten there.
    pub(super) fn secret<T: Zeroize>(
        &mut self,
        (key, twin): (&'static str, &'static str),
        kind: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Secret<T>> {
        self.asked.push(Asked { key, has_default: false });
        self.parse_secret(key, twin, kind)
    }

    /// A secret with a default, such as the address of a database that may hold a password.
    pub(super) fn secret_or<T: Zeroize>(
        &mut self,
        (key, twin): (&'static str, &'static str),
        default: T,
        kind: impl Fn(&str) -> Parsed<T>,
    ) -> Secret<T> {
        self.asked.push(Asked { key, has_default: true });
        self.parse_secret(key, twin, kind).unwrap_or_else(|| Secret::new(default))
    }

    fn parse_secret<T: Zeroize>(
        &mut self,
        key: &'static str,
        twin: &'static str,
        kind: impl Fn(&str) -> Parsed<T>,
    ) -> Option<Secret<T>> {
        self.asked.push(Asked { key: twin, has_default: false });
        let (found, by_file) = match (self.found(key), self.found(twin)) {
            (None, None) => return None,
            (Some(direct), None) => (direct, false),
            (None, Some(by_file)) => (by_file, true),
            (Some(direct), Some(by_file)) => match by_file.place.rank().cmp(&direct.place.rank()) {
                Ordering::Less => (direct, false),
                Ordering::Greater => (by_file, true),
                Ordering::Equal => {
                    let place = by_file.place;
                    self.fault(format!("{place}: set either `{key}` or `{twin}`, not both"));
                    return None;
                }
            },
        };
        let named = if by_file { twin } else { key };
        match secret_text(&found, by_file).and_then(|text| kind(&text)) {
            Ok(secret) => Some(Secret::new(secret)),
            Err(wanted) => {
                self.fault(format!("{}: `{named}` must be {wanted}", found.place));
                None
            }
        }
    }

    /// Adds a fault of a rule that looks at several keys.
    pub(super) fn fault(&mut self, fault: String) {
        self.layers.faults.push(fault);
    }

    /// Whether a key was given anywhere.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.layers.found.contains_key(key)
    }

    pub(super) fn into_faults(self) -> Vec<String> {
        self.layers.faults
    }

    fn found(&self, key: &str) -> Option<Found> {
        self.layers.found.get(key).cloned()
    }

    fn parse<T>(&mut self, key: &'static str, kind: impl Fn(&Raw) -> Parsed<T>) -> Option<T> {
        let found = self.found(key)?;
        match kind(&found.raw) {
            Ok(value) => Some(value),
            Err(wanted) => {
                self.fault(format!("{}: `{key}` must be {wanted}, not {}", found.place, found.raw));
                None
            }
        }
    }
}

/// The text of a secret. Faults never quote it.
fn secret_text(found: &Found, by_file: bool) -> Parsed<String> {
    let direct = text(&found.raw)?;
    if !by_file {
        return Ok(direct);
    }
    let content = std::fs::read_to_string(&direct)
        .map_err(|error| format!("the path of a readable file, and {direct:?} is not: {error}"))?;
    let secret = content.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        Err(format!("the path of a file with a secret, and {direct:?} is empty"))
    } else {
        Ok(secret.to_owned())
    }
}
