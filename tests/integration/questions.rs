//! Candidates disagree, and the user says who is right: by a line in the spec, or at the prompt. The
//! real binary with the real tools; the model is the scripted one, and has no sample to spare.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use expect_test::expect;

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

const STUB: &str = "# @spec The sum of xs.\n# @example total([1, 2]) == 3\n# @example total([4]) == 4\ndef total(xs: list[int]) -> int | None:\n    ...\n";
const ZERO: &str = "return sum(xs)";
const NONE: &str = "return sum(xs) if xs else None";
const RAISES: &str = "if not xs:\n        raise ValueError(\"empty\")\n    return sum(xs)";
const SPLIT: [&str; 10] = [ZERO, NONE, ZERO, RAISES, ZERO, NONE, ZERO, NONE, ZERO, RAISES];

/// Runs `a.py` with a model that says `bodies` and a user who types `typed`.
fn run(shell: &Shell, bodies: &[&str], args: &[&str], typed: &str) -> Said {
    let said = |body: &&str| format!("```python\ndef total(xs: list[int]) -> int | None:\n    {body}\n```");
    let script: Vec<String> = bodies.iter().map(said).collect();
    shell.write("script.json", serde_json::to_string(&script).unwrap());
    let rules = ["--set", "voting.max_attempts=10", "--set", "voting.samples_in_flight=1"];
    let all = [&["run", "a.py", "--backend", "scripted"], &rules[..], args].concat();
    let mut command = shell.command(&all);
    command.env("ZEROERR_SCRIPTED", shell.home().join("script.json"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    shell.said(child.wait_with_output().unwrap())
}

fn file(shell: &Shell) -> String {
    fs::read_to_string(shell.project().join("a.py")).unwrap()
}

#[test]
fn without_a_terminal_the_question_and_its_lines_are_printed_and_a_line_settles_it() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let split = run(&shell, &SPLIT, &[], "");
    assert_eq!(split.code, 1, "{}\n{}", split.out, split.err);
    expect![[r#"
        – total abstained: no behaviour was ahead by 3 after 10 samples (votes 5 : 3 : 2)
            `total([])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes)
              one of these lines in the spec settles it; the next run goes on with these samples:
                # @example total([]) == 0
                # @example total([]) == None
                # @raises ValueError total([])
    "#]]
    .assert_eq(&split.out);
    assert_eq!(file(&shell), STUB);

    // By hand, in whatever editor; the next process has no sample left to draw.
    shell.write("project/a.py", STUB.replace("\ndef", "\n# @example total([]) == None\ndef"));
    let decided = run(&shell, &[], &["--json"], "");
    assert_eq!(decided.code, 0, "{}\n{}", decided.out, decided.err);
    let run = &json(&decided)["runs"][0];
    assert_eq!(run["outcome"], "verified");
    assert_eq!(run["edit"]["new_text"], format!("    {NONE}\n"));
    assert_eq!((&run["steps"][0]["taken_up"], &run["steps"][0]["gate_rejected"]), (&8.into(), &5.into()));
}

#[test]
fn counted_input_by_input_a_call_that_no_example_looks_like_holds_nothing_up() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let decided = run(&shell, &SPLIT, &["--json", "--set", "voting.by_input=true"], "");
    assert_eq!(decided.code, 0, "{}\n{}", decided.out, decided.err);
    let run = &json(&decided)["runs"][0];
    assert_eq!((&run["outcome"], &run["edit"]["new_text"]), (&"verified".into(), &format!("    {ZERO}\n").into()));
    assert_eq!(run["steps"][0]["samples"], 4, "total([]): 2 : 1 : 1, and all agree elsewhere");
}

#[test]
fn less_votes_are_asked_for_when_nothing_like_those_that_fail_could_pass_by_luck() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let constants: Vec<String> = (1..=8).map(|n| format!("return -{n}")).collect();
    let samples = |failing: &[&str]| {
        let bodies = [failing, &[ZERO, ZERO]].concat();
        let decided = run(&shell, &bodies, &["--json", "--set", "voting.by_input=true", "--set", "voting.k=2"], "");
        assert_eq!(decided.code, 0, "{}\n{}", decided.out, decided.err);
        json(&decided)["runs"][0]["steps"][0]["samples"].clone()
    };
    let mut failing: Vec<&str> = constants.iter().map(String::as_str).collect();
    assert_eq!(samples(&failing), 9, "one vote decides");
    // Wrong on both examples and right everywhere else.
    failing[0] = "return sum(xs) + (xs in ([1, 2], [4]))";
    assert_eq!(samples(&failing), 10);
}

#[test]
fn questions_are_a_field_of_the_result() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let split = run(&shell, &SPLIT, &["--json"], "1\n");
    assert_eq!(split.code, 1, "{}\n{}", split.out, split.err);
    let expected = serde_json::json!([{ "input": "total([])", "answers": [
        { "text": "0", "votes": 5, "clause": "@example total([]) == 0" },
        { "text": "None", "votes": 3, "clause": "@example total([]) == None" },
        { "text": "raises ValueError", "votes": 2, "clause": "@raises ValueError total([])" },
    ] }]);
    assert_eq!(json(&split)["runs"][0]["steps"][0]["questions"], expected);
    assert_eq!(file(&shell), STUB, "nobody was asked");
}

#[test]
fn an_answer_at_the_prompt_is_written_into_the_spec_and_decides() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let said = run(&shell, &SPLIT, &["--ask", "--apply"], "7\n= [\n2\n");
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let answered = STUB.replace("\ndef", "\n# @example total([]) == None\ndef");
    assert_eq!(file(&shell), answered.replace("...", NONE));
    let asked = said.err.split_once("? What").expect("a question").1;
    let until_the_run = asked.split_once("added to the spec").expect("an answer").0;
    expect![[r#"
         should total([]) give?
            1  0                  5 votes
            2  None               3 votes
            3  raises ValueError  2 votes
            n  none of these
          a number, or the right answer: `= VALUE` or `raises ERROR`
        >   there is no answer 7; `= 7` means the value
        >   `@example total([]) == [` cannot be used: `[` is never closed
        >   @example total([]) == None  "#]]
    .assert_eq(until_the_run);
    assert_eq!(said.out.matches("verified").count(), 1, "{}", said.out);
}

#[test]
fn none_of_these_and_no_ask_leave_everything_as_it_was() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.py", STUB);
    let none = run(&shell, &SPLIT, &["--ask"], "n\n");
    assert_eq!((none.code, file(&shell).as_str()), (1, STUB), "{}", none.err);
    assert!(none.out.contains("# @example total([]) == 0"), "{}", none.out);
    let gone = run(&shell, &SPLIT, &["--ask"], "");
    assert_eq!((gone.code, file(&shell).as_str()), (1, STUB), "{}", gone.err);
    let quiet = run(&shell, &SPLIT, &["--no-ask"], "1\n");
    assert_eq!((quiet.code, quiet.err.contains("? What")), (1, false), "{}", quiet.err);
}
