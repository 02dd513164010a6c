//! What a model claims of a function: which of it can be tried, and what candidates make of it. Real Python,
//! Rust and TypeScript in the real sandbox; the tools are those of `ZEROERR_HOME`, or of the user.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use expect_test::{Expect, expect};
use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::verdict::Policy;
use zeroerr_verification::languages::Language;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::languages::rust::Rust;
use zeroerr_verification::languages::typescript::TypeScript;
use zeroerr_verification::verification_stack::VerificationStack;

use common::tools;

const PYTHON: &str =
    "# @spec Half of x.\n# @requires x >= 0\n# @example half(4) == 2\ndef half(x: int) -> int:\n    ...\n";
const RUST: &str = "// @spec Half of x.\n// @example half(4) == 2\nfn half(x: u32) -> u32 {\n    todo!()\n}\n";

const TYPESCRIPT: &str = "// @spec Half of x.\n// @requires x >= 0\n// @example half(4) === 2\nexport function half(x: number): number {\n  throw new Error(\"to do\");\n}\n";

fn task(language: &dyn Language, file: &str, source: &str) -> Task {
    language.analyse(&PathBuf::from(file), &Arc::from(source)).tasks.pop().expect("a spec")
}

fn candidate(body: &str) -> Candidate {
    Candidate { function: String::new(), body: body.to_owned(), imports: Vec::new() }
}

#[test]
fn only_one_call_with_a_value_is_a_claim() {
    let python = task(&Python, "/nowhere/half.py", PYTHON);
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    let read = |call: &str, value: &str| stack.claim(&python, call, value);
    assert_eq!(read("half(6)", "3"), Some(("half(6)".into(), "3".into())));
    assert_eq!(read("half(x=6)", "[1, 2]").map(|(_, value)| value), Some("[1, 2]".into()));
    for (call, value) in [
        ("half(6", "3"),
        ("half(6) + half(2)", "4"),
        ("halve(6)", "3"),
        ("half(6)", "half(6)"),
        ("half(4)", "3"),
        ("half(6)", "3\n# @example half(1) == 1"),
        ("half(6)", ""),
    ] {
        assert_eq!(read(call, value), None, "{call} == {value}");
    }
    // Whether a name means something shows when the call is made: nobody passes such a test.
    assert_eq!(read("half(n)", "three"), Some(("half(n)".into(), "three".into())));
    let rust = task(&Rust::default(), "/nowhere/half.rs", RUST);
    assert_eq!(stack.claim(&rust, "half(6)", "3"), Some(("half(6)".into(), "3".into())));
    assert_eq!(stack.claim(&rust, "half(6", "3"), None);
    let typescript = task(&TypeScript, "/nowhere/half.ts", TYPESCRIPT);
    assert_eq!(stack.claim(&typescript, "half(6)", "3"), Some(("half(6)".into(), "3".into())));
    assert_eq!(stack.claim(&typescript, "half(4)", "3"), None);
    // A spec that takes no further line does not matter.
    let plain = "def half(x: int) -> int:\n    \"\"\"Half of x.\n\n    >>> half(4)\n    2\n    \"\"\"\n    ...\n";
    let plain = task(&Python, "/nowhere/half.py", plain);
    assert_eq!(stack.claim(&plain, "half(6)", "3"), Some(("half(6)".into(), "3".into())));
    let in_words = "def half(x: int) -> int:\n    \"\"\"Half of x.\n\n    half(4) == 2\n    \"\"\"\n    ...\n";
    let in_words = task(&Python, "/nowhere/half.py", in_words);
    assert_eq!(stack.claim(&in_words, "half(6)", "3"), Some(("half(6)".into(), "3".into())));
}

async fn check(stack: &VerificationStack, task: &Task, bodies: &[&str], expected: Expect) {
    let claim = |call: &str, expected: Option<&str>| Claim {
        call: call.into(),
        expected: expected.map(str::to_owned),
        inside: true,
    };
    let claims = [
        claim("half(6)", Some("3")),
        claim("half(7)", Some("4")),
        claim("half(8)", None),
        claim("half(-2)", Some("-1")),
    ];
    let candidates: Vec<Candidate> = bodies.iter().map(|b| candidate(b)).collect();
    let tried = stack.examine(task, &candidates, &claims).await.expect("trials");
    let shown = |t: &Trial| format!("{}{}", t.outcome.as_deref().unwrap_or("-"), if t.holds { " ok" } else { "" });
    let lines = tried.iter().map(|trials| trials.iter().map(shown).collect::<Vec<_>>().join(" | "));
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn candidates_are_tried_on_claims_without_being_judged() {
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    // Of the claims about half(7) and half(-2) one is false and one is forbidden by `@requires`.
    let bodies = ["return x // 2", "return 1 // 0 if x == 7 else x // 2", "while x == 8: pass\nreturn 3", "import"];
    check(
        &stack,
        &task(&Python, "/nowhere/half.py", PYTHON),
        &bodies,
        expect![[r#"
            = 3 ok | = 3 | = 4 | -
            = 3 ok | ! ZeroDivisionError | = 4 | -
            = 3 ok | = 3 | timeout | -
        "#]],
    )
    .await;
    let bodies = ["x / 2", "if x == 7 { panic!(\"seven\") } else { x / 2 }"];
    check(
        &stack,
        &task(&Rust::default(), "/nowhere/half.rs", RUST),
        &bodies,
        expect![[r#"
            = 3 ok | = 3 | = 4 | -
            = 3 ok | ! panic | = 4 | -"#]],
    )
    .await;
    let bodies = [
        "return Math.floor(x / 2);",
        "if (x === 7) throw new RangeError(`seven: ${x}`); return Math.floor(x / 2);",
        "while (x === 8);\nreturn 3;",
        "return (",
    ];
    check(
        &stack,
        &task(&TypeScript, "/nowhere/half.ts", TYPESCRIPT),
        &bodies,
        expect![[r#"
            = 3 ok | = 3 | = 4 | -
            = 3 ok | ! RangeError | = 4 | -
            = 3 ok | = 3 | timeout | -
        "#]],
    )
    .await;
}
