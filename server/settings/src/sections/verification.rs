//! `verification`: which layers must have run, and how long they may take.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use zeroerr_core::verdict::{Layer, Policy};

/// The eight layers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// Layers that may be unavailable or time out while an edit is still offered. A layer that
    /// fails is never tolerated.
    #[schemars(schema_with = "layers")]
    pub may_be_unavailable: Vec<Layer>,
    /// Time for one layer, in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub layer_timeout_seconds: u64,
    /// The Python that builds the private tool environment. Unset: the first `python3` on PATH.
    /// Only the user's own configuration may set it: it is a command.
    pub python: Option<PathBuf>,
}

impl Default for Verification {
    fn default() -> Self {
        Self { may_be_unavailable: Vec::new(), layer_timeout_seconds: 60, python: None }
    }
}

impl Verification {
    /// The policy for [`zeroerr_core::verdict::StackReport::objection`].
    pub fn policy(&self) -> Policy {
        Policy { may_be_unavailable: self.may_be_unavailable.clone() }
    }
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    let names = Layer::ALL.map(Layer::name);
    json_schema!({ "type": "array", "uniqueItems": true, "items": { "enum": names } })
}
