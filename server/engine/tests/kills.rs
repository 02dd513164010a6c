//! A run that is killed, at any moment and as often as one likes, decides as if nothing had happened, and
//! counts no sample twice.
//!
//! Twice: at every record that a run writes, in process; and with `kill -9` at 200 random moments of a
//! real process, which is this test binary, called again as [`CHILD`]. Engine, journal (SQLite on disk),
//! prompts and syntax are the real ones; model and layers are those of `toy`. What the whole program
//! with its sandbox does under `kill -9` is in `tests/integration/runs.rs`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking and says what it did")]

mod toy;

use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::report::{RunOutcome, RunReport};
use zeroerr_core::state_manager::Record;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::{Journal, Origin};
use zeroerr_engine::local::LocalWorkbench;
use zeroerr_engine::options::{AgentRules, Agents, RunOptions};

use toy::{Hashing, Versatile, said};

/// Kills of the full test.
const KILLS: u32 = 200;
/// Kills that one run has to stand.
const KILLS_A_RUN: u32 = 8;
/// Names the folder of a child's run; without it the child is a test that does nothing.
const CHILD: &str = "ZEROERR_KILLED_RUN";
/// The child's seed.
const SEED: &str = "ZEROERR_KILLED_SEED";

/// Popular and refuted, right, refuted, failing an example, and no answer at all. With every fifth seed
/// nothing is right, and the run abstains.
fn model(seed: u64) -> Versatile {
    let wrong = ["return x * 3", "return x * 3", "return x * 3", "return x * 5", "return x * 0"];
    let right = if seed % 5 == 4 { "return x * 7" } else { "return x * 2" };
    let mut says: Vec<String> = wrong.iter().chain(&[right; 3]).map(|body| said(body)).collect();
    says.push("I cannot do that.".into());
    let pace = Duration::from_millis(12);
    let advice = [
        "assert double(3) == 6\nassert double(4) == 8",
        "assert double(3) == 9\nassert double(1) == 3",
        "double(3)\ndouble(9)",
        "OBJECTION: double(3) should be 9",
        "OK",
    ];
    let adviser = Hashing { says: advice.map(str::to_owned).into(), pace };
    Versatile { coder: Hashing { says, pace }, adviser }
}

/// With every odd seed all sorts of agents take part.
fn options(seed: u64) -> RunOptions {
    let mut agents = Agents::default();
    if seed % 2 == 1 {
        agents.rules = AgentRules { testers: 2, critic: true, discriminators: 1, ..agents.rules };
    }
    RunOptions { k: 3, max_attempts: 40, in_flight: 4, seed, agents, ..RunOptions::default() }
}

fn workbench(folder: &Path, seed: u64) -> LocalWorkbench {
    let journal = Journal::open(folder).expect("a journal");
    toy::workbench(Arc::new(model(seed)), Duration::from_millis(6), Some(journal), options(seed))
}

/// A run to its end, or from where the journal in `folder` left it.
fn run(folder: &Path, seed: u64) -> RunReport {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let workbench = workbench(folder, seed);
        let task = toy::task(&workbench).expect("the file has a task");
        let (events, _told) = unbounded_channel();
        workbench.run(task, events, CancellationToken::new()).await
    })
}

/// Everything of a report but what it took: names, times and the tokens of samples that were not needed.
fn decision(report: &RunReport) -> Value {
    let mut steps = report.steps.clone();
    steps.iter_mut().for_each(|s| s.completion_tokens = 0);
    let mut layers = report.layers.clone();
    layers.iter_mut().for_each(|l| l.elapsed_ms = 0);
    json!({
        "outcome": report.outcome,
        "reason": report.reason,
        "edits": report.edits,
        "layers": layers,
        "steps": steps,
    })
}

/// Samples in the only run of the journal; each is there once, and so is every answer of an agent.
fn samples(folder: &Path) -> usize {
    let journal = Journal::open(folder).expect("a journal");
    let runs = journal.list(10).expect("runs");
    assert!(runs.len() <= 1, "a killed run is taken up, not begun again: {runs:?}");
    let Some(run) = runs.first() else { return 0 };
    let (mut seen, mut heard) = (HashSet::new(), HashSet::new());
    for record in journal.records(&run.id).expect("records") {
        match record {
            Record::Sample { step, id, .. } => assert!(seen.insert((step, id)), "sample {id} is counted twice"),
            Record::Advised { errand, .. } => assert!(heard.insert(format!("{errand:?}")), "{errand:?} answered twice"),
            _ => {}
        }
    }
    seen.len()
}

/// One test at a time: a process that the other one starts has this one's locks until it is another
/// program, and a run whose lock is held is not taken up.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_run_cut_off_after_any_record_decides_the_same() {
    let _alone = ALONE.lock();
    let (mut cuts, mut abstained, mut refuted, mut advised) = (0, 0, 0, 0);
    for seed in [1, 4, 9, 11] {
        let calm = tempfile::tempdir().expect("a folder");
        let report = run(calm.path(), seed);
        let records = Journal::open(calm.path()).and_then(|j| j.records(&report.id)).expect("records");
        abstained += u32::from(report.outcome == RunOutcome::Abstained);
        refuted += records.iter().filter(|r| matches!(r, Record::Barred { .. })).count();
        advised += records.iter().filter(|r| matches!(r, Record::Advised { .. } | Record::Tried { .. })).count();
        for kept in 0..=records.len() {
            let folder = tempfile::tempdir().expect("a folder");
            let dead = workbench(folder.path(), seed);
            let task = toy::task(&dead).expect("a task");
            let journal = dead.journal().expect("a journal");
            let origin = Origin::of(&task, &options(seed), vec!["hashing".into()]);
            let key = dead.task_key(&task, &options(seed));
            let open = journal.begin(&key, &task.file.display().to_string(), &origin).expect("a run");
            for record in records.iter().take(kept) {
                journal.append(&open.id, record).expect("a record");
            }
            drop(open);
            let resumed = run(folder.path(), seed);
            assert_eq!(decision(&resumed), decision(&report), "seed {seed}, cut after {kept} records");
            samples(folder.path());
            cuts += 1;
        }
    }
    assert!(advised > 20, "{advised} records of agents: too few to cut between");
    assert!(abstained > 0 && refuted > 2, "{abstained} abstained, {refuted} refuted: the runs are too easy");
    println!("{cuts} cuts, one after every record; {refuted} refuted winners, {abstained} abstained");
}

/// Not a test of its own: a run in another process, for [`two_hundred_kills_change_nothing`].
#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let seed = std::env::var(SEED).ok().and_then(|s| s.parse().ok()).expect("a seed");
    run(Path::new(&folder), seed);
}

fn spawn(folder: &Path, seed: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", "child"]).env(CHILD, folder).env(SEED, seed.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child")
}

/// The decision of the only run of the journal, when it has come to one.
fn decided(folder: &Path) -> Option<Value> {
    let journal = Journal::open(folder).expect("a journal");
    let run = journal.list(1).expect("runs").pop()?;
    journal.report(&run.id).expect("a report").as_ref().map(decision)
}

/// The decision of a child that nobody disturbs.
fn undisturbed(folder: &Path, seed: u64) -> Value {
    assert!(spawn(folder, seed).wait().expect("an end").success());
    decided(folder).expect("a decision")
}

/// Numbers that are as good as random and the same in every test run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        end.mul_f64((self.0 >> 33) as f64 / f64::from(1u32 << 31))
    }
}

#[test]
fn two_hundred_kills_change_nothing() {
    let _alone = ALONE.lock();
    let mut dice = Dice(2026);
    let (mut kills, mut amid, mut runs, mut abstained, mut late) = (0, 0, 0, 0, 0);
    let first = tempfile::tempdir().expect("a folder");
    let begun = Instant::now();
    undisturbed(first.path(), 0);
    let span = begun.elapsed();
    for seed in 0.. {
        let (calm, cut) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let expected = decision(&run(calm.path(), seed));
        for _ in 0..KILLS_A_RUN {
            let mut child = spawn(cut.path(), seed);
            // What is left of the work takes less and less time, so most kills come early.
            std::thread::sleep(dice.below(span.mul_f64(if kills % 4 == 0 { 1.0 } else { 0.5 })));
            child.kill().expect("a kill");
            child.wait().expect("an end");
            if decided(cut.path()).is_some() {
                late += 1;
                break;
            }
            kills += 1;
            amid += u32::from(samples(cut.path()) > 0);
        }
        let ended = decided(cut.path()).unwrap_or_else(|| undisturbed(cut.path(), seed));
        assert_eq!(ended, expected, "seed {seed} after {kills} kills");
        assert!(samples(cut.path()) > 0);
        runs += 1;
        abstained += u32::from(expected["outcome"] == "abstained");
        if kills >= KILLS {
            break;
        }
    }
    println!(
        "{kills} processes killed in {runs} runs ({amid} with samples in the journal; {late} runs had ended when their next kill came, which does not count); \
         every decision as undisturbed, {abstained} of them to abstain"
    );
    assert!(amid > KILLS / 4, "only {amid} kills hit a run at work");
}
