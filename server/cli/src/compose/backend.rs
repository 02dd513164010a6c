//! From `llm.backend` to the models that sample.

use std::path::PathBuf;
use std::sync::Arc;

use zeroerr_core::ports::Model;
use zeroerr_llm::model_loader::{EngineKind, ModelConfig, ModelRole};
use zeroerr_llm::openai::OpenAiConfig;
use zeroerr_llm::replay::ReplayModel;
use zeroerr_settings::{Endpoint, ModelEntry, PlanningMode, Settings};

use super::store_name;
use crate::exit::CliError;

/// The variable that names the recorded samples of `backend: scripted`.
const SCRIPT: &str = "ZEROERR_SCRIPTED";

/// The models of the backend, in the order in which they take turns.
///
/// # Errors
/// A source that is none. Names were checked when the settings were read.
pub fn configs(settings: &Settings) -> Result<Vec<ModelConfig>, CliError> {
    let llm = &settings.llm;
    let catalogue = |name: &str| match settings.models.get(name) {
        Some(entry) => local(settings, name, entry),
        None => {
            Err(CliError::usage(format!("there is no model `{name}` in the catalogue; `zeroerr models list` shows it")))
        }
    };
    match llm.backend.as_str() {
        "scripted" => Ok(Vec::new()),
        "embedded" => Ok(vec![catalogue(&llm.embedded)?]),
        "local" => {
            let coders: Vec<&String> = llm.models.coder.iter().chain(&llm.models.general).collect();
            let planner = llm.models.planner.as_ref().filter(|_| settings.planning.mode == PlanningMode::Auto);
            let agents = &settings.agents;
            let has_advisers = agents.testers > 0 || agents.discriminators > 0 || agents.critic;
            let verifier = llm.models.verifier.as_ref().filter(|_| has_advisers);
            let special = [(ModelRole::Planner, planner), (ModelRole::Adviser, verifier)];
            by_role(&coders, special)
                .into_iter()
                .map(|(name, roles)| Ok(ModelConfig { roles, ..catalogue(name)? }))
                .collect()
        }
        name => match llm.endpoints.get(name) {
            Some(endpoint) => Ok(vec![remote(settings, name, endpoint)]),
            None => Ok(vec![catalogue(name)?]),
        },
    }
}

/// Every model with its roles, each once. Those that write functions do whatever no other model is named for.
fn by_role<'a>(
    coders: &[&'a String],
    special: [(ModelRole, Option<&'a String>); 2],
) -> Vec<(&'a String, Vec<ModelRole>)> {
    let mut roles = vec![ModelRole::Coder];
    roles.extend(special.iter().filter(|(_, name)| name.is_none()).map(|(role, _)| *role));
    let mut models: Vec<(&String, Vec<ModelRole>)> = coders.iter().map(|name| (*name, roles.clone())).collect();
    for (role, name) in special.into_iter().filter_map(|(role, name)| Some((role, name?))) {
        match models.iter_mut().find(|(known, _)| *known == name) {
            Some((_, roles)) => roles.push(role),
            None => models.push((name, vec![role])),
        }
    }
    models
}

/// Recorded samples.
///
/// # Errors
/// When the variable is not set, or its file cannot be used.
pub fn scripted() -> Result<Arc<dyn Model>, CliError> {
    let path = std::env::var_os(SCRIPT).map(PathBuf::from);
    let path = path.ok_or_else(|| {
        CliError::usage(format!("`llm.backend` is `scripted`, but {SCRIPT} names no file of recorded samples"))
    })?;
    let model = ReplayModel::open("scripted", &path).map_err(|e| CliError::usage(e.to_string()))?;
    Ok(Arc::new(model))
}

fn local(settings: &Settings, name: &str, entry: &ModelEntry) -> Result<ModelConfig, CliError> {
    let source = entry.source.parse().map_err(|e| CliError::usage(format!("`models.{name}.source`: {e}")))?;
    Ok(ModelConfig {
        name: store_name(name),
        engine: EngineKind::Mistralrs,
        source: Some(source),
        sha256: entry.sha256.clone(),
        endpoint: None,
        context: entry.context,
        roles: Vec::new(),
        max_concurrent: settings.llm.max_concurrent,
        optimise: settings.llm.optimise,
    })
}

fn remote(settings: &Settings, name: &str, endpoint: &Endpoint) -> ModelConfig {
    let asked = OpenAiConfig {
        base_url: endpoint.url.clone(),
        model: endpoint.model.clone(),
        api_key_env: endpoint.api_key_env.clone(),
        first_token_ms: endpoint.first_token_seconds * 1000,
        idle_ms: endpoint.idle_seconds * 1000,
        guided: endpoint.guided,
        ..OpenAiConfig::default()
    };
    ModelConfig {
        name: name.to_owned(),
        engine: EngineKind::Openai,
        source: None,
        sha256: None,
        endpoint: Some(asked),
        max_concurrent: settings.llm.max_concurrent,
        ..ModelConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use zeroerr_settings::{Sources, load};

    use super::*;

    fn names(flags: &[(&str, &str)]) -> Vec<(String, EngineKind)> {
        let flags = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let loaded = load(&Sources { flags, ..Sources::default() }).unwrap();
        configs(&loaded.settings).unwrap().into_iter().map(|c| (c.name, c.engine)).collect()
    }

    #[test]
    fn each_backend_gives_its_models() {
        use EngineKind::{Mistralrs, Openai};
        assert_eq!(names(&[]), [("smollm2-135m-instruct".into(), Mistralrs)]);
        let both = [
            ("deepseek-ai--deepseek-coder-6.7b-instruct".into(), Mistralrs),
            ("microsoft--Phi-3-mini-4k-instruct".into(), Mistralrs),
        ];
        assert_eq!(names(&[("llm.backend", "local")]), both);
        assert_eq!(names(&[("llm.backend", "microsoft/Phi-3-mini-4k-instruct")]), both[1..]);
        assert_eq!(
            names(&[("llm.endpoints.gpu.url", "http://gpu/v1"), ("llm.backend", "gpu")]),
            [("gpu".into(), Openai)]
        );
        assert_eq!(names(&[("llm.backend", "scripted")]), []);
    }

    #[test]
    fn a_planner_is_asked_for_plans_alone_and_only_when_plans_are_asked_for() {
        let flags = |mode: &str| {
            [("llm.backend", "local"), ("llm.models.planner", "smollm2-135m-instruct"), ("planning.mode", mode)]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into()
        };
        let of = |mode: &str| {
            let loaded = load(&Sources { flags: flags(mode), ..Sources::default() }).unwrap();
            configs(&loaded.settings).unwrap()
        };
        let auto = of("auto");
        let planners: Vec<&str> =
            auto.iter().filter(|c| c.serves(ModelRole::Planner)).map(|c| c.name.as_str()).collect();
        assert_eq!(planners, ["smollm2-135m-instruct"]);
        assert_eq!(auto.iter().filter(|c| c.serves(ModelRole::Coder)).count(), 2);
        assert_eq!(of("steps").len(), 2, "nobody loads a model that nobody asks");
    }

    #[test]
    fn a_verifier_advises_alone_and_only_when_agents_are_asked_for() {
        let of = |flags: &[(&str, &str)]| {
            let flags = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let flags = flags.chain([("llm.backend".into(), "local".into())]).collect();
            let loaded = load(&Sources { flags, ..Sources::default() }).unwrap();
            let all = configs(&loaded.settings).unwrap();
            let serve = |role| all.iter().filter(|c| c.serves(role)).map(|c| c.name.clone()).collect::<Vec<_>>();
            [serve(ModelRole::Coder), serve(ModelRole::Adviser)]
        };
        let verifier = ("llm.models.verifier", "smollm2-135m-instruct");
        let [coders, advisers] = of(&[verifier, ("agents.critic", "true")]);
        assert_eq!((coders.len(), advisers), (2, vec!["smollm2-135m-instruct".to_owned()]));
        let [coders, advisers] = of(&[verifier]);
        assert_eq!((coders.len(), advisers), (2, coders), "nobody loads a model that nobody asks");
    }

    #[test]
    fn the_shipped_default_is_the_one_the_engine_knows() {
        let settings = load(&Sources::default()).unwrap().settings;
        let config = &configs(&settings).unwrap()[0];
        let known = ModelConfig::default();
        assert_eq!((&config.name, &config.source, &config.sha256), (&known.name, &known.source, &known.sha256));
    }
}
