//! What a TypeScript project brings along: its eslint, which must have read the file, and more tests than are run.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Language as _;
use zeroerr_verification::languages::typescript::TypeScript;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

const SAME: &str = "// @spec Whether x is a number.\n// @example known(3) === true\nexport function known(x: number): boolean {\n  return x === x;\n}\n";

/// What a layer says of the function in `src/a.ts` of a project of these files.
async fn said(files: &[(&str, &str)], source: &str, layer: Layer, packages: Option<&Path>) -> LayerReport {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let file = root.join("src/a.ts");
    for (path, text) in files.iter().chain(&[("src/a.ts", source), ("package.json", "{\"type\": \"module\"}")]) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    if let Some(packages) = packages {
        std::os::unix::fs::symlink(packages, root.join("node_modules")).unwrap();
    }
    let task = TypeScript.analyse(&file, &Arc::from(source)).tasks.remove(0);
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    stack.check(&subject_as_is(&task, Some(root.to_path_buf())), layer).await
}

#[tokio::test]
async fn an_eslint_that_leaves_the_file_out_is_not_asked() {
    let packages = tools().node().expect("node's tools").root.join("node_modules");
    let rules = "[{ files: [\"**/*.ts\"], languageOptions: { parser: (await import(\"@typescript-eslint/parser\")).default }, rules: { \"no-self-compare\": \"error\" } }]";
    let ignoring = "[{ rules: { \"no-self-compare\": \"error\" } }]";
    for (config, tool) in [(rules, "eslint"), (ignoring, "oxlint")] {
        let text = format!("export default {config};\n");
        let report = said(&[("eslint.config.mjs", &text)], SAME, Layer::Analysis, Some(&packages)).await;
        let code = report.findings.first().map(|f| f.code.as_str());
        assert_eq!((&report.verdict, code), (&Verdict::Failed, Some("analysis.no-self-compare")), "{report:?}");
        assert!(report.tools.iter().all(|t| t.starts_with(tool)), "{config}: {:?}", report.tools);
    }
}

#[tokio::test]
async fn tests_that_are_not_run_are_told() {
    let tests: Vec<(String, String)> = (10..32)
        .map(|n| {
            let text = "import test from \"node:test\";\nimport { known } from \"../src/a.ts\";\ntest(\"known\", () => { if (known(1) !== true) throw new Error(); });\n";
            (format!("test/{n}.test.ts"), text.to_owned())
        })
        .collect();
    let files: Vec<(&str, &str)> = tests.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let report = said(&files, SAME, Layer::Tests, None).await;
    assert!(report.detail.contains("20 project tests"), "{}", report.detail);
    assert!(report.detail.contains("2 more test files that import it were not run"), "{}", report.detail);
}
