//! What is wrong with a setting: where, what, and what to write instead. Exit code 2.

use std::fmt;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A file's path, `environment variable ZEROERR_VOTING__K`, `--set`, `editor settings`.
    pub origin: String,
    /// 1-based line, where the origin is a file and the key was found in it.
    pub line: Option<usize>,
    /// 1-based column, where the parser knows it.
    pub column: Option<usize>,
}

impl Place {
    /// A place without line and column.
    pub fn named(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), line: None, column: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        Ok(())
    }
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// Where, if it can be told.
    pub place: Option<Box<Place>>,
    /// Full key path, e.g. `voting.k`; empty when the file as a whole is at fault.
    pub key: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub remedy: Option<String>,
}

impl SettingsError {
    pub(crate) fn new(place: Place, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: Some(Box::new(place)), key: key.into(), message: message.into(), remedy: None }
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}
