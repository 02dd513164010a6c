//! `llm`: which models write code, and where they run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// Models and where they run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// A name for this combination of models; shown in logs and reports only.
    pub setup: String,
    /// Who samples: `embedded` (the model in `llm.embedded`, in process), `local` (the models of
    /// `llm.models`, in process), the name of a catalogue entry (in process), the name of an
    /// entry of `llm.endpoints`, or `scripted` (recorded samples from the JSON list that the
    /// variable `ZEROERR_SCRIPTED` names; for tests).
    pub backend: String,
    /// The catalogue entry that `backend: embedded` loads and `zeroerr doctor --fix` fetches.
    pub embedded: String,
    /// Catalogue entries by role, used by `backend: local`.
    pub models: ModelRoles,
    /// Servers that speak the OpenAI HTTP API, by name. Only the user's own configuration may
    /// name one: code is sent there.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Longest response in tokens; a longer one is a red flag (750 in the MAKER paper).
    #[schemars(range(min = 1, max = 32_768))]
    pub max_tokens: usize,
    /// Longest prompt and response together, in tokens; what the model itself allows is the
    /// upper bound.
    #[schemars(range(min = 256, max = 1_048_576))]
    pub context: usize,
    /// Threads that decode in process; 0 lets the engine choose.
    #[schemars(range(max = 1024))]
    pub threads: usize,
}

impl Default for Llm {
    fn default() -> Self {
        Self {
            setup: "embedded".into(),
            backend: "embedded".into(),
            embedded: "smollm2-135m-instruct".into(),
            models: ModelRoles::default(),
            endpoints: BTreeMap::new(),
            max_tokens: 750,
            context: 2048,
            threads: 0,
        }
    }
}

/// Catalogue entries by role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelRoles {
    /// Writes functions.
    pub coder: Option<String>,
    /// Votes beside the coder, so that errors are less correlated.
    pub general: Option<String>,
    /// Judges where a judgement is asked for.
    pub verifier: Option<String>,
    /// Proposes plans.
    pub planner: Option<String>,
}

/// A server that speaks the OpenAI HTTP API (vLLM, llama.cpp, a zeroerr pool).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// Base address with the version, e.g. `http://127.0.0.1:8000/v1`.
    pub url: String,
    /// The model's name at that server.
    pub model: String,
    /// The key, sent as a bearer token. Never shown or logged.
    pub api_key: Option<Secret>,
    /// Environment variable that holds the key; used when `api_key` is not set.
    pub api_key_env: Option<String>,
    /// Time for one response, in seconds; 0 means the default of 120.
    #[schemars(range(max = 86_400))]
    pub timeout_seconds: u64,
}

impl Endpoint {
    /// The key: `api_key`, else what `lookup` finds for `api_key_env`.
    pub fn key(&self, lookup: impl Fn(&str) -> Option<String>) -> Option<Secret> {
        self.api_key.clone().or_else(|| self.api_key_env.as_deref().and_then(lookup).map(Secret::new))
    }
}
