//! One clear message with file, line, key and remedy for every kind of mistake.

use expect_test::{Expect, expect};

use super::{bad, user};
use crate::{Sources, load};

fn check(text: &str, expected: Expect) {
    let (dir, sources) = user(text);
    expected.assert_eq(&bad(&dir, &sources));
}

fn check_env(name: &str, value: &str, expected: Expect) {
    let (dir, mut sources) = user("");
    sources.env = vec![(name.into(), value.into())];
    expected.assert_eq(&bad(&dir, &sources));
}

#[test]
fn unknown_settings() {
    check("voting:\n  kk: 3\n", expect!["config.yaml:2: unknown setting `voting.kk`; did you mean `voting.k`?"]);
    check(
        "voting:\n  max_attempt: 3\n",
        expect!["config.yaml:2: unknown setting `voting.max_attempt`; did you mean `voting.max_attempts`?"],
    );
    check("votng:\n  k: 3\n", expect!["config.yaml:1: unknown setting `votng`; did you mean `voting`?"]);
    check(
        "llm:\n  models:\n    coder: x\n    zzz: 3\n",
        expect!["config.yaml:4: unknown setting `llm.models.zzz`; expected one of: coder, general, verifier, planner"],
    );
    check(
        "models:\n  my-1.5b:\n    source: file:/m.gguf\n    sha: 3\n",
        expect!["config.yaml:4: unknown setting `models.my-1.5b.sha`; did you mean `models.my-1.5b.sha256`?"],
    );
}

#[test]
fn wrong_values() {
    check(
        "voting:\n  k: three\n",
        expect!["config.yaml:2: `voting.k` must be a whole number from 1 to 1000, or `auto`, not `three`"],
    );
    check(
        "voting:\n  k: 0\n",
        expect!["config.yaml:2: `voting.k` must be a whole number from 1 to 1000, or `auto`, not `0`"],
    );
    check(
        "voting:\n  k: -1\n",
        expect!["config.yaml:2: `voting.k` must be a whole number from 1 to 1000, or `auto`, not `-1`"],
    );
    check(
        "voting:\n  max_attempts: many\n",
        expect!["config.yaml:2: `voting.max_attempts` must be a whole number, not below 0, not `many`"],
    );
    check(
        "voting:\n  max_attempts: 0\n",
        expect!["config.yaml:2: `voting.max_attempts` must be from 1 to 10000, not 0"],
    );
    check(
        "voting:\n  k:\n",
        expect!["config.yaml:2: `voting.k` must be a whole number from 1 to 1000, or `auto`, not empty"],
    );
    check("llm:\n  optimise: maybe\n", expect!["config.yaml:2: `llm.optimise` must be `true` or `false`, not `maybe`"]);
    check(
        "logging:\n  level: 3\n",
        expect!["config.yaml:2: `logging.level` must be one of the words of the reference, not `3`"],
    );
    check("llm:\n  setup: [a]\n", expect!["config.yaml:2: `llm.setup` must be text, not a list"]);
    check(
        "verification:\n  may_be_unavailable: types\n",
        expect!["config.yaml:2: `verification.may_be_unavailable` must be a list, not `types`"],
    );
    check("models: 3\n", expect!["config.yaml:1: `models` must be a section with keys below it, not `3`"]);
    check("voting: 3\n", expect!["config.yaml:1: `voting` must be a section with keys below it, not `3`"]);
    check("voting:\n  temperature: 3.5\n", expect!["config.yaml:2: `voting.temperature` must be from 0 to 2, not 3.5"]);
    check("sandbox:\n  mode: of\n", expect!["config.yaml:2: `sandbox.mode` cannot be `of`; did you mean `off`?"]);
    check(
        "verification:\n  may_be_unavailable:\n    - sekurity\n",
        expect!["config.yaml:2: `verification.may_be_unavailable.0` cannot be `sekurity`; did you mean `security`?"],
    );
    check(
        "environment: staging\n",
        expect!["config.yaml:1: `environment` cannot be `staging`; expected one of: development, production"],
    );
}

#[test]
fn names_that_do_not_exist() {
    check(
        "llm:\n  backend: embeded\n",
        expect![
            "config.yaml:2: `llm.backend` names `embeded`, which is neither a model of the catalogue nor an endpoint; did you mean `embedded`?"
        ],
    );
    check(
        "llm:\n  models:\n    coder: deepseek-ai/deepseek-coder-6.7b\n",
        expect![
            "config.yaml:3: `llm.models.coder` names `deepseek-ai/deepseek-coder-6.7b`, which is neither a model of the catalogue nor an endpoint; did you mean `deepseek-ai/deepseek-coder-6.7b-instruct`?"
        ],
    );
    check(
        "llm:\n  endpoints:\n    gpu:\n      url: gpu:8000\n",
        expect![
            "config.yaml:4: `llm.endpoints.gpu.url` must be an http or https address; for example `http://127.0.0.1:8000/v1`"
        ],
    );
    check(
        "llm:\n  endpoints:\n    gpu:\n      url: http://me:pw@gpu:8000/v1\n",
        expect![
            "config.yaml:4: `llm.endpoints.gpu.url` holds a user name or password; name the variable that holds the key in `llm.endpoints.gpu.api_key_env`"
        ],
    );
    check(
        "models:\n  m:\n    source: http://x/m.gguf\n",
        expect!["config.yaml:3: `models.m.source` must begin with `hf:`, `pypi:` or `file:`, not `http://x/m.gguf`"],
    );
    check(
        "models:\n  m:\n    source: file:/m.gguf\n    sha256: abc\n",
        expect!["config.yaml:4: `models.m.sha256` must be 64 hex digits; `sha256sum` prints it; this has 3 characters"],
    );
    check(
        "coordination:\n  kafka:\n    brokers: [kafka-1]\n",
        expect!["config.yaml:3: `coordination.kafka.brokers` holds `kafka-1`, which is not HOST:PORT"],
    );
}

#[test]
fn broken_yaml() {
    check("voting:\n  k: 3\n  k: 4\n", expect!["config.yaml:3: `k` is given twice; keep one of them"]);
    check("voting:\n\tk: 3\n", expect!["config.yaml:2:1: a tab cannot indent YAML; use spaces"]);
    check("voting:\n  k: [3\n", expect!["config.yaml:3:1: is not valid YAML: did not find expected ',' or ']'"]);
    check("voting:\n  k: 'x\n", expect!["config.yaml:3:1: is not valid YAML: found unexpected end of stream"]);
    check(
        "- voting\n",
        expect!["config.yaml:1: a settings file must be a mapping such as `voting:` with `k: 3` below it"],
    );
    check(
        "just words\n",
        expect!["config.yaml:1: a settings file must be a mapping such as `voting:` with `k: 3` below it"],
    );
    check("voting: *nowhere\n", expect!["config.yaml:1:9: is not valid YAML: unknown anchor"]);
    check("\u{feff}voting:\r\n  k: 3\r\n", expect![["no error"]]);
    check("# nothing\n", expect![["no error"]]);
}

#[test]
fn files_that_cannot_be_used() {
    let (dir, sources) = user("");
    let path = sources.user_file.clone().unwrap();
    std::fs::write(&path, b"voting:\n  k: 3 # \xe9\n").unwrap();
    expect!["config.yaml:2: is not UTF-8; save the file as UTF-8"].assert_eq(&bad(&dir, &sources));
    std::fs::remove_file(&path).unwrap();
    expect![["no error"]].assert_eq(&bad(&dir, &sources));
    let config = Sources { config: Some(path), ..Sources::default() };
    expect!["config.yaml: there is no such file; `--config` takes the path of a YAML file"]
        .assert_eq(&bad(&dir, &config));
}

#[test]
fn variables_and_flags() {
    check_env(
        "ZEROERR_VOTING__K",
        "x",
        expect![
            "environment variable ZEROERR_VOTING__K: `voting.k` must be a whole number from 1 to 1000, or `auto`, not `x`"
        ],
    );
    check_env(
        "ZEROERR_VOTING__KAY",
        "3",
        expect!["environment variable ZEROERR_VOTING__KAY: unknown setting `voting.kay`; did you mean `voting.k`?"],
    );
    check_env(
        "ZEROERR_VOTING_K",
        "3",
        expect![
            "environment variable ZEROERR_VOTING_K: two underscores separate a section from its key; did you mean `ZEROERR_VOTING__K`?"
        ],
    );
    check_env(
        "ZEROERR_VOTING____K",
        "3",
        expect!["environment variable ZEROERR_VOTING____K: `voting..k` is no key; a key looks like `voting.k`"],
    );
    check_env("ZEROERR_LOG", "debug", expect![["no error"]]);
    let env = ["ZEROERR_LOG", "ZEROERR_VOTINGK", "ZEROERR_HOEM", "ZEROERR_E2E_NVIM", "ZEROERR_VOTING__K", "PATH"];
    let env = env.iter().map(|name| ((*name).to_owned(), "3".to_owned())).collect();
    let notes = load(&Sources { env, ..Sources::default() }).unwrap().notes;
    expect![[r#"
        environment variable ZEROERR_HOEM: nothing reads it; did you mean `ZEROERR_HOME`?
        environment variable ZEROERR_VOTINGK: nothing reads it; a setting looks like `ZEROERR_VOTING__K`"#]]
    .assert_eq(&notes.join("\n"));
    let (dir, mut sources) = user("");
    sources.flags = vec![("voting.kk".into(), "3".into())];
    expect!["--set: unknown setting `voting.kk`; did you mean `voting.k`?"].assert_eq(&bad(&dir, &sources));
}
