//! `logging`: what is logged, and where to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The least severe message that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What will fail, or was done otherwise than asked.
    #[default]
    Warn,
    /// What is done.
    Info,
    /// How it is done.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people, to standard error.
    #[default]
    Human,
    /// One JSON object a line, to a file of the data folder's `logs/` that is renewed every day.
    Json,
}

/// Logs. `ZEROERR_LOG` overrides the level with a `tracing` filter, e.g. `zeroerr_engine=debug`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logging {
    /// The least severe message that is logged.
    pub level: Level,
    /// `human` to standard error, or `json` to a daily file in `logs/` of the data folder.
    pub format: LogFormat,
    /// Daily files that are kept.
    #[schemars(range(min = 1, max = 365))]
    pub keep_days: usize,
}

impl Default for Logging {
    fn default() -> Self {
        Self { level: Level::Warn, format: LogFormat::Human, keep_days: 7 }
    }
}
