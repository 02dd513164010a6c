//! `zeroerr bench replay` on records written by hand, in `tests/fixtures/replay`.

use std::path::PathBuf;

use serde_json::Value;

use crate::command_line::{Said, Shell};
use crate::formats::equipped;

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay").join(name);
    path.to_string_lossy().into_owned()
}

fn replay(shell: &Shell, samples: &str, tasks: &str, more: &[&str]) -> Said {
    let mut args = vec!["bench", "replay", "--samples", samples, "--tasks", tasks];
    args.extend(more);
    shell.run(&args)
}

#[test]
fn files_that_cannot_be_used_are_told_in_one_line() {
    let shell = Shell::new();
    let (tasks, good) = (fixture("tasks.jsonl"), fixture("samples.jsonl"));
    shell.write("project/empty.jsonl", "\n");
    shell.write("project/garbage.jsonl", "{\"task_id\": 3}\nnot json\n");
    let cut: Vec<u8> = [0x1f, 0x8b, 8, 0, 0].to_vec();
    shell.write("project/cut.jsonl.gz", cut);
    for (samples, more, says) in [
        ("absent.jsonl", &[][..], "error: cannot read absent.jsonl: No such file"),
        ("empty.jsonl", &[], "error: empty.jsonl holds no samples that can be used (it is empty)"),
        ("garbage.jsonl", &[], "error: garbage.jsonl holds no samples that can be used (2 lines were tried; line 1: "),
        ("cut.jsonl.gz", &[], "error: cannot read cut.jsonl.gz: "),
        (tasks.as_str(), &[], "missing field `completions`"),
        (good.as_str(), &["--svg", "absent/chart.svg"], "error: cannot write absent/chart.svg: No such file"),
        ("empty.jsonl", &["--k", "0"], "error: --k must be at least 1"),
        ("empty.jsonl", &["--k", "2,30"], "error: --k 30 cannot be reached with --max 20 samples"),
    ] {
        let said = replay(&shell, samples, &tasks, more);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains(says), "{samples} {more:?}: {}", said.err);
        assert_eq!((said.err.lines().count(), said.out.as_str()), (1, ""), "{}", said.err);
    }
}

#[test]
fn bad_lines_are_named_and_the_others_are_replayed() {
    let Some(shell) = equipped() else { return };
    let good = std::fs::read_to_string(fixture("samples.jsonl")).unwrap();
    let first = good.lines().next().unwrap();
    shell.write("project/samples.jsonl", format!("{good}{first}\n{{\"task_id\":\"hand/0\"\n"));
    let more =
        ["--json", "--split", "all", "--k", "2", "--max", "8", "--orders", "5", "--ask", "1", "--svg", "chart.svg"];
    let said = replay(&shell, "samples.jsonl", &fixture("tasks.jsonl"), &more);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("samples.jsonl:7: skipped, it repeats an earlier line of `hand/0`"), "{}", said.err);
    assert!(said.err.contains("samples.jsonl:8: skipped, it is no such object"), "{}", said.err);
    let answer: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(answer["tasks"], 3);
    let left_out: Vec<String> = answer["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| format!("{} {}", l["task_id"].as_str().unwrap(), l["why"].as_str().unwrap()))
        .collect();
    assert_eq!(
        left_out,
        [
            "hand/3 its docstring has no example that can be read",
            "hand/4 the tasks file does not have it",
            "hand/5 its reference solution does not pass its own hidden test here",
        ]
    );
    let row = |name: &str| {
        let rows = answer["policies"].as_array().unwrap();
        rows.iter().find(|r| r["name"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    let coverage = |name: &str| row(name)["coverage"].as_f64().unwrap();
    assert_eq!(coverage("first passing sample"), 1.0);
    assert!(coverage("text votes") < coverage("tree votes"), "locals have other names");
    assert!(coverage("tree votes") < coverage("gate + behaviour votes"), "one behaviour has many texts");
    let chart = std::fs::read_to_string(shell.project().join("chart.svg")).unwrap();
    assert!(chart.starts_with("<svg ") && chart.contains("gate + behaviour votes"));

    // `vowels` has a majority that is wrong on capitals: one answer refutes it.
    let asked = answer["questions"].as_array().unwrap();
    let right = |up_to: u64| asked.iter().find(|q| q["up_to"] == up_to).unwrap()["right"].as_f64().unwrap();
    assert!(right(1) > right(0), "{asked:?}");

    let again = replay(&shell, "samples.jsonl", &fixture("tasks.jsonl"), &more);
    let without_time = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value.as_object_mut().unwrap().remove("wall_s");
        value
    };
    assert_eq!(without_time(&again.out), without_time(&said.out), "the same every time");
}

#[test]
fn one_task_order_or_sample_is_not_several() {
    let Some(shell) = equipped() else { return };
    let more = ["--split", "all", "--k", "1", "--max", "1", "--orders", "1", "--limit", "2", "--svg", "chart.svg"];
    let bad = "{}\n".repeat(21) + &std::fs::read_to_string(fixture("samples.jsonl")).unwrap();
    shell.write("project/samples.jsonl", bad);
    let said = replay(&shell, "samples.jsonl", &fixture("tasks.jsonl"), &more);
    assert!(said.out.starts_with("1 task (all), 1 order of at most 1 sample each; "), "{}", said.out);
    assert!(said.err.contains("samples.jsonl: 1 further line skipped\n"), "{}", said.err);
    let chart = std::fs::read_to_string(shell.project().join("chart.svg")).unwrap();
    assert!(chart.contains(": 1 task (all), at most 1 sample</text>"), "{chart}");
    let none = replay(&shell, "samples.jsonl", &fixture("tasks.jsonl"), &["--split", "all", "--limit", "1"]);
    assert!(none.err.contains("error: nothing to replay: its one task cannot be replayed (hand/5: "), "{}", none.err);
}

#[test]
fn what_critics_and_discriminators_are_worth_is_counted() {
    let Some(shell) = equipped() else { return };
    // Objects to what counts no capitals, and looks for inputs on which `largest` goes wrong.
    let script = serde_json::json!({ "by_words": [
        { "words": "for c in word if c in 'aeiou')", "say": ["OBJECTION: vowels('EAU') gives 0 and should be 3"] },
        { "words": "do what is asked?", "say": ["OK"] },
        { "words": "```python\nlargest(", "say": ["largest([2, 7])"] },
        { "words": "```python\nvowels(", "say": ["no idea"] },
    ] });
    shell.write("script.json", script.to_string());
    let (samples, tasks) = (fixture("samples.jsonl"), fixture("tasks.jsonl"));
    let args = ["bench", "replay", "--samples", &samples, "--tasks", &tasks, "--split", "all", "--k", "2"];
    let more = ["--max", "8", "--orders", "5", "--critic", "--discriminators", "1", "--set", "llm.backend=scripted"];
    let run = |json: &[&str]| {
        let mut command = shell.command(&[&args[..], &more[..], json].concat());
        let said = shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    };
    let answer: Value = serde_json::from_str(&run(&["--json"])).unwrap();
    let counted = |share: &Value| (share["some"].as_f64().unwrap(), share["of"].as_f64().unwrap());
    let critic = &answer["critic"];
    assert_eq!((counted(&critic["right"]), counted(&critic["wrong"])), ((0.0, 2.0), (1.0, 2.0)), "{critic}");
    assert_eq!((&critic["wrong_alone"], &critic["right_alone"]), (&1.into(), &0.into()), "{critic}");
    let found = &answer["discriminators"];
    assert_eq!(counted(&found["usable"]), (1.0, 2.0), "{found}");
    let rows = answer["changes"].as_array().unwrap();
    assert_eq!(rows.len(), 4, "{rows:?}");
    let row = |name: &str| rows.iter().find(|r| r["name"] == name).unwrap_or_else(|| panic!("{name}")).clone();
    let criticised = row("gate + beh. + critic");
    let ((stopped, wrong), (lost, right)) = (counted(&criticised["wrong_stopped"]), counted(&criticised["right_lost"]));
    assert!(stopped > 0.0 && stopped <= wrong && lost == 0.0 && right > 0.0, "{criticised}");
    let discriminated = row("gate + beh. + discr.");
    assert_eq!(counted(&discriminated["right_lost"]).0, 0.0, "{discriminated}");

    let table = run(&["--limit", "2"]);
    assert!(table.starts_with("2 tasks") || table.starts_with("1 task"), "{table}");
    assert!(table.contains("objects to wrong code") && table.contains("what agents change"), "{table}");
}
