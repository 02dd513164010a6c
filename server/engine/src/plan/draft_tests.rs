//! The texts of plans, in Python: no tool runs, nothing is judged.

use super::super::settle::settle;
use super::*;
use expect_test::{Expect, expect};
use std::collections::HashMap;
use std::path::Path;
use zeroerr_core::code::LanguageId;
use zeroerr_core::decomposition_engine::MAX_STEPS;
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::toolchain::Toolchain;

fn stack() -> Arc<VerificationStack> {
    let tools = Toolchain::detect(Path::new("/nowhere"), Sandbox::detect(&SandboxOptions::default()));
    Arc::new(VerificationStack::new(Arc::new(tools), zeroerr_core::verdict::Policy::default()))
}

fn draft(source: &str, function: &str) -> (Draft, Vec<(String, String)>) {
    let stack = stack();
    let language = stack.language(LanguageId::Python).unwrap();
    let analysis = language.analyse(Path::new("a.py"), &Arc::from(source));
    assert_eq!(analysis.diagnostics, [], "{source}");
    let task = analysis.task_named(function).unwrap().clone();
    let plan = Plan::from_spec(function, &task.spec, MAX_STEPS).unwrap();
    let settled = settle(plan, &task, language).unwrap();
    (Draft::new(task, settled.plan, settled.given, Arc::clone(&stack)), settled.renamed)
}

fn code(draft: &Draft, name: &str, body: &str) -> Candidate {
    let header = match draft.plan.step(name) {
        Some(step) if !step.signature.is_empty() => format!("def {name}{}:", step.signature),
        _ => draft.task.signature.header.clone(),
    };
    let lines = body.lines().map(|l| format!("    {l}\n")).collect::<String>();
    Candidate { function: format!("{header}\n{lines}"), body: body.into(), imports: vec![] }
}

fn check_whole(source: &str, function: &str, helpers: &[(&str, &str)], body: &str, expected: Expect) -> Vec<String> {
    let (draft, _) = draft(source, function);
    let winners: HashMap<String, Candidate> =
        helpers.iter().map(|(name, body)| ((*name).to_owned(), code(&draft, name, body))).collect();
    let main = code(&draft, function, body);
    let whole = draft.whole(&main, &|name| winners.get(name).cloned()).unwrap();
    let text = zeroerr_core::code::apply_edits(source, &whole.edits).unwrap();
    assert_eq!(text, &*whole.subject.task.source, "what is offered is what is verified");
    assert_eq!(&*whole.subject.previous, source);
    let task = &whole.subject.task;
    assert!(task.function_range.slice(&text).contains(body.lines().next().unwrap()), "{text}");
    expected.assert_eq(&text);
    whole.left_out
}

const MEAN: &str = "import os\n\n# @spec Mean of the halves.\n# @step half(n: int) -> int: half of n\n# @step halves(xs: list[int]) -> list[int]: half(x) for each x\n# @example half(4) == 2\n# @example mean([4]) == 2\ndef mean(xs: list[int]) -> float: ...\n";

#[test]
fn each_step_sees_the_stubs_it_may_call_and_its_own_examples() {
    let (draft, renamed) = draft(MEAN, "mean");
    assert_eq!(renamed, []);
    let half = code(&draft, "half", "return n // 2");
    let task = draft.task_of("halves", &|name| (name == "half").then(|| half.clone())).unwrap();
    expect![[r#"
        import os

        # @spec half of n
        # @example half(4) == 2
        def half(n: int) -> int:
            return n // 2


        # @spec half(x) for each x
        def halves(xs: list[int]) -> list[int]: ...


        # @spec Mean of the halves.
        # @step half(n: int) -> int: half of n
        # @step halves(xs: list[int]) -> list[int]: half(x) for each x
        # @example half(4) == 2
        # @example mean([4]) == 2
        def mean(xs: list[int]) -> float: ...
    "#]]
    .assert_eq(&task.source);
    assert_eq!((task.signature.name.as_str(), task.is_stub), ("halves", true));
    let half = draft.task_of("half", &|_| None).unwrap();
    assert_eq!(half.spec.examples.len(), 1);
    assert!(!half.source.contains("def halves"), "what it may not call is not there");
    assert_eq!(draft.callable("halves"), ["half(n: int) -> int: half of n"]);
}

#[test]
fn the_whole_has_what_is_called_and_no_comments_of_the_plan() {
    let left_out = check_whole(
        MEAN,
        "mean",
        &[("half", "return n // 2"), ("halves", "return [half(x) for x in xs]")],
        "ys = halves(xs)\nreturn sum(ys) / len(ys)",
        expect![[r#"
            import os

            def half(n: int) -> int:
                return n // 2


            def halves(xs: list[int]) -> list[int]:
                return [half(x) for x in xs]


            # @spec Mean of the halves.
            # @step half(n: int) -> int: half of n
            # @step halves(xs: list[int]) -> list[int]: half(x) for each x
            # @example half(4) == 2
            # @example mean([4]) == 2
            def mean(xs: list[int]) -> float:
                ys = halves(xs)
                return sum(ys) / len(ys)
        "#]],
    );
    assert_eq!(left_out, [""; 0]);
}

#[test]
fn what_nothing_calls_is_left_out_with_its_imports() {
    let (draft, _) = draft(MEAN, "mean");
    let half = Candidate { imports: vec!["import math".into()], ..code(&draft, "half", "return math.floor(n / 2)") };
    let halves = code(&draft, "halves", "return [x // 2 for x in xs]");
    let winners = |name: &str| Some(if name == "half" { half.clone() } else { halves.clone() });
    let whole = draft.whole(&code(&draft, "mean", "return sum(halves(xs)) / len(xs)"), &winners).unwrap();
    assert_eq!(whole.left_out, ["half"]);
    assert!(!whole.subject.task.source.contains("math"));
    let whole = draft.whole(&code(&draft, "mean", "return f'{half(1)}'"), &winners).unwrap();
    assert_eq!(whole.left_out, ["halves"], "a format string calls, too");
    assert!(whole.subject.task.source.starts_with("import os\nimport math\n"), "{}", whole.subject.task.source);
}

#[test]
fn the_helpers_of_a_method_stand_above_its_class() {
    check_whole(
        "class Box:\n    size: int = 1\n\n    # @spec Twice the size and one.\n    # @step twice(n: int) -> int: two times n\n    # @example Box().grown() == 3\n    def grown(self) -> int: ...\n",
        "grown",
        &[("twice", "return 2 * n")],
        "return twice(self.size) + 1",
        expect![[r#"
            def twice(n: int) -> int:
                return 2 * n


            class Box:
                size: int = 1

                # @spec Twice the size and one.
                # @step twice(n: int) -> int: two times n
                # @example Box().grown() == 3
                def grown(self) -> int:
                    return twice(self.size) + 1
        "#]],
    );
}

#[test]
fn a_name_that_is_taken_gives_way_and_a_function_that_is_there_is_used() {
    let source = "def half(n: int, up: bool) -> int:\n    return n\n\n\ndef twice(\n    n: int,\n) -> int:\n    return 2 * n\n\n\n# @spec Sum.\n# @step half(n: int) -> int: half of n\n# @step twice(n: int) -> int: twice n\n# @step max(n: int) -> int: not less than half(n)\n# @example half(2) == 1\n# @example f(2) == 1\ndef f(n: int) -> int: ...\n";
    let (draft, renamed) = draft(source, "f");
    let pairs: Vec<(&str, &str)> = renamed.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(pairs, [("half", "half_2"), ("max", "max_2")]);
    assert_eq!(draft.given, ["twice(n: int) -> int: twice n"]);
    let task = draft.task_of("f", &|_| None).unwrap();
    assert!(task.source.contains("# @example half_2(2) == 1\ndef half_2(n: int) -> int: ..."), "{}", task.source);
    let callable = draft.callable("f");
    assert_eq!(
        callable,
        [
            "half_2(n: int) -> int: half of n",
            "max_2(n: int) -> int: not less than half_2(n)",
            "twice(n: int) -> int: twice n"
        ]
    );
}

#[test]
fn claims_about_a_function_that_is_there_are_not_dropped() {
    let source = "def twice(n: int) -> int:\n    return 3 * n\n\n\n# @spec Four times n.\n# @step twice(n: int) -> int: twice n\n# @example twice(2) == 4\n# @example f(1) == 4\ndef f(n: int) -> int: ...\n";
    let stack = stack();
    let language = stack.language(LanguageId::Python).unwrap();
    let analysis = language.analyse(Path::new("a.py"), &Arc::from(source));
    let task = analysis.task_named("f").unwrap();
    let plan = Plan::from_spec("f", &task.spec, MAX_STEPS).unwrap();
    let why = settle(plan, task, language).err().unwrap();
    assert_eq!(
        why,
        "step `twice` has claims of its own, and the file has a function `twice` already: move them above that function"
    );
}

#[test]
fn a_step_that_is_no_function_is_said_so() {
    let (mut draft, _) = draft(MEAN, "mean");
    draft.plan.steps[0].signature = "(n: int -> int".into();
    let why = draft.task_of("half", &|_| None).unwrap_err();
    assert_eq!(why, "step `half`: `half(n: int -> int` is no function of python");
}
