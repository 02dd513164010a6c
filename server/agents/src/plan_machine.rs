//! The orchestrator of a whole plan, sans-IO: which step runs when, and whose fault it is when what
//! was put together does not hold.
//!
//! A step runs as soon as the steps it may call are decided, at most `in_flight` side by side. Each
//! decided step has a winning class and rivals, the other classes that got votes. When a step abstains
//! because its candidates were found wrong, one of the functions it calls may be the culprit: their
//! own checks have passed, so the machine tries rivals in their place ([`PlanCommand::Try`]), in plan
//! order, most votes first. The first rival that makes a rejected candidate pass puts the blame on its
//! step: that step votes again with its class barred and the finding in its prompts, and all that
//! call it vote again. Without such a rival the abstention stands.
//!
//! The outcome does not depend on which step ended first: of several steps that abstain the first in
//! plan order counts, so steps before it still run and steps after it are not begun.
//!
//! How often a step must vote anew follows from who was blamed below it alone ([`Turn::attempt`]), so
//! that a resumed run finds its own records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use zeroerr_core::decomposition_engine::Plan;
use zeroerr_core::state_manager::Record;

use crate::orchestrator::StepEnd;

/// The rules of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRules {
    /// Steps that vote side by side, at most; at least 1.
    pub in_flight: u32,
    /// Steps that may be blamed and vote again, in all.
    pub revotes: u32,
    /// Rivals that are tried for one failure, at most.
    pub trials: u32,
}

impl Default for PlanRules {
    fn default() -> Self {
        Self { in_flight: 2, revotes: 2, trials: 8 }
    }
}

/// A step that votes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Turn {
    /// The step.
    pub step: String,
    /// How often a step below it was blamed before: 0 unless something had to be mended.
    pub attempt: u32,
}

impl Turn {
    /// The name under which the turn's samples are recorded and seeded.
    pub fn label(&self) -> String {
        if self.attempt == 0 { self.step.clone() } else { format!("{}~{}", self.step, self.attempt) }
    }

    /// The turn that a [`label`](Self::label) stands for.
    pub fn of_label(label: &str) -> Self {
        let parts = label.rsplit_once('~').and_then(|(step, n)| Some((step, n.parse().ok()?)));
        let (step, attempt) = parts.unwrap_or((label, 0));
        Self { step: step.to_owned(), attempt }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanEvent {
    /// A step's vote has ended.
    Ended {
        /// Whose.
        turn: Turn,
        /// How.
        end: StepEnd,
        /// Classes that lost the vote and were not refuted, most votes first.
        rivals: Vec<String>,
        /// Why candidates were found wrong (by an example or by the stack); empty when none was.
        objection: String,
    },
    /// A rival has been tried.
    Tried {
        /// Whose rival.
        step: String,
        /// Which.
        class: String,
        /// Whether a rejected candidate of the failed step passes with it.
        passed: bool,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanCommand {
    /// Let a step vote.
    Run(Turn),
    /// Its vote is void: stop it.
    Stop(Turn),
    /// Put a rival of `step` in its winner's place and check the rejected candidates of `failed`.
    Try {
        /// The step that failed.
        failed: Turn,
        /// Whose rival.
        step: String,
        /// Which.
        class: String,
    },
    /// Record that the winner of `step` is to blame; its next vote has the class barred.
    Blame {
        /// The step.
        step: String,
        /// Its class that may not win again.
        class: String,
        /// What goes into its next prompts.
        feedback: String,
    },
    /// The plan has ended; what still runs is of no use.
    Finish(PlanEnd),
}

/// How a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanEnd {
    /// The last step was accepted.
    Composed,
    /// A step has no winner.
    Abstained {
        /// Which.
        step: String,
        /// Why.
        why: String,
    },
    /// A step could not be done.
    Failed {
        /// Which.
        step: String,
        /// Why.
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Running,
    Decided { class: String, rivals: Vec<String> },
    Abstained { why: String, objection: String },
}

/// A failure that is being traced to its cause.
#[derive(Debug, Clone, PartialEq)]
struct Inquiry {
    failed: Turn,
    why: String,
    objection: String,
    suspects: VecDeque<(String, String)>,
    tried: u32,
}

/// The state of one plan. See the module.
#[derive(Debug, Clone)]
pub struct PlanMachine {
    rules: PlanRules,
    order: Vec<String>,
    needs: BTreeMap<String, Vec<String>>,
    below: BTreeMap<String, BTreeSet<String>>,
    states: BTreeMap<String, State>,
    /// How often each step was blamed.
    blamed: BTreeMap<String, u32>,
    inquiry: Option<Inquiry>,
    ended: bool,
}

impl PlanMachine {
    /// A plan of which no step has run.
    pub fn new(plan: &Plan, rules: PlanRules) -> Self {
        let order: Vec<String> = plan.steps.iter().map(|s| s.name.clone()).collect();
        let needs: BTreeMap<String, Vec<String>> =
            plan.steps.iter().map(|s| (s.name.clone(), s.needs.clone())).collect();
        // Steps come after what they need, so one pass suffices.
        let mut below: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for step in &plan.steps {
            let mut all: BTreeSet<String> = step.needs.iter().cloned().collect();
            all.extend(step.needs.iter().filter_map(|n| below.get(n)).flatten().cloned());
            below.insert(step.name.clone(), all);
        }
        let states = order.iter().map(|name| (name.clone(), State::Waiting)).collect();
        let rules = PlanRules { in_flight: rules.in_flight.max(1), ..rules };
        Self { rules, order, needs, below, states, blamed: BTreeMap::new(), inquiry: None, ended: false }
    }

    /// Takes up whom a journal remembers as blamed. Call before [`start`](Self::start).
    pub fn restore(&mut self, records: &[Record]) {
        let mut seen = BTreeSet::new();
        for record in records {
            if let Record::Blamed { step, class, .. } = record
                && seen.insert((step.clone(), class.clone()))
            {
                *self.blamed.entry(step.clone()).or_default() += 1;
            }
        }
    }

    /// The first commands.
    pub fn start(&mut self) -> Vec<PlanCommand> {
        self.run_ready()
    }

    /// Takes an event. Events that come late, twice, or of a turn that was overtaken change nothing.
    pub fn handle(&mut self, event: PlanEvent) -> Vec<PlanCommand> {
        if self.ended {
            return Vec::new();
        }
        match event {
            PlanEvent::Ended { turn, end, rivals, objection } => {
                if self.turn(&turn.step) != turn || self.states.get(&turn.step) != Some(&State::Running) {
                    return Vec::new();
                }
                self.step_ended(turn, end, rivals, objection)
            }
            PlanEvent::Tried { step, class, passed } => self.tried(&step, &class, passed),
        }
    }

    /// The class that a step's vote was won by.
    pub fn winner(&self, step: &str) -> Option<&str> {
        match self.states.get(step) {
            Some(State::Decided { class, .. }) => Some(class),
            _ => None,
        }
    }

    fn turn(&self, step: &str) -> Turn {
        let below = self.below.get(step).into_iter().flatten();
        let attempt = below.filter_map(|s| self.blamed.get(s)).sum();
        Turn { step: step.to_owned(), attempt }
    }

    /// Lets steps vote whose needs are decided, but none behind one that has abstained.
    fn run_ready(&mut self) -> Vec<PlanCommand> {
        let running = self.states.values().filter(|s| **s == State::Running).count();
        let free = (self.rules.in_flight as usize).saturating_sub(running);
        let is_decided = |step: &String| matches!(self.states.get(step), Some(State::Decided { .. }));
        let is_ready = |step: &&String| {
            self.states.get(*step) == Some(&State::Waiting)
                && self.needs.get(*step).is_some_and(|needs| needs.iter().all(is_decided))
        };
        let first = self.first_abstained().unwrap_or(self.order.len());
        let ready: Vec<String> = self.order.iter().take(first).filter(is_ready).take(free).cloned().collect();
        ready
            .into_iter()
            .map(|step| {
                self.states.insert(step.clone(), State::Running);
                PlanCommand::Run(self.turn(&step))
            })
            .collect()
    }

    fn first_abstained(&self) -> Option<usize> {
        self.order.iter().position(|step| matches!(self.states.get(step), Some(State::Abstained { .. })))
    }

    fn step_ended(&mut self, turn: Turn, end: StepEnd, rivals: Vec<String>, objection: String) -> Vec<PlanCommand> {
        let state = match end {
            StepEnd::Won { class, .. } => State::Decided { class, rivals },
            StepEnd::Abstained(why) => State::Abstained { why, objection },
            StepEnd::Failed(why) => return self.finish(PlanEnd::Failed { step: turn.step, why }),
        };
        self.states.insert(turn.step, state);
        self.go_on()
    }

    fn go_on(&mut self) -> Vec<PlanCommand> {
        if self.inquiry.is_some() {
            return Vec::new();
        }
        let is_decided = |step: &String| matches!(self.states.get(step), Some(State::Decided { .. }));
        match self.first_abstained() {
            Some(first) if self.order.iter().take(first).all(is_decided) => self.inquire(first),
            None if self.order.iter().all(is_decided) => self.finish(PlanEnd::Composed),
            _ => self.run_ready(),
        }
    }

    fn inquire(&mut self, first: usize) -> Vec<PlanCommand> {
        let Some(step) = self.order.get(first).cloned() else { return Vec::new() };
        let Some(State::Abstained { why, objection }) = self.states.get(&step).cloned() else { return Vec::new() };
        let suspects = self.suspects(&step);
        let blamed: u32 = self.blamed.values().sum();
        if objection.is_empty() || suspects.is_empty() || blamed >= self.rules.revotes {
            return self.finish(PlanEnd::Abstained { step, why });
        }
        self.inquiry = Some(Inquiry { failed: self.turn(&step), why, objection, suspects, tried: 0 });
        self.next_trial()
    }

    /// Rivals of the steps below, in plan order, most votes first.
    fn suspects(&self, failed: &str) -> VecDeque<(String, String)> {
        let Some(below) = self.below.get(failed) else { return VecDeque::new() };
        let rivals = |step: &String| match self.states.get(step) {
            Some(State::Decided { rivals, .. }) => rivals.clone(),
            _ => Vec::new(),
        };
        let in_order = self.order.iter().filter(|s| below.contains(*s));
        in_order.flat_map(|step| rivals(step).into_iter().map(|class| (step.clone(), class))).collect()
    }

    fn next_trial(&mut self) -> Vec<PlanCommand> {
        let Some(inquiry) = &self.inquiry else { return Vec::new() };
        match inquiry.suspects.front().filter(|_| inquiry.tried < self.rules.trials) {
            Some((step, class)) => {
                vec![PlanCommand::Try { failed: inquiry.failed.clone(), step: step.clone(), class: class.clone() }]
            }
            None => {
                let plural = if inquiry.tried == 1 { "" } else { "s" };
                let why = format!(
                    "{}; no other behaviour of the functions it calls makes it pass ({} rival{plural} tried)",
                    inquiry.why, inquiry.tried
                );
                self.finish(PlanEnd::Abstained { step: inquiry.failed.step.clone(), why })
            }
        }
    }

    fn tried(&mut self, step: &str, class: &str, passed: bool) -> Vec<PlanCommand> {
        let Some(inquiry) = &mut self.inquiry else { return Vec::new() };
        if inquiry.suspects.front().is_none_or(|(s, c)| s != step || c != class) {
            return Vec::new();
        }
        inquiry.suspects.pop_front();
        inquiry.tried += 1;
        if !passed {
            return self.next_trial();
        }
        let feedback = format!("`{}` calls it, and then: {}", inquiry.failed.step, inquiry.objection);
        self.inquiry = None;
        let barred = self.winner(step).unwrap_or_default().to_owned();
        let mut commands = self.void_all_above(step);
        *self.blamed.entry(step.to_owned()).or_default() += 1;
        self.states.insert(step.to_owned(), State::Waiting);
        commands.push(PlanCommand::Blame { step: step.to_owned(), class: barred, feedback });
        commands.extend(self.go_on());
        commands
    }

    /// What was decided, or is being decided, on the word of a step is void.
    fn void_all_above(&mut self, step: &str) -> Vec<PlanCommand> {
        let above: Vec<String> =
            self.order.iter().filter(|s| self.below.get(*s).is_some_and(|b| b.contains(step))).cloned().collect();
        let mut commands = Vec::new();
        for name in above {
            let turn = self.turn(&name);
            if self.states.insert(name, State::Waiting) == Some(State::Running) {
                commands.push(PlanCommand::Stop(turn));
            }
        }
        commands
    }

    fn finish(&mut self, end: PlanEnd) -> Vec<PlanCommand> {
        self.ended = true;
        vec![PlanCommand::Finish(end)]
    }
}

#[cfg(test)]
mod tests;
