//! The record of an accepted edit: what was checked, of which text, by what.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::ClassVotes;
use crate::verdict::LayerReport;

/// What must be known later to re-check an edit, or to see that the code has changed since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Hash of the spec ([`crate::task_specification::Spec::hash`]).
    pub spec_hash: String,
    /// Hash of the function's text after the edit ([`code_hash`]).
    pub code_hash: String,
    /// The editor's document version the run was given, if an editor asked.
    pub doc_version: Option<i64>,
    /// The layers with their tool versions.
    pub layers: Vec<LayerReport>,
    /// The votes of the deciding step.
    pub votes: Vec<ClassVotes>,
    /// Models that voted, on any of the functions that the edit brings.
    pub models: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
}

/// The hash that marks are compared by: SHA-256 of the text with line ends as `\n` and trailing
/// white space dropped, so that saving a file does not void a certificate. Hex.
pub fn code_hash(function_text: &str) -> String {
    let mut hasher = Sha256::new();
    for line in function_text.trim_end().lines() {
        hasher.update(line.trim_end());
        hasher.update(b"\n");
    }
    crate::task_specification::hex(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::code_hash;

    #[test]
    fn line_ends_do_not_matter_but_content_does() {
        assert_eq!(code_hash("def f():\r\n    return 1\r\n"), code_hash("def f():\n    return 1"));
        assert_ne!(code_hash("def f():\n    return 1"), code_hash("def f():\n    return 2"));
        assert_ne!(code_hash("def f():\n    return 1"), code_hash("def f():\n  return 1"));
    }
}
