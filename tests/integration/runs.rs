//! Looking back at runs: list, show, export, resume, report, audit. And what a `kill -9` does to one.
//!
//! Without `ZEROERR_E2E` only what needs no tools runs. With it runs are killed `KILLS` times; the
//! full 200 are asked for with `ZEROERR_KILLS=200` (about ten minutes).

use std::collections::HashSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::{Value, json};

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

/// Kills of the full test run; `ZEROERR_KILLS` asks for more.
const KILLS: usize = 8;

/// A function for which the model below has a behaviour that wins and is refuted, a right one, one
/// that fails an example and an answer that is none.
const STUB: &str = "# @spec Return twice x.\n# @example double(2) == 4\n# @example double(-3) == -6\n# @ensures result == x + x\ndef double(x: int) -> int:\n    ...\n";

/// What is said depends on the request's seed alone, as with a real model.
fn script() -> String {
    script_after(0)
}

/// The same, where all that could vote is so much slower.
fn script_after(slower_ms: u64) -> String {
    let code = |body: &str| format!("```python\ndef double(x: int) -> int:\n    {body}\n```");
    let said = |text: String, delay_ms: u64| json!({ "text": text, "delay_ms": delay_ms });
    let mut entries = Vec::new();
    for n in 0..4 {
        entries.push(said(code("return x * 2 if x > -4 else 0"), slower_ms + 20 + 30 * n));
    }
    for n in 0..3 {
        entries.push(said(code("return x * 2"), slower_ms + 200 - 60 * n));
    }
    entries.push(said(code("return x * x"), 10));
    entries.push(said("I cannot do that.".to_owned(), 5));
    json!({ "by_seed": entries }).to_string()
}

fn command(shell: &Shell, args: &[&str]) -> Command {
    let mut command = shell.command(args);
    command.env("ZEROERR_SCRIPTED", shell.home().join("script.json"));
    command
}

const RULES: [&str; 8] = [
    "--backend",
    "scripted",
    "--json",
    "--set=voting.k=2",
    "--set=voting.max_attempts=30",
    "--set=voting.samples_in_flight=3",
    "--set=voting.seed=11",
    "--quiet",
];

pub fn run_command(shell: &Shell, seed: u64) -> Command {
    let seed = format!("--set=voting.seed={seed}");
    let mut args = vec!["run", "a.py"];
    args.extend(RULES);
    args.push(&seed);
    command(shell, &args)
}

pub fn prepared() -> Option<Shell> {
    let shell = equipped()?;
    shell.write("project/a.py", STUB);
    shell.write("script.json", script());
    Some(shell)
}

/// What a run decided; what it cost may differ.
fn decision(said: &Said) -> Value {
    let run = json(said)["runs"][0].clone();
    let step = |s: &Value| json!([s["tally"], s["margin"], s["samples"], s["red_flags"], s["gate_rejected"]]);
    let steps: Vec<Value> = run["steps"].as_array().unwrap().iter().map(step).collect();
    json!({ "outcome": run["outcome"], "reason": run["reason"], "edit": run["edit"], "steps": steps })
}

/// Numbers that are as good as random and the same in every test run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// Kills the process at a random moment of `span`; `None` when it ended before.
fn killed(mut command: Command, dice: &mut Dice, span: Duration) -> Option<()> {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(dice.below(span.as_millis() as u64)));
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive.then_some(())
}

/// Every sample of every run in the journal has a number of its own within its step.
fn no_sample_twice(shell: &Shell) {
    let runs = json(&shell.run(&["runs", "list", "--json", "--limit", "1000"]));
    for run in runs["runs"].as_array().unwrap() {
        let export = json(&shell.run(&["runs", "export", run["id"].as_str().unwrap()]));
        let mut seen = HashSet::new();
        for entry in export["records"].as_array().unwrap() {
            if let Some(sample) = entry["record"].get("sample") {
                assert!(seen.insert((sample["step"].to_string(), sample["id"].as_u64())), "twice: {sample}");
            }
        }
    }
}

#[test]
fn a_killed_run_goes_on_and_decides_as_if_nothing_had_happened() {
    let Some(first) = prepared() else { return };
    let wanted: usize = std::env::var("ZEROERR_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut dice = Dice(2026);
    let (mut kills, mut resumed, mut refuted) = (0, 0, 0);
    let mut shell = first;
    for seed in 0.. {
        let begun = Instant::now();
        let calm = shell.said(run_command(&shell, seed).output().unwrap());
        let span = begun.elapsed();
        let expected = decision(&calm);
        shell = prepared().unwrap();
        for _ in 0..6 {
            kills += killed(run_command(&shell, seed), &mut dice, span).map_or(0, |()| 1);
        }
        // Half go on by asking again, half by `runs resume`, when there is anything to resume.
        let listed = json(&shell.run(&["runs", "list", "--json"]));
        let said = match listed["runs"].as_array().unwrap().iter().find(|r| r["status"] == "unfinished") {
            Some(run) if seed % 2 == 0 => {
                resumed += 1;
                let args =
                    ["runs", "resume", run["id"].as_str().unwrap(), "--backend", "scripted", "--json", "--quiet"];
                shell.said(command(&shell, &args).output().unwrap())
            }
            _ => shell.said(run_command(&shell, seed).output().unwrap()),
        };
        assert_eq!(decision(&said), expected, "seed {seed}: {}", said.err);
        refuted += usize::from(expected["steps"][0][2].as_u64().unwrap() > 4);
        no_sample_twice(&shell);
        if kills >= wanted {
            println!(
                "{kills} kills, {} runs, {resumed} by `runs resume`, {refuted} of more than four samples",
                seed + 1
            );
            return;
        }
    }
}

#[test]
fn a_killed_simulation_goes_on_from_its_checkpoint() {
    let shell = Shell::new();
    let args = |file: &str| -> Vec<String> {
        let line = format!("simulate hanoi --disks 14 --p 0.8 --flag-rate 0.05 --json --quiet --checkpoint {file}");
        line.split(' ').map(str::to_owned).collect()
    };
    let run = |file: &str| shell.command(&args(file).iter().map(String::as_str).collect::<Vec<_>>());
    let begun = Instant::now();
    let calm = json(&shell.said(run("calm.sqlite").output().unwrap()));
    let span = begun.elapsed();
    let mut dice = Dice(7);
    let kills: usize = (0..5).filter_map(|_| killed(run("cut.sqlite"), &mut dice, span)).map(|()| 1).sum();
    let end = json(&shell.said(run("cut.sqlite").output().unwrap()));
    for key in ["steps", "errors", "samples", "votes", "undecided_per_round", "worst_step_votes"] {
        assert_eq!(calm[key], end[key], "{key} after {kills} kills");
    }
    assert_eq!(end["steps"], 16383);
    let again = json(&shell.said(run("cut.sqlite").output().unwrap()));
    assert_eq!(again["samples"], calm["samples"], "a finished one is not run again");
}

#[test]
fn an_interrupted_simulation_says_how_to_go_on_and_does() {
    let shell = Shell::new();
    // Samples enough for minutes.
    let args = ["simulate", "hanoi", "--disks", "25", "--p", "0.6", "--checkpoint", "c.sqlite"];
    let mut child = shell.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let file = shell.project().join("c.sqlite");
    while !file.exists() {
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(child.try_wait().unwrap(), None);
    }
    let second = shell.run(&args);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said = shell.said(child.wait_with_output().unwrap());
    assert_eq!(second.code, 2, "{}", second.err);
    assert!(second.err.contains("c.sqlite: another process is using it"), "{}", second.err);
    assert_eq!((said.code, said.out.as_str()), (130, ""), "{}", said.err);
    assert!(said.err.contains("cancelled; the same command goes on from its checkpoint"), "{}", said.err);
}

#[test]
fn a_simulation_stands_beside_theory_and_paper_and_needs_no_more_memory_when_it_is_longer() {
    let shell = Shell::new();
    let hanoi = |options: &str| {
        let mut args = vec!["simulate", "hanoi", "--json", "--quiet"];
        args.extend(options.split(' '));
        json(&shell.run(&args))
    };
    let long = hanoi("--disks 17 --p 0.9978 --flag-rate 0.027 --k 3");
    let share = |key: &str, round: usize| long[key]["undecided_per_round"][round].as_f64().unwrap() / 131_071.0;
    let ours = long["undecided_per_round"][2].as_f64().unwrap() / 131_071.0;
    assert!((ours / share("theory", 2) - 1.0).abs() < 0.05, "{long}");
    let samples = long["samples_per_step"].as_f64().unwrap();
    assert!((samples / long["theory"]["samples_per_step"].as_f64().unwrap() - 1.0).abs() < 0.01, "{long}");
    assert_eq!(long["paper"], Value::Null, "the paper's run had 20 disks");
    let short = hanoi("--disks 8 --p 0.9978 --flag-rate 0.027 --k 3");
    if let (Some(little), Some(much)) = (short["peak_rss_mb"].as_f64(), long["peak_rss_mb"].as_f64()) {
        assert!(much - little < 8.0, "255 steps take {little} MB, 131071 take {much} MB");
    }
    let many = hanoi("--disks 8 --p 0.99 --k 4 --seeds 20");
    assert_eq!((&many["without_errors"], many["runs"].as_array().unwrap().len()), (&json!(20), 20));
    assert_eq!(many["runs"][19]["seed"], 19);
    let each = many["runs"][0]["theory"]["p_full"].as_f64().unwrap();
    let promised = many["theory"]["all"].as_f64().unwrap();
    assert!(each < 1.0 && (promised / each.powi(20) - 1.0).abs() < 1e-9, "{many}");
    let told = shell.run(&["simulate", "hanoi", "--disks", "12", "--p", "0.9", "--seeds", "2", "--quiet"]).out;
    assert!(told.contains(" of 2 seeds without an error (theory: 0.0 on average, all 2 with chance 0.00)"), "{told}");
    let human = shell.run(&["simulate", "hanoi", "--disks", "6", "--p", "0.9978", "--quiet"]).out;
    assert!(human.contains("round   undecided      theory") && human.contains("63 steps"), "{human}");
}

#[test]
fn runs_that_are_not_there_are_named() {
    let shell = Shell::new();
    let said = shell.run(&["runs", "list"]);
    assert_eq!(said.code, 0);
    expect!["no runs yet; `zeroerr run FILE` makes one\n"].assert_eq(&said.err);
    assert_eq!(json(&shell.run(&["runs", "list", "--json"])), json!({ "runs": [] }));
    for args in [&["runs", "show", "last"][..], &["runs", "export", "x"], &["report", "x"], &["runs", "resume", "x"]] {
        let said = shell.run(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        assert!(said.err.contains("there is no run `") && said.err.contains("zeroerr runs list"), "{}", said.err);
    }
}

#[test]
fn a_file_without_certificates_is_nothing_to_audit() {
    let shell = Shell::new();
    shell.write("project/a.py", STUB);
    let said = shell.run(&["audit", "a.py"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    assert!(said.err.contains("no function there has a certificate"), "{}", said.err);
    assert_eq!(json(&shell.run(&["audit", ".", "--json"])), json!({ "functions": [] }));
    assert_eq!(shell.run(&["audit", "a.py", "-f", "doubel"]).code, 2);
}

#[test]
fn an_accepted_edit_is_audited_later() {
    let Some(shell) = prepared() else { return };
    let mut applied = run_command(&shell, 1);
    let said = shell.said(applied.arg("--apply").output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let file = shell.project().join("a.py");
    let written = fs::read_to_string(&file).unwrap();
    let audit = |text: &str| {
        shell.write("project/a.py", text);
        let said = shell.run(&["audit", "a.py", "--json"]);
        let functions = json(&said)["functions"].clone();
        (said.code, functions[0]["standing"].as_str().unwrap_or("none").to_owned(), functions)
    };
    let (code, standing, functions) = audit(&written);
    assert_eq!((code, standing.as_str()), (0, "valid"), "{functions}");
    assert_eq!(functions[0]["layers"].as_array().unwrap().len(), 8);
    assert!(functions[0]["certificate"]["tools"].as_array().is_some_and(|t| !t.is_empty()), "{functions}");
    let crlf = written.replace('\n', "\r\n");
    assert_eq!((audit(&crlf).0, audit(&crlf).1.as_str()), (0, "valid"), "line ends are not code");
    assert_eq!(audit(&format!("import os\n\n\n{written}")).1, "valid", "what stands elsewhere is none of its business");
    assert_eq!(audit(&written.replace("* 2", "* 2 + 0")).1, "changed");
    let (code, standing, functions) = audit(&written.replace("double(2) == 4", "double(2) == 5"));
    assert_eq!((code, standing.as_str()), (1, "spec_changed"));
    assert!(functions[0]["objection"].as_str().is_some_and(|o| o.contains("double(2)")), "{functions}");
    assert_eq!(audit(&written.replace("double", "twice")).1, "gone");
    // Renamed files are recognised by their code.
    shell.write("project/b.py", &written);
    assert_eq!(json(&shell.run(&["audit", "b.py", "--json"]))["functions"][0]["standing"], "valid");
}

#[test]
fn a_certified_file_that_was_moved_and_changed_or_is_gone_is_told() {
    let Some(shell) = prepared() else { return };
    let said = shell.said(run_command(&shell, 1).arg("--apply").output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let written = fs::read_to_string(shell.project().join("a.py")).unwrap();
    fs::remove_file(shell.project().join("a.py")).unwrap();
    fs::create_dir(shell.project().join("lib")).unwrap();
    let audit = |text: &str, path: &str| {
        shell.write("project/lib/b.py", text);
        let said = shell.run(&["audit", path, "--quiet"]);
        (said.code, said.out.trim().to_owned(), said.err)
    };
    for path in ["lib/b.py", "lib", "."] {
        let (code, out, err) = audit(&written.replace("* 2", "* 2 + 0"), path);
        assert_eq!(
            (code, out.lines().next().map(|l| l.starts_with("✗ double changed since"))),
            (1, Some(true)),
            "{out}{err}"
        );
        assert!(out.contains(" UTC in a.py;") && !out.contains("gone"), "{path}: {out}{err}");
    }
    let (code, out, err) = audit(&written.replace("twice x", "double of x"), "lib/b.py");
    assert_eq!((code, out.starts_with("✗ double spec changed since")), (1, true), "{out}{err}");
    let (code, out, err) = audit(&written, ".");
    assert_eq!(
        (code, out.starts_with("✓ double valid: as accepted"), out.contains("gone")),
        (0, true, false),
        "{out}{err}"
    );
    // Of somebody else's function, in another place and with another spec, nothing is said.
    let theirs = "# @spec Twice.\n# @example double(1) == 2\ndef double(x: int) -> int:\n    return x + x\n";
    assert_eq!(audit(theirs, "lib/b.py").1, "");

    let (code, out, err) = audit("", ".");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let rest =
        out.strip_prefix("– double gone: a.py is not there any more (accepted on ").unwrap_or_else(|| panic!("{out}"));
    assert!(rest.ends_with(" UTC); if it was moved, audit it where it is now"), "{out}");
    let gone = json(&shell.run(&["audit", ".", "--json"]))["functions"].clone();
    assert_eq!((&gone[0]["standing"], &gone[0]["file"], &gone[1]), (&json!("gone"), &json!("a.py"), &Value::Null));
    let (code, out, err) = audit("", "a.py");
    assert_eq!((code, out.as_str()), (2, ""));
    let start = "error: a.py is not there any more, and its certificates cannot be checked: `double` (accepted on ";
    assert!(err.starts_with(start) && err.ends_with("; if it was moved, audit it where it is now\n"), "{err}");
}

#[test]
fn a_run_is_shown_exported_and_reported() {
    let Some(shell) = prepared() else { return };
    let ran = shell.said(run_command(&shell, 1).output().unwrap());
    let id = json(&ran)["runs"][0]["id"].as_str().unwrap().to_owned();
    let listed = json(&shell.run(&["runs", "list", "--json"]));
    let line = &listed["runs"][0];
    assert_eq!((&line["id"], &line["status"], &line["function"]), (&json!(id), &json!("verified"), &json!("double")));
    let shown = json(&shell.run(&["runs", "show", &id[..15], "--json"]));
    assert_eq!(shown["result"]["edit"], json(&ran)["runs"][0]["edit"]);
    assert_eq!(shown["sessions"], 1);
    let human = shell.run(&["runs", "show", "last"]).out;
    assert!(human.contains("✓ double verified") && human.contains("✓ tests"), "{human}");
    let export = json(&shell.run(&["runs", "export", "last"]));
    assert_eq!(export["origin"]["source"], STUB);
    assert_eq!(export["report"]["outcome"], "verified");
    let said = shell.run(&["runs", "resume", &id]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("has ended (verified)"), "{}", said.err);

    let page = shell.run(&["report", "last", "--out", "-"]).out;
    assert!(page.starts_with("<!doctype html>") && page.contains("Where they differ"), "{page}");
    let said = shell.run(&["report", "last"]);
    assert_eq!((said.code, said.out.trim()), (0, format!("data/reports/{id}.html").as_str()));
    let said = shell.run(&["report", "last", "--out", "x/y/page.html"]);
    let file = fs::read_to_string(shell.project().join("x/y/page.html")).unwrap();
    assert_eq!((said.code, file.trim_end() == page.trim_end()), (0, true));
}

#[test]
fn an_edit_that_could_not_be_written_is_written_later() {
    let Some(shell) = prepared() else { return };
    let ran = shell.said(run_command(&shell, 1).output().unwrap());
    assert_eq!((ran.code, fs::read_to_string(shell.project().join("a.py")).unwrap().as_str()), (0, STUB));
    let resume = || {
        shell.said(command(&shell, &["runs", "resume", "last", "--backend", "scripted", "--apply"]).output().unwrap())
    };
    let said = resume();
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(fs::read_to_string(shell.project().join("a.py")).unwrap().contains("return x * 2"));
    let listed = json(&shell.run(&["runs", "list", "--json"]));
    assert_eq!(listed["runs"].as_array().unwrap().len(), 1, "nothing was drawn again: {listed}");
    assert_eq!(shell.run(&["audit", "a.py", "--quiet"]).code, 0);
    let said = resume();
    assert_eq!((said.code, said.err.contains("has changed since the run was begun")), (2, true), "{}", said.err);
}

#[test]
fn an_edit_that_is_verified_no_more_is_not_written_later() {
    let Some(shell) = prepared() else { return };
    assert_eq!(shell.said(run_command(&shell, 1).output().unwrap()).code, 0);
    // The rules are stricter than they were: nothing of this spec is a law.
    shell.write("project/.zeroerr.yaml", "verification: {must_pass: [properties]}\n");
    let args = ["runs", "resume", "last", "--backend", "scripted", "--apply"];
    let said = shell.said(command(&shell, &args).output().unwrap());
    assert_eq!((said.code, said.err.contains("is verified no more, and is not written")), (1, true), "{}", said.err);
    assert_eq!(fs::read_to_string(shell.project().join("a.py")).unwrap(), STUB);
    fs::remove_file(shell.project().join(".zeroerr.yaml")).unwrap();
    assert_eq!(shell.said(command(&shell, &args).output().unwrap()).code, 0);
}

#[test]
fn without_a_journal_the_edit_is_written_and_what_is_missing_is_an_error() {
    let Some(shell) = prepared() else { return };
    // In the place of its folder, as if that could not be made.
    shell.write("data/journal", "");
    let why = "journal: cannot create data/journal: File exists (os error 17); make the folder writable, or set ZEROERR_HOME to one that is\n";
    let said = shell.said(run_command(&shell, 1).output().unwrap());
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(
        said.err,
        format!(
            "error: the run of `double` is not kept to its end, so `zeroerr runs` cannot show what came of it: {why}"
        )
    );
    let said = shell.said(run_command(&shell, 1).arg("--apply").output().unwrap());
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(fs::read_to_string(shell.project().join("a.py")).unwrap().contains("return x * 2"));
    let start =
        "error: a.py: `double` is written, but its certificate is not kept, so `zeroerr audit` cannot check it later: ";
    assert_eq!(said.err, format!("{start}{why}"));
    let said = shell.run(&["audit", "a.py"]);
    assert_eq!((said.code, said.err), (3, format!("error: {why}")));
}

#[test]
fn a_run_is_resumed_only_as_what_it_was() {
    let Some(shell) = prepared() else { return };
    // No vote comes before the kill.
    shell.write("script.json", script_after(600_000));
    for _ in 0..2 {
        let mut child = run_command(&shell, 1).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while json(&shell.run(&["runs", "list", "--json"]))["runs"][0]["status"] != "running" {
            assert!(child.try_wait().unwrap().is_none(), "a run without votes has ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    shell.write("script.json", script());
    let resume = |args: &[&str]| {
        let mut all = vec!["runs", "resume", "last"];
        all.extend(args);
        shell.said(command(&shell, &all).output().unwrap())
    };
    assert_eq!(json(&shell.run(&["runs", "list", "--json"]))["runs"][0]["status"], "unfinished");
    let shown = shell.run(&["runs", "show", "last"]).out;
    assert!(shown.contains("unfinished: `zeroerr runs resume"), "{shown}");
    let said = resume(&[]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("other models (scripted)"), "{}", said.err);
    shell.write("project/a.py", format!("{STUB}# changed\n"));
    let said = resume(&["--backend", "scripted"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("has changed since the run was begun"), "{}", said.err);
    shell.write("project/a.py", STUB);
    let said = resume(&["--backend", "scripted", "--apply"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(fs::read_to_string(shell.project().join("a.py")).unwrap().contains("return x * 2"));
    let record = json(&shell.run(&["runs", "export", "last"]));
    assert!(record["sessions"].as_array().unwrap().len() > 1, "{record}");
}
