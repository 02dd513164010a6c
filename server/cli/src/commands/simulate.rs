//! `zeroerr simulate hanoi`: the paper's experiment with a simulated model (arXiv 2511.09030).

use std::time::Instant;

use serde::Serialize;
use zeroerr_core::voting_engine::theory::{expected_samples, p_full};
use zeroerr_engine::simulate::checkpoint::{Checkpoint, CheckpointError};
use zeroerr_engine::simulate::hanoi::Towers;
use zeroerr_engine::simulate::{Scenario, Totals, run};

use crate::args::{Global, HanoiArgs, SimulateCommand};
use crate::context::Ui;
use crate::exit::{CliError, Exit};

/// Undecided steps after each round of the published run (20 disks, k = 3).
const PAPER_UNDECIDED: [u64; 18] =
    [1_048_575, 1_048_575, 81_959, 18_461, 3_807, 973, 288, 100, 31, 14, 5, 2, 2, 2, 1, 1, 1, 0];

#[derive(Debug, Serialize)]
struct Answer {
    steps: u64,
    errors: u64,
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
}

/// Runs the simulation and prints it beside theory and paper.
///
/// # Errors
/// Numbers that make no sense, or a checkpoint that cannot be used.
pub fn main(global: &Global, command: &SimulateCommand) -> Result<Exit, CliError> {
    let SimulateCommand::Hanoi(args) = command;
    let ui = Ui::new(global);
    let scenario = scenario(args)?;
    let mut checkpoint = args.checkpoint.as_ref().map(|path| Checkpoint::open(path)).transpose().map_err(refused)?;
    let bar = bar(ui, Towers::steps(scenario.disks));
    let begun = Instant::now();
    let totals = run(&scenario, checkpoint.as_mut(), &mut |totals| {
        bar.set_position(totals.steps);
        true
    })
    .map_err(refused)?;
    bar.finish_and_clear();
    let answer = answer(&scenario, &totals, begun.elapsed().as_secs_f64());
    if ui.json {
        ui.json_result(&answer)?;
    } else {
        ui.result(&table(&scenario, &answer))?;
    }
    Ok(if answer.errors == 0 { Exit::Clean } else { Exit::Findings })
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
    if args.k == 0 || args.max_attempts < args.k {
        return Err(CliError::usage("--k must be at least 1 and at most --max-attempts".to_owned()));
    }
    Ok(Scenario {
        disks: args.disks,
        p: args.p,
        k: args.k,
        flag_rate: share("flag-rate", args.flag_rate)?,
        correlation: args.correlation.clamp(0.0, 1.0),
        max_attempts: args.max_attempts,
        seed: args.seed,
    })
}

fn refused(error: CheckpointError) -> CliError {
    CliError::usage(error.to_string())
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
    Answer {
        steps: totals.steps,
        errors: totals.errors,
        samples: totals.samples,
        votes: totals.votes,
        undecided_per_round: totals.undecided_per_round(),
        worst_step_votes: totals.worst_step_votes,
        wall_s,
        peak_rss_mb: peak_rss_mb(),
        samples_per_step: totals.samples as f64 / totals.steps.max(1) as f64,
        theory_samples_per_step: expected_samples(scenario.p, scenario.k, 1, valid).unwrap_or(perfect),
        theory_p_full: p_full(scenario.p, scenario.k, totals.steps, 1),
        solved: totals.solved,
    }
}

/// The most memory this process has held, in megabytes, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn table(scenario: &Scenario, a: &Answer) -> String {
    let paper = scenario.disks == 20 && scenario.k == 3;
    let mut out = format!("round   undecided{}\n", if paper { "   paper" } else { "" });
    let rounds = a.undecided_per_round.len().max(if paper { PAPER_UNDECIDED.len() } else { 0 });
    for round in 0..rounds {
        let ours = a.undecided_per_round.get(round).copied().unwrap_or(0);
        out.push_str(&format!("{:>5} {ours:>11}", round + 1));
        if let Some(theirs) = PAPER_UNDECIDED.get(round).filter(|_| paper) {
            out.push_str(&format!(" {theirs:>7}"));
        }
        out.push('\n');
    }
    out.push_str(&format!(
        "\n{} steps, {} errors; {:.4} samples a step (theory {:.4}); worst step {} votes\n",
        a.steps, a.errors, a.samples_per_step, a.theory_samples_per_step, a.worst_step_votes
    ));
    out.push_str(&format!("chance that every step is right, by theory: {:.4}\n", a.theory_p_full));
    let memory = a.peak_rss_mb.map_or_else(|| "unknown".to_owned(), |mb| format!("{mb:.0} MB"));
    out.push_str(&format!("{:.1} s, peak memory {memory}\n", a.wall_s));
    out
}
