//! `zeroerr simulate hanoi`: the paper's experiment with a simulated model (arXiv 2511.09030).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use zeroerr_core::voting_engine::theory::{expected_samples, p_full, undecided_after};
use zeroerr_engine::simulate::checkpoint::{Checkpoint, CheckpointError};
use zeroerr_engine::simulate::hanoi::Towers;
use zeroerr_engine::simulate::{Scenario, Totals, run};

use crate::args::{Global, HanoiArgs, SimulateCommand};
use crate::context::Ui;
use crate::exit::{CliError, Exit};
use crate::interrupt;
use crate::render::plural;

/// Undecided steps after each round of the published run (20 disks, k = 3).
const PAPER_UNDECIDED: [u64; 18] =
    [1_048_575, 1_048_575, 81_959, 18_461, 3_807, 973, 288, 100, 31, 14, 5, 2, 2, 2, 1, 1, 1, 0];

/// What the published run took: flagged samples included, and the most votes of one step.
const PAPER: Paper = Paper {
    steps: 1_048_575,
    k: 3,
    errors: 0,
    samples_per_step: 3.10,
    flagged: 0.027,
    worst_step_votes: 18,
    undecided_per_round: PAPER_UNDECIDED,
};

#[derive(Debug, Clone, Copy, Serialize)]
struct Paper {
    steps: u64,
    k: u32,
    errors: u64,
    samples_per_step: f64,
    flagged: f64,
    worst_step_votes: u64,
    undecided_per_round: [u64; 18],
}

/// What the formulas say of the same numbers.
#[derive(Debug, Clone, Serialize)]
struct Theory {
    samples_per_step: f64,
    /// Chance that every step is right.
    p_full: f64,
    undecided_per_round: Vec<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct Answer {
    seed: u64,
    steps: u64,
    errors: u64,
    /// Those of the errors for which the samples did not suffice.
    never_decided: u64,
    samples: u64,
    votes: u64,
    undecided_per_round: Vec<u64>,
    worst_step_votes: u64,
    wall_s: f64,
    peak_rss_mb: Option<f64>,
    samples_per_step: f64,
    theory_samples_per_step: f64,
    theory_p_full: f64,
    solved: bool,
    theory: Theory,
    /// Only for 20 disks and its k.
    paper: Option<Paper>,
}

/// What `--seeds` prints.
#[derive(Debug, Serialize)]
struct Answers {
    without_errors: usize,
    theory: AllSeeds,
    runs: Vec<Answer>,
}

/// What the formulas say of many seeds, each by itself.
#[derive(Debug, Clone, Copy, Serialize)]
struct AllSeeds {
    /// Seeds without an error, on average.
    without_errors: f64,
    /// Chance that no seed has an error.
    all: f64,
}

impl AllSeeds {
    fn of(runs: &[Answer]) -> Self {
        let chance = runs.first().map_or(1.0, |a| a.theory.p_full);
        let seeds = runs.len() as f64;
        Self { without_errors: seeds * chance, all: chance.powf(seeds) }
    }
}

/// The largest lead: a vote takes that many samples at least, and no run needs a hundredth of it.
const MOST_LEAD: u32 = 10_000;

/// Runs the simulation and prints it beside theory and paper. Blocks the thread that it is called on.
///
/// # Errors
/// Numbers that make no sense, or a checkpoint that cannot be used.
pub fn main(global: &Global, command: &SimulateCommand) -> Result<Exit, CliError> {
    let SimulateCommand::Hanoi(args) = command;
    let ui = Ui::new(global);
    let first = scenario(args)?;
    let refused = |error: CheckpointError| refused(args.checkpoint.as_deref(), &error);
    let mut checkpoint = args.checkpoint.as_ref().map(|path| Checkpoint::open(path)).transpose().map_err(refused)?;
    let cancel = interrupt::token();
    let runs = match args.seeds {
        0 | 1 => simulated(ui, &first, checkpoint.as_mut(), &cancel).map_err(refused)?.into_iter().collect(),
        _ => side_by_side(ui, &first, args.seeds, &cancel)?,
    };
    if runs.len() < args.seeds.max(1) as usize {
        ui.note(match &args.checkpoint {
            Some(_) => "cancelled; the same command goes on from its checkpoint",
            None => "cancelled; with --checkpoint FILE it could go on from here",
        });
        return Ok(Exit::Cancelled);
    }
    let without_errors = runs.iter().filter(|a| a.errors == 0).count();
    let clean = without_errors == runs.len();
    match runs.as_slice() {
        [answer] if ui.json => ui.json_result(answer)?,
        [answer] => ui.result(&table(&first, answer))?,
        many if ui.json => {
            ui.json_result(&Answers { without_errors, theory: AllSeeds::of(many), runs: many.to_vec() })?;
        }
        many => ui.result(&seeds_line(without_errors, many))?,
    }
    Ok(if clean { Exit::Clean } else { Exit::Findings })
}

/// One run per seed, as many at a time as there are processors, told in the order of the seeds.
fn side_by_side(ui: Ui, first: &Scenario, seeds: u32, cancel: &CancellationToken) -> Result<Vec<Answer>, CliError> {
    let width = std::thread::available_parallelism().map_or(1, usize::from).min(seeds as usize);
    let quiet = Ui { live: false, ..ui };
    let next = AtomicU64::new(0);
    let (sender, ended) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..width {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= u64::from(seeds) || cancel.is_cancelled() {
                        break;
                    }
                    let scenario = Scenario { seed: first.seed.wrapping_add(turn), ..*first };
                    // Nobody listening means that the command has failed already.
                    if sender.send((turn, simulated(quiet, &scenario, None, cancel))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut runs, mut early) = (Vec::new(), BTreeMap::new());
        for (turn, answer) in ended {
            let Some(answer) = answer.map_err(|error| refused(None, &error))? else { break };
            early.insert(turn, answer);
            while let Some(answer) = early.remove(&(runs.len() as u64)) {
                if !ui.json {
                    ui.result(&summary(&answer))?;
                }
                runs.push(answer);
            }
        }
        Ok(runs)
    })
}

/// One run; `None` when it was cancelled.
fn simulated(
    ui: Ui,
    scenario: &Scenario,
    checkpoint: Option<&mut Checkpoint>,
    cancel: &CancellationToken,
) -> Result<Option<Answer>, CheckpointError> {
    let bar = bar(ui, Towers::steps(scenario.disks));
    let begun = Instant::now();
    let totals = run(scenario, checkpoint, &mut |totals| {
        bar.set_position(totals.steps);
        !cancel.is_cancelled()
    })?;
    bar.finish_and_clear();
    let is_whole = totals.steps == Towers::steps(scenario.disks);
    Ok(is_whole.then(|| answer(scenario, &totals, begun.elapsed().as_secs_f64())))
}

fn scenario(args: &HanoiArgs) -> Result<Scenario, CliError> {
    let share = |name: &str, value: f64| {
        if (0.0..1.0).contains(&value) {
            Ok(value)
        } else {
            Err(CliError::usage(format!("--{name} must be at least 0 and below 1")))
        }
    };
    if !(1..=Towers::MAX_DISKS).contains(&args.disks) {
        return Err(CliError::usage(format!("--disks must be between 1 and {}", Towers::MAX_DISKS)));
    }
    if !(args.p > 0.5 && args.p <= 1.0) {
        return Err(CliError::usage("--p must be above 0.5: at or below one half no k helps".to_owned()));
    }
    if args.k == 0 {
        return Err(CliError::usage("--k must be at least 1: somebody has to be ahead".to_owned()));
    }
    if args.k > MOST_LEAD {
        return Err(CliError::usage(format!("--k must be at most {MOST_LEAD}")));
    }
    if args.max_attempts < args.k {
        let (max, k) = (args.max_attempts, args.k);
        return Err(CliError::usage(format!(
            "--max-attempts ({max}) is below --k ({k}): no step could ever be decided; allow at least {k}"
        )));
    }
    if args.seeds > 1 && args.checkpoint.is_some() {
        return Err(CliError::usage("a checkpoint holds one run; leave out --checkpoint or --seeds".to_owned()));
    }
    Ok(Scenario {
        disks: args.disks,
        p: args.p,
        k: args.k,
        flag_rate: share("flag-rate", args.flag_rate)?,
        correlation: correlation(args.correlation)?,
        max_attempts: args.max_attempts,
        seed: args.seed,
    })
}

fn correlation(value: f64) -> Result<f64, CliError> {
    let fits = (0.0..=1.0).contains(&value);
    fits.then_some(value).ok_or_else(|| CliError::usage("--correlation must be from 0 to 1".to_owned()))
}

fn refused(checkpoint: Option<&Path>, error: &CheckpointError) -> CliError {
    let file = checkpoint.map_or_else(String::new, |path| format!(" {}", path.display()));
    let exit = if matches!(error, CheckpointError::Full) { Exit::Machine } else { Exit::Usage };
    CliError { exit, message: format!("cannot use the checkpoint{file}: {error}") }
}

fn bar(ui: Ui, steps: u64) -> indicatif::ProgressBar {
    if !ui.live {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} steps  {per_sec}  {eta}");
    indicatif::ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()))
}

fn answer(scenario: &Scenario, totals: &Totals, wall_s: f64) -> Answer {
    let valid = 1.0 - scenario.flag_rate;
    let perfect = f64::from(scenario.k) / valid;
    let undecided_per_round = totals.undecided_per_round();
    let steps = totals.steps as f64;
    let expected = undecided_after(scenario.p, scenario.k, valid, undecided_per_round.len());
    let theory = Theory {
        samples_per_step: expected_samples(scenario.p, scenario.k, 1, 1, valid).unwrap_or(perfect),
        p_full: if scenario.p < 1.0 { p_full(scenario.p, scenario.k, totals.steps, 1) } else { 1.0 },
        undecided_per_round: expected.into_iter().map(|share| share * steps).collect(),
    };
    Answer {
        seed: scenario.seed,
        steps: totals.steps,
        errors: totals.errors,
        never_decided: totals.never_decided(),
        samples: totals.samples,
        votes: totals.votes,
        undecided_per_round,
        worst_step_votes: totals.worst_step_votes,
        wall_s,
        peak_rss_mb: peak_rss_mb(),
        samples_per_step: totals.samples as f64 / steps.max(1.0),
        theory_samples_per_step: theory.samples_per_step,
        theory_p_full: theory.p_full,
        solved: totals.solved,
        theory,
        paper: (totals.steps == PAPER.steps && scenario.k == PAPER.k).then_some(PAPER),
    }
}

/// The most memory this process has held, in megabytes, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn errors(a: &Answer) -> String {
    let errors = plural(a.errors, "error");
    if a.never_decided == 0 { errors } else { format!("{errors} ({} never decided)", a.never_decided) }
}

/// One line per seed.
fn summary(a: &Answer) -> String {
    format!(
        "seed {}: {}, {:.4} samples a step (theory {:.4}), worst step {}, {:.1} s",
        a.seed,
        errors(a),
        a.samples_per_step,
        a.theory.samples_per_step,
        plural(a.worst_step_votes, "vote"),
        a.wall_s
    )
}

/// The last line of many seeds: what the theory promises of them is less than certainty.
fn seeds_line(without_errors: usize, runs: &[Answer]) -> String {
    let theory = AllSeeds::of(runs);
    let seeds = runs.len();
    format!(
        "{without_errors} of {seeds} seeds without an error (theory: {:.1} on average, all {seeds} with chance {:.2})",
        theory.without_errors, theory.all
    )
}

fn table(scenario: &Scenario, a: &Answer) -> String {
    let mut out = format!("round   undecided      theory{}\n", if a.paper.is_some() { "      paper" } else { "" });
    let published = a.paper.map_or(&[][..], |_| &PAPER_UNDECIDED);
    for round in 0..a.undecided_per_round.len().max(published.len()) {
        let ours = a.undecided_per_round.get(round).copied().unwrap_or(0);
        let theory = a.theory.undecided_per_round.get(round).copied().unwrap_or(0.0);
        out.push_str(&format!("{:>5} {ours:>11} {theory:>11.1}", round + 1));
        if let Some(theirs) = published.get(round) {
            out.push_str(&format!(" {theirs:>10}"));
        }
        out.push('\n');
    }
    out.push_str(&format!(
        "\n{}, p {}, k {}: {}; {:.4} samples a step (theory {:.4}); worst step {}\n",
        plural(a.steps, "step"),
        scenario.p,
        scenario.k,
        errors(a),
        a.samples_per_step,
        a.theory.samples_per_step,
        plural(a.worst_step_votes, "vote")
    ));
    out.push_str(&format!("chance that every step is right, by theory: {:.4}\n", a.theory.p_full));
    if let Some(paper) = a.paper {
        out.push_str(&format!(
            "the paper's run: {}, about {:.2} samples a step with {:.1} % flagged, worst step {}\n",
            plural(paper.errors, "error"),
            paper.samples_per_step,
            paper.flagged * 100.0,
            plural(paper.worst_step_votes, "vote")
        ));
        // Its tail is not that of independent samples, with any p and any share of flags.
        out.push_str("its later rounds are longer: flags and errors of a real model come together at some steps, here each sample is by itself\n");
    }
    let memory = a.peak_rss_mb.map_or_else(|| "unknown".to_owned(), |mb| format!("{mb:.0} MB"));
    out.push_str(&format!("{:.1} s, peak memory {memory}\n", a.wall_s));
    out
}
