//! File, variables and flags laid over each other: for each key the value that counts and where it stood.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::catalogue::{is_known, nearest, variable};
use super::sources::{FILE_VARIABLE, PROFILE_VARIABLE, Sources};
use super::values::Raw;

/// Where a value stood. Later variants win over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    File { path: String, line: usize },
    Variable { name: String },
    Flag { key: &'static str },
}

impl Place {
    /// The rank in the order of precedence.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::File { .. } => 0,
            Self::Variable { .. } => 1,
            Self::Flag { .. } => 2,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{path} line {line}"),
            Self::Variable { name } => write!(f, "the variable {name}"),
            Self::Flag { key } => write!(f, "the flag --{}", key.replace(['_', '.'], "-")),
        }
    }
}

/// A value and where it stood.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) raw: Raw,
    pub(super) place: Place,
}

/// The values that count, by key, and what was wrong with the rest.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) found: BTreeMap<String, Found>,
    pub(super) faults: Vec<String>,
}

impl Layers {
    pub(super) fn gather(sources: &Sources) -> Self {
        let mut layers = Self::default();
        if let Some(path) = sources.file() {
            layers.add_file(&path);
        }
        for (name, value) in &sources.environment {
            layers.add_variable(&name.to_string_lossy(), value.to_str());
        }
        for (key, value) in &sources.flags {
            layers.set((*key).to_owned(), Raw::Loose(value.clone()), Place::Flag { key });
        }
        layers
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                self.faults
                    .push(format!("{shown}: the configuration file cannot be read: {error}"));
                return;
            }
        };
        match DeTable::parse(&text) {
            Ok(table) => self.add_table("", table.get_ref(), &|at| Place::File {
                path: shown.clone(),
                line: line_of(&text, at),
            }),
            // The parser's own Display would quote the line, which may hold a secret.
            Err(error) => {
                let line = line_of(&text, error.span().map_or(0, |span| span.start));
                self.faults.push(format!("{shown} line {line}: not TOML: {}", error.message()));
            }
        }
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, place: &dyn Fn(usize) -> Place) {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            let section = format!("{key}.");
            match value.get_ref() {
                DeValue::Table(inner) if !is_known(&key) => self.add_table(&section, inner, place),
                value => self.set(key, raw(value), place(name.span().start)),
            }
        }
    }

    fn add_variable(&mut self, name: &str, value: Option<&str>) {
        let Some(rest) = name.strip_prefix("COUNTERFOIL_") else { return };
        if [FILE_VARIABLE, PROFILE_VARIABLE].contains(&name) || belongs_to_others(rest) {
            return;
        }
        let place = Place::Variable { name: name.to_owned() };
        match value {
            None => self.faults.push(format!("{place}: its value is not valid UTF-8")),
            // Compose files and shells set variables to nothing when they mean not to set them.
            Some("") => {}
            Some(value) => {
                let key = rest.to_ascii_lowercase().replace("__", ".");
                self.set(key, Raw::Loose(value.to_owned()), place);
            }
        }
    }

    fn set(&mut self, key: String, raw: Raw, place: Place) {
        if is_known(&key) {
            self.found.insert(key, Found { raw, place });
            return;
        }
        let spelt = |key: &str| match place {
            Place::Variable { .. } => variable(key),
            _ => format!("`{key}`"),
        };
        let hint = match nearest(&key) {
            Some(near) => format!("did you mean {}?", spelt(near)),
            None => "counterfoil.example.toml lists every key".to_owned(),
        };
        let fault = match &place {
            Place::Variable { .. } => format!("{place}: there is no such setting; {hint}"),
            _ => format!("{place}: there is no key `{key}`; {hint}"),
        };
        self.faults.push(fault);
    }
}

/// Variables with our prefix that are not ours: Kubernetes injects some for a service named `counterfoil`
/// (`COUNTERFOIL_SERVICE_HOST`, `COUNTERFOIL_PORT_8080_TCP_ADDR`, …) into every pod beside it, and the test
/// suite has its own.
fn belongs_to_others(rest: &str) -> bool {
    rest == "PORT"
        || rest.starts_with("PORT_")
        || rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || rest.starts_with("TEST_")
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("number too large to count with"), Raw::Integer),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Array(members) => {
            Raw::List(members.iter().map(Spanned::get_ref).map(raw).collect())
        }
        other => Raw::Other(other.type_str()),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1)
}
