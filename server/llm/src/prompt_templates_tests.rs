//! What prompts hold, and what they must not.

use std::sync::Arc;

use expect_test::{Expect, expect};
use zeroerr_core::code::{Signature, TextRange};
use zeroerr_core::task_specification::{Clause, ExampleOrigin, Raises};

use super::advisers::{critic_messages, discriminator_messages, tester_messages};
use super::*;

fn clause(text: &str) -> Clause {
    Clause { text: text.into(), range: TextRange::default() }
}

fn example(call: &str, value: &str) -> Example {
    Example {
        code: format!("{call} == {value}"),
        claim: ExampleClaim::Holds,
        equation: Some((call.into(), value.into())),
        origin: ExampleOrigin::Tag,
        range: TextRange::default(),
    }
}

fn int(name: &str) -> zeroerr_core::code::Param {
    let annotation = Some("int".into());
    zeroerr_core::code::Param {
        name: name.into(),
        annotation,
        default: None,
        kind: zeroerr_core::code::ParamKind::Plain,
    }
}

fn task() -> Task {
    let header = "def clamp(x: int, low: int, high: int) -> int:";
    Task {
        file: "/srv/app/limits.py".into(),
        language: LanguageId::Python,
        source: Arc::from(format!(
            "import math\nfrom os import path\nAPI_KEY = \"sk-very-secret\"\n\n{header} ...\n\ndef other():\n    return 'private business'\n"
        )),
        signature: Signature {
            name: "clamp".into(),
            params: ["x", "low"].map(int).into(),
            returns: Some("int".into()),
            is_async: false,
            header: header.into(),
        },
        spec: Spec {
            intent: "Return x, moved into low..=high.".into(),
            requires: vec![clause("low <= high")],
            ensures: vec![clause("low <= result <= high")],
            examples: vec![
                example("clamp(5, 0, 3)", "3"),
                example("clamp(-1, 0, 3)", "0"),
                example("clamp(2, 0, 3)", "2"),
            ],
            raises: vec![Raises {
                exception: "TypeError".into(),
                call: "clamp(None, 0, 1)".into(),
                range: TextRange::default(),
            }],
            uses: vec![clause("statistics")],
            forbids: vec![clause("recursion")],
            ..Spec::default()
        },
        spec_range: TextRange::default(),
        function_range: TextRange::default(),
        body_range: TextRange::default(),
        class: None,
        is_stub: true,
    }
}

fn check(messages: &[Message], expected: &Expect) {
    let text: Vec<String> = messages.iter().map(|m| format!("[{:?}]\n{}", m.role, m.content)).collect();
    expected.assert_eq(&format!("{}\n", text.join("\n").trim_end()));
}

#[test]
fn a_coder_sees_the_whole_spec_and_the_start_of_its_answer() {
    let messages = coder_messages(
        &task(),
        &Variation::default(),
        &["def low_of(x: int) -> int".into()],
        &["clamp(9, 0, 3)\n  gave 9".into()],
    );
    check(
        &messages,
        &expect![[r#"
        [System]
        You are an expert Python programmer. You answer with the code of one function and nothing else.
        [User]
        Write the Python function `def clamp(x: int, low: int, high: int) -> int:`

        The file already imports:
        import math
        from os import path

        You may call these functions, they exist:
        def low_of(x: int) -> int

        Return x, moved into low..=high.
        The caller guarantees: low <= high
        Afterwards it holds: low <= result <= high
        `clamp(None, 0, 1)` raises TypeError.
        Use statistics.
        Do not use recursion.

        Examples:
        clamp(5, 0, 3) == 3
        clamp(-1, 0, 3) == 0
        clamp(2, 0, 3) == 2

        Earlier attempts were wrong:
        - clamp(9, 0, 3) gave 9
        [Assistant]
        ```python
        import statistics

        def clamp(x: int, low: int, high: int) -> int:
            """Return x, moved into low..=high."""
    "#]],
    );
}

#[test]
fn a_planner_is_told_the_form_of_the_answer() {
    check(
        &planner_messages(&task(), &["low_of(x: int) -> int: the lower bound".into()])[1..],
        &expect![[r#"
            [User]
            Split the Python function below into helper functions, only if that makes each one simpler. A plan without helpers is a good plan for a simple function.

            ```python
            def clamp(x: int, low: int, high: int) -> int:
            ```

            Return x, moved into low..=high.
            The caller guarantees: low <= high
            Afterwards it holds: low <= result <= high
            `clamp(None, 0, 1)` raises TypeError.
            Use statistics.
            Do not use recursion.

            Examples:
            clamp(5, 0, 3) == 3
            clamp(-1, 0, 3) == 0
            clamp(2, 0, 3) == 2

            These functions exist and may be called; do not list them as helpers:
            low_of(x: int) -> int: the lower bound

            Answer with JSON only: at most 6 helpers, and in "uses" the names of the helpers that are called. With helpers:
            {"helpers":[{"intent":"...","name":"first_part","signature":"(xs: list[int]) -> int","uses":[]},{"intent":"...","name":"second_part","signature":"(xs: list[int]) -> int","uses":["first_part"]}],"uses":["second_part"]}
            Without:
            {"helpers":[],"uses":[]}
        "#]],
    );
}

#[test]
fn advisers_are_told_what_their_word_is_for() {
    check(
        &tester_messages(&task(), 4),
        &expect![[r#"
        [System]
        You test Python functions. You answer with tests and nothing else.
        [User]
        Write tests of the Python function below: ordinary, empty, smallest and largest inputs, repeated values.

        ```python
        def clamp(x: int, low: int, high: int) -> int:
        ```

        Return x, moved into low..=high.
        The caller guarantees: low <= high
        Afterwards it holds: low <= result <= high
        `clamp(None, 0, 1)` raises TypeError.
        Use statistics.
        Do not use recursion.

        Examples:
        clamp(5, 0, 3) == 3
        clamp(-1, 0, 3) == 0
        clamp(2, 0, 3) == 2

        Answer with at most 4 lines like `assert clamp(...) == ...`, each with an input that the examples do not have and the value that is right for it, and nothing else.
        [Assistant]
        ```python
        assert clamp(
    "#]],
    );
    let candidates = ["def clamp(x, low, high):\n    return x", "def clamp(x, low, high):\n    return low"];
    check(
        &discriminator_messages(&task(), candidates, &["clamp(5, 0, 3)".into()], 3),
        &expect![[r#"
        [System]
        You read Python code. You answer with calls and nothing else.
        [User]
        Two programmers wrote the Python function `def clamp(x: int, low: int, high: int) -> int:`, and the two do not do the same.

        Return x, moved into low..=high.
        The caller guarantees: low <= high
        Afterwards it holds: low <= result <= high
        `clamp(None, 0, 1)` raises TypeError.
        Use statistics.
        Do not use recursion.

        The first:
        ```python
        def clamp(x, low, high):
            return x
        ```

        The second:
        ```python
        def clamp(x, low, high):
            return low
        ```

        They are known to differ on:
        clamp(5, 0, 3)

        Answer with at most 3 other calls of `clamp` for which they give different values, one per line, and nothing else.
        [Assistant]
        ```python
        clamp(
    "#]],
    );
}

#[test]
fn a_critic_is_shown_what_was_checked() {
    let verdicts = ["tests: passed, 3 examples".to_owned()];
    check(
        &critic_messages(&task(), "def clamp(x, low, high):\n    return x", &verdicts),
        &expect![[r#"
        [System]
        You review code. You answer with OK, or with one objection that an input proves.
        [User]
        Does this Python function do what is asked?

        Return x, moved into low..=high.
        The caller guarantees: low <= high
        Afterwards it holds: low <= result <= high
        `clamp(None, 0, 1)` raises TypeError.
        Use statistics.
        Do not use recursion.

        Examples:
        clamp(5, 0, 3) == 3
        clamp(-1, 0, 3) == 0
        clamp(2, 0, 3) == 2

        ```python
        def clamp(x, low, high):
            return x
        ```

        What was checked:
        - tests: passed, 3 examples

        If there is an allowed input for which it gives a wrong value, answer `OBJECTION:` with that input, what the function gives and what would be right. Otherwise answer `OK`.
    "#]],
    );
}

#[test]
fn nothing_else_of_the_file_reaches_a_prompt() {
    for style in [Style::Plain, Style::Terse, Style::Careful, Style::ExamplesFirst] {
        let variation = Variation { style, example_order_seed: 7, paraphrase: 1 };
        let all = [
            coder_messages(&task(), &variation, &[], &[]),
            planner_messages(&task(), &[]),
            tester_messages(&task(), 4),
            critic_messages(&task(), "def clamp(): ...", &[]),
            discriminator_messages(&task(), ["a", "b"], &[], 4),
        ]
        .concat();
        for message in all {
            for secret in ["sk-very-secret", "API_KEY", "private business", "/srv/app"] {
                assert!(!message.content.contains(secret), "{secret} in {}", message.content);
            }
        }
    }
}

#[test]
fn variations_differ_late_so_that_the_computed_prompt_is_reused() {
    let user = |style, example_order_seed| {
        coder_messages(&task(), &Variation { style, example_order_seed, paraphrase: 0 }, &[], &[])[1].content.clone()
    };
    let plain = user(Style::Plain, 0);
    let common = |other: &str| plain.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let (terse, careful) = (user(Style::Terse, 0), user(Style::Careful, 0));
    assert!(common(&terse) == plain.len() && common(&careful) == plain.len() && terse != careful);
    let shuffled: Vec<String> = (1..20).map(|seed| user(Style::Plain, seed)).collect();
    assert!(shuffled.iter().any(|s| *s != plain), "some seed changes the order");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(shuffled.iter().all(|s| sorted(s) == sorted(&plain)), "no seed loses or adds a line");
    assert_eq!(user(Style::Plain, 3), user(Style::Plain, 3));
}

#[test]
fn the_task_can_be_said_over_again_behind_what_all_share() {
    let user = |paraphrase| {
        coder_messages(&task(), &Variation { paraphrase, ..Variation::default() }, &[], &[])[1].content.clone()
    };
    let plain = user(0);
    let added: Vec<String> =
        (1..=2).map(|n| user(n).strip_prefix(plain.as_str()).expect("the same").to_owned()).collect();
    assert_eq!(added[0].trim(), "In short: `clamp` is given x (int), low (int) and returns int.");
    assert!(added[1].contains("`clamp`") && added[0] != added[1]);
}

#[test]
fn a_spec_cannot_break_out_of_its_template() {
    let mut task = task();
    task.spec.intent = "{{ 1 + 1 }} {% for x in y %}".into();
    assert!(coder_messages(&task, &Variation::default(), &[], &[])[1].content.contains("{{ 1 + 1 }} {% for x in y %}"));
}

#[test]
fn javascript_is_asked_for_as_such_and_told_its_types() {
    use zeroerr_core::code::{Param, ParamKind};
    let param = |name: &str, kind: &str| Param {
        name: name.into(),
        annotation: Some(kind.into()),
        default: None,
        kind: ParamKind::Plain,
    };
    let header = "function clamp(x, low)";
    let asked = |file: &str, header: &str| {
        let signature = Signature {
            name: "clamp".into(),
            params: vec![param("x", "number"), param("low", "number")],
            returns: Some("number".into()),
            is_async: false,
            header: header.into(),
        };
        let spec = Spec { examples: vec![example("clamp(5, 0)", "5")], ..Spec::default() };
        let source: Arc<str> = Arc::from("const { sep } = require('path');\nconst KEY = 'sk-secret';\n");
        let task = Task { file: file.into(), language: LanguageId::TypeScript, source, signature, spec, ..task() };
        let messages = coder_messages(&task, &Variation::default(), &[], &[]);
        messages.into_iter().map(|m| m.content).collect::<Vec<_>>().join("\n")
    };
    let plain = asked("/srv/a.mjs", header);
    assert!(plain.contains("JavaScript") && !plain.contains("TypeScript"), "{plain}");
    for part in
        ["`x` is of type `number`.", "It returns `number`.", "clamp(5, 0) === 5", "const { sep } = require('path');"]
    {
        assert!(plain.contains(part), "{part} in {plain}");
    }
    assert!(plain.ends_with("```javascript\nfunction clamp(x, low) {"), "{plain}");
    assert!(!plain.contains("sk-secret"));
    let typed = asked("/srv/a.ts", "const clamp = (x: number, low: number): number =>");
    assert!(typed.ends_with("```typescript\nconst clamp = (x: number, low: number): number => {"), "{typed}");
    assert!(!typed.contains("is of type"), "{typed}");
}
