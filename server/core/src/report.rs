//! What a run tells while it goes on ([`RunEvent`]) and when it has ended ([`RunReport`]).
//!
//! The JSON form of [`RunReport`] is a contract (docs/API_REFERENCE.md): fields may be added,
//! not changed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::advice::AdviceReport;
use crate::certificate::Certificate;
use crate::code::TextEdit;
use crate::question::Question;
use crate::red_flag_detector::RedFlag;
use crate::verdict::{Layer, LayerReport, StackReport};
use crate::voting_engine::estimate::Estimate;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// An edit is offered; every required layer passed and there was evidence.
    Verified,
    /// No edit; `reason` says why.
    Abstained,
    /// The run could not be done (no model, no sandbox, cancelled).
    Error,
}

/// The votes for one behaviour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassVotes {
    /// Short name of the behaviour class (first 8 digits of its hash).
    pub class: String,
    /// Votes for it.
    pub votes: u32,
}

/// An input on which two behaviour classes differ: the most useful thing a split vote knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// The call, as source code.
    pub input: String,
    /// Each answer with the votes for it, most votes first.
    pub answers: Vec<(String, u32)>,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It votes, was stopped, or what it was decided on is void.
    #[default]
    Open,
    /// It has a winner.
    Won,
    /// It has none and will get none.
    Lost,
}

/// What one step of the plan cost and how it voted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StepReport {
    /// The function the step wrote.
    pub name: String,
    /// How its vote ended.
    #[serde(default)]
    pub state: StepState,
    /// How often a step below it was blamed before this vote; the votes before those are void.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Samples drawn.
    pub samples: u32,
    /// Discarded samples by kind of red flag, as [`crate::red_flag_detector::RedFlag::name`] calls it.
    pub red_flags: BTreeMap<String, u32>,
    /// Candidates that failed an example and did not vote.
    pub gate_rejected: u32,
    /// Votes per class, most first.
    pub tally: Vec<ClassVotes>,
    /// Lead of the first class over the second.
    pub margin: u32,
    /// The margin that decides.
    pub k: u32,
    /// Inputs on which the classes differ, smallest first.
    #[serde(default)]
    pub disagreements: Vec<Disagreement>,
    /// Calls that a user could settle the split with, as small as they could be made; the one that tells
    /// most votes apart first. Empty when nothing was split, or nobody could answer.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// When nothing stood against the winner but that nothing spoke for it: clauses that would, made of what it does on
    /// small calls, marked as guesses (`@example? f([1]) == 1`) until a user accepts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// How many of the samples were drawn by an earlier run of the same task, and judged again.
    #[serde(default)]
    pub taken_up: u32,
    /// Share of distinct behaviours among the votes, those of refuted winners included: 1 when no two
    /// votes agree, small when the samples differ little. `None` without votes.
    #[serde(default)]
    pub diversity: Option<f64>,
    /// Tokens the models wrote.
    #[serde(default)]
    pub completion_tokens: u64,
    /// How many of the votes agree with the first class, those of refuted classes being votes against it,
    /// with an interval for the chance that a sample does. Agreement is not yet being right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Steps whose functions this one may call.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How often its part of the task was split: 0 for the task itself.
    #[serde(default)]
    pub depth: u32,
    /// Whether the offered edit goes without it: what was written in the end does not call it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// The vote on how to split it, when a planner was asked; named `plan of` the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<StepReport>>,
    /// What testers, critics and discriminators contributed; `None` when none was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Box<AdviceReport>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Identifier of the run in the journal.
    pub id: String,
    /// The file.
    pub file: String,
    /// The function.
    pub function: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// One sentence: why it was offered, abstained or failed.
    pub reason: String,
    /// The steps in plan order.
    pub steps: Vec<StepReport>,
    /// The layers of the last candidate that was verified.
    pub layers: Vec<LayerReport>,
    /// The edits, only when `outcome` is `verified`. Byte ranges into the text the run was given.
    pub edits: Vec<TextEdit>,
    /// The record of an accepted edit.
    pub certificate: Option<Certificate>,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
}

impl RunReport {
    /// The layers as a stack report.
    pub fn stack(&self) -> StackReport {
        StackReport { layers: self.layers.clone() }
    }
}

/// Progress of a run, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum RunEvent {
    /// The run began; the plan has this many steps.
    Started {
        /// Functions to be written, in order.
        steps: Vec<String>,
    },
    /// A model is being loaded; this can take seconds.
    LoadingModel {
        /// Its name.
        model: String,
    },
    /// A sample came back.
    Sampled {
        /// Step name.
        step: String,
        /// Samples so far.
        samples: u32,
        /// Attempts allowed.
        max_attempts: u32,
    },
    /// A sample was discarded.
    Flagged {
        /// Step name.
        step: String,
        /// Why.
        flag: RedFlag,
    },
    /// A candidate failed an example and does not vote.
    GateRejected {
        /// Step name.
        step: String,
        /// Which claim it failed.
        why: String,
    },
    /// A vote was counted.
    Voted {
        /// Step name.
        step: String,
        /// All classes, most votes first.
        tally: Vec<ClassVotes>,
        /// Lead of the first over the second.
        margin: u32,
        /// The margin that decides.
        k: u32,
    },
    /// A class won; verification begins.
    Decided {
        /// Step name.
        step: String,
        /// The winning class.
        class: String,
    },
    /// A tester, a critic or a discriminator has answered.
    Advised {
        /// Step name.
        step: String,
        /// `tester`, `critic` or `discriminator`.
        agent: String,
        /// What it contributes, in a few words.
        says: String,
    },
    /// The journal does not have the whole run.
    NotJournaled {
        /// Why, with the remedy.
        why: String,
    },
    /// A layer began.
    LayerStarted {
        /// Which.
        layer: Layer,
    },
    /// A layer ended.
    LayerFinished {
        /// Its report.
        report: LayerReport,
    },
}
