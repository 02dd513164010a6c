//! A tool that is missing, damaged, crashing, hanging or babbling is said to be so, and never a pass.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_sandbox::{Sandbox, SandboxOptions, SandboxUnavailable};
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::toolchain::{ToolStatus, Toolchain};
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

const READERS: [Layer; 4] = [Layer::Syntax, Layer::Types, Layer::Analysis, Layer::Security];
const SOURCE: &str = "# @spec Double it.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    return 2 * x\n";

fn real_home() -> PathBuf {
    let user = || directories::ProjectDirs::from("", "", "zeroerr").map(|d| d.data_dir().to_path_buf());
    std::env::var_os("ZEROERR_HOME").map(PathBuf::from).or_else(user).expect("a home folder")
}

fn sandbox() -> Result<Sandbox, SandboxUnavailable> {
    let places = vec![Toolchain::bwrap_place(&real_home())];
    Sandbox::detect(&SandboxOptions { places, ..SandboxOptions::default() })
}

/// An environment like the real one, whose program `name` is replaced by a shell script.
fn with_script(name: &str, script: &str) -> tempfile::TempDir {
    let real = real_home().join("tools/python");
    assert!(real.join("zeroerr-stamp.json").is_file(), "the tools are not installed; run `zeroerr doctor --fix`");
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().join("tools/python");
    std::fs::create_dir_all(root.join("bin")).expect("a folder");
    std::fs::copy(real.join("zeroerr-stamp.json"), root.join("zeroerr-stamp.json")).expect("a stamp");
    symlink(real.join("bin/python").canonicalize().expect("a python"), root.join("bin/python")).expect("a link");
    let program = root.join("bin").join(name);
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a script");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    home
}

async fn check(home: &Path, layer: Layer) -> LayerReport {
    let stack = VerificationStack::new(Arc::new(Toolchain::detect(home, sandbox())), Policy::default());
    let task = Python.analyse(Path::new("edited.py"), &Arc::from(SOURCE)).tasks.remove(0);
    stack.check(&subject_as_is(&task, None), layer).await
}

fn assert_says(report: &LayerReport, verdict: &Verdict, words: &str) {
    assert!(
        report.verdict == *verdict && report.detail.contains(words),
        "{}: {}",
        report.verdict.name(),
        report.detail
    );
}

#[tokio::test]
async fn without_tools_every_layer_says_how_to_get_them() {
    let empty = tempfile::tempdir().expect("a folder");
    for layer in READERS {
        assert_says(&check(empty.path(), layer).await, &Verdict::Unavailable, "run `zeroerr doctor --fix`");
    }
    for check in Toolchain::detect(empty.path(), sandbox()).checks().await {
        assert_eq!(
            (check.status, check.remedy.as_str()),
            (ToolStatus::Missing, "run `zeroerr doctor --fix`"),
            "{check:?}"
        );
    }
}

#[tokio::test]
async fn without_a_sandbox_nothing_is_run() {
    let gone = SandboxUnavailable { reason: "bubblewrap is not installed".into(), remedy: "install it".into() };
    let stack = VerificationStack::new(Arc::new(Toolchain::detect(&real_home(), Err(gone))), Policy::default());
    let task = Python.analyse(Path::new("edited.py"), &Arc::from(SOURCE)).tasks.remove(0);
    for layer in READERS {
        let report = stack.check(&subject_as_is(&task, None), layer).await;
        assert_says(&report, &Verdict::Unavailable, "bubblewrap is not installed; install it");
    }
}

#[tokio::test]
async fn a_half_built_environment_counts_as_missing() {
    let home = with_script("ruff", "exit 0");
    let stamp = home.path().join("tools/python/zeroerr-stamp.json");
    let text = std::fs::read_to_string(&stamp).expect("a stamp");
    let detail = || Toolchain::detect(home.path(), sandbox()).python().expect_err("an error").to_string();

    std::fs::write(&stamp, &text[..text.len() / 2]).expect("a write");
    assert!(detail().contains("is damaged"), "{}", detail());
    std::fs::write(&stamp, text.replace("\"requirements\": \"", "\"requirements\": \"0")).expect("a write");
    assert!(detail().contains("belong to another version"), "{}", detail());
    std::fs::remove_file(&stamp).expect("a removal");
    assert!(detail().contains("are not installed"), "{}", detail());

    std::fs::write(&stamp, text).expect("a write");
    let python = home.path().join("tools/python/bin/python");
    std::fs::remove_file(&python).expect("a removal");
    symlink("/nowhere/python3", &python).expect("a link");
    assert!(detail().contains("points to a Python that is gone"), "{}", detail());
}

#[tokio::test]
async fn a_program_that_is_gone_is_missed() {
    let home = with_script("other", "exit 0");
    assert_says(&check(home.path(), Layer::Analysis).await, &Verdict::Unavailable, "ruff is missing from");
}

#[tokio::test]
async fn a_tool_that_crashes_is_not_believed() {
    let home = with_script("ruff", "echo 'thread main panicked' >&2; exit 101");
    let report = check(home.path(), Layer::Analysis).await;
    assert_says(
        &report,
        &Verdict::Unavailable,
        "ruff ended with exit code 101: thread main panicked; run `zeroerr doctor --fix`",
    );
    let killed = with_script("ruff", "kill -SEGV $$");
    assert_says(&check(killed.path(), Layer::Analysis).await, &Verdict::Unavailable, "ruff");
}

#[tokio::test]
async fn a_tool_that_says_nothing_or_something_else_is_not_believed() {
    for script in ["exit 0", "echo 'All checks passed!'", "echo '{\"results\": []}'", "printf '[{\"code\":'"] {
        let home = with_script("ruff", script);
        assert_says(&check(home.path(), Layer::Analysis).await, &Verdict::Unavailable, "is not its report");
    }
}

#[tokio::test]
async fn a_tool_that_never_ends_is_stopped() {
    let home = with_script("ruff", "while :; do :; done");
    assert_says(&check(home.path(), Layer::Analysis).await, &Verdict::TimedOut, "ruff did not end within");
}

#[tokio::test]
async fn a_tool_that_never_stops_talking_is_stopped() {
    let home = with_script("ruff", "yes");
    assert_says(&check(home.path(), Layer::Analysis).await, &Verdict::Unavailable, "limit of output");
}

#[tokio::test]
async fn the_doctor_starts_what_it_calls_fine() {
    let broken = with_script("ruff", "echo 'cannot load library' >&2; exit 127");
    let checks = Toolchain::detect(broken.path(), sandbox()).checks().await;
    let ruff = checks.iter().find(|c| c.name == "ruff").expect("ruff is asked");
    assert!(ruff.status == ToolStatus::Broken && ruff.detail.contains("cannot load library"), "{ruff:?}");
    assert_eq!(checks.iter().find(|c| c.name == "ty").map(|c| c.status), Some(ToolStatus::Missing));

    let tools = Toolchain::detect(&real_home(), sandbox());
    for check in tools.checks().await {
        assert_eq!(check.status, ToolStatus::Ok, "{check:?}");
    }
}

#[tokio::test]
async fn installing_what_is_installed_does_nothing() {
    let said = std::sync::Mutex::new(Vec::new());
    let note = |line: &str| said.lock().expect("a lock").push(line.to_string());
    let before = Toolchain::detect(&real_home(), sandbox()).python().expect("installed tools");
    let after = Toolchain::install(&real_home(), &note).await.expect("nothing to do");
    assert_eq!(before, after);
    assert_eq!(*said.lock().expect("a lock"), Vec::<String>::new());
}
