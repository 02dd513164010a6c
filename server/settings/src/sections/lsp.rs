//! `lsp`: the language server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the language server shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lsp {
    /// Show "Generate" and "Verify" above functions with a spec.
    pub code_lens: bool,
    /// Runs that may be busy at once; further ones wait.
    #[schemars(range(min = 1, max = 64))]
    pub parallel_runs: usize,
}

impl Default for Lsp {
    fn default() -> Self {
        Self { code_lens: true, parallel_runs: 1 }
    }
}
