//! A Rust toolchain that is missing, too old, damaged, crashing, silent or babbling is said to be so, and
//! never a pass.
//!
//! The compiler is looked for on PATH, so the test starts itself again with a PATH of its own.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::languages::rust::Rust;
use zeroerr_verification::languages::{CheckError, Language};
use zeroerr_verification::toolchain::{ToolStatus, Toolchain};
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

const SOURCE: &str = "// @spec Double it.\n// @example double(2) == 4\nfn double(x: i64) -> i64 {\n    2 * x\n}\n";

/// Names the folder of the toolchain in the process that the test starts.
const FAKE: &str = "ZEROERR_TEST_FAKE_RUST";

fn home() -> PathBuf {
    let user = || directories::ProjectDirs::from("", "", "zeroerr").map(|d| d.data_dir().to_path_buf());
    std::env::var_os("ZEROERR_HOME").map(PathBuf::from).or_else(user).expect("a home folder")
}

fn sandbox() -> Sandbox {
    let places = vec![Toolchain::bwrap_place(&home())];
    Sandbox::detect(&SandboxOptions { places, ..SandboxOptions::default() }).expect("a sandbox")
}

/// A toolchain as this machine's, whose programs can be replaced: links to the same files.
fn copy_of_toolchain(to: &Path) {
    let said = Command::new("rustc").args(["--print", "sysroot"]).current_dir("/").output().expect("rustc");
    let real = PathBuf::from(String::from_utf8(said.stdout).expect("a path").trim());
    for folder in ["bin", "lib"] {
        let from = real.join(folder);
        let linked = Command::new("cp").arg("-al").args([&from, &to.join(folder)]).status().expect("cp");
        if !linked.success() {
            let _ = std::fs::remove_dir_all(to.join(folder));
            assert!(Command::new("cp").arg("-a").args([from, to.join(folder)]).status().expect("cp").success());
        }
    }
}

fn program(at: &Path, script: &str) {
    let _ = std::fs::remove_file(at);
    std::fs::write(at, format!("#!/bin/sh\n{script}\n")).expect("a script");
    std::fs::set_permissions(at, PermissionsExt::from_mode(0o755)).expect("a mode");
}

/// What a fresh adapter says of one layer.
async fn check(home: &Path, layer: Layer) -> LayerReport {
    check_all(home, &[layer]).await.remove(0)
}

/// What a fresh adapter says of some layers, one after another.
async fn check_all(home: &Path, layers: &[Layer]) -> Vec<LayerReport> {
    let tools = Arc::new(Toolchain::detect(home, Ok(sandbox())));
    let rust: Box<dyn Language> = Box::new(Rust::default());
    let task = rust.analyse(Path::new("/nowhere/edited.rs"), &Arc::from(SOURCE)).tasks.remove(0);
    let stack = VerificationStack::with_languages(tools, Policy::default(), vec![rust]);
    let mut said = Vec::new();
    for layer in layers {
        said.push(stack.check(&subject_as_is(&task, None), *layer).await);
    }
    said
}

fn assert_says(report: &LayerReport, verdict: &Verdict, words: &str) {
    let said = format!("{}: {}", report.verdict.name(), report.detail);
    assert!(report.verdict == *verdict && report.detail.contains(words), "{words}: {said}");
}

#[test]
fn a_toolchain_that_does_not_work_is_never_believed() {
    if let Some(fake) = std::env::var_os(FAKE) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(inside(Path::new(&fake)));
    }
    let fake = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(fake.path().join("path")).expect("a folder");
    copy_of_toolchain(fake.path());
    let own = std::env::current_exe().expect("this test");
    let path = std::env::join_paths([fake.path().join("path"), "/usr/bin".into(), "/bin".into()]).expect("a PATH");
    let output = Command::new(own)
        .args(["--exact", "a_toolchain_that_does_not_work_is_never_believed", "--nocapture"])
        .env(FAKE, fake.path())
        .env("PATH", path)
        .env("ZEROERR_HOME", home())
        .output()
        .expect("the test starts again");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn inside(fake: &Path) {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let rustc = fake.join("path/rustc");
    let running = [Layer::Tests, Layer::Types, Layer::Analysis];

    // Not there at all.
    for layer in running {
        assert_says(&check(home, layer).await, &Verdict::Unavailable, "the Rust compiler is missing");
    }
    // A rustup without a toolchain; one that talks of something else.
    program(&rustc, "echo 'error: no default toolchain is configured' >&2; exit 1");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "no default toolchain is configured");
    program(&rustc, "echo hello; yes | head -c 5000000");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "the Rust compiler is missing");

    // One that hangs costs its patience once, not once for each layer.
    let starts = fake.join("starts");
    program(&rustc, &format!("echo started >> {}; sleep 1000", starts.display()));
    for report in check_all(home, &running).await {
        assert_says(&report, &Verdict::Unavailable, "the Rust compiler says nothing for 20 s");
    }
    assert_eq!(std::fs::read_to_string(&starts).expect("it was started"), "started\n");

    program(&rustc, &format!("echo {}", fake.display()));
    let inner = fake.join("bin/rustc");
    let real = fake.join("bin/rustc-real");
    std::fs::rename(&inner, &real).expect("a rename");
    program(&inner, "echo 'rustc 1.70.0 (90c541806 2023-05-31)'");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "rustc 1.70.0 is too old, 1.85 is needed");
    program(&inner, "echo 'not a version at all'");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "is too old");
    let version = "case \"$*\" in --version) echo 'rustc 1.95.0 (x)'; exit;; esac";
    program(&inner, &format!("{version}; echo 'error: internal compiler error' >&2; exit 101"));
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "internal compiler error");

    // The harness is made by the real one; then the compiler breaks.
    let with = |script: &str| {
        let way = format!("exec {} \"$@\"", real.display());
        program(
            &inner,
            &format!("{version}; case \"$*\" in *harness*--crate-type*rlib*|*rlib*harness*) {way};; esac; {script}"),
        );
    };
    let way = format!("exec {} \"$@\"", real.display());
    program(&inner, &format!("{version}; {way}"));
    assert_says(&check(home, Layer::Tests).await, &Verdict::Passed, "1 example");
    with("kill -SEGV $$");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "rustc ended with");
    with("echo '{\"message\": \"odd\"' >&2; exit 0");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "");
    with("yes '{\"reason\":'");
    assert_says(&check(home, Layer::Tests).await, &Verdict::Unavailable, "limit of output");

    // clippy: silent, babbling, killed, gone.
    program(&inner, &format!("{version}; {way}"));
    let clippy = fake.join("bin/clippy-driver");
    for (script, words) in [
        ("exit 0", "without a result"),
        ("echo 'All good!' >&2; exit 0", "without a result"),
        ("kill -SEGV $$", "ended with"),
        ("yes >&2", "limit of output"),
    ] {
        program(&clippy, script);
        for layer in [Layer::Types, Layer::Analysis] {
            assert_says(&check(home, layer).await, &Verdict::Unavailable, words);
        }
    }
    std::fs::remove_file(&clippy).expect("a removal");
    assert_says(&check(home, Layer::Analysis).await, &Verdict::Unavailable, "rustup component add clippy");
    assert_says(&check(home, Layer::Types).await, &Verdict::Passed, "");
    let tools = Toolchain::detect(home, Ok(sandbox()));
    let checks = Rust::default().tool_checks(&tools).await;
    let clippy = checks.iter().find(|c| c.name == "clippy").expect("clippy is asked");
    assert_eq!((clippy.status, clippy.remedy.as_str()), (ToolStatus::Missing, "run `rustup component add clippy`"));

    // No sandbox: nothing is compiled.
    let gone = zeroerr_sandbox::SandboxUnavailable { reason: "no bubblewrap".into(), remedy: "install it".into() };
    let tools = Toolchain::detect(home, Err(gone));
    let task = Rust::default().analyse(Path::new("/nowhere/edited.rs"), &Arc::from(SOURCE)).tasks.remove(0);
    let judged = Language::judge(&Rust::default(), &tools, &subject_as_is(&task, None), 1).await;
    assert!(matches!(&judged, Err(CheckError(why)) if why.contains("no bubblewrap")), "{judged:?}");
}
