//! Everything that is wrong with a configuration, told at once.

use std::fmt;

/// All faults of a configuration. They are collected, because an operator who mends one key per start
/// gives up before the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    faults: Vec<String>,
}

impl ConfigFault {
    pub(super) fn new(faults: Vec<String>) -> Self {
        Self { faults }
    }

    /// One sentence for each fault: where it stands, what is wrong, what to do.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for fault in &self.faults {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFault {}
