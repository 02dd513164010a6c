//! Tests of the block parser on `#` blocks: what is understood, and where each fault lies.

use super::*;
use crate::task_specification::render_diagnostics;
use expect_test::{Expect, expect};
use proptest::prelude::*;

/// The lines of a `#` block, as an adapter would hand them over.
fn lines_of(source: &str) -> Vec<BlockLine<'_>> {
    let mut at = 0;
    source
        .split_inclusive('\n')
        .filter_map(|line| {
            let start = at;
            at += line.len();
            let text = line.trim_end_matches(['\n', '\r']);
            let marker = text.find('#')? + 1;
            Some(BlockLine { text: &text[marker..], start: start + marker })
        })
        .collect()
}

fn check_faults(source: &str, expected: Expect) {
    expected.assert_eq(&render_diagnostics(source, &parse_block(&lines_of(source)).1));
}

fn spec_of(source: &str) -> Spec {
    let (spec, diagnostics) = parse_block(&lines_of(source));
    assert_eq!(render_diagnostics(source, &diagnostics), "");
    spec
}

const MEDIAN: &str = "\
# @spec Return the median of xs; the mean of the two
#   middle values for an even count.
# @requires len(xs) > 0
# @ensures min(xs) <= result
#          <= max(xs)
# @example median([3, 1, 2]) == 2
# @example median([1, 2, 3, 4]) == 2.5
# @raises ValueError median([])
# @property median(xs) == median(list(reversed(xs)))
# @complexity O(n log n)
# @budget 20ms median(list(range(100_000)))
# @uses statistics, math
# @forbid recursion
# @step split(xs: list[float], sep=\":\") -> tuple[list[float], list[float]]: sorted halves: of xs
";

#[test]
fn every_tag_is_understood() {
    let spec = spec_of(MEDIAN);
    assert_eq!(spec.intent, "Return the median of xs; the mean of the two middle values for an even count.");
    assert_eq!(spec.requires[0].text, "len(xs) > 0");
    assert_eq!(spec.ensures[0].text, "min(xs) <= result <= max(xs)");
    assert_eq!(spec.ensures[0].range.slice(MEDIAN), "min(xs) <= result\n#          <= max(xs)");
    assert_eq!(
        spec.examples.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(),
        ["median([3, 1, 2]) == 2", "median([1, 2, 3, 4]) == 2.5"]
    );
    assert_eq!((spec.raises[0].exception.as_str(), spec.raises[0].call.as_str()), ("ValueError", "median([])"));
    assert_eq!(spec.properties.len(), 1);
    assert_eq!(spec.complexity.as_ref().unwrap().bound.notation(), "O(n log n)");
    assert_eq!((spec.budgets[0].milliseconds, spec.budgets[0].call.as_str()), (20.0, "median(list(range(100_000)))"));
    assert_eq!(spec.uses.iter().map(|c| c.range.slice(MEDIAN)).collect::<Vec<_>>(), ["statistics", "math"]);
    assert_eq!(spec.forbids[0].text, "recursion");
    let step = &spec.steps[0];
    assert_eq!((step.name.as_str(), step.intent.as_str()), ("split", "sorted halves: of xs"));
    assert_eq!(step.signature, "(xs: list[float], sep=\":\") -> tuple[list[float], list[float]]");
}

#[test]
fn words_around_the_clauses_are_the_intent() {
    assert_eq!(spec_of("# Sum xs.\n# @example total([1]) == 1\n").intent, "Sum xs.");
    assert_eq!(spec_of("# ---- maths ----\n# @spec Sum xs.\n#\n# Empty is zero.\n").intent, "Sum xs.\nEmpty is zero.");
    let spec = spec_of("# @spec Sum xs.\n# @example total([1]) == 1\n#\n# An afterthought.\n");
    assert_eq!(
        (spec.examples[0].code.as_str(), spec.intent.as_str()),
        ("total([1]) == 1", "Sum xs.\nAn afterthought.")
    );
    assert_eq!(spec_of("#@spec: Tight.\r\n#\t@requires\tx > 0\r\n").requires[0].text, "x > 0");
}

#[test]
fn budgets_know_three_units() {
    for (text, expected) in
        [("250us f(1)", 0.25), ("250µs f(1)", 0.25), ("1.5 s f(1)", 1500.0), ("1_000ms f(1)", 1000.0)]
    {
        let source = format!("# @budget {text}\n");
        assert_eq!(spec_of(&source).budgets[0].milliseconds, expected, "{text}");
    }
}

#[test]
fn rust_and_type_script_signatures_are_steps_too() {
    let spec = spec_of(
        "# @step parse(text: &str) -> io::Result<Vec<u8>>: bytes of text\n# @step head<T>(xs: T[]) -> T | undefined: first of xs\n",
    );
    assert_eq!(spec.steps[0].signature, "(text: &str) -> io::Result<Vec<u8>>");
    assert_eq!(
        (spec.steps[1].name.as_str(), spec.steps[1].signature.as_str()),
        ("head", "<T>(xs: T[]) -> T | undefined")
    );
}

#[test]
fn unknown_tags_and_empty_clauses() {
    check_faults(
        "# @spec 🎉 Sum xs.\n# @exmaple total([1]) == 1\n# @frobnicate it\n# @requires\n# @Ensures result > 0\n",
        expect![[r#"
            error[spec.unknown-tag]: there is no tag `@exmaple`; did you mean `@example`?
            2 | # @exmaple total([1]) == 1
              |   ^^^^^^^^
              = fix: Change to `@example` -> "@example"
            error[spec.unknown-tag]: there is no tag `@frobnicate`; there are @spec @requires @ensures @example @raises @property @complexity @budget @uses @forbid @step
            3 | # @frobnicate it
              |   ^^^^^^^^^^^
            error[spec.empty-clause]: `@requires` says nothing; write `@requires EXPRESSION`
            4 | # @requires
              |   ^^^^^^^^^
            error[spec.unknown-tag]: there is no tag `@Ensures`; did you mean `@ensures`?
            5 | # @Ensures result > 0
              |   ^^^^^^^^
              = fix: Change to `@ensures` -> "@ensures"
        "#]],
    );
}

#[test]
fn faults_of_budgets() {
    check_faults(
        "# @budget 20 median(xs)\n# @budget 20 msec f(1)\n# @budget 3 fortnights f(1)\n# @budget fast f(1)\n# @budget 0ms f(1)\n# @budget 5ms\n",
        expect![[r#"
            error[spec.bad-budget]: the time has no unit; there are `us`, `ms` and `s`
            1 | # @budget 20 median(xs)
              |           ^^
              = fix: Take it as milliseconds -> "20ms"
            error[spec.bad-budget]: `msec` is no unit of time here; there are `us`, `ms` and `s`
            2 | # @budget 20 msec f(1)
              |              ^^^^
              = fix: Change to `ms` -> "ms"
            error[spec.bad-budget]: `fortnights` is no unit of time here; there are `us`, `ms` and `s`
            3 | # @budget 3 fortnights f(1)
              |             ^^^^^^^^^^
            error[spec.bad-budget]: a budget starts with a time above zero: `@budget 20ms f(1)`
            4 | # @budget fast f(1)
              |           ^^^^
            error[spec.bad-budget]: a budget starts with a time above zero: `@budget 20ms f(1)`
            5 | # @budget 0ms f(1)
              |           ^
            error[spec.bad-budget]: say which call must keep the budget: `@budget 5ms f(1)`
            6 | # @budget 5ms
              |           ^^^
        "#]],
    );
}

#[test]
fn faults_of_complexity_raises_and_steps() {
    check_faults(
        "# @complexity n log n\n# @complexity O(n)\n# @complexity O(n^2)\n# @raises median([])\n# @raises ValueError\n# @step split xs\n# @step split(xs): halves\n# @step split(xs) -> list\n# @step a(x) -> int: x\n# @step a(y) -> int: y\n",
        expect![[r#"
            error[spec.bad-complexity]: not a class that can be measured; there are O(1), O(log n), O(n), O(n log n), O(n^2), O(n^3) and O(2^n)
            1 | # @complexity n log n
              |               ^^^^^^^
              = fix: Change to `O(n log n)` -> "O(n log n)"
            error[spec.duplicate-complexity]: a spec has one `@complexity`; remove this one or the other
            3 | # @complexity O(n^2)
              |               ^^^^^^
              = line 2: the first one is here
            error[spec.bad-raises]: name the exception before the call: `@raises ValueError f(0)`
            4 | # @raises median([])
              |           ^^^^^^^^^^
            error[spec.bad-raises]: say which call raises it: `@raises ValueError f(0)`
            5 | # @raises ValueError
              |           ^^^^^^^^^^
            error[spec.bad-step]: the step has no parameter list; write a step as `name(parameters) -> type: what it does`
            6 | # @step split xs
              |         ^^^^^
            error[spec.bad-step]: the step has no return type; write a step as `name(parameters) -> type: what it does`
            7 | # @step split(xs): halves
              |         ^^^^^^^^^
            error[spec.bad-step]: the step does not say what it does; write a step as `name(parameters) -> type: what it does`
            8 | # @step split(xs) -> list
              |         ^^^^^^^^^^^^^^^^^
            error[spec.duplicate-step]: two steps are named `a`; give each its own name
            10 | # @step a(y) -> int: y
               |         ^^^^^^^^^^^^^^
               = line 9: the first one is here
        "#]],
    );
}

#[test]
fn only_tags_make_a_comment_a_spec() {
    let class = |source: &str| classify(&lines_of(source), BlockKind::Comments);
    assert_eq!(class("# plain words, mail me@example.org\n"), BlockClass::Prose);
    assert_eq!(class("# @property\n# @app.route(\"/\")\n# @cache()\n"), BlockClass::Prose);
    assert_eq!(class("# @param xs numbers\n# @returns a number\n"), BlockClass::Prose);
    assert_eq!(class("# @exmaple f(1) == 1\n"), BlockClass::Suspect);
    assert_eq!(class("# words\n# @example f(1) == 1\n"), BlockClass::Spec);
    assert_eq!(class("# @spec\n"), BlockClass::Spec);
    let doc = lines_of("# @param xs numbers\n# @raises ValueError: when empty\n# @raise: x\n");
    assert_eq!(classify(&doc, BlockKind::Doc), BlockClass::Prose);
}

#[test]
fn throws_says_the_same_as_raises_in_comments_and_is_prose_in_documentation() {
    let source = "# @throws RangeError median([])\n";
    let spec = spec_of(source);
    assert_eq!((spec.raises[0].exception.as_str(), spec.raises[0].call.as_str()), ("RangeError", "median([])"));
    assert_eq!(classify(&lines_of("# @throws {RangeError} when empty\n"), BlockKind::Doc), BlockClass::Prose);
}

#[test]
fn foreign_tags_are_prose_in_documentation_only() {
    let source = "# @spec Sum.\n#\n# @param xs the numbers\n# @exmaple f(1) == 1\n";
    let block = parse(&lines_of(source), BlockKind::Doc);
    assert_eq!(block.spec.intent, "Sum.\n@param xs the numbers");
    assert_eq!(block.diagnostics.iter().map(|d| d.range.slice(source)).collect::<Vec<_>>(), ["@exmaple"]);
}

#[test]
fn places_of_joined_text_map_back_to_their_lines() {
    let source = "# @ensures min(xs)\n#     <= résult\n#  <= max(xs)\n";
    let block = parse(&lines_of(source), BlockKind::Comments);
    let clause = &block.sources[0];
    assert_eq!(clause.text, "min(xs) <= résult <= max(xs)");
    for word in ["min", "résult", "max", "(xs) <= rés"] {
        let at = clause.text.find(word).unwrap();
        let range = clause.file_range(at, at + word.len());
        let found: String = range.slice(source).split_whitespace().filter(|w| *w != "#").collect::<Vec<_>>().join(" ");
        assert_eq!(found, word);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever stands there: no panic, and every range can be shown in an editor.
    #[test]
    fn any_text_parses(text in "(# ?(@(spec|requires|example|budget|step|raises|complexity|uses|forbid|exmaple))?[ :\\t]?[^\\n]{0,20}\n){0,6}|\\PC{0,80}|[#@ a-z\u{e9}\u{1f389}\r\n\0(),:>-]{0,80}") {
        let lines = lines_of(&text);
        for kind in [BlockKind::Comments, BlockKind::Doc] {
            let block = parse(&lines, kind);
            classify(&lines, kind);
            let spec = &block.spec;
            let clauses = spec.requires.iter().chain(&spec.uses).chain(&spec.forbids).map(|c| c.range);
            let ranges = block.diagnostics.iter().map(|d| d.range)
                .chain(block.sources.iter().map(|s| s.range))
                .chain(spec.steps.iter().map(|s| s.range))
                .chain(clauses);
            for range in ranges {
                prop_assert!(text.get(range.start..range.end).is_some(), "{range:?} in {text:?}");
            }
            for source in &block.sources {
                for at in 0..=source.text.len() {
                    prop_assert!(source.range.start <= source.file_offset(at) && source.file_offset(at) <= source.range.end);
                }
            }
            render_diagnostics(&text, &block.diagnostics);
        }
    }
}

#[test]
fn a_guess_is_a_hint_with_a_way_to_accept_it_and_no_evidence() {
    let source = "# @spec Sum xs.\n# @example? total([1, 2]) == 3\n# @raises? TypeError total(None)\n";
    let (spec, diagnostics) = parse_block(&lines_of(source));
    let texts: Vec<&str> = spec.guesses.iter().map(|g| g.text.as_str()).collect();
    assert_eq!(texts, ["@example total([1, 2]) == 3", "@raises TypeError total(None)"]);
    assert!(!spec.has_evidence(), "a guess shows nothing");
    let sure = parse_block(&lines_of(&source.replace('?', ""))).0;
    assert!(sure.has_evidence());
    assert_eq!(spec.hash(), spec_of("# @spec Sum xs.\n").hash(), "and nobody is told of it");
    let (title, text) = diagnostics[0].fix.clone().unwrap();
    assert_eq!((diagnostics[0].severity, title.as_str()), (Severity::Hint, "Accept the guess `total([1, 2]) == 3`"));
    let accepted = source.replacen(diagnostics[0].range.slice(source), &text, 1);
    assert!(accepted.starts_with("# @spec Sum xs.\n# @example total([1, 2]) == 3\n"), "{accepted}");
    assert!(diagnostics.len() == 2 && diagnostics.iter().all(|d| d.code == "spec.guess"), "{diagnostics:?}");
}
