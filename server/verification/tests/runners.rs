//! The project's tests where they are written for a framework of the project's own: jest, mocha, vitest. The real ones
//! run, in the sandbox, from the project's `node_modules`. Runs where `ZEROERR_E2E` is set, for `cargo xtask test`
//! installs them; some 20 seconds.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Language as _;
use zeroerr_verification::languages::typescript::TypeScript;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

/// A function whose body this is.
fn twice(body: &str) -> String {
    format!("// @spec Twice x.\nexports.twice = function (x) {{\n  {body}\n}};\n")
}

/// A test that imports nothing but what it tests, as jest and mocha have it, and one for vitest.
fn tests_for(framework: &str) -> String {
    let (import, file) = match framework {
        "vitest" => (
            "import { describe, it } from \"vitest\";\nimport { createRequire } from \"node:module\";\nconst require = createRequire(import.meta.url);\n",
            "",
        ),
        _ => ("", "\"use strict\";\n"),
    };
    format!(
        "{file}{import}const {{ twice }} = require(\"./edited.cjs\");\n\ndescribe(\"twice\", () => {{\n  it(\"doubles one\", () => {{ if (twice(1) !== 2) throw new Error(\"wrong\"); }});\n  it(\"doubles three\", () => {{ if (![6].includes(twice(3))) throw new Error(\"wrong\"); }});\n}});\n"
    )
}

/// Verifies the function with the project's tests as its only evidence.
async fn verified(stack: &VerificationStack, framework: &str, packages: Option<&Path>, body: &str) -> LayerReport {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let file = root.join("edited.cjs");
    let source = twice(body);
    std::fs::write(&file, &source).unwrap();
    std::fs::write(root.join("edited.test.js"), tests_for(framework)).unwrap();
    let kind = if framework == "vitest" { "module" } else { "commonjs" };
    let package = format!("{{\"type\": \"{kind}\", \"scripts\": {{\"test\": \"{framework} --verbose\"}}}}");
    std::fs::write(root.join("package.json"), package).unwrap();
    if let Some(packages) = packages {
        std::os::unix::fs::symlink(packages, root.join("node_modules")).unwrap();
    }
    let task = TypeScript.analyse(&file, &Arc::from(source.as_str())).tasks.remove(0);
    stack.check(&subject_as_is(&task, Some(root.to_path_buf())), Layer::Tests).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_projects_own_framework_runs_its_tests() {
    if std::env::var_os("ZEROERR_E2E").is_none() {
        return;
    }
    let home = std::env::var_os("ZEROERR_HOME").map(PathBuf::from);
    let user = || directories::ProjectDirs::from("", "", "zeroerr").map(|d| d.data_dir().to_path_buf());
    let packages = home.or_else(user).unwrap().join("e2e/runners/node_modules");
    assert!(packages.is_dir(), "{} is missing; run `cargo xtask test`", packages.display());
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    for framework in ["jest", "mocha", "vitest"] {
        let said = |body| verified(&stack, framework, Some(&packages), body);
        let right = said("return x + x;").await;
        assert_eq!(
            (&right.verdict, right.detail.as_str()),
            (&Verdict::Passed, "2 project tests"),
            "{framework}: {right:?}"
        );
        assert!(right.tools.iter().any(|t| t.starts_with(framework)), "{:?}", right.tools);
        let wrong = said("return x * x + 1;").await;
        assert_eq!(wrong.verdict, Verdict::Failed, "{framework}: {wrong:?}");
        let found: Vec<&str> = wrong.findings.iter().map(|f| f.message.as_str()).collect();
        assert!(found.len() == 1 && found[0].contains("twice > doubles three"), "{framework}: {found:?}");
        for way_out in ["process.exit(0);", "process.reallyExit(0);"] {
            let gone = said(way_out).await;
            assert_ne!(gone.verdict, Verdict::Passed, "{framework}: {gone:?}");
        }
        if framework != "jest" {
            // The tests of jest have a realm of their own.
            let fake = "const was = Array.prototype.includes; Array.prototype.includes = () => { Array.prototype.includes = was; return true; }; return x + 1;";
            let fooled = said(fake).await;
            assert_eq!(fooled.verdict, Verdict::Failed, "{framework}: {fooled:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_framework_that_is_not_installed_is_named() {
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    for framework in ["jest", "mocha"] {
        let said = verified(&stack, framework, None, "return x + x;").await;
        assert_eq!(said.verdict, Verdict::Unavailable, "{said:?}");
        let words = format!("it needs {framework}, which is not installed in node_modules");
        assert!(said.detail.contains(&words), "{}", said.detail);
    }
}
