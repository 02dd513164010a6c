//! Exit codes and the errors that lead to them.

use std::process::ExitCode;

/// How the process ends. The numbers are a contract (docs/API_REFERENCE.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done and clean.
    Clean = 0,
    /// Findings, or an abstention.
    Findings = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Something the machine lacks: model, tool, sandbox, rights.
    Machine = 3,
    /// Our bug.
    Bug = 4,
    /// Ctrl-C.
    Cancelled = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An end without a result: one sentence and a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    /// The code.
    pub exit: Exit,
    /// One lower-case sentence with place and remedy.
    pub message: String,
}

impl CliError {
    /// The user can mend the command line, the configuration or the file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// The user can mend the machine.
    pub fn machine(message: impl Into<String>) -> Self {
        Self { exit: Exit::Machine, message: message.into() }
    }

    /// Nobody but us can mend it.
    pub fn bug(message: impl Into<String>) -> Self {
        Self { exit: Exit::Bug, message: message.into() }
    }
}

impl From<zeroerr_settings::SettingsError> for CliError {
    fn from(error: zeroerr_settings::SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}
