//! What a Neovim user lives through, in a real Neovim 0.11 with the shipped `lsp/zeroerr.lua`.
//!
//! Each test says which model answers: `Model::Embedded` is the real SmolLM2-135M-Instruct,
//! `Model::Scripted` replays texts. Everything else is real in all of them.

use std::fs;
use std::time::Duration;

use expect_test::expect;

use crate::neovim::{Editor, Model, diagnostic};
use crate::walk;

const STUB: &str = "\
# @spec Return the sum of the numbers in xs; 0 for an empty list.
# @example total([1, 2, 3]) == 6
# @example total([]) == 0
# @property total(xs) == total(list(reversed(xs)))
def total(xs: list[int]) -> int: ...


LIMIT = 10
";

const GOOD: &str = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";
/// Passes both examples, and differs from `sum` on other lists.
const CONSTANT: &str = "```python\ndef total(xs: list[int]) -> int:\n    return 6 if xs else 0\n```";
/// Passes both examples, and agrees with neither of the others.
const LENGTHS: &str = "```python\ndef total(xs: list[int]) -> int:\n    return len(xs) * 2\n```";

/// Never ends.
const ENDLESS: &str = "```python\ndef total(xs: list[int]) -> int:\n    while True:\n        pass\n```";

/// `count` responses, these in turn, each after `delay` milliseconds.
fn scripted(texts: &[&str], count: usize, delay: u64) -> Model {
    Model::Scripted(texts.iter().cycle().take(count).map(|text| ((*text).to_owned(), delay)).collect())
}

/// The embedded model.
#[test]
fn the_embedded_model_writes_verified_code_and_one_undo_takes_it_back() {
    let hello = include_str!("../../docs/examples/hello_world/hello.py");
    let editor = Editor::new(hello, Model::Embedded);
    let record = editor.run("implement", "total");

    let after = record.text("after");
    assert!(!after.contains("def total(xs: list[int]) -> int: ..."), "the stub is still there:\n{after}");
    assert_eq!(elsewhere(&after), elsewhere(hello), "something outside `total` changed");
    let progress = record.progress();
    assert!(progress.contains("report"), "no news between begin and end:\n{progress}");
    assert!(record.holds("undone_is_the_original"), "one undo did not bring back the file:\n{}", record.seen());
    assert_eq!(
        fs::read_to_string(editor.file()).expect("the file"),
        hello,
        "the file was written; only the user saves"
    );
}

/// The lines of a hello_world file that do not belong to `total`.
fn elsewhere(text: &str) -> (String, String) {
    let (head, rest) = text.split_once("def total").expect("the function");
    let (_, tail) = rest.split_once("\n\n\n").expect("the next function");
    (head.to_owned(), tail.to_owned())
}

/// Scripted model.
#[test]
fn the_edit_is_exactly_the_function() {
    let record = Editor::new(STUB, scripted(&[GOOD], 20, 50)).run("implement", "total");
    expect![[r#"
        # @spec Return the sum of the numbers in xs; 0 for an empty list.
        # @example total([1, 2, 3]) == 6
        # @example total([]) == 0
        # @property total(xs) == total(list(reversed(xs)))
        def total(xs: list[int]) -> int:
            return sum(xs)


        LIMIT = 10
    "#]]
    .assert_eq(&record.text("after"));
    let progress = record.progress();
    assert!(progress.starts_with("begin zeroerr: implement `total`: "), "{progress}");
    let last = progress.lines().last().unwrap_or_default();
    expect!["end zeroerr: implement `total`: verified: 6 of 8 checks passed; contracts: nothing to check (no @requires, @ensures or @raises); performance: nothing to check (no @budget, no @complexity)"].assert_eq(last);
    assert!(progress.contains("ahead by") && progress.contains("of 8 done"), "no votes or no layers:\n{progress}");
    assert!(record.holds("undone_is_the_original"));
}

/// Scripted model.
#[test]
fn typescript_is_written_in_its_files_own_layout() {
    let stub = "import { sep } from 'node:path'\n\n/**\n * The sum of xs.\n * @example\n * total([1, 2, 3]) // => 6\n * total([]) // => 0\n */\nexport function total(xs: number[]): number {\n\tthrow new Error('not implemented')\n}\n\nexport const LIMIT = sep.length\n";
    let good = "```typescript\nexport function total(xs: number[]): number {\n  let sum = 0;\n  for (const x of xs) {\n    sum += x;\n  }\n  return sum;\n}\n```";
    let record = Editor::on("main.ts", stub, scripted(&[good], 20, 50)).run("implement", "total");
    expect![[r#"
        import { sep } from 'node:path'

        /**
         * The sum of xs.
         * @example
         * total([1, 2, 3]) // => 6
         * total([]) // => 0
         */
        export function total(xs: number[]): number {
        \tlet sum = 0;
        \tfor (const x of xs) {
        \t\tsum += x;
        \t}
        \treturn sum;
        }

        export const LIMIT = sep.length
    "#]]
    .assert_eq(&record.text("after").replace('\t', "\\t"));
    assert!(record.holds("undone_is_the_original"));
}

/// Scripted model.
#[test]
fn a_function_changed_meanwhile_is_left_alone() {
    let record = Editor::new(STUB, scripted(&[GOOD], 20, 500)).run("stale", "total");
    assert!(record.holds("untouched"), "{}", record.seen());
    expect![[r#"
        zeroerr: the edit for `total` was given up: the function or its spec was changed while zeroerr was at work; run it again
    "#]].assert_eq(&record.messages());
}

/// Scripted model.
#[test]
fn an_edit_follows_its_function_when_other_lines_change() {
    let record = Editor::new(STUB, scripted(&[GOOD], 20, 500)).run("moved", "total");
    expect![[r#"
        # a first line, with 🐍 and ü
        # and a second
        # @spec Return the sum of the numbers in xs; 0 for an empty list.
        # @example total([1, 2, 3]) == 6
        # @example total([]) == 0
        # @property total(xs) == total(list(reversed(xs)))
        def total(xs: list[int]) -> int:
            return sum(xs)


        LIMIT = 10
        AFTERWARDS = 1
    "#]]
    .assert_eq(&record.text("after"));
    assert!(record.holds("undo_keeps_my_lines"), "{}", record.seen());
}

/// Scripted model.
#[test]
fn a_run_can_be_cancelled_without_a_button() {
    let record = Editor::new(STUB, scripted(&[GOOD], 20, 5_000)).run("cancel", "total");
    assert!(record.holds("untouched") && record.holds("server_alive"), "{}", record.seen());
    let took = record.get("cancelled_after_ms").as_u64().expect("a duration");
    assert!(took < 2_000, "cancelling took {took} ms");
}

/// Scripted model.
#[test]
fn a_mistake_in_a_spec_is_marked_and_its_fix_makes_the_job_work() {
    let source = STUB.replacen("@example", "@exmaple", 1);
    let record = Editor::new(&source, scripted(&[GOOD], 20, 50)).run("spec_error", "total");
    expect!["2:3-10 error spec.unknown-tag: there is no tag `@exmaple`; did you mean `@example`?"]
        .assert_eq(&diagnostic(record.get("mistake")));
    assert_eq!(record.get("fixed_line"), "# @example total([1, 2, 3]) == 6");
    assert!(record.text("after").contains("return sum(xs)"), "{}", record.seen());
}

/// Scripted model: two behaviours that take turns, so that neither gets ahead.
#[test]
fn a_vote_without_a_winner_is_told_with_its_votes() {
    let record = Editor::new(STUB, scripted(&[CONSTANT, LENGTHS, GOOD], 60, 10)).run("abstain", "total");
    assert!(record.holds("untouched"), "{}", record.seen());
    let said = record.diagnostics();
    // How many samples were in flight when it gave up depends on the machine's speed.
    let start = "5:1-36 warning vote.abstained: zeroerr offers no edit for `total`: no behaviour can still get ahead by 3 (votes ";
    assert!(said.starts_with(start), "{said}");
    let question = said.lines().find(|line| line.starts_with("candidates differ on `total([0])`")).unwrap_or(&said);
    for answer in ["`6` (", "`2` (", "`0` ("] {
        assert!(question.contains(answer), "{answer} is missing: {question}");
    }
}

/// No model: the layers alone.
#[test]
fn existing_code_is_checked_line_by_line() {
    let source = STUB
        .replace("...\n", "\n    import os\n    return eval(str(sum(xs))) + len(xs)\n")
        .replacen("int: ", "int:", 1);
    let record = Editor::new(&source, scripted(&[GOOD], 1, 10)).run("verify", "total");
    assert!(record.holds("untouched"), "{}", record.seen());
    expect![[r#"
        5:1-32 error tests.example: total([1, 2, 3]) gave 9, expected 6
        6:5-13 warning analysis.F401: `os` imported but unused
        7:5-39 error security.evaluation: `eval` turns data into code; the spec permits it with `@uses eval`
    "#]]
    .assert_eq(&record.diagnostics());
}

/// Scripted model.
#[test]
fn a_walk_through_every_flow() {
    let record = Editor::new(walk::FILE, walk::model(50)).run("walk", "evens");
    let why = record.get("why").as_str().unwrap_or_default();
    assert!(why.starts_with("zeroerr offers no edit for `last`: no behaviour can still get ahead by 3"), "{why}");
    let hover = record.text("hover");
    assert!(hover.contains("candidates differ on `last([])`") && hover.contains("raises `IndexError`"), "{hover}");
    assert!(record.text("report").contains("last([])"), "{}", record.text("report"));
    let answers = record.text("answers");
    for answer in ["`last([])` should be `0` (", "`last([])` should be `-1` (", "something else: write it"] {
        assert!(answers.contains(answer), "{answer} is missing:\n{answers}");
    }
    assert_eq!(record.get("objection"), "total([1, 2, 3]) gave 9, expected 6");
    expect![[r#"
        """One function for each thing that can be asked for; the editors' tests walk through them."""


        # @spec Return the odd numbers of xs, in the same order.
        # @example evens([1, 2]) == [1]
        # @example evens([]) == []
        def evens(xs: list[int]) -> list[int]:
            return [x for x in xs if x % 2 == 1]


        # @spec Return the text reversed.
        # @example backwards("abc") == "cba"
        # @property backwards(backwards(text)) == text
        def backwards(text: str) -> str:
            return "".join(reversed(text))


        # @spec Return the last number of xs.
        # @example last([1, 2]) == 2
        # @example last([7]) == 7
        # @raises IndexError last([])
        def last(xs: list[int]) -> int:
            return xs[-1]


        # @spec Return the first word of text; nothing here could show that it is wrong.
        # @example first_word('') == ''
        def first_word(text: str) -> str:  # to be written
            return text.split(' ')[0]


        # @spec Return the sum of the numbers in xs; 0 for an empty list.
        # @example total([1, 2, 3]) == 6
        # @example total([]) == 0
        def total(xs: list[int]) -> int:
            return sum(xs)


        # @spec Return the larger of a and b.
        # @example larger(2, 1) == 2
        # @ensures result >= a and result >= b
        # @example larger(0, 1) >= 0 and larger(0, 1) >= 1
        def larger(a: int, b: int) -> int:
            return a


        def doubled(xs: list[int]) -> list[int]:
            """
            >>> doubled([1, 2])
            [2, 4]
            """
            return [2 * x for x in xs]
    "#]]
    .assert_eq(&record.text("after"));
}

/// Scripted model.
#[test]
fn an_edit_is_put_in_only_when_the_user_wants_it() {
    let record = Editor::new(STUB, scripted(&[GOOD], 60, 10)).run("confirm", "total");
    assert_eq!(record.text("buttons"), "Apply\nShow the diff\nDiscard\n");
    let diff = record.text("diff");
    assert!(diff.contains("-def total(xs: list[int]) -> int: ...") && diff.contains("+    return sum(xs)"), "{diff}");
    for fact in ["diff_is_seen", "discarded_without_a_trace", "what_was_typed_wins", "dismissed_without_a_trace"] {
        assert!(record.holds(fact), "{fact}:\n{}", record.seen());
    }
    assert!(
        record.text("after").contains("def total(xs: list[int]) -> int:\n    return sum(xs)\n"),
        "{}",
        record.seen()
    );
}

/// Scripted model.
#[test]
fn a_buffer_that_takes_no_changes_is_told_and_its_edit_waits() {
    let record = Editor::new(STUB, scripted(&[GOOD], 20, 10)).run("readonly", "total");
    assert!(record.holds("untouched"), "{}", record.seen());
    let told = record.get("told").as_str().unwrap_or_default();
    assert!(told.contains("The code action \"Apply verified edit\" tries again."), "{told}");
    assert!(record.text("after").contains("    return sum(xs)"), "{}", record.seen());
}

/// Scripted model.
#[test]
fn a_server_that_dies_in_a_run_is_started_again_and_claims_nothing() {
    let record = Editor::new(STUB, scripted(&[GOOD], 60, 1_000)).run("crash", "total");
    for fact in ["nothing_claimed", "untouched", "stays_stopped", "starts_when_asked"] {
        assert!(record.holds(fact), "{fact}:\n{}", record.seen());
    }
    assert!(record.text("after").contains("    return sum(xs)"), "{}", record.seen());
    let told = record.messages();
    assert_eq!(told.matches("the server has gone; it is started again").count(), 4, "{told}");
    assert_eq!(told.matches("ended 5 times within 3 minutes and is left stopped").count(), 1, "{told}");
    assert_eq!(told.matches("ended before it was ready").count(), 1, "{told}");
}

/// Scripted model, whose code never ends: the sandbox is busy with it when the editor dies.
#[test]
fn killing_the_editor_leaves_nothing_behind() {
    let editor = Editor::new(STUB, scripted(&[ENDLESS], 60, 10));
    let mut running = editor.start("busy", "total");
    let busy = editor.result().with_extension("json.busy");
    assert!(running.wait_for_file(&busy, Duration::from_secs(180)), "the run never became busy\n{}", editor.logs());
    let candidate = running
        .wait_for(Duration::from_secs(60), |name| !["nvim", "zeroerr", "tokio"].iter().any(|n| name.starts_with(n)));
    assert!(candidate, "no candidate runs in a sandbox: {:?}\n{}", running.family.alive(), editor.logs());

    running.kill_editor();
    let left = running.family.wait_for_end(Duration::from_secs(10));
    assert!(left.is_empty(), "still running 10 s after the editor was killed: {}", left.join(", "));
    assert_eq!(fs::read_to_string(editor.file()).expect("the file"), STUB);
    assert_eq!(editor.workspace_files(), [".git", "main.py"]);
}
