//! `verification`: which layers must have run.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use zeroerr_core::verdict::{Layer, Policy};

/// The eight layers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// Layers that may be unavailable or time out while an edit is still offered. A layer that
    /// fails is never tolerated.
    #[schemars(schema_with = "layers")]
    pub may_be_unavailable: Vec<Layer>,
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
