//! `verification`: which layers must have run, and which must have passed.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use zeroerr_core::code::LanguageId;
use zeroerr_core::verdict::{Layer, Policy};

/// The eight layers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// Layers that may be unavailable or time out while an edit is still offered. A layer that
    /// fails is never tolerated.
    #[schemars(schema_with = "layers")]
    pub may_be_unavailable: Vec<Layer>,
    /// Layers that must have passed: with nothing to check (no `@property`, say) there is no "verified".
    #[schemars(schema_with = "layers")]
    pub must_pass: Vec<Layer>,
    /// Rules of one language, by its name: `python`, `rust`, `typescript`.
    pub languages: BTreeMap<String, LanguageRules>,
}

/// What is particular to one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageRules {
    /// In the place of `verification.may_be_unavailable`; without it, that holds.
    #[schemars(schema_with = "layers_or_none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_be_unavailable: Option<Vec<Layer>>,
    /// Beside `verification.must_pass`.
    #[schemars(schema_with = "layers")]
    pub must_pass: Vec<Layer>,
}

impl Verification {
    /// The policy for [`zeroerr_core::verdict::StackReport::objection`].
    pub fn policy(&self) -> Policy {
        let (may_be_unavailable, must_pass) = (self.may_be_unavailable.clone(), self.must_pass.clone());
        let general = Policy { may_be_unavailable, must_pass, languages: BTreeMap::new() };
        let of = |rules: &LanguageRules| {
            let mut own = general.clone();
            if let Some(excused) = &rules.may_be_unavailable {
                own.may_be_unavailable.clone_from(excused);
            }
            own.must_pass.extend(rules.must_pass.iter().filter(|l| !self.must_pass.contains(l)));
            own
        };
        let named = self.languages.iter().filter_map(|(name, rules)| Some((language(name)?, of(rules))));
        Policy { languages: named.collect(), ..general.clone() }
    }
}

/// The languages that may have rules of their own.
pub(crate) const LANGUAGES: [LanguageId; 3] = [LanguageId::Python, LanguageId::Rust, LanguageId::TypeScript];

/// The language of a name.
pub(crate) fn language(name: &str) -> Option<LanguageId> {
    LANGUAGES.into_iter().find(|l| l.name() == name)
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    let names = Layer::ALL.map(Layer::name);
    json_schema!({ "type": "array", "uniqueItems": true, "items": { "enum": names } })
}

fn layers_or_none(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = layers(generator);
    schema.insert("type".into(), serde_json::json!(["array", "null"]));
    schema
}
