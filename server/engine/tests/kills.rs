//! A run that is killed, at any moment and as often as one likes, decides as if nothing had happened, and
//! counts no sample twice.
//!
//! Twice: at every record that a run writes, in process; and with `kill -9` at 200 random moments of a
//! real process, which is this test binary, called again as [`CHILD`]. Engine, journal (SQLite on disk),
//! prompts and syntax are the real ones; model and layers are those of `toy`. What the whole program
//! with its sandbox does under `kill -9` is in `tests/integration/runs.rs`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test fails by panicking and says what it did")]

mod toy;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::ports::{BoxFuture, Model, ModelError, Role, SampleRequest, SampleResponse};
use zeroerr_core::report::{RunOutcome, RunReport};
use zeroerr_core::state_manager::Record;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::local::LocalWorkbench;
use zeroerr_engine::options::{AgentRules, Agents, Reliability, RunOptions};

use toy::{Hashing, Versatile, said};

/// Where a folder of runs keeps them.
const JOURNAL: &str = "runs.sqlite";
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

/// What is special about the run of a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Plain,
    /// Testers, a critic and a discriminator take part.
    Advised,
    /// Votes are counted input by input.
    ByInput,
    /// Two helpers, which may be to blame.
    Planned,
    /// It goes on with the samples of a run that has ended.
    Continued,
    /// The lead follows the votes.
    Aiming,
}

const KINDS: [Kind; 6] = [Kind::Plain, Kind::Advised, Kind::ByInput, Kind::Planned, Kind::Continued, Kind::Aiming];

fn kind(seed: u64) -> Kind {
    KINDS[(seed % KINDS.len() as u64) as usize]
}

fn options(seed: u64) -> RunOptions {
    let options = RunOptions { k: 3, max_attempts: 40, in_flight: 4, seed, ..RunOptions::default() };
    match kind(seed) {
        Kind::Plain | Kind::Planned | Kind::Continued => options,
        Kind::ByInput => RunOptions { by_input: true, ..options },
        Kind::Aiming => {
            RunOptions { k: 2, reliability: Some(Reliability { assumed_success: 0.7, target: 0.95 }), ..options }
        }
        Kind::Advised => {
            let mut agents = Agents::default();
            agents.rules = AgentRules { testers: 2, critic: true, discriminators: 1, ..agents.rules };
            RunOptions { agents, ..options }
        }
    }
}

/// Writes what is asked for: the helpers of [`toy::PLAN`] multiply, `double` calls one of them.
struct Planned {
    helper: Hashing,
    double: Hashing,
}

impl Model for Planned {
    fn name(&self) -> &str {
        self.helper.name()
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        let begun = request.messages.iter().rfind(|m| m.role == Role::Assistant).map_or("", |m| m.content.as_str());
        let header = begun.lines().find(|l| l.starts_with("def ")).unwrap_or("def double(x: int) -> int:").to_owned();
        let own = if header.starts_with("def double(") { &self.double } else { &self.helper };
        Box::pin(async move {
            let response = own.sample(request).await?;
            Ok(SampleResponse { text: response.text.replace("def double(x: int) -> int:", &header), ..response })
        })
    }
}

fn model_of(seed: u64) -> Arc<dyn Model> {
    if kind(seed) != Kind::Planned {
        return Arc::new(model(seed));
    }
    let pace = Duration::from_millis(12);
    let says = |bodies: &[&str]| Hashing { says: bodies.iter().map(|body| said(body)).collect(), pace };
    let right = if seed % 5 == 4 { "return x * 7" } else { "return x * 2" };
    let helper = says(&["return x * 3", "return x * 3", "return x * 3", right, right, right, "return x * 0"]);
    let calls = ["return one(x) * 1", "return one(x) * 1", "return one(x) * 1", "return two(x) * 1", "return x * 0"];
    Arc::new(Planned { helper, double: says(&calls) })
}

fn source(seed: u64) -> String {
    match kind(seed) {
        Kind::Planned => toy::PLAN.to_owned(),
        Kind::Continued => toy::FILE.replace("# @ensures", "# @example double(3) == 6\n# @ensures"),
        _ => toy::FILE.to_owned(),
    }
}

fn workbench(folder: &Path, seed: u64, options: RunOptions) -> LocalWorkbench {
    let journal = Journal::open(folder).expect("a journal");
    toy::workbench(model_of(seed), Duration::from_millis(6), Some(journal), options)
}

fn run_of(folder: &Path, seed: u64, source: &str, options: RunOptions) -> RunReport {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let workbench = workbench(folder, seed, options);
        let mut tasks = workbench.analyse(Path::new("/nowhere/double.py"), &Arc::from(source)).tasks;
        let (events, _told) = unbounded_channel();
        workbench.run(tasks.pop().expect("the file has a task"), events, CancellationToken::new()).await
    })
}

/// What there is before a run: of a [`Kind::Continued`] one, the run that it goes on with.
fn prepare(folder: &Path, seed: u64) {
    if kind(seed) == Kind::Continued {
        let report = run_of(folder, seed, toy::FILE, RunOptions { max_attempts: 6, ..options(seed) });
        assert!(matches!(report.outcome, RunOutcome::Abstained | RunOutcome::Verified), "{}", report.reason);
    }
}

/// A run to its end, or from where the journal in `folder` left it.
fn run(folder: &Path, seed: u64) -> RunReport {
    run_of(folder, seed, &source(seed), options(seed))
}

/// The same journal in another folder. What a run has drawn beyond its decision depends on when it was told
/// to stop, so one that goes on with those samples is compared with one that goes on with the same ones.
fn copy(from: &Path, to: &Path) -> Connection {
    let file = to.join(JOURNAL);
    let whole = Connection::open(from.join(JOURNAL)).expect("a journal");
    whole.execute("vacuum into ?1", [file.display().to_string()]).expect("a copy");
    Connection::open(file).expect("the copy")
}

/// The journal as it was when the run had written so many records.
fn cut(from: &Path, to: &Path, run: &str, kept: usize) {
    let copy = copy(from, to);
    copy.execute("delete from records where run_id = ?1 and seq >= ?2", rusqlite::params![run, kept as i64])
        .expect("a cut");
    copy.execute("update runs set status = 'unfinished', report = null, ended_ms = null where id = ?1", [run])
        .expect("a run that has not ended");
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

/// The run of the journal that may be killed, once it has begun.
fn run_id(folder: &Path, seed: u64) -> Option<String> {
    let runs = Journal::open(folder).and_then(|j| j.list(10)).expect("runs");
    let before = usize::from(kind(seed) == Kind::Continued);
    assert!(runs.len() <= before + 1, "a killed run is taken up, not begun again: {runs:?}");
    runs.get(before).and(runs.first()).map(|run| run.id.clone())
}

/// Samples in it; each is there once, and so is every answer of an agent.
fn samples(folder: &Path, seed: u64) -> usize {
    let Some(run) = run_id(folder, seed) else { return 0 };
    let (mut seen, mut heard) = (HashSet::new(), HashSet::new());
    for record in Journal::open(folder).and_then(|j| j.records(&run)).expect("records") {
        match record {
            Record::Sample { step, id, .. } => {
                assert!(seen.insert((step.clone(), id)), "sample {id} of {step} is counted twice");
            }
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
    let mut cuts: BTreeMap<Kind, usize> = BTreeMap::new();
    let (mut abstained, mut refuted, mut advised, mut blamed, mut taken_up) = (0, 0, 0, 0, 0);
    for seed in [0, 1, 19, 2, 14, 3, 15, 4, 10, 5] {
        let calm = tempfile::tempdir().expect("a folder");
        prepare(calm.path(), seed);
        let report = run(calm.path(), seed);
        let records = Journal::open(calm.path()).and_then(|j| j.records(&report.id)).expect("records");
        let count = |is: fn(&Record) -> bool| records.iter().filter(|r| is(r)).count();
        abstained += u32::from(report.outcome == RunOutcome::Abstained);
        refuted += count(|r| matches!(r, Record::Barred { .. }));
        advised += count(|r| matches!(r, Record::Advised { .. } | Record::Tried { .. }));
        blamed += count(|r| matches!(r, Record::Blamed { .. }));
        taken_up += report.steps.iter().map(|s| s.taken_up).sum::<u32>();
        for kept in 0..=records.len() {
            let folder = tempfile::tempdir().expect("a folder");
            cut(calm.path(), folder.path(), &report.id, kept);
            let resumed = run(folder.path(), seed);
            assert_eq!(decision(&resumed), decision(&report), "seed {seed}, cut after {kept} records");
            samples(folder.path(), seed);
            *cuts.entry(kind(seed)).or_default() += 1;
        }
    }
    assert_eq!(cuts.len(), KINDS.len(), "{cuts:?}");
    assert!(advised > 20, "{advised} records of agents: too few to cut between");
    assert!(abstained > 1 && refuted > 2, "{abstained} abstained, {refuted} refuted: the runs are too easy");
    assert!(blamed > 0 && taken_up > 3, "{blamed} blamed, {taken_up} samples taken up: the runs are too easy");
    println!(
        "one cut after every record, by kind of run: {cuts:?}; {refuted} refuted winners, {blamed} blamed, {abstained} abstained"
    );
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

/// The decision of the run, when it has come to one.
fn decided(folder: &Path, seed: u64) -> Option<Value> {
    let run = run_id(folder, seed)?;
    Journal::open(folder).and_then(|j| j.report(&run)).expect("a report").as_ref().map(decision)
}

/// The decision of a child that nobody disturbs.
fn undisturbed(folder: &Path, seed: u64) -> Value {
    assert!(spawn(folder, seed).wait().expect("an end").success());
    decided(folder, seed).expect("a decision")
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
        prepare(calm.path(), seed);
        copy(calm.path(), cut.path());
        let expected = decision(&run(calm.path(), seed));
        for _ in 0..KILLS_A_RUN {
            let mut child = spawn(cut.path(), seed);
            // What is left of the work takes less and less time, so most kills come early.
            std::thread::sleep(dice.below(span.mul_f64(if kills % 4 == 0 { 1.0 } else { 0.5 })));
            child.kill().expect("a kill");
            child.wait().expect("an end");
            if decided(cut.path(), seed).is_some() {
                late += 1;
                break;
            }
            kills += 1;
            amid += u32::from(samples(cut.path(), seed) > 0);
        }
        let ended = decided(cut.path(), seed).unwrap_or_else(|| undisturbed(cut.path(), seed));
        assert_eq!(ended, expected, "seed {seed} after {kills} kills");
        assert!(samples(cut.path(), seed) > 0);
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
