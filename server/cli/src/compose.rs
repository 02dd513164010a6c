//! The composition root: settings in, a workbench out. Nothing is loaded or started here; what is
//! missing is said when it is asked for, so that `verify` needs no model and `lsp` starts at once.

mod backend;
mod health;

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::LanguageId;
use zeroerr_core::ports::Model;
use zeroerr_core::voting_engine::adaptive::Aim;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::local::{LocalWorkbench, Parts, StatusSource};
use zeroerr_engine::options::{AgentRules, Agents, PlanMode, Planning, Reliability, RunOptions};
use zeroerr_llm::model_loader::{EngineKind, ModelConfig, ModelRole, StoreLoader};
use zeroerr_llm::model_pool::{ModelPool, OnPoolEvent, PoolConfig};
use zeroerr_llm::store::ModelStore;
use zeroerr_sandbox::{Mode, Sandbox, SandboxOptions};
use zeroerr_settings::{Margin, PlanningMode, SandboxMode, Settings};
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::VerificationStack;

use crate::exit::CliError;

/// The parts, put together.
pub struct Composed {
    /// What front ends use.
    pub workbench: Arc<LocalWorkbench>,
    stack: Arc<VerificationStack>,
    advisers: Vec<Arc<dyn Model>>,
    loader: Arc<StoreLoader>,
    configs: Vec<ModelConfig>,
}

impl Composed {
    /// Puts the parts together for these settings. Must be called within the runtime, which the
    /// pool's idle watch lives on. `on_event` hears of models that are loaded.
    ///
    /// # Errors
    /// A backend that cannot exist, or a k that cannot be computed.
    pub fn new(settings: &Settings, data_dir: &Path, on_event: OnPoolEvent) -> Result<Self, CliError> {
        Self::with(settings, data_dir, on_event, true)
    }

    fn with(settings: &Settings, data_dir: &Path, on_event: OnPoolEvent, remember: bool) -> Result<Self, CliError> {
        let options = run_options(settings)?;
        let journal = journal(data_dir);
        let tools = toolchain(settings, data_dir).on_health(health::of_tools(journal.clone().ok()));
        let stack = VerificationStack::new(Arc::new(tools), settings.verification.policy());
        let stack = Arc::new(if remember { stack.remembering() } else { stack });
        let loader = Arc::new(StoreLoader::new(store(data_dir)));
        let configs = backend::configs(settings)?;
        let config = PoolConfig {
            models: configs.clone(),
            idle_unload_s: settings.llm.idle_unload_seconds,
            sample_limit_s: settings.llm.sample_seconds,
            ..PoolConfig::default()
        };
        let pool = Arc::new(ModelPool::new(config, loader.clone(), health::of_models(journal.clone().ok(), on_event)));
        let models = if settings.llm.backend == "scripted" {
            vec![backend::scripted()?]
        } else {
            pool.for_role(ModelRole::Coder)
        };
        let (planners, advisers) = (pool.for_role(ModelRole::Planner), pool.for_role(ModelRole::Adviser));
        let status = status(pool, stack.clone());
        let asked = if advisers.is_empty() { models.clone() } else { advisers.clone() };
        let parts = Parts { models, stack: stack.clone(), journal, status };
        Ok(Self {
            workbench: Arc::new(LocalWorkbench::new(parts, options).planned_by(planners).advised_by(advisers)),
            stack,
            advisers: asked,
            loader,
            configs,
        })
    }

    /// The models that write tests.
    pub fn advisers(&self) -> Vec<Arc<dyn Model>> {
        self.advisers.clone()
    }

    /// The parts that verify code; no model is asked. With `remember`, verdicts are those of an earlier process where
    /// nothing has changed that could change them.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn verifying(settings: &Settings, data_dir: &Path, remember: bool) -> Result<Self, CliError> {
        Self::with(settings, data_dir, Arc::new(drop), remember)
    }

    /// Whether a run on files of these languages can begin: sandbox, tools and model files are there.
    ///
    /// # Errors
    /// What is missing, with the remedy.
    pub fn ready(&self, languages: &[LanguageId]) -> Result<(), CliError> {
        let tools = self.stack.toolchain();
        tools.sandbox().map_err(|e| CliError::machine(e.to_string()))?;
        for id in languages {
            let language = self.stack.language(*id).map_err(|e| CliError::machine(e.to_string()))?;
            language.ready(tools).map_err(|e| CliError::machine(e.to_string()))?;
        }
        let local = self.configs.iter().filter(|c| c.engine == EngineKind::Mistralrs);
        local
            .map(|c| self.loader.file_of(c))
            .try_for_each(|file| file.map(drop))
            .map_err(|e| CliError::machine(e.to_string()))
    }
}

/// What `status` says of models and sandbox.
fn status(pool: Arc<ModelPool>, stack: Arc<VerificationStack>) -> StatusSource {
    Box::new(move || {
        let mut lines: Vec<String> = pool.status().iter().map(health::model_line).collect();
        lines.extend(stack.toolchain().health().iter().filter_map(health::tool_line));
        lines.push(match stack.toolchain().sandbox() {
            Ok(sandbox) => format!("sandbox: {}", sandbox.describe()),
            Err(error) => format!("sandbox: {error}"),
        });
        lines
    })
}

/// The rules of runs.
///
/// # Errors
/// When `k: auto` has no answer.
pub fn run_options(settings: &Settings) -> Result<RunOptions, CliError> {
    let voting = &settings.voting;
    let aim = Aim { p: voting.assumed_success, target: voting.target_reliability, steps: 1 };
    let (k, reliability) = match voting.k {
        Margin::Fixed(k) => (k, None),
        Margin::Auto => {
            let k = aim.first_lead();
            let k = k.map_err(|e| CliError::usage(format!("`voting.k: auto` cannot be computed: {e}")))?;
            (k, Some(Reliability { assumed_success: aim.p, target: aim.target }))
        }
    };
    if k > voting.max_attempts {
        return Err(CliError::usage(format!(
            "`voting.k: auto` comes to {k}, and `voting.max_attempts` is {}: no step could ever be decided; allow at least {k} samples",
            voting.max_attempts
        )));
    }
    Ok(RunOptions {
        k,
        max_attempts: voting.max_attempts,
        in_flight: u32::try_from(voting.samples_in_flight).unwrap_or(u32::MAX),
        first_temperature: voting.first_temperature,
        temperature: voting.temperature,
        top_p: voting.top_p,
        max_tokens: settings.llm.max_tokens,
        seed: voting.seed,
        policy: settings.verification.policy(),
        planning: planning(&settings.planning),
        agents: agents(&settings.agents),
        reliability,
        by_input: voting.by_input,
    })
}

fn agents(settings: &zeroerr_settings::Agents) -> Agents {
    Agents {
        rules: AgentRules {
            testers: settings.testers,
            weak_votes: settings.weak_votes,
            critic: settings.critic,
            objection_votes: settings.objection_votes,
            discriminators: settings.discriminators,
        },
        tests: settings.tests,
        paraphrase: settings.paraphrase,
    }
}

fn planning(settings: &zeroerr_settings::Planning) -> Planning {
    Planning {
        mode: match settings.mode {
            PlanningMode::Off => PlanMode::Off,
            PlanningMode::Steps => PlanMode::Steps,
            PlanningMode::Auto => PlanMode::Auto,
        },
        max_depth: settings.max_depth,
        k: settings.k,
        max_attempts: settings.max_attempts,
        max_steps: settings.max_steps,
        steps_in_flight: settings.steps_in_flight,
        revotes: settings.revotes,
    }
}

/// Where the sandbox is looked for, and whether the user switched it off.
pub fn sandbox_options(settings: &Settings, data_dir: &Path) -> SandboxOptions {
    let mode = match settings.sandbox.mode {
        SandboxMode::On => Mode::On,
        SandboxMode::Off => Mode::Off,
    };
    SandboxOptions { mode, places: vec![Toolchain::bwrap_place(data_dir)], ..SandboxOptions::default() }
}

/// The tools of this machine.
pub fn toolchain(settings: &Settings, data_dir: &Path) -> Toolchain {
    Toolchain::detect(data_dir, Sandbox::detect(&sandbox_options(settings, data_dir)))
}

/// The model files of this machine.
pub fn store(data_dir: &Path) -> ModelStore {
    ModelStore::new(data_dir)
}

/// A catalogue name as the store can keep it: `owner/model` becomes `owner--model`.
pub fn store_name(name: &str) -> String {
    name.replace('/', "--")
}

/// The journal, or why there is none: a run goes on without one, and whoever needs one says why not.
fn journal(data_dir: &Path) -> Result<Arc<Journal>, String> {
    Journal::open(&data_dir.join("journal")).map(Arc::new).map_err(|error| {
        // Whoever is hurt by it says so, once.
        tracing::info!(%error, "runs cannot be resumed");
        error.to_string()
    })
}
