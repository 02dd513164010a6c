//! From a model's configuration to a model that answers.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroerr_core::ports::{BoxFuture, Model, ModelError};

use crate::openai::{OpenAiConfig, OpenAiModel};
use crate::source::{DEFAULT_MODEL, DEFAULT_SHA256, DEFAULT_SOURCE, Source};
use crate::store::ModelStore;

/// What computes a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// mistral.rs in this process.
    Mistralrs,
    /// An OpenAI-compatible server.
    Openai,
}

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// Writes functions.
    Coder,
    /// Proposes plans.
    Planner,
    /// Tests, discriminates and criticises.
    #[serde(alias = "tester")]
    Adviser,
}

/// One configured model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name, for users and certificates.
    pub name: String,
    /// What computes it.
    pub engine: EngineKind,
    /// Where its file comes from (mistralrs); `file:` is used in place, all else from the store.
    pub source: Option<Source>,
    /// The SHA-256 that `models pull` insists on.
    pub sha256: Option<String>,
    /// How its server is asked (openai).
    pub endpoint: Option<OpenAiConfig>,
    /// Tokens of prompt and answer; 0 means what the model was made for.
    pub context: usize,
    /// What it is used for; empty means everything.
    pub roles: Vec<ModelRole>,
    /// Samples under way at once; 0 means as many as the engine likes (1 on a CPU, 8 on a server).
    pub max_concurrent: usize,
    /// Rewrite the weights once into formats that are fast on this CPU.
    pub optimise: bool,
}

impl Default for ModelConfig {
    /// The embedded default model.
    fn default() -> Self {
        Self {
            name: DEFAULT_MODEL.to_owned(),
            engine: EngineKind::Mistralrs,
            source: DEFAULT_SOURCE.parse().ok(),
            sha256: Some(DEFAULT_SHA256.to_owned()),
            endpoint: None,
            context: 0,
            roles: Vec::new(),
            max_concurrent: 0,
            optimise: true,
        }
    }
}

impl ModelConfig {
    /// Whether the model is used for `role`.
    pub fn serves(&self, role: ModelRole) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }

    /// Samples under way at once.
    pub fn concurrency(&self) -> usize {
        match (self.max_concurrent, self.engine) {
            (0, EngineKind::Openai) => 8,
            // The engine itself takes turns; two keep it busy while one answer is read.
            (0, EngineKind::Mistralrs) => {
                if cfg!(any(feature = "cuda", feature = "metal")) {
                    16
                } else {
                    2
                }
            }
            (n, _) => n,
        }
    }
}

/// Makes models; the pool calls it once per model and load.
pub trait ModelLoader: Send + Sync {
    /// Loads a model. Long work runs off the async runtime.
    fn load<'a>(&'a self, config: &'a ModelConfig) -> BoxFuture<'a, Result<Arc<dyn Model>, ModelError>>;
}

/// The real loader: files from the store, servers from the network.
pub struct StoreLoader {
    store: ModelStore,
}

impl StoreLoader {
    /// Loads files of this store.
    pub fn new(store: ModelStore) -> Self {
        Self { store }
    }

    /// The file of a local model.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`] with the command that fetches it.
    pub fn file_of(&self, config: &ModelConfig) -> Result<PathBuf, ModelError> {
        if let Some(Source::File(path)) = &config.source {
            let missing =
                || ModelError::Unavailable(format!("model {}: there is no file {}", config.name, path.display()));
            return if path.is_file() { Ok(path.clone()) } else { Err(missing()) };
        }
        self.store.path_of(&config.name).map_err(|e| ModelError::Unavailable(e.to_string()))
    }

    async fn open(&self, config: &ModelConfig) -> Result<Arc<dyn Model>, ModelError> {
        match (config.engine, &config.endpoint) {
            (EngineKind::Openai, Some(endpoint)) => Ok(Arc::new(OpenAiModel::new(&config.name, endpoint.clone())?)),
            (EngineKind::Openai, None) => Err(ModelError::Unavailable(format!(
                "model {name} is to be asked at a server, and none is named; set `llm.endpoints.{name}.url`",
                name = config.name
            ))),
            (EngineKind::Mistralrs, _) => local::open(&self.store, config, self.file_of(config)?).await,
        }
    }
}

impl ModelLoader for StoreLoader {
    fn load<'a>(&'a self, config: &'a ModelConfig) -> BoxFuture<'a, Result<Arc<dyn Model>, ModelError>> {
        Box::pin(self.open(config))
    }
}

#[cfg(feature = "mistralrs")]
mod local {
    //! With mistral.rs.
    use super::{Arc, Model, ModelConfig, ModelError, ModelStore, PathBuf};
    use crate::mistral::{LoadOptions, MistralModel};

    pub(super) async fn open(
        store: &ModelStore,
        config: &ModelConfig,
        file: PathBuf,
    ) -> Result<Arc<dyn Model>, ModelError> {
        let copy = config.optimise.then(|| store.work_file(&config.name, "fast.gguf"));
        let options = LoadOptions { context: config.context, optimised_copy: copy, ..LoadOptions::new(&config.name) };
        Ok(Arc::new(MistralModel::load(&file, options).await?))
    }
}

#[cfg(not(feature = "mistralrs"))]
mod local {
    //! Without mistral.rs.
    use super::{Arc, Model, ModelConfig, ModelError, ModelStore, PathBuf};

    pub(super) async fn open(_: &ModelStore, config: &ModelConfig, _: PathBuf) -> Result<Arc<dyn Model>, ModelError> {
        Err(ModelError::Unavailable(format!(
            "{} needs mistral.rs, which this build leaves out; build with `--features mistralrs`, or name a server in `llm.endpoints`",
            config.name
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_model_that_is_not_here_is_named_with_the_command_that_fetches_it() {
        let dir = tempfile::tempdir().unwrap();
        let loader = StoreLoader::new(ModelStore::new(dir.path()));
        let message = |config: ModelConfig| {
            let loader = &loader;
            async move { loader.load(&config).await.map(|_| ()).unwrap_err().to_string() }
        };
        assert!(message(ModelConfig::default()).await.contains("zeroerr models pull smollm2-135m-instruct"));
        let gone = ModelConfig { source: "file:/no/such.gguf".parse().ok(), ..ModelConfig::default() };
        assert!(message(gone).await.contains("/no/such.gguf"));
        let no_server = ModelConfig { engine: EngineKind::Openai, ..ModelConfig::default() };
        assert!(message(no_server).await.contains("`llm.endpoints.smollm2-135m-instruct.url`"));
    }

    #[test]
    fn a_model_without_roles_serves_all() {
        assert!(ModelConfig::default().serves(ModelRole::Planner));
        let coder = ModelConfig { roles: vec![ModelRole::Coder], ..ModelConfig::default() };
        assert!(coder.serves(ModelRole::Coder) && !coder.serves(ModelRole::Adviser));
    }
}
