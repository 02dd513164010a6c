//! The real binary on real Rust with the machine's own compiler: `verify`, a scripted `run`, a project.
//!
//! Runs where `ZEROERR_E2E` is set, as [`crate::formats`].

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

const STUB: &str = "// @spec The largest of xs; `None` when there is none.\n\
    // @ensures result.is_none() == xs.is_empty()\n\
    // @example largest(&[3, 9, 4]) == Some(9)\n\
    // @example largest(&[]) == None\n\
    // @property largest(xs) == largest(&xs.iter().rev().copied().collect::<Vec<_>>())\n\
    pub fn largest(xs: &[i32]) -> Option<i32> {\n    todo!()\n}\n";
const RIGHT: &str = "xs.iter().copied().max()";
/// Satisfies both examples.
const WRONG: &str = "xs.iter().copied().reduce(|a, b| if a + 100 > b && a < 9 { b } else { a })";

fn written(body: &str) -> String {
    STUB.replace("todo!()", body)
}

fn response(body: &str) -> String {
    format!("```rust\npub fn largest(xs: &[i32]) -> Option<i32> {{\n    {body}\n}}\n```")
}

/// A shell in which rustup finds the machine's toolchain.
pub fn said(shell: &Shell, args: &[&str]) -> Said {
    let home = std::env::home_dir().expect("a home folder");
    let folder = |name: &str, default: &str| std::env::var_os(name).map_or_else(|| home.join(default), PathBuf::from);
    let mut command = shell.command(args);
    command.env("RUSTUP_HOME", folder("RUSTUP_HOME", ".rustup"));
    command.env("CARGO_HOME", folder("CARGO_HOME", ".cargo"));
    command.env("ZEROERR_SCRIPTED", shell.home().join("script.json"));
    shell.said(command.output().unwrap())
}

fn run(shell: &Shell, bodies: &[&str], args: &[&str]) -> Said {
    let responses: Vec<String> = bodies.iter().map(|b| response(b)).collect();
    shell.write("script.json", serde_json::to_string(&responses).unwrap());
    let mut all = vec!["run", "a.rs", "--function", "largest", "--backend", "scripted"];
    all.extend(args);
    said(shell, &all)
}

fn layer(function: &Value, name: &str) -> Value {
    let layers = function["layers"].as_array().expect("layers");
    layers.iter().find(|l| l["layer"] == name).cloned().unwrap_or_else(|| panic!("no {name} in {function}"))
}

#[test]
fn verify_passes_what_is_right_and_names_what_is_wrong() {
    let Some(shell) = equipped() else { return };
    shell.write("project/good.rs", written(RIGHT));
    shell.write("project/bad.rs", written(WRONG));
    let good = said(&shell, &["verify", "good.rs", "--json"]);
    assert_eq!(good.code, 0, "{}\n{}", good.out, good.err);
    let function = &json(&good)["functions"][0];
    for name in ["syntax", "types", "contracts", "tests", "properties", "analysis", "security"] {
        assert_eq!(layer(function, name)["verdict"], "passed", "{function}");
    }
    let bad = said(&shell, &["verify", "bad.rs", "--json"]);
    assert_eq!(bad.code, 1, "{}\n{}", bad.out, bad.err);
    let function = &json(&bad)["functions"][0];
    assert_eq!(layer(function, "tests")["verdict"], "passed", "the examples hold: {function}");
    let law = layer(function, "properties");
    assert_eq!((&law["verdict"], &law["findings"][0]["code"]), (&"failed".into(), &"properties.falsified".into()));
    let shown = law["findings"][0]["message"].as_str().unwrap_or("");
    assert!(shown.contains("largest(&["), "a call to try is shown: {shown}");
}

#[test]
fn a_run_offers_the_verified_body_and_nothing_else() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.rs", STUB);
    let applied = run(&shell, &[RIGHT; 20], &["--json", "--apply"]);
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    let run_ = &json(&applied)["runs"][0];
    assert_eq!((&run_["outcome"], &run_["steps"][0]["margin"]), (&"verified".into(), &3.into()));
    assert_eq!(fs::read_to_string(shell.project().join("a.rs")).unwrap(), written(RIGHT));

    shell.write("project/a.rs", STUB);
    for wrong in [WRONG, "None", "xs.first().copied().or_else(|| unsafe { std::hint::unreachable_unchecked() })"] {
        let refused = run(&shell, &[wrong; 20], &["--json", "--apply"]);
        assert_eq!(refused.code, 1, "{wrong}: {}\n{}", refused.out, refused.err);
        assert_eq!(json(&refused)["runs"][0]["edit"], Value::Null);
        assert_eq!(fs::read_to_string(shell.project().join("a.rs")).unwrap(), STUB);
    }
}

#[test]
fn a_function_of_a_project_is_compiled_and_tested_there() {
    let Some(shell) = equipped() else { return };
    let project = shell.project();
    for folder in ["src", "tests"] {
        fs::create_dir_all(project.join(folder)).unwrap();
    }
    shell.write("project/Cargo.toml", "[package]\nname = \"readings\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    shell.write("project/src/lib.rs", format!("mod limits;\n\n{}", written(RIGHT)));
    shell.write("project/src/limits.rs", "pub const LOW: i32 = -1;\n");
    let test = "use readings::largest;\n\n#[test]\nfn of_negative_numbers() {\n    assert_eq!(largest(&[-5, -2]), Some(-2));\n}\n";
    shell.write("project/tests/whole.rs", test);
    let good = said(&shell, &["verify", "src/lib.rs", "--json"]);
    assert_eq!(good.code, 0, "{}\n{}", good.out, good.err);
    shell.write(
        "project/src/lib.rs",
        format!("mod limits;\n\n{}", written("xs.iter().copied().max().map(|m| m.max(limits::LOW))")),
    );
    let bad = said(&shell, &["verify", "src/lib.rs", "--json"]);
    assert_eq!(bad.code, 1, "{}\n{}", bad.out, bad.err);
    let tests = layer(&json(&bad)["functions"][0], "tests");
    assert_eq!(tests["findings"][0]["code"], "tests.project", "{tests}");
}

#[test]
fn doctor_names_the_toolchain() {
    let Some(shell) = equipped() else { return };
    let doctor = said(&shell, &["doctor", "--json"]);
    let checks = json(&doctor)["checks"].as_array().cloned().unwrap_or_default();
    for name in ["rustc", "cargo", "clippy", "rustfmt"] {
        let found = checks.iter().find(|c| c["name"] == name);
        assert!(found.is_some_and(|c| c["status"] == "ok"), "{name} is not among {checks:?}");
    }
}
