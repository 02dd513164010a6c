//! What a shell sees of `zeroerr`: exit code, standard output, standard error. No model is needed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};

use expect_test::{Expect, expect};
use serde_json::Value;
use tempfile::TempDir;
use zeroerr_tests::zeroerr;

/// A user with an empty home folder, in an empty project.
pub struct Shell {
    home: TempDir,
}

/// What a command left behind.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["config/zeroerr", "project/.git", "data"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        Self { home }
    }

    pub fn project(&self) -> std::path::PathBuf {
        self.home.path().join("project")
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.home.path().join(name), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(zeroerr());
        command.args(args).current_dir(self.project()).env_clear();
        // As a user's shell, but nothing of this machine's user.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path());
        command.env("XDG_CONFIG_HOME", self.home.path().join("config"));
        command.env("ZEROERR_HOME", self.home.path().join("data"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        self.said(self.command(args).output().unwrap())
    }

    /// The output, with this test's folder cut out.
    pub fn said(&self, output: Output) -> Said {
        let place = format!("{}/", self.home.path().display());
        let clean = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&place, "");
        Said { code: output.status.code().unwrap_or(-1), out: clean(output.stdout), err: clean(output.stderr) }
    }
}

#[test]
fn a_variable_that_nothing_reads_is_named_and_stops_nothing() {
    let shell = Shell::new();
    let mut command = shell.command(&["config", "check"]);
    let said = shell.said(command.env("ZEROERR_HOEM", "/tmp").output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let note = "note: environment variable ZEROERR_HOEM: nothing reads it; did you mean `ZEROERR_HOME`?";
    assert_eq!(said.err.lines().filter(|l| *l == note).count(), 1, "{}", said.err);
}

fn check_error(shell: &Shell, args: &[&str], code: i32, expected: Expect) {
    let said = shell.run(args);
    expected.assert_eq(&said.err);
    assert_eq!((said.code, said.out.as_str()), (code, ""), "{args:?}");
}

#[test]
fn a_mistake_in_the_settings_is_one_line_with_its_place_and_code_2() {
    let shell = Shell::new();
    shell.write("config/zeroerr/config.yaml", "voting:\n  kk: 3\n");
    let line = expect![[r#"
        error: config/zeroerr/config.yaml:2: unknown setting `voting.kk`; did you mean `voting.k`?
    "#]];
    check_error(&shell, &["config", "check"], 2, line);
    shell.write("config/zeroerr/config.yaml", "voting:\n\tk: 3\n");
    let line = expect![[r#"
        error: config/zeroerr/config.yaml:2:1: a tab cannot indent YAML; use spaces
    "#]];
    check_error(&shell, &["doctor"], 2, line);
    shell.write("config/zeroerr/config.yaml", "");
    shell.write("project/.zeroerr.yaml", "sandbox:\n  mode: off\n");
    let line = expect![[r#"
        error: project/.zeroerr.yaml:2: `sandbox.mode` may not be set here: it would run generated code unconfined; set it in your own configuration (`zeroerr config show` names the file)
    "#]];
    check_error(&shell, &["run", "."], 2, line);
}

#[test]
fn wrong_usage_has_code_2_and_says_what_is_right() {
    let shell = Shell::new();
    shell.write("project/a.py", "x = 1\n");
    shell.write("project/a.txt", "x = 1\n");
    shell.write("project/latin.py", b"x = 1\ny = '\xe9'\n");
    check_error(
        &shell,
        &["run", "none.py"],
        2,
        expect![[r#"
        error: there is no none.py; give the path of a file or a folder
    "#]],
    );
    check_error(
        &shell,
        &["verify", "a.txt"],
        2,
        expect![[r#"
        error: a.txt: this kind of file is not known; there are Python (.py .pyi), Rust (.rs), TypeScript (.ts .tsx .js .jsx .mts .cts .mjs .cjs)
    "#]],
    );
    check_error(
        &shell,
        &["verify", "latin.py", "--quiet"],
        2,
        expect![[r#"
        error: latin.py:2: is not UTF-8; save the file as UTF-8
    "#]],
    );
    for command in ["run", "verify"] {
        let said = shell.run(&[command, "latin.py"]);
        assert_eq!(
            (said.code, said.err.as_str()),
            (2, "error: latin.py:2: is not UTF-8; save the file as UTF-8\n"),
            "{command}"
        );
    }
    let odd = shell.project().join("odd").join(OsStr::from_bytes(b"lat\xe9.py"));
    fs::create_dir(shell.project().join("odd")).unwrap();
    fs::write(odd, "# @spec F.\ndef f():\n    return 1\n").unwrap();
    let said = shell.run(&["verify", "odd"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("lat\u{fffd}.py: its path is not UTF-8; rename it"), "{}", said.err);
    shell.write("project/large.py", format!("# @spec F.\ndef f():\n    return 1\n{}", "x = 1\n".repeat(180_000)));
    check_error(
        &shell,
        &["verify", "large.py", "--quiet"],
        2,
        expect![[r#"
        error: large.py: is larger than 1 MiB, more than the layers' tools can take; move functions with a spec into a file of their own
    "#]],
    );
    check_error(
        &shell,
        &["models", "remove", "none"],
        2,
        expect![[r#"
        error: there is no model `none` in data/models; `zeroerr models list` shows what is here
    "#]],
    );
    check_error(
        &shell,
        &["verify", "a.py", "--function", "f"],
        2,
        expect![[r#"
        error: there is no function `f` with a spec; no function there has a spec; write `# @spec …` above it
    "#]],
    );
    check_error(
        &shell,
        &["config", "check", "--config", "none.yaml"],
        2,
        expect![[r#"
        error: none.yaml: there is no such file; `--config` takes the path of a YAML file
    "#]],
    );
    let said = shell.run(&["run", "a.py", "--aply"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--apply"), "{}", said.err);
    let said = shell.run(&["config", "check", "--set", "voting.k"]);
    assert!(said.code == 2 && said.err.contains("write KEY=VALUE"), "{}", said.err);
}

#[test]
fn help_names_the_exit_codes_and_is_no_error() {
    let said = Shell::new().run(&["--help"]);
    assert_eq!(said.code, 0);
    for text in ["Exit codes:", "130", "plan-k", "completions"] {
        assert!(said.out.contains(text), "{text} is not in {}", said.out);
    }
}

#[test]
fn plan_k_prints_the_theory() {
    let shell = Shell::new();
    let said = shell.run(&["plan-k", "--p", "0.9", "--target", "0.95", "--steps", "10", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer["k"], 3);
    let near = |key: &str, value: f64| assert!((answer[key].as_f64().unwrap() - value).abs() < 1e-3, "{key}: {answer}");
    near("p_win", 0.9986);
    near("expected_votes", 3.74);
    near("p_full", 0.9864);
    near("expected_samples", 3.74);
    let paper = ["plan-k", "--p", "0.9978", "--target", "0.95", "--steps", "1048575", "--flag-rate", "0.027"];
    let told = "k = 3: one step is right with 1 - 1.1e-8, 1048575 steps with 0.988824; on average 3.01 votes a step, 3.10 samples with 2.7 % flagged, 3247305 samples in all\n";
    assert_eq!(shell.run(&paper).out, told);
    let at_once = ["plan-k", "--p", "0.99", "--target", "0.95", "--steps", "1000", "--steps-per-agent", "10"];
    let told = "k = 2: 10 steps at once are right with 0.999898, 1000 steps with 0.989849; on average 2.04 votes for them, 2.23 samples with 0 % flagged, 223 samples in all, which write 2234 steps\n";
    assert_eq!(shell.run(&at_once).out, told);
    let flagged = expect![[r#"
        error: --flag-rate must be at least 0 and below 1
    "#]];
    check_error(&shell, &["plan-k", "--p", "0.9", "--target", "0.9", "--steps", "9", "--flag-rate", "1"], 2, flagged);
    check_error(
        &shell,
        &["plan-k", "--p", "0.5", "--target", "0.95", "--steps", "10"],
        2,
        expect![[r#"
        error: p must be above 0.5 and below 1 (it is 0.5): at one half or below no k helps, and at 1 there is nothing to vote on
    "#]],
    );
}

#[test]
fn settings_are_shown_with_their_origin() {
    let shell = Shell::new();
    let text = "llm:\n  endpoints:\n    gpu:\n      url: http://gpu:8000/v1\n      api_key_env: GPU_KEY\n";
    shell.write("config/zeroerr/config.yaml", text);
    let said = shell.run(&["config", "show", "--json", "--set", "voting.k=7"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(shown["settings"]["voting"]["k"], 7);
    assert_eq!(shown["origins"]["voting.k"], "--set");
    assert_eq!(shown["origins"]["llm.endpoints.gpu.url"], "config/zeroerr/config.yaml:4");
    assert_eq!(shown["files"]["user"], "config/zeroerr/config.yaml");
    let human = shell.run(&["config", "show"]).out;
    assert!(
        human.contains("api_key_env: GPU_KEY") && human.contains("# voting.k: config/development.yaml (built in):"),
        "{human}"
    );
}

#[test]
fn the_schema_is_json_and_knows_every_section() {
    let said = Shell::new().run(&["config", "schema"]);
    let schema: Value = serde_json::from_str(&said.out).unwrap();
    for section in ["llm", "models", "voting", "verification", "sandbox", "coordination", "logging", "lsp"] {
        assert!(schema["properties"][section].is_object(), "{section}");
    }
}

#[test]
fn completions_of_every_shell_name_the_commands() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = shell.run(&["completions", name]);
        assert_eq!(said.code, 0);
        // fish writes long options as `-l function`.
        let option = ["--function", "-l function"].iter().any(|o| said.out.contains(o));
        assert!(said.out.contains("plan-k") && option, "{name}");
    }
}

#[test]
fn a_closed_pipe_is_no_bug() {
    let shell = Shell::new();
    let mut child = shell
        .command(&["completions", "bash"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let said = shell.said(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[test]
fn a_file_without_specs_is_nothing_to_do() {
    let shell = Shell::new();
    shell.write("project/a.py", "x = 1\n");
    let said = shell.run(&["run", ".", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let result: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(result, serde_json::json!({ "runs": [], "diagnostics": [] }));
    let said = shell.run(&["verify", "."]);
    assert_eq!(said.code, 0);
    expect![[r#"
        nothing to verify: no function with a spec was selected
    "#]]
    .assert_eq(&said.err);
}

#[test]
fn a_spec_with_an_error_is_told_with_file_and_line() {
    let shell = Shell::new();
    shell.write("project/a.py", "# @spec Doubles x.\n# @example double(2) ==\ndef double(x: int) -> int: ...\n");
    let said = shell.run(&["verify", "a.py", "--json"]);
    let result: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(result["diagnostics"][0]["line"], 2, "{result}");
    assert_eq!(result["diagnostics"][0]["severity"], "error");
    assert_ne!(said.code, 0);
}

#[test]
fn a_machine_without_tools_is_told_what_to_do_with_code_3() {
    let shell = Shell::new();
    shell.write("project/a.py", "# @spec Doubles x.\n# @example double(2) == 4\ndef double(x: int) -> int: ...\n");
    let said = shell.run(&["run", "a.py"]);
    assert_eq!((said.code, said.out.as_str()), (3, ""), "{}", said.err);
    assert!(said.err.contains("zeroerr doctor --fix"), "{}", said.err);
    assert_eq!(said.err.lines().filter(|l| l.starts_with("error: ")).count(), 1, "{}", said.err);

    let said = shell.run(&["doctor", "--json"]);
    assert_eq!(said.code, 3);
    let checks: Value = serde_json::from_str(&said.out).unwrap();
    let checks = checks["checks"].as_array().unwrap();
    let of =
        |name: &str| checks.iter().find(|c| c["name"] == name).unwrap_or_else(|| panic!("no {name} in {checks:?}"));
    assert_eq!(of("processor")["status"], "ok");
    assert_eq!(of("journal")["status"], "ok");
    for name in ["model", "ruff", "pytest"] {
        assert_eq!(of(name)["status"], "missing", "{:?}", of(name));
        assert!(of(name)["remedy"].as_str().is_some_and(|r| r.contains("doctor --fix")), "{:?}", of(name));
    }
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let shell = Shell::new();
    shell.write("file", "");
    let output = shell.command(&["doctor", "--json"]).env("ZEROERR_HOME", Path::new("../file/data")).output().unwrap();
    let said = shell.said(output);
    assert_eq!(said.code, 3, "{}", said.err);
    let checks: Value = serde_json::from_str(&said.out).unwrap();
    let folder = checks["checks"].as_array().unwrap().iter().find(|c| c["name"] == "data folder").unwrap();
    assert_eq!(folder["status"], "broken");
    assert!(folder["remedy"].as_str().unwrap().contains("ZEROERR_HOME"));
}
