//! Which layer wins, and what a project may say.

use super::{bad, good, user, with_project};
use crate::{Environment, Margin, SandboxMode, Sources};

#[test]
fn the_built_in_files_carry_the_values_of_the_seed() {
    let dev = good(&Sources::default()).settings;
    assert_eq!(dev.environment, Environment::Development);
    assert_eq!((dev.voting.k, dev.voting.max_attempts), (Margin::Fixed(3), 20));
    assert_eq!(dev.llm.models.coder.as_deref(), Some("deepseek-ai/deepseek-coder-6.7b-instruct"));
    assert_eq!(dev.llm.models.general.as_deref(), Some("microsoft/Phi-3-mini-4k-instruct"));
    assert!(!dev.coordination.kafka.enabled);

    let prod = good(&Sources { env: vec![("ZEROERR_ENVIRONMENT".into(), "production".into())], ..Sources::default() })
        .settings;
    assert_eq!((prod.voting.k, prod.voting.max_attempts), (Margin::Fixed(5), 50));
    let agents = &prod.agents;
    let advisers = (agents.testers, agents.discriminators, agents.critic);
    assert_eq!(advisers, (0, 0, false), "nobody advises whose word was not measured");
    assert_eq!(prod.llm.setup, "a100_cluster");
    assert_eq!(prod.llm.models.planner.as_deref(), Some("mistralai/Mixtral-8x7B-Instruct-v0.1"));
    assert_eq!(prod.coordination.kafka.brokers, ["kafka-1:9092", "kafka-2:9092"]);
    assert_eq!(prod.coordination.redis.cluster, ["redis-1:6379", "redis-2:6379"]);
}

#[test]
fn each_layer_beats_the_one_below_it() {
    let (dir, sources) = user("voting:\n  k: 4\n  max_attempts: 21\n  seed: 1\n");
    let mut sources = with_project(&dir, sources, "voting:\n  k: 5\n  seed: 2\n");
    let k = |s: &Sources| good(s).settings.voting.k;
    assert_eq!(k(&sources), Margin::Fixed(5), "project over user");
    sources.env = vec![("ZEROERR_VOTING__K".into(), "6".into()), ("ZEROERR_HOME".into(), "/x".into())];
    assert_eq!(k(&sources), Margin::Fixed(6), "environment over project");
    sources.editor = Some(serde_json::json!({ "voting": { "k": 7 } }));
    assert_eq!(k(&sources), Margin::Fixed(7), "editor over environment");
    sources.flags = vec![("voting.k".into(), "auto".into())];
    let loaded = good(&sources);
    assert_eq!(loaded.settings.voting.k, Margin::Auto, "flags over all");
    assert_eq!((loaded.settings.voting.max_attempts, loaded.settings.voting.seed), (21, 2), "lower layers still count");
    assert_eq!(loaded.origins["voting.k"], "--set");
    assert!(loaded.origins["voting.seed"].ends_with(".zeroerr.yaml:3"), "{:?}", loaded.origins["voting.seed"]);
}

#[test]
fn a_config_file_replaces_the_environments_file() {
    let (dir, mut sources) = user("");
    let path = dir.path().join("mine.yaml");
    std::fs::write(&path, "voting: {max_attempts: 33}\n").unwrap();
    sources.config = Some(path);
    let settings = good(&sources).settings;
    assert_eq!(settings.voting.max_attempts, 33);
    assert_eq!(settings.llm.models.coder, None, "development.yaml is not read");
}

#[test]
fn a_variable_keeps_text_as_text() {
    let env = vec![
        ("ZEROERR_LLM__ENDPOINTS__GPU__URL".to_owned(), "http://gpu:8000/v1".to_owned()),
        ("ZEROERR_LLM__ENDPOINTS__GPU__MODEL".to_owned(), "0123".to_owned()),
        ("ZEROERR_LLM__BACKEND".to_owned(), "gpu".to_owned()),
    ];
    let settings = good(&Sources { env, ..Sources::default() }).settings;
    assert_eq!(settings.llm.endpoints["gpu"].model, "0123");
}

#[test]
fn a_key_cannot_be_written_into_settings_and_is_not_quoted() {
    let (dir, sources) =
        user("llm:\n  endpoints:\n    gpu:\n      url: 'http://gpu/v1'\n      api_key: sk-verysecret\n");
    assert_eq!(
        bad(&dir, &sources),
        "config.yaml:5: unknown setting `llm.endpoints.gpu.api_key`; did you mean `llm.endpoints.gpu.api_key_env`?"
    );
    let (dir, sources) =
        user("llm:\n  endpoints:\n    gpu:\n      url: 'http://gpu/v1'\n      api_key_env: sk-verysecret\n");
    let said = bad(&dir, &sources);
    assert!(said.starts_with("config.yaml:5: `llm.endpoints.gpu.api_key_env` must be the name of"), "{said}");
    assert!(!said.contains("verysecret"), "{said}");
}

#[test]
fn an_editor_that_sends_its_defaults_changes_nothing() {
    let (_dir, mut sources) = user("voting:\n  k: 5\n");
    sources.editor = Some(serde_json::to_value(crate::Settings::default()).unwrap());
    assert_eq!(good(&sources).settings.voting.k, Margin::Fixed(5));
}

#[test]
fn a_project_may_tighten() {
    let (dir, sources) = user("verification:\n  may_be_unavailable: [types, security]\n");
    let text = "voting: {k: 9, max_attempts: 12}\nsandbox: {mode: on}\nverification: {may_be_unavailable: [types]}\n";
    let settings = good(&with_project(&dir, sources, text)).settings;
    assert_eq!((settings.voting.k, settings.voting.max_attempts), (Margin::Fixed(9), 12));
    assert_eq!(settings.sandbox.mode, SandboxMode::On);
    assert_eq!(settings.verification.may_be_unavailable.len(), 1);
}

#[test]
fn a_language_has_rules_of_its_own_and_a_project_may_only_tighten_them() {
    use zeroerr_core::code::LanguageId::{Python, Rust};
    use zeroerr_core::verdict::Layer;
    let mine = "verification:\n  may_be_unavailable: [types]\n  must_pass: [tests]\n  languages:\n    python: {must_pass: [syntax]}\n    rust: {may_be_unavailable: [performance]}\n";
    let (dir, sources) = user(mine);
    let policy = good(&sources).settings.verification.policy();
    assert_eq!(policy.of(Python).may_be_unavailable, [Layer::Types]);
    assert_eq!(policy.of(Python).must_pass, [Layer::Tests, Layer::Syntax]);
    assert_eq!(policy.of(Rust).may_be_unavailable, [Layer::Performance]);
    assert_eq!(policy.of(Rust).must_pass, [Layer::Tests]);
    let tighter = "verification:\n  must_pass: [tests, properties]\n  languages:\n    python: {may_be_unavailable: [], must_pass: [syntax, contracts]}\n    typescript: {must_pass: [types]}\n";
    let policy = good(&with_project(&dir, sources.clone(), tighter)).settings.verification.policy();
    assert!(policy.of(Python).may_be_unavailable.is_empty());
    assert_eq!(policy.of(Python).must_pass, [Layer::Tests, Layer::Properties, Layer::Syntax, Layer::Contracts]);
    for (text, why) in [
        ("must_pass: []", "the layer tests would no longer have to pass"),
        ("languages: {python: {must_pass: []}}", "the layer syntax would no longer have to pass"),
        ("languages: {python: {may_be_unavailable: [security]}}", "it would excuse the layer security"),
        ("languages: {rust: {may_be_unavailable: [types]}}", "it would excuse the layer types"),
        ("languages: {rust: {may_be_unavailable: null}}", "it would take away what you say of this language"),
    ] {
        let error = bad(&dir, &with_project(&dir, sources.clone(), &format!("verification:\n  {text}\n")));
        assert!(error.contains(why), "{text}: {error}");
    }
    // What the command line takes away for all, no list of the project gives back for one.
    let (dir, sources) = user("verification:\n  may_be_unavailable: [types, security]\n");
    let mut sources =
        with_project(&dir, sources, "verification:\n  languages:\n    python: {may_be_unavailable: [types]}\n");
    assert_eq!(good(&sources).settings.verification.policy().of(Python).may_be_unavailable, [Layer::Types]);
    sources.flags = vec![("verification.may_be_unavailable".into(), "[security]".into())];
    assert!(good(&sources).settings.verification.policy().of(Python).may_be_unavailable.is_empty());
    sources.flags.push(("verification.languages.python.may_be_unavailable".into(), "[types]".into()));
    assert_eq!(good(&sources).settings.verification.policy().of(Python).may_be_unavailable, [Layer::Types]);
    let (dir, sources) = user("verification:\n  languages:\n    ruby: {must_pass: [tests]}\n");
    let error = bad(&dir, &sources);
    assert!(error.contains("there is no language `ruby`; there are `python`, `rust`, `typescript`"), "{error}");
}

#[test]
fn a_project_may_ask_for_confirmation_and_may_not_take_it_away() {
    let (dir, sources) = user("lsp:\n  confirm_edits: true\n");
    let error = bad(&dir, &with_project(&dir, sources, "lsp:\n  confirm_edits: false\n"));
    assert!(error.contains("it would take away what you have asked for"), "{error}");
    let (dir, sources) = user("");
    assert!(good(&with_project(&dir, sources, "lsp: {confirm_edits: true}\n")).settings.lsp.confirm_edits);
}

#[test]
fn a_project_may_ask_for_more_advice_and_never_for_less() {
    let mine = "agents:\n  testers: 2\n  critic: true\n  weak_votes: 3\n";
    for (less, why) in [
        ("testers: 1", "1 is below your 2"),
        ("critic: false", "it would take away what you have asked for"),
        ("weak_votes: 1", "1 is below your 3"),
    ] {
        let (dir, sources) = user(mine);
        let error = bad(&dir, &with_project(&dir, sources, &format!("agents:\n  {less}\n")));
        assert!(error.contains(why), "{less}: {error}");
    }
    let (dir, sources) = user(mine);
    let agents = good(&with_project(&dir, sources, "agents: {testers: 3, discriminators: 1}\n")).settings.agents;
    assert_eq!((agents.testers, agents.discriminators, agents.critic, agents.weak_votes), (3, 1, true, 3));
}

#[test]
fn a_project_may_not_loosen() {
    let cases = [
        ("sandbox:\n  mode: off\n", "2: `sandbox.mode` may not be set here: it would run generated code unconfined"),
        ("voting:\n  k: 2\n", "2: `voting.k` may not be set here: 2 is below your 3"),
        ("voting:\n  k: auto\n", "2: `voting.k` may not be set here: `auto` may turn out below your 3"),
        (
            "verification:\n  may_be_unavailable: [security]\n",
            "2: `verification.may_be_unavailable` may not be set here: it would excuse the layer security",
        ),
        (
            "llm:\n  backend: local\n",
            "2: `llm.backend` may not be set here: it decides where code is sent and what is loaded",
        ),
        (
            "llm:\n  endpoints:\n    e:\n      url: http://e/v1\n",
            "4: `llm.endpoints.e.url` may not be set here: it decides where code is sent",
        ),
        (
            "models:\n  m:\n    source: file:/m.gguf\n",
            "3: `models.m.source` may not be set here: it decides what is downloaded",
        ),
        ("environment: production\n", "1: `environment` may not be set here: it chooses servers and models"),
    ];
    let remedy = "; set it in your own configuration (`zeroerr config show` names the file)";
    for (text, expected) in cases {
        let (dir, sources) = user("");
        assert_eq!(
            bad(&dir, &with_project(&dir, sources, text)),
            format!(".zeroerr.yaml:{expected}{remedy}"),
            "{text}"
        );
    }
    let editor = Sources { editor: Some(serde_json::json!({ "sandbox": { "mode": "off" } })), ..Sources::default() };
    assert!(crate::load(&editor).is_err_and(|e| e.to_string().starts_with("editor settings: `sandbox.mode`")));
}

#[test]
fn every_key_that_decides_trust_has_a_rule_of_its_own() {
    use crate::trust::{Rule, rule};
    for key in ["sandbox.anything_new", "brand_new", "verification.tools", "llm.endpoints.x.url", "votingx.k"] {
        assert!(matches!(rule(key), Rule::Never(_)), "{key} would be free");
    }
}

#[test]
fn the_nearest_project_file_counts_but_none_above_the_repository() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("repo/src");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(dir.path().join(".zeroerr.yaml"), "").unwrap();
    assert_eq!(crate::paths::project_file(&inner), Some(dir.path().join(".zeroerr.yaml")));
    std::fs::create_dir(dir.path().join("repo/.git")).unwrap();
    assert_eq!(crate::paths::project_file(&inner), None);
    std::fs::write(dir.path().join("repo/.zeroerr.yaml"), "").unwrap();
    assert_eq!(crate::paths::project_file(&inner), Some(dir.path().join("repo/.zeroerr.yaml")));
}
