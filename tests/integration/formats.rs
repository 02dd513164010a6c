//! The real binary on real code with the real tools: what `verify` and a scripted `run` print.
//!
//! Needs the tools that `cargo xtask test` installs, and says so by `ZEROERR_E2E`; the model is the
//! scripted one.

use std::fs;

use serde_json::Value;

use crate::command_line::{Said, Shell};

const GOOD: &str = "# @spec Return twice x.\n# @example double(2) == 4\n# @example double(-3) == -6\n# @ensures result == x + x\ndef double(x: int) -> int:\n    return x * 2\n";
const BAD: &str = "# @spec Return twice x.\n# @example double(2) == 4\n# @example double(3) == 6\ndef double(x: int) -> int:\n    return x * x\n";
const STUB: &str = "# @spec Return twice x.\n# @example double(2) == 4\n# @example double(-3) == -6\n# @ensures result == x + x\ndef double(x: int) -> int:\n    ...\n";

/// A shell whose data folder has this machine's tools; `None` outside the full test run.
pub fn equipped() -> Option<Shell> {
    std::env::var_os("ZEROERR_E2E")?;
    let shell = Shell::new();
    let home = zeroerr_settings::paths::data_dir().expect("a data folder");
    std::os::unix::fs::symlink(home.join("tools"), shell.home().join("data/tools")).unwrap();
    Some(shell)
}

pub fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}\n{}", said.out, said.err))
}

/// Runs `double` with the scripted model saying `responses`.
fn scripted(shell: &Shell, responses: &[&str], args: &[&str]) -> Said {
    shell.write("script.json", serde_json::to_string(responses).unwrap());
    let mut all = vec!["run", "a.py", "--backend", "scripted"];
    all.extend(args);
    let mut command = shell.command(&all);
    shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap())
}

#[test]
fn verify_finds_what_is_wrong_and_only_that() {
    let Some(shell) = equipped() else { return };
    shell.write("project/good.py", GOOD);
    shell.write("project/bad.py", BAD);
    let good = shell.run(&["verify", "good.py", "--json"]);
    assert_eq!(good.code, 0, "{}\n{}", good.out, good.err);
    let function = &json(&good)["functions"][0];
    assert_eq!(
        (&function["function"], &function["of"], &function["objection"]),
        (&"double".into(), &8.into(), &Value::Null)
    );
    let layers: Vec<&str> = function["layers"].as_array().unwrap().iter().filter_map(|l| l["layer"].as_str()).collect();
    assert_eq!(layers, ["syntax", "types", "contracts", "tests", "properties", "analysis", "security", "performance"]);

    let bad = shell.run(&["verify", "bad.py", "--json"]);
    assert_eq!(bad.code, 1, "{}\n{}", bad.out, bad.err);
    let tests = json(&bad)["functions"][0]["layers"][3].clone();
    assert_eq!(tests["verdict"], "failed");
    assert!(tests["findings"][0]["code"].as_str().is_some_and(|c| c.starts_with("tests.")), "{tests}");
    let human = shell.run(&["verify", "bad.py"]);
    assert_eq!(human.code, 1);
    assert!(human.out.contains("✗ double") && human.err.contains("✗ tests"), "{}\n{}", human.out, human.err);
}

#[test]
fn other_tools_can_read_the_result() {
    let Some(shell) = equipped() else { return };
    shell.write("project/bad.py", BAD);
    let sarif = json(&shell.run(&["verify", "bad.py", "--format", "sarif"]));
    assert_eq!(sarif["version"], "2.1.0");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "bad.py");
    let github = shell.run(&["verify", "bad.py", "--format", "github"]).out;
    assert!(github.lines().any(|l| l.starts_with("::error file=bad.py,line=")), "{github}");
    let junit = shell.run(&["verify", "bad.py", "--format", "junit"]).out;
    assert!(junit.starts_with("<?xml") && junit.contains("<failure "), "{junit}");
}

#[test]
fn a_file_that_cannot_be_read_is_in_every_format() {
    let shell = Shell::new();
    shell.write("project/latin.py", b"x = 1\ny = '\xe9'\n");
    let verify = |format: &str| shell.run(&["verify", "latin.py", "--format", format]);
    let diagnostic = &json(&verify("json"))["diagnostics"][0];
    assert_eq!(
        *diagnostic,
        serde_json::json!({
            "file": "latin.py", "line": 2, "code": "file.unreadable", "severity": "error",
            "message": "is not UTF-8; save the file as UTF-8",
        })
    );
    let ran = shell.run(&["run", "latin.py", "--json"]);
    assert_eq!((ran.code, &json(&ran)["diagnostics"][0]), (2, diagnostic), "{}", ran.err);
    assert_eq!(json(&verify("sarif"))["runs"][0]["results"][0]["ruleId"], "file.unreadable");
    assert!(verify("junit").out.contains(r#" errors="1">"#));
    assert!(verify("github").out.starts_with("::error file=latin.py,line=2,"));
}

#[test]
fn changed_asks_git_and_looks_at_nothing_else() {
    let Some(shell) = equipped() else { return };
    fs::remove_dir(shell.project().join(".git")).unwrap();
    let git = |args: &[&str]| {
        let mut all = vec!["-c", "user.name=t", "-c", "user.email=t@example.org"];
        all.extend(args);
        let output = std::process::Command::new("git").args(all).current_dir(shell.project()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let two = format!("{GOOD}\n\n{}", BAD.replace("double", "other"));
    shell.write("project/a.py", &two);
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    let names = |said: &Said| -> Vec<String> {
        json(said)["functions"].as_array().unwrap().iter().map(|f| f["function"].as_str().unwrap().to_owned()).collect()
    };
    let none = shell.run(&["verify", "a.py", "--changed", "--json"]);
    assert_eq!((none.code, names(&none)), (0, vec![]), "{}", none.err);
    shell.write("project/a.py", two.replace("return x * x", "return x * 3"));
    let one = shell.run(&["verify", "a.py", "--changed", "--json"]);
    assert_eq!((one.code, names(&one)), (1, vec!["other".to_owned()]), "{}", one.err);
}

#[test]
fn a_verified_edit_is_offered_and_only_apply_writes_it() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let right = "```python\ndef double(x: int) -> int:\n    return x * 2\n```";
    let offered = scripted(&shell, &[right; 20], &["--json"]);
    assert_eq!(offered.code, 0, "{}\n{}", offered.out, offered.err);
    let run = &json(&offered)["runs"][0];
    assert_eq!((&run["outcome"], &run["applied"]), (&"verified".into(), &false.into()));
    assert_eq!(run["steps"][0]["margin"], 3);
    assert_eq!(run["edit"]["new_text"], "    return x * 2\n");
    assert_eq!((&run["edit"]["start_line"], &run["edit"]["end_line"]), (&6.into(), &6.into()));
    assert_eq!(fs::read_to_string(shell.project().join("a.py")).unwrap(), STUB, "nothing is written without --apply");

    let applied = scripted(&shell, &[right; 20], &["--apply"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.out.contains("+    return x * 2"), "{}", applied.out);
    assert_eq!(fs::read_to_string(shell.project().join("a.py")).unwrap(), STUB.replace("...", "return x * 2"));
}

#[test]
fn what_fails_the_examples_is_never_offered() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let wrong = "```python\ndef double(x: int) -> int:\n    return x * x\n```";
    let said = scripted(&shell, &[wrong; 20], &["--json", "--apply"]);
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    let run = &json(&said)["runs"][0];
    assert_eq!((&run["outcome"], &run["edit"]), (&"abstained".into(), &Value::Null));
    assert_eq!(fs::read_to_string(shell.project().join("a.py")).unwrap(), STUB);
}
