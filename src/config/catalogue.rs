//! The known keys, read from the example file, so that a key cannot exist without being documented.

use std::sync::LazyLock;

/// The commented example, as it lies at the root of the repository.
pub const EXAMPLE: &str = include_str!("../../counterfoil.example.toml");

/// One documented key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// The dotted name, such as `http.body_limit`.
    pub(super) key: String,
    /// Whether the example shows a default (the line stands) or a sample (it starts with `#`).
    pub(super) has_default: bool,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| documented(EXAMPLE));

pub(super) fn known() -> &'static [Known] {
    &KNOWN
}

pub(super) fn is_known(key: &str) -> bool {
    known().iter().any(|known| known.key == key)
}

/// The known key that looks most like a mistyped one, if any comes close.
pub(super) fn nearest(mistyped: &str) -> Option<&'static str> {
    // The comparison is by the whole name and by its last part, so that a key under the wrong
    // section is found as well as a misspelt one.
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |known: &str| {
        let whole = strsim::osa_distance(mistyped, known);
        let part = strsim::osa_distance(&last(mistyped), &last(known)).saturating_add(1);
        whole.min(part)
    };
    let far = last(mistyped).chars().count().div_ceil(2);
    known()
        .iter()
        .map(|known| (likeness(&known.key), known.key.as_str()))
        .min()
        .filter(|(distance, _)| *distance <= far)
        .map(|(_, key)| key)
}

/// The variable that sets a key.
pub(super) fn variable(key: &str) -> String {
    format!("COUNTERFOIL_{}", key.to_ascii_uppercase().replace('.', "__"))
}

fn documented(example: &str) -> Vec<Known> {
    let mut section = String::new();
    let mut known = Vec::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{name}.");
            continue;
        }
        let (has_default, setting) = match line.strip_prefix('#') {
            Some(sample) => (false, sample),
            None => (true, line),
        };
        let Some((name, _)) = setting.split_once(" = ") else { continue };
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            known.push(Known { key: format!("{section}{name}"), has_default });
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_with_their_section_and_prose_is_not() {
        let known = documented("# port = prose\na = 1\n#b = 2\n[s]\n# words\nc = 3\n");
        let keys: Vec<_> = known.iter().map(|k| (k.key.as_str(), k.has_default)).collect();
        assert_eq!(keys, [("a", true), ("b", false), ("s.c", true)]);
    }

    #[test]
    fn the_nearest_name_is_found_by_spelling_and_by_section() {
        assert_eq!(nearest("http.body_limt"), Some("http.body_limit"));
        assert_eq!(nearest("lisen"), Some("listen"));
        assert_eq!(nearest("http.keys_dir"), Some("keys_dir"));
        assert_eq!(nearest("database.url"), Some("database_url"));
        assert_eq!(nearest("frobnicate.everything"), None, "a wild guess misleads");
    }

    #[test]
    fn the_example_is_toml_and_names_each_key_once() {
        let parsed: toml::Table = EXAMPLE.parse().expect("the example is TOML");
        assert!(parsed.contains_key("environment"));
        let mut keys: Vec<_> = known().iter().map(|known| &known.key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), known().len());
    }
}
