//! Every option once. The doc comments of [`Settings`] are its documentation: the JSON schema,
//! the editors' settings blocks and docs/API_REFERENCE.md are generated from them.
//!
//! Layers, later ones win: defaults, the files of `config/` (built in, or `--config FILE`), the
//! user's file, the project's `.zeroerr.yaml` (may only tighten, see [`trust`]), `ZEROERR_*`
//! variables, the editor's settings (may only tighten too), flags. Every value remembers where it
//! came from, so that an error names file, line and key.

mod error;
mod layer;
mod load;
mod locate;
pub mod paths;
pub mod reference;
mod sections;
pub mod trust;
mod validate;

pub use error::{Place, SettingsError};
pub use load::{Loaded, Sources, load};
pub use sections::agents::Agents;
pub use sections::coordination::{Coordination, CoordinationMode, Kafka, Redis};
pub use sections::llm::{Endpoint, Llm, ModelRoles};
pub use sections::logging::{Level, LogFormat, Logging};
pub use sections::lsp::Lsp;
pub use sections::models::{Engine, ModelEntry};
pub use sections::planning::{Planning, PlanningMode};
pub use sections::sandbox::{Sandbox, SandboxMode};
pub use sections::verification::Verification;
pub use sections::voting::{Margin, Voting};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the built-in files is the ground layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// `config/development.yaml`: one machine, k = 3.
    #[default]
    Development,
    /// `config/production.yaml`: larger models, k = 5.
    Production,
}

/// All settings of zeroerr.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which built-in file is the ground layer: `development` or `production`.
    pub environment: Environment,
    /// Which models write code, and where they run.
    pub llm: Llm,
    /// The catalogue: every model that `llm.models` or `llm.backend` may name.
    pub models: BTreeMap<String, ModelEntry>,
    /// When a vote decides, and how samples differ.
    pub voting: Voting,
    /// How a task is split into steps.
    pub planning: Planning,
    /// Agents that advise the vote.
    pub agents: Agents,
    /// The eight layers.
    pub verification: Verification,
    /// What generated code may do while it is tried.
    pub sandbox: Sandbox,
    /// Spreading work over machines.
    pub coordination: Coordination,
    /// What is logged, and where to.
    pub logging: Logging,
    /// The language server.
    pub lsp: Lsp,
}

#[cfg(test)]
mod tests;
