//! `lsp`: the language server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The language server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lsp {
    /// How long the editor may take to show an applied edit in its text before the user is told that
    /// it was not applied, in seconds. Read when the server starts.
    #[schemars(range(min = 1, max = 600))]
    pub apply_patience_seconds: u64,
    /// Ask before a verified edit is put into the text: in VS Code with a preview, elsewhere with a
    /// message, or with the code action "Apply verified edit" where the editor shows no buttons.
    pub confirm_edits: bool,
}

impl Default for Lsp {
    fn default() -> Self {
        Self { apply_patience_seconds: 5, confirm_edits: false }
    }
}
