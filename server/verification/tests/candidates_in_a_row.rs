//! What a stack keeps from one candidate of a step for the next changes how long a verdict takes, never what it
//! says: interpreters, what mypy has read, the cases on which a law held. Each candidate is checked by a stack
//! that has just checked a right one, and by one that keeps nothing. About fifteen seconds.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use zeroerr_core::code::{LanguageId, Task};
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Subject;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is, subject_for_edit};

use common::tools;

const STEP: &str = "\
# @spec The lower of the two.
# @requires a > -10000
# @example lower(1, 2) == 1
# @ensures result <= a
# @property lower(a, b) == lower(b, a) or b <= -10000
def lower(a: int, b: int) -> int:
    ...
";

/// Candidates: right ones, and wrong ones that show it early, late, on few cases, only after others, or by an end.
const BODIES: [&str; 8] = [
    "return b if b < a else a",
    "return a if a <= b else b",
    "return min(a, b) if max(a, b) < 200 else a",
    "return a",
    "seen = lower.__dict__.setdefault('n', [])\n    seen.append(a)\n    return min(a, b) if len(seen) < 150 else a",
    "import os\n    return os._exit(3) if a > 200 else min(a, b)",
    "while a == 7 and b == 7: pass\n    return min(a, b)",
    "return str(min(a, b))",
];

fn subject(stack: &VerificationStack, task: &Task, body: &str) -> Subject {
    let language = stack.language(LanguageId::Python).expect("Python");
    let response = format!("```python\ndef lower(a: int, b: int) -> int:\n    {body}\n```");
    let candidate = language.extract(&response, task).expect("a candidate");
    let edits = language.splice(task, &candidate).expect("it fits");
    subject_for_edit(task, &edits).expect("an edit")
}

/// What does not depend on the clock.
fn said(report: &LayerReport) -> (Verdict, String, String) {
    (report.verdict.clone(), report.detail.clone(), format!("{:#?}", report.findings))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_judged_as_if_it_were_the_first() {
    let keeping = VerificationStack::new(Arc::new(tools()), Policy::default());
    let alone = VerificationStack::new(Arc::new(tools().cold()), Policy::default());
    let language = keeping.language(LanguageId::Python).expect("Python");
    let task = language.analyse(Path::new("/nowhere/step.py"), &Arc::from(STEP)).tasks.remove(0);
    let mut objections = String::new();
    for body in BODIES {
        writeln!(objections, "{body}").expect("a String takes everything");
        for layer in [Layer::Types, Layer::Contracts, Layer::Properties] {
            let later = keeping.check(&subject(&keeping, &task, body), layer).await;
            let first = alone.check(&subject(&alone, &task, body), layer).await;
            assert_eq!(said(&later), said(&first), "{layer}: {body}");
            for finding in &later.findings {
                writeln!(objections, "        {layer}: {}", finding.message).expect("a String takes everything");
            }
        }
    }
    expect![[r#"
        return b if b < a else a
        return a if a <= b else b
        return min(a, b) if max(a, b) < 200 else a
                properties: `lower(a, b) == lower(b, a) or b <= -10000` is false for a=0, b=200
        return a
                properties: `lower(a, b) == lower(b, a) or b <= -10000` is false for a=0, b=2
        seen = lower.__dict__.setdefault('n', [])
            seen.append(a)
            return min(a, b) if len(seen) < 150 else a
                properties: `lower(a, b) == lower(b, a) or b <= -10000` is false for a=0, b=2
        import os
            return os._exit(3) if a > 200 else min(a, b)
                properties: `lower(a, b) == lower(b, a) or b <= -10000` ended the process for a=0, b=201
        while a == 7 and b == 7: pass
            return min(a, b)
                properties: `lower(a, b) == lower(b, a) or b <= -10000` did not end in its time for a=7, b=7
        return str(min(a, b))
                types: Return type does not match returned value: expected `int`, found `str`
                contracts: `result <= a` cannot be evaluated for lower(1, 2): TypeError: '<=' not supported between instances of 'str' and 'int'; result is '1'
    "#]].assert_eq(&objections);
}

/// Rust: the file under test stays as it is, and another one that it calls changes. A few seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_compiled_with_another_text_of_a_neighbour_is_not_believed() {
    const SOURCE: &str = "mod helper;\n\n// @spec Double it.\n// @example double(2) == 4\n// @ensures result == x.wrapping_mul(2)\npub fn double(x: i64) -> i64 {\n    helper::twice(x)\n}\n";
    const MANIFEST: &str = "[package]\nname = \"neighbours\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    let language = stack.language(LanguageId::Rust).expect("Rust");
    for is_project in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("src");
        std::fs::create_dir_all(&place).expect("a folder");
        if is_project {
            std::fs::write(folder.path().join("Cargo.toml"), MANIFEST).expect("a file");
        }
        std::fs::write(place.join("lib.rs"), SOURCE).expect("a file");
        let task = language.analyse(&place.join("lib.rs"), &Arc::from(SOURCE)).tasks.remove(0);
        for (body, verdict) in [("x.wrapping_mul(2)", Verdict::Passed), ("x.wrapping_mul(3)", Verdict::Failed)] {
            std::fs::write(place.join("helper.rs"), format!("pub fn twice(x: i64) -> i64 {{ {body} }}\n"))
                .expect("a file");
            for layer in [Layer::Tests, Layer::Contracts] {
                let report = stack.check(&subject_as_is(&task, Some(folder.path().to_owned())), layer).await;
                assert_eq!(report.verdict, verdict, "{layer}, project: {is_project}, {body}: {}", report.detail);
            }
        }
    }
}
