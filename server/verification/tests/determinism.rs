//! The same input gives the same verdicts and counterexamples: alone or in a crowd, in whichever order,
//! by a stack that has seen it before or by a new one. Each file below has a finding in every layer
//! that can have one beside the others.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use zeroerr_core::code::LanguageId;
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Judgement;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

const PYTHON: &str = r#"
import os


# @spec Double it.
# @requires x > -1000
# @example double(2) == 4
# @example double(3) == 7
# @ensures result >= x
# @raises ValueError double(1)
# @property double(x) == double(-x)
# @budget 1ms double(3)
def double(x: int) -> int:
    unused = 1
    text: str = x
    for _ in range(400_000 if x == 3 else 0):
        pass
    return 2 * x if os.getcwd() else 0
"#;

const PYTHON_BROKEN: &str =
    "# @spec Double it.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    return (2 * x\n\n\ny = ]\n";

const RUST: &str = r#"
// @spec Double it.
// @requires x > -1000 && x < 1000
// @example double(2) == 4
// @example double(3) == 7
// @ensures result >= x
// @raises panic double(1)
// @property double(x) == double(-x)
// @budget 1us double(3)
fn double(x: i64) -> i64 {
    let mut total = 0;
    for i in 0..if x == 3 { 3_000_000 } else { 0 } {
        total = std::hint::black_box(total + i);
    }
    let unused = std::env::var_os("HOME");
    2 * x
}
"#;

const RUST_TYPES: &str = "// @spec Double it.\n// @example double(2) == 4\nfn double(x: i64) -> i64 {\n    let y: u8 = \"\";\n    2 * x\n}\n";

const RUST_BROKEN: &str =
    "// @spec Double it.\n// @example double(2) == 4\nfn double(x: i64) -> i64 {\n    2 * ) x\n}\n";

const TYPESCRIPT: &str = r#"
import { homedir } from "node:os";

// @spec Double it.
// @requires x > -1000 && x < 1000
// @example double(2) === 4
// @example double(3) === 7
// @ensures result >= x
// @raises RangeError double(1)
// @property double(x) === double(-x)
// @budget 1us double(3)
export function double(x: number): number {
  const unused: string = x;
  let total = 0;
  for (let i = 0; i < (x === 3 ? 3_000_000 : 0); i += 1) total += Math.sqrt(i);
  debugger;
  return homedir() === "" || total < 0 ? 0 : 2 * x;
}
"#;

const TYPESCRIPT_BROKEN: &str = "// @spec Double it.\n// @example double(2) === 4\nexport function double(x: number): number {\n  return 2 * ) x;\n}\n";

/// A file, its language, the layers that object.
type Case = (&'static str, LanguageId, &'static [Layer]);

const ALL_BUT_SYNTAX: &[Layer] = &[
    Layer::Types,
    Layer::Contracts,
    Layer::Tests,
    Layer::Properties,
    Layer::Analysis,
    Layer::Security,
    Layer::Performance,
];
const CASES: &[Case] = &[
    (PYTHON, LanguageId::Python, ALL_BUT_SYNTAX),
    (PYTHON_BROKEN, LanguageId::Python, &[Layer::Syntax]),
    (
        RUST,
        LanguageId::Rust,
        &[Layer::Contracts, Layer::Tests, Layer::Properties, Layer::Analysis, Layer::Security, Layer::Performance],
    ),
    (RUST_TYPES, LanguageId::Rust, &[Layer::Types]),
    (RUST_BROKEN, LanguageId::Rust, &[Layer::Syntax]),
    (TYPESCRIPT, LanguageId::TypeScript, ALL_BUT_SYNTAX),
    (TYPESCRIPT_BROKEN, LanguageId::TypeScript, &[Layer::Syntax]),
];

fn stack() -> VerificationStack {
    VerificationStack::new(Arc::new(tools()), Policy::default())
}

/// Everything that a layer says, but for figures of time.
fn said(report: &LayerReport) -> String {
    let mut report = report.clone();
    report.elapsed_ms = 0;
    report.remembered = false;
    if report.layer == Layer::Performance {
        let figures = |text: &str| -> String {
            let words =
                text.split_whitespace().filter(|w| !w.contains(|c: char| c.is_ascii_digit()) && !w.ends_with('s'));
            words.collect::<Vec<_>>().join(" ")
        };
        report.detail = figures(&report.detail);
        report.findings.iter_mut().for_each(|f| f.message = figures(&f.message));
    }
    serde_json::to_string_pretty(&report).expect("JSON")
}

async fn everything(stack: &VerificationStack, (source, language, _): &Case) -> Vec<String> {
    let file = Path::new("/nowhere").join(format!("edited.{}", language.extension()));
    let adapter = stack.language(*language).expect("an adapter");
    let task = adapter.analyse(&file, &Arc::from(*source)).tasks.pop().expect("a function with a spec");
    let subject = subject_as_is(&task, None);
    let report = stack.verify_all(&subject, &|_| {}).await;
    let mut all: Vec<String> = report.layers.iter().map(said).collect();
    let gate = match adapter.judge(stack.toolchain(), &subject, 7).await {
        Ok(Judgement::GateRejected(why) | Judgement::NearMiss(why) | Judgement::Unfit(why)) => why,
        Ok(Judgement::Votes(print)) => format!("{print:?}"),
        Err(error) => error.0,
    };
    all.push(gate);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_input_gives_the_same_verdicts_and_counterexamples() {
    let (first_stack, second_stack) = (stack(), stack());
    let mut first = Vec::new();
    for case in CASES {
        let said = everything(&first_stack, case).await;
        for layer in case.2 {
            let failed = said.iter().any(|s| {
                let report = serde_json::from_str::<LayerReport>(s).ok();
                report.is_some_and(|r| r.layer == *layer && r.verdict == Verdict::Failed && !r.findings.is_empty())
            });
            assert!(failed, "{layer} has no finding in\n{}\n{}", case.0, said.join("\n"));
        }
        first.push(said);
    }
    // The other way round, two at a time, by a stack that knows nothing; by one that has only the first one's workers;
    // then by the first, which remembers.
    let third_stack = VerificationStack::new(Arc::clone(first_stack.toolchain()), Policy::default());
    for stack in [&second_stack, &third_stack, &first_stack] {
        let runs = CASES.iter().rev().map(|case| everything(stack, case));
        let mut again: Vec<Vec<String>> = futures::stream::iter(runs).buffered(2).collect().await;
        again.reverse();
        for (one, other) in first.iter().flatten().zip(again.iter().flatten()) {
            assert_eq!(one, other);
        }
    }
}
