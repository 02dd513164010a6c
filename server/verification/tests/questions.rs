//! What candidates that differ are asked about: real Python, real sandbox. The tools are those of
//! `ZEROERR_HOME`, or of the user; install them with `zeroerr doctor --fix`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::sync::Arc;

use expect_test::{Expect, expect};
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::question::Question;
use zeroerr_core::verdict::Policy;
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_verification::languages::Judgement;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::verification_stack::VerificationStack;

use common::tools;

fn stack() -> VerificationStack {
    VerificationStack::new(Arc::new(tools()), Policy::default())
}

/// The function with a spec at the end of a file.
fn task(source: &str) -> Task {
    Python.analyse(&PathBuf::from("/nowhere/edited.py"), &Arc::from(source)).tasks.pop().expect("a spec")
}

fn candidate(body: &str) -> Candidate {
    Candidate { function: String::new(), body: body.to_owned(), imports: Vec::new() }
}

/// The classes of candidates with the given bodies and votes.
async fn classes(stack: &VerificationStack, task: &Task, bodies: &[(&str, u32)]) -> Vec<(Candidate, Fingerprint, u32)> {
    let mut classes = Vec::new();
    for (body, votes) in bodies {
        let candidate = candidate(body);
        match stack.judge(task, &candidate, 7).await {
            Ok(Judgement::Votes(fingerprint)) => classes.push((candidate, fingerprint, *votes)),
            other => panic!("{body}: {other:?}"),
        }
    }
    classes
}

async fn asked(stack: &VerificationStack, source: &str, bodies: &[(&str, u32)]) -> Vec<Question> {
    let task = task(source);
    let classes = classes(stack, &task, bodies).await;
    let questions = stack.questions(&task, &classes, 7).await.expect("questions");
    assert_eq!(questions, stack.questions(&task, &classes, 7).await.expect("questions"), "the same every time");
    questions
}

async fn check(source: &str, bodies: &[(&str, u32)], expected: Expect) {
    let line = |q: Question| {
        let clauses: String = q.choices().map(|(_, clause)| format!("    {clause}\n")).collect();
        format!("{}\n{clauses}", q.summary())
    };
    let questions = asked(&stack(), source, bodies).await;
    expected.assert_eq(&questions.into_iter().map(line).collect::<String>());
}

const TOTAL: &str =
    "# @spec The sum of xs.\n# @example total([1, 2]) == 3\ndef total(xs: list[int]) -> int:\n    ...\n";

#[tokio::test]
async fn three_answers_to_the_smallest_call() {
    let bodies = [
        ("return sum(xs)", 5),
        ("return sum(xs) if xs else None", 3),
        ("if not xs:\n    raise ValueError('empty')\nreturn sum(xs)", 2),
    ];
    check(
        TOTAL,
        &bodies,
        expect![[r#"
            `total([])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes)
                @example total([]) == 0
                @example total([]) == None
                @raises ValueError total([])
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_answer_is_shown_and_cannot_be_chosen() {
    let bodies = [
        ("return sum(xs)", 5),
        ("while len(xs) > 2:\n    pass\nreturn sum(xs)", 2),
        ("import os\nif len(xs) > 2:\n    os._exit(3)\nreturn sum(xs)", 1),
        ("return sum(xs) if len(xs) < 3 else total(xs)", 1),
    ];
    check(
        TOTAL,
        &bodies,
        expect![[r#"
            `total([0, 0, 0])`: `0` (5 votes), does not end in its time (2 votes), ends its process (1 vote), raises `RecursionError` (1 vote)
                @example total([0, 0, 0]) == 0
        "#]],
    )
    .await;
}

#[tokio::test]
async fn requires_is_respected_and_answered_calls_are_not_asked_again() {
    let spec = "# @spec First plus last.\n# @requires len(xs) > 1\n# @example ends([1, 2]) == 3\n# @example ends([0, 0, 1]) == 1\ndef ends(xs: list[int]) -> int:\n    ...\n";
    let bodies = [
        ("return xs[0] + xs[-1]", 4),
        ("return sum(xs)", 3),
        ("return xs[0] + xs[1] if len(xs) == 2 else xs[0] + xs[2]", 2),
    ];
    let questions = asked(&stack(), spec, &bodies).await;
    for question in &questions {
        let elements = question.input.matches(',').count() + 1;
        assert!(elements >= 2 && question.input != "ends([0, 0, 1])", "{question:?}");
    }
    assert!(!questions.is_empty());
}

#[tokio::test]
async fn what_nobody_could_answer_is_not_asked() {
    let spec = "# @spec A third.\n# @example abs(third(3) - 1) < 0.1\ndef third(x: int) -> float:\n    ...\n";
    check(spec, &[("return x / 3", 4), ("return x * (1 / 3)", 3)], expect![""]).await;
    check(TOTAL, &[("return sum(xs)", 4), ("out = sum(xs)\nxs.clear()\nreturn out", 3)], expect![""]).await;
    let spec = "# @spec Half.\n# @example half(4) == 2\ndef half(x: int):\n    ...\n";
    check(spec, &[("return x // 2 if x % 2 == 0 else x / 2", 4), ("return x / 2", 3)], expect![""]).await;
}

#[tokio::test]
async fn answers_of_every_kind_can_be_written_down() {
    let spec = "from dataclasses import dataclass\n\n@dataclass\nclass Point:\n    x: int\n    y: int\n\n# @spec Mirror p.\n# @example mirror(Point(1, 0)) == Point(-1, 0)\ndef mirror(p: Point) -> Point:\n    ...\n";
    check(
        spec,
        &[("return Point(-p.x, p.y)", 2), ("return Point(-p.x, -p.y)", 1)],
        expect![[r#"
            `mirror(Point(0, 1))`: `Point(x=0, y=1)` (2 votes), `Point(x=0, y=-1)` (1 vote)
                @example mirror(Point(0, 1)) == Point(x=0, y=1)
                @example mirror(Point(0, 1)) == Point(x=0, y=-1)
        "#]],
    )
    .await;
    let spec = "# @spec Below n.\n# @example list(below(2)) == [0, 1]\ndef below(n: int):\n    ...\n";
    check(
        spec,
        &[("yield from range(n)", 2), ("yield from range(min(n, 2))", 1)],
        expect![[r#"
            `below(3)`: `[0, 1, 2]` (2 votes), `[0, 1]` (1 vote)
                @example list(below(3)) == [0, 1, 2]
                @example list(below(3)) == [0, 1]
        "#]],
    )
    .await;
    let spec = "# @spec A third.\n# @example abs(third(3) - 1) < 0.1\ndef third(x: int) -> float:\n    ...\n";
    check(
        spec,
        &[("return x / 3", 2), ("return x * (1 / 3)", 2), ("return x / 3 if x < 5 else 2.0", 1)],
        expect![[r#"
            `third(5)`: `1.66666666667` (4 votes), `2.0` (1 vote)
                @example abs(third(5) - 1.66666666667) <= 1e-9
                @example third(5) == 2.0
        "#]],
    )
    .await;
    let spec = "class Stack:\n    def __init__(self, size: int = 3):\n        self.items = [0] * size\n\n    # @spec Whether x fits.\n    # @example Stack().fits(1) == True\n    def fits(self, x: int) -> bool:\n        ...\n";
    check(
        spec,
        &[("return x <= len(self.items)", 2), ("return x < len(self.items)", 1)],
        expect![[r#"
            `Stack().fits(3)`: `True` (2 votes), `False` (1 vote)
                @example Stack().fits(3) == True
                @example Stack().fits(3) == False
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_chosen_clause_passes_those_who_answer_so_and_no_others() {
    let stack = stack();
    let bodies = [
        ("return sorted(xs)[-1] if xs else 0", 5),
        ("return max(xs + [0])", 3),
        ("return max(xs, key=abs) if xs else 0", 2),
    ];
    let source = TOTAL.replace("total([1, 2]) == 3", "total([1, 2]) == 2");
    let questions = asked(&stack, &source, &bodies).await;
    for question in &questions {
        for (answer, clause) in question.choices() {
            let answered = task(&source.replace("\ndef", &format!("\n# {clause}\ndef")));
            let mut votes = 0;
            for (body, n) in bodies {
                let judgement = stack.judge(&answered, &candidate(body), 7).await.expect("a judgement");
                votes += if matches!(judgement, Judgement::Votes(_)) { n } else { 0 };
            }
            assert_eq!(votes, answer.votes, "{clause}");
        }
    }
    let reference = candidate(bodies[0].0);
    let said =
        stack.answer(&task(&source), &reference, &questions[0].input).await.expect("an answer").expect("allowed");
    let chosen = questions[0].answers.iter().find(|a| a.text == said.text).expect("one of the answers");
    assert_eq!(chosen.clause, said.clause);
}

/// Shrinking keeps what the call was chosen for, and never makes it longer: over many pairs of wrong and
/// right programs, each with its own shape of arguments.
#[tokio::test]
async fn a_shrunk_call_still_distinguishes_and_is_no_longer_than_the_shortest_input() {
    let stack = stack();
    let cases = [
        (
            "f(xs: list[int], x: int) -> int",
            "f([1], 1) == 0",
            "return xs.index(x) if x in xs else -1",
            "return len(xs) - 1 - xs[::-1].index(x) if x in xs else -1",
        ),
        ("f(s: str) -> str", "f('a') == 'a'", "return s.strip()", "return s"),
        ("f(s: str, n: int = 2) -> str", "f('a') == 'a'", "return s[:n]", "return s[:2]"),
        ("f(d: dict[str, int]) -> list[str]", "f({}) == []", "return sorted(d)", "return sorted(d, key=d.get)"),
        (
            "f(t: tuple[int, str], u: tuple[int, ...]) -> int",
            "f((0, ''), ()) == 0",
            "return len(t[1]) * len(u)",
            "return len(t[1]) * len(set(u))",
        ),
        ("f(x: float) -> int", "f(0.0) == 0", "return int(x)", "return round(x)"),
        ("f(xs: set[int]) -> int", "f(set()) == 0", "return len(xs)", "return min(len(xs), 2)"),
        ("f(x: int | None) -> int", "f(1) == 1", "return x or 0", "return -1 if x is None else x"),
        ("f(b: bytes) -> int", "f(b'') == 0", "return len(b)", "return len(b.strip(b'a'))"),
        ("f(*xs: int) -> int", "f(1) == 1", "return sum(xs)", "return sum(xs[:2])"),
        (
            "f(m: list[list[int]]) -> int",
            "f([[1]]) == 1",
            "return sum(map(sum, m))",
            "return sum(r[0] for r in m if r)",
        ),
    ];
    for (header, example, right, wrong) in cases {
        let source = format!("# @spec F.\n# @example {example}\ndef {header}:\n    ...\n");
        let task = task(&source);
        let classes = classes(&stack, &task, &[(right, 3), (wrong, 2)]).await;
        let shortest =
            classes[0].1.differences(&classes[1].1).first().map(|(call, _, _)| call.len()).expect("they differ");
        let questions = stack.questions(&task, &classes, 7).await.expect("questions");
        let question = questions.first().unwrap_or_else(|| panic!("{header}: no question"));
        println!("{}", question.summary());
        assert!(question.input.len() <= shortest, "{}", question.input);
        assert!(question.answers.len() == 2 && question.choices().count() == 2, "{question:?}");
        for (n, body) in [right, wrong].into_iter().enumerate() {
            let said =
                stack.answer(&task, &candidate(body), &question.input).await.expect("an answer").expect("allowed");
            assert_eq!(said.text, question.answers[n].text, "{header}");
        }
    }
}
