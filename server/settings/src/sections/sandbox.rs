//! `sandbox`: what generated code may do while it is tried.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether generated code is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SandboxMode {
    /// Confined; where the kernel cannot do it, nothing is run.
    #[default]
    On,
    /// Not confined. Only the user's own configuration may say so.
    Off,
}

/// Confinement of generated code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// `on`, or `off` to run generated code with all your rights.
    pub mode: SandboxMode,
}
