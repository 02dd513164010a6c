//! The paper's experiment: Towers of Hanoi with a simulated model, through the same orchestrator
//! that writes code (MAKER, arXiv 2511.09030, section 4).
//!
//! Each step is one [`StepMachine`]; a step's input is the state that the step before it decided.
//! The model errs at a given rate, raises red flags at a given rate, and its errors may agree with
//! each other; nothing else is simulated. Every sample's randomness comes from the run's seed, the
//! step and the sample's number, so a resumed run draws exactly what the killed one would have.

pub mod checkpoint;
pub mod hanoi;

use std::collections::VecDeque;
use std::fmt;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use zeroerr_agents::orchestrator::{Command, Event, StepEnd, StepMachine, StepRules, Verification};
use zeroerr_core::code::Candidate;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::state_manager::SampleFate;
use zeroerr_core::voting_engine::Fingerprint;

use checkpoint::{Checkpoint, CheckpointError};
use hanoi::{Move, Towers};

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Disks; `2^disks - 1` steps.
    pub disks: u32,
    /// Chance that an unflagged sample is right.
    pub p: f64,
    /// The lead that decides.
    pub k: u32,
    /// Share of samples that raise a red flag.
    pub flag_rate: f64,
    /// Chance that a wrong sample gives the step's one favourite wrong answer (the worst case of
    /// the theory is 1) rather than any wrong answer.
    pub correlation: f64,
    /// Samples a step may take.
    pub max_attempts: u32,
    /// Seed of the run.
    pub seed: u64,
}

impl fmt::Display for Scenario {
    /// As options of the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { disks, p, k, flag_rate, correlation, max_attempts, seed } = self;
        write!(f, "--disks {disks} --p {p} --k {k} --flag-rate {flag_rate} --correlation {correlation} ")?;
        write!(f, "--max-attempts {max_attempts} --seed {seed}")
    }
}

/// What came out, up to and including the last step done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Steps done.
    pub steps: u64,
    /// Steps that decided on a wrong move, or on none.
    pub errors: u64,
    /// Samples drawn, flagged ones included.
    pub samples: u64,
    /// Votes counted.
    pub votes: u64,
    /// `needed[n]`: steps that were decided by exactly n samples; as long as the most that any step took.
    pub needed: Vec<u64>,
    /// Most votes any step took.
    pub worst_step_votes: u64,
    /// Whether the last move left all disks on the last peg.
    pub solved: bool,
}

impl Totals {
    /// Steps still undecided after each round of one sample per undecided step.
    pub fn undecided_per_round(&self) -> Vec<u64> {
        let mut left = self.steps;
        self.needed
            .iter()
            .skip(1)
            .map(|n| {
                left -= n;
                left
            })
            .collect()
    }

    /// Steps that took all the samples they may and were not decided.
    pub fn never_decided(&self) -> u64 {
        self.steps - self.needed.iter().sum::<u64>()
    }

    fn count(&mut self, step: &StepTotals, is_decided: bool) {
        self.steps += 1;
        self.errors += u64::from(!step.right);
        self.samples += u64::from(step.samples);
        self.votes += u64::from(step.votes);
        self.worst_step_votes = self.worst_step_votes.max(u64::from(step.votes));
        let slot = step.samples as usize;
        if self.needed.len() <= slot {
            self.needed.resize(slot + 1, 0);
        }
        self.needed[slot] += u64::from(is_decided);
    }
}

/// One step's share of the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepTotals {
    /// Whether it decided on the right move.
    pub right: bool,
    /// Samples drawn.
    pub samples: u32,
    /// Votes counted.
    pub votes: u32,
}

/// Steps at most between two commits of the checkpoint, and between two calls of `on_progress`.
pub const BATCH: u64 = 8_192;
/// Samples after which that is due, too: with a large lead a single step may take thousands.
const BATCH_SAMPLES: u64 = 1 << 20;

/// Runs the scenario to its end, or from where `checkpoint` left it. `on_progress` is told the
/// totals after each batch; when it returns `false` the run stops there.
///
/// # Errors
/// When the checkpoint cannot be read or written, or belongs to another scenario.
pub fn run(
    scenario: &Scenario,
    mut checkpoint: Option<&mut Checkpoint>,
    on_progress: &mut dyn FnMut(&Totals) -> bool,
) -> Result<Totals, CheckpointError> {
    let all = Towers::steps(scenario.disks);
    let (mut totals, mut towers) = match checkpoint.as_mut() {
        Some(c) => c.restore(scenario)?,
        None => (Totals::default(), Towers::new(scenario.disks)),
    };
    while totals.steps < all {
        let end = (totals.steps + BATCH).min(all);
        let drawn = totals.samples + BATCH_SAMPLES;
        while totals.steps < end && totals.samples < drawn {
            let step = totals.steps;
            let (outcome, decided) = run_step(scenario, step, &towers);
            if let Some(c) = checkpoint.as_mut() {
                c.append(step, &outcome, decided)?;
            }
            totals.count(&outcome, decided.is_some());
            // After a wrong decision the count goes on from the right state: errors are counted,
            // not compounded.
            let right = towers.next_move(step);
            towers.apply(right);
        }
        if totals.steps == all {
            totals.solved = towers.is_solved() && totals.errors == 0;
        }
        if let Some(c) = checkpoint.as_mut() {
            c.commit(&totals, &towers)?;
        }
        if !on_progress(&totals) {
            break;
        }
    }
    Ok(totals)
}

/// One step through the orchestrator; returns its numbers and the move it decided on.
fn run_step(scenario: &Scenario, step: u64, towers: &Towers) -> (StepTotals, Option<Move>) {
    let right = towers.next_move(step);
    let name = "move";
    let rules = StepRules { k: scenario.k, max_attempts: scenario.max_attempts, in_flight: scenario.k.max(1) };
    let mut machine = StepMachine::new(name, rules);
    let mut draws = VecDeque::new();
    let mut winner = None;
    let mut said: Vec<(u64, Move)> = Vec::with_capacity(4);
    let mut commands = machine.start();
    loop {
        let mut verify = None;
        for command in commands.drain(..) {
            match command {
                Command::Draw { id } => draws.push_back(id),
                Command::Cancel { ids } => draws.retain(|id| !ids.contains(id)),
                Command::Verify { round, .. } => verify = Some(round),
                Command::Finish(StepEnd::Won { id, .. }) => {
                    winner = said.iter().find(|(i, _)| *i == id).map(|(_, m)| *m);
                }
                Command::Finish(_) | Command::Ask { .. } | Command::Try { .. } => {}
            }
        }
        if let Some(round) = verify {
            commands = machine.handle(Event::Verified { round, verification: Verification::Accepted });
            continue;
        }
        let Some(id) = draws.pop_front() else { break };
        let fate = match sample(scenario, step, id, towers, right) {
            None => SampleFate::Flagged(RedFlag::WrongSignature),
            Some(answer) => {
                said.push((id, answer));
                vote(towers, answer)
            }
        };
        commands = machine.handle(Event::Sampled { id, completion_tokens: 0, fate });
    }
    let totals = StepTotals { right: winner == Some(right), samples: machine.samples(), votes: machine.votes() };
    (totals, winner)
}

fn vote(towers: &Towers, answer: Move) -> SampleFate {
    // What a candidate does: the move and the state it leads to, compared exactly (the paper's
    // rule: match on action and next state).
    let outcome = format!("{answer:?} {:x?}", towers.after(answer));
    SampleFate::Votes {
        candidate: Candidate { function: String::new(), body: String::new(), imports: Vec::new() },
        fingerprint: Fingerprint { outcomes: vec![(String::new(), outcome)] },
    }
}

/// One simulated response: `None` is a red flag.
fn sample(scenario: &Scenario, step: u64, id: u64, towers: &Towers, right: Move) -> Option<Move> {
    let mut rng = ChaCha8Rng::seed_from_u64(scenario.seed);
    rng.set_stream(step);
    rng.set_word_pos(u128::from(id) * 16);
    if rng.random::<f64>() < scenario.flag_rate {
        return None;
    }
    if rng.random::<f64>() < scenario.p {
        return Some(right);
    }
    let wrong = towers.wrong_moves(right);
    let favourite = rng.random::<f64>() < scenario.correlation;
    let index = if favourite { 0 } else { rng.random_range(0..wrong.len()) };
    Some(wrong[index])
}

#[cfg(test)]
mod tests;
