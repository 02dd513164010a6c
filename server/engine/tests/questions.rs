//! A split vote becomes a question, and its answer decides with the samples already drawn: scripted
//! model, real Python, real layers, real journal. Needs the tools that `zeroerr doctor --fix` installs,
//! and says so by `ZEROERR_E2E`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::apply_edits;
use zeroerr_core::ports::Model;
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport};
use zeroerr_core::task_specification::insert_clause;
use zeroerr_core::verdict::Policy;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::local::{LocalWorkbench, Parts};
use zeroerr_engine::options::RunOptions;
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_test_support::ScriptedModel;
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::VerificationStack;

const FILE: &str = "# @spec The sum of xs.\n# @example total([1, 2]) == 3\n# @example total([4]) == 4\ndef total(xs: list[int]) -> int | None:\n    ...\n";
const ZERO: &str = "return sum(xs)";
const NONE: &str = "return sum(xs) if xs else None";
const RAISES: &str = "if not xs:\n        raise ValueError(\"empty\")\n    return sum(xs)";
/// Five, three and two votes, never three ahead.
const SPLIT: [&str; 10] = [ZERO, NONE, ZERO, RAISES, ZERO, NONE, ZERO, NONE, ZERO, RAISES];

fn said(body: &str) -> String {
    format!("```python\ndef total(xs: list[int]) -> int | None:\n    {body}\n```")
}

/// One user's machine: the model says `bodies`, then `then` for ever.
struct Machine {
    folder: tempfile::TempDir,
    model: ScriptedModel,
    stack: Arc<VerificationStack>,
}

impl Machine {
    /// `None` outside the full test run.
    fn new(bodies: &[&str], then: &str) -> Option<Self> {
        std::env::var_os("ZEROERR_E2E")?;
        let home = zeroerr_settings::paths::data_dir().expect("a data folder");
        let options = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
        let tools = Toolchain::detect(&home, Sandbox::detect(&options));
        let bodies: Vec<String> = bodies.iter().map(|b| said(b)).collect();
        let model = ScriptedModel::new(bodies.iter().map(String::as_str)).then_always(said(then).as_str());
        Some(Self {
            folder: tempfile::tempdir().expect("a folder"),
            model,
            stack: Arc::new(VerificationStack::new(Arc::new(tools), Policy::default())),
        })
    }

    /// As a process that was just started: its workbench knows only what the journal knows.
    fn workbench(&self, options: RunOptions) -> LocalWorkbench {
        let journal = Journal::open(self.folder.path()).expect("a journal");
        let parts = Parts {
            models: vec![Arc::new(self.model.clone()) as Arc<dyn Model>],
            stack: Arc::clone(&self.stack),
            journal: Ok(Arc::new(journal)),
            status: Box::new(Vec::new),
        };
        LocalWorkbench::new(parts, options)
    }

    async fn run_with(&self, source: &str, options: RunOptions, stop: impl Fn(&RunEvent) -> bool) -> RunReport {
        let workbench = self.workbench(options);
        let path = Path::new("/nowhere/total.py");
        let task = workbench.analyse(path, &Arc::from(source)).tasks.remove(0);
        let (events, mut told) = unbounded_channel();
        let cancel = CancellationToken::new();
        let run = workbench.run(task, events, cancel.clone());
        tokio::pin!(run);
        loop {
            tokio::select! {
                report = &mut run => return report,
                Some(event) = told.recv() => if stop(&event) { cancel.cancel() },
            }
        }
    }

    async fn run(&self, source: &str) -> RunReport {
        self.run_with(source, options(), |_| false).await
    }

    fn drawn(&self) -> usize {
        self.model.requests().len()
    }

    /// The file with a clause, as an editor would write it.
    fn with(&self, source: &str, clause: &str) -> String {
        let task = self.workbench(options()).analyse(Path::new("a.py"), &Arc::from(source)).tasks.remove(0);
        apply_edits(source, &[insert_clause(&task, clause).expect("a spec block")]).expect("it fits")
    }
}

fn options() -> RunOptions {
    RunOptions { k: 3, max_attempts: 10, in_flight: 1, ..RunOptions::default() }
}

fn body_of(source: &str, report: &RunReport) -> String {
    let text = apply_edits(source, &report.edits).expect("an edit that fits");
    text.split_once("| None:\n    ").map(|(_, body)| body.trim_end().to_owned()).expect("the function")
}

#[tokio::test]
async fn an_answer_decides_without_drawing_a_sample() {
    for (clause, body, counted, rejected) in
        [("@example total([]) == 0", ZERO, 5, 2), ("@example total([]) == None", NONE, 8, 5)]
    {
        let Some(machine) = Machine::new(&SPLIT, "return 1") else { return };
        let split = machine.run(FILE).await;
        assert_eq!((split.outcome, machine.drawn()), (RunOutcome::Abstained, 10), "{}", split.reason);
        let [question] = split.steps[0].questions.as_slice() else { panic!("{:?}", split.steps[0].questions) };
        assert_eq!(question.summary(), "`total([])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes)");
        assert!(question.choices().any(|(_, c)| c == clause));

        let answered = machine.with(FILE, clause);
        let decided = machine.run(&answered).await;
        assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
        assert_eq!(machine.drawn(), 10, "no new sample");
        assert_eq!(body_of(&answered, &decided), body);
        let step = &decided.steps[0];
        assert_eq!((step.samples, step.taken_up, step.gate_rejected), (counted, counted, rejected));
        assert_eq!((step.margin, step.completion_tokens), (3, 0));
        assert_ne!(split.id, decided.id);
    }
}

#[tokio::test]
async fn an_answer_in_a_docstring_that_gives_its_examples_in_words_decides_too() {
    let Some(machine) = Machine::new(&SPLIT, "return 1") else { return };
    let docstring = "def total(xs: list[int]) -> int | None:\n    \"\"\"The sum of xs.\n\n    total([1, 2]) => 3\n    total([4]) => 4\n    \"\"\"\n    ...\n";
    let split = machine.run(docstring).await;
    assert_eq!((split.outcome, machine.drawn()), (RunOutcome::Abstained, 10), "{}", split.reason);
    let answered = machine.with(docstring, "@example total([]) == 0");
    assert!(answered.contains(">>> total([4])\n    4\n    >>> total([])\n    0\n"), "{answered}");
    let decided = machine.run(&answered).await;
    assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
    assert_eq!((machine.drawn(), decided.steps[0].taken_up), (10, 5), "no new sample");
}

#[tokio::test]
async fn what_the_old_samples_leave_open_new_ones_decide() {
    let Some(machine) = Machine::new(&SPLIT, RAISES) else { return };
    machine.run(FILE).await;
    let answered = machine.with(FILE, "@raises ValueError total([])");
    let decided = machine.run(&answered).await;
    assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
    assert_eq!(machine.drawn(), 11, "two of the three votes were there already");
    assert_eq!((decided.steps[0].samples, decided.steps[0].taken_up), (11, 10));
    let asked = &machine.model.requests()[10];
    assert!(asked.messages.iter().any(|m| m.content.contains("ValueError")), "the new prompt knows the answer");
}

#[tokio::test]
async fn a_run_that_goes_on_can_be_killed_and_resumed_and_gone_on_with_again() {
    let Some(machine) = Machine::new(&SPLIT, "return 1") else { return };
    machine.run(FILE).await;
    let answered = machine.with(FILE, "@example total([]) == None");
    let cut = machine
        .run_with(&answered, options(), |event| matches!(event, RunEvent::Sampled { samples, .. } if *samples == 4))
        .await;
    assert_eq!(cut.reason, "cancelled");
    let decided = machine.run(&answered).await;
    assert_eq!((decided.outcome, machine.drawn()), (RunOutcome::Verified, 10), "{}", decided.reason);
    assert_eq!((&decided.id, decided.steps[0].taken_up), (&cut.id, 8));

    // The user thinks again: the first answer was wrong.
    let other = machine.with(FILE, "@example total([]) == 0");
    let decided = machine.run(&other).await;
    assert_eq!((decided.outcome, machine.drawn()), (RunOutcome::Verified, 10), "{}", decided.reason);
    // And a third example, on top of the second: the samples that were not needed then are still there.
    let more = machine.with(&other, "@example total([5, 6]) == 11");
    let decided = machine.run_with(&more, RunOptions { k: 5, ..options() }, |_| false).await;
    assert_eq!((decided.outcome, machine.drawn()), (RunOutcome::Verified, 10), "{}", decided.reason);
    assert_eq!(decided.steps[0].taken_up, 9);
}

#[tokio::test]
async fn a_decision_with_a_strong_minority_asks_too() {
    let bodies = [ZERO, NONE, ZERO, NONE, ZERO, ZERO, ZERO];
    let Some(machine) = Machine::new(&bodies, NONE) else { return };
    let decided = machine.run(FILE).await;
    assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
    assert_eq!(decided.steps[0].questions[0].summary(), "`total([])`: `0` (5 votes), `None` (2 votes)");
    let applied = apply_edits(FILE, &decided.edits).expect("it fits");
    let answered = machine.with(&applied, "@example total([]) == None");
    let overturned = machine.run(&answered).await;
    assert_eq!(overturned.outcome, RunOutcome::Verified, "{}", overturned.reason);
    assert_eq!((machine.drawn(), overturned.steps[0].taken_up), (8, 7));

    let Some(machine) = Machine::new(&[ZERO, NONE], ZERO) else { return };
    let decided = machine.run(FILE).await;
    assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
    assert!(decided.steps[0].questions.is_empty(), "one stray vote is no question");
}

#[tokio::test]
async fn another_task_draws_its_own_samples() {
    let Some(machine) = Machine::new(&SPLIT, "return 1") else { return };
    machine.run(FILE).await;
    let answer = |source: &str| machine.with(source, "@example total([]) == 0");
    let others = [
        answer(&FILE.replace("The sum of xs.", "All of xs added up.")),
        answer(&FILE.replace("total([4]) == 4", "total([5]) == 5")),
        answer(&FILE.replace("xs: list[int]", "xs: list[int], start: int = 0")),
        FILE.to_owned(),
    ];
    for source in others {
        let before = machine.drawn();
        let report = machine.run_with(&source, options(), |event| matches!(event, RunEvent::Sampled { .. })).await;
        assert_eq!(report.steps.first().map_or(0, |s| s.taken_up), 0, "{source}");
        assert!(machine.drawn() > before, "{source}");
    }
}
