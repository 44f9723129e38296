//! Where settings come from. This is the only file that reads the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Everything that a configuration is made of besides the defaults. A plain value, so that a test can
/// give one without touching the process.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file named by `--config`. It must exist; so must the one named by `COUNTERFOIL_CONFIG`.
    pub file: Option<PathBuf>,
    /// Read when no file is named and this one exists.
    pub usual_file: Option<PathBuf>,
    /// The environment: all of it, other variables are passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags, each as the key it sets and the value given.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// The process' own environment and `./counterfoil.toml`.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process(file: Option<PathBuf>) -> Self {
        Self {
            file,
            usual_file: Some(PathBuf::from("counterfoil.toml")),
            environment: std::env::vars_os().collect(),
            flags: Vec::new(),
        }
    }

    /// Nothing but defaults; tests add what they need.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a flag under the key it sets, if it was given.
    #[must_use]
    pub fn flag(mut self, key: &'static str, value: Option<impl Into<String>>) -> Self {
        self.flags.extend(value.map(|value| (key, value.into())));
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The file to read and whether it may be missing.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let named = self
            .environment
            .iter()
            .find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
        let usual = self.usual_file.as_deref().filter(|path| path.exists()).map(Path::to_owned);
        self.file.clone().or_else(|| named.map(|(_, value)| PathBuf::from(value))).or(usual)
    }
}

/// Names the file; not a key itself.
pub(super) const FILE_VARIABLE: &str = "COUNTERFOIL_CONFIG";

/// Names the profile of `counterfoil call`; not a key either, and read by the command line.
pub const PROFILE_VARIABLE: &str = "COUNTERFOIL_PROFILE";
