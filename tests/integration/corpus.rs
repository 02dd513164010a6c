//! `zeroerr bench corpus` on the tasks in `tests/fixtures/replay`.

use std::path::PathBuf;

use serde_json::Value;

use crate::command_line::Shell;
use crate::formats::equipped;

fn tasks() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay/tasks.jsonl");
    path.to_string_lossy().into_owned()
}

#[test]
fn what_cannot_be_checked_is_told_in_one_line() {
    let shell = Shell::new();
    let tasks = tasks();
    for (args, says) in [
        (&["--tasks", "absent.jsonl"][..], "error: cannot read absent.jsonl: No such file"),
        (&["--tasks", &tasks, "--only", "hand/77"], "error: the file has no task `hand/77`"),
    ] {
        let said = shell.run(&[&["bench", "corpus"][..], args].concat());
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
        assert!(said.err.contains(says) && said.err.lines().count() == 1, "{}", said.err);
    }
}

#[test]
fn right_functions_pass_and_faults_in_them_are_seen() {
    let Some(shell) = equipped() else { return };
    let tasks = tasks();
    let said = shell.run(&[
        "bench",
        "corpus",
        "--tasks",
        &tasks,
        "--only",
        "hand/0,hand/2,hand/5",
        "--mutants",
        "2",
        "--json",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&answer["functions"], &answer["passed"], &answer["with_evidence"]), (&2.into(), &2.into(), &2.into()));
    assert_eq!(answer["objections"], Value::Array(Vec::new()));
    assert_eq!(answer["left_out"][0]["task_id"], "hand/5", "its reference fails its own test");
    let mutants = &answer["mutants"];
    let count = |key: &str| mutants[key].as_u64().unwrap();
    assert_eq!(count("made"), 4);
    assert_eq!(count("wrong") + count("accepted_by_hidden_test"), 4);
    assert!(count("wrong") >= 3 && count("killed") >= 2, "{mutants}");
    assert_eq!(count("wrong"), count("killed") + count("not_offered") + count("through"));
    assert!(mutants["kills"]["tests"].as_u64().unwrap() >= 2, "{mutants}");
}
