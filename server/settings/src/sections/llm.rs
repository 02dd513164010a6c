//! `llm`: which models write code, and where they run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Models and where they run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Llm {
    /// A name for this combination of models, for whoever reads the file; it changes nothing.
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
    /// Samples that one model computes at once; 0 lets the engine choose (2 on a CPU, 16 on a GPU, 8
    /// at a server).
    #[schemars(range(max = 1024))]
    pub max_concurrent: usize,
    /// Seconds without a sample after which a model leaves memory; 0 keeps it.
    #[schemars(range(max = 604_800))]
    pub idle_unload_seconds: u64,
    /// Seconds that a model may take for one sample before it counts as not answered; 0 lets it take for
    /// ever.
    #[schemars(range(min = 0, max = 86_400))]
    pub sample_seconds: u64,
    /// Whether weights are rewritten once into formats that are fast on this processor. The copy
    /// lies beside the model.
    pub optimise: bool,
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
            max_concurrent: 0,
            idle_unload_seconds: 600,
            sample_seconds: 900,
            optimise: true,
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
    /// Tests, discriminates and criticises when `agents` switches that on and the backend is `local`; unset, the
    /// models that write functions do.
    pub verifier: Option<String>,
    /// Proposes plans with `planning.mode: auto`, when the backend is `local`; unset, the models that write
    /// functions do.
    pub planner: Option<String>,
}

/// A server that speaks the OpenAI HTTP API (vLLM, llama.cpp and others).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoint {
    /// Address with the version and without `/chat/completions`, e.g. `http://127.0.0.1:8000/v1`.
    pub url: String,
    /// The model's name at that server.
    pub model: String,
    /// Name of the environment variable that holds the key. The key itself is never written into
    /// settings, so that no file and no report can leak it.
    pub api_key_env: Option<String>,
    /// Time to the first token, in seconds; the server may have to load the model first.
    #[schemars(range(min = 1, max = 86_400))]
    pub first_token_seconds: u64,
    /// Time between two tokens, in seconds.
    #[schemars(range(min = 1, max = 86_400))]
    pub idle_seconds: u64,
    /// Whether the server knows vLLM's `guided_regex` and `guided_json`.
    pub guided: bool,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            url: String::new(),
            model: String::new(),
            api_key_env: None,
            first_token_seconds: 120,
            idle_seconds: 30,
            guided: false,
        }
    }
}
