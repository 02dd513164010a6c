//! What a run is allowed to do; a snapshot of the settings, taken when the run begins.

use serde::{Deserialize, Serialize};
pub use zeroerr_agents::orchestrator::AgentRules;
use zeroerr_agents::orchestrator::StepRules;
use zeroerr_agents::plan_machine::PlanRules;
use zeroerr_core::verdict::Policy;
use zeroerr_core::voting_engine::adaptive::Aim;

/// See the module. Kept in the journal: what an older version did not know has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOptions {
    /// The lead that decides.
    pub k: u32,
    /// Samples at most, per step.
    pub max_attempts: u32,
    /// Samples in flight at most.
    pub in_flight: u32,
    /// Temperature of the first vote.
    pub first_temperature: f64,
    /// Temperature of later votes.
    pub temperature: f64,
    /// Nucleus sampling of later votes.
    pub top_p: f64,
    /// Longest response, in tokens.
    pub max_tokens: usize,
    /// Seed of the run; equal seeds draw equal samples.
    pub seed: u64,
    /// Which layers may be missing.
    pub policy: Policy,
    /// How a task is split into steps.
    pub planning: Planning,
    /// Which agents take part beside the coders.
    pub agents: Agents,
    /// When set, `k` is not fixed: it begins at what the plan's length asks for, and follows the votes.
    pub reliability: Option<Reliability>,
    /// Whether the votes on a function that stands alone are counted input by input, weighed by what its
    /// examples are worth. Runs of older versions counted whole behaviours.
    pub by_input: bool,
}

/// What `voting.k: auto` goes by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Chance that a sample is right, as assumed before the votes.
    pub assumed_success: f64,
    /// Chance that a whole plan is to be right.
    pub target: f64,
}

/// Which agents take part beside the coders; none unless asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agents {
    /// Who, and what their word costs.
    #[serde(flatten)]
    pub rules: AgentRules,
    /// Tests that one tester writes, at most.
    pub tests: u32,
    /// Whether later samples are told the task over again in other words.
    pub paraphrase: bool,
}

impl Default for Agents {
    fn default() -> Self {
        let rules = AgentRules { weak_votes: 1, objection_votes: 1, ..AgentRules::default() };
        Self { rules, tests: 8, paraphrase: false }
    }
}

/// Where plans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// From nowhere: a spec with `@step` lines is refused.
    Off,
    /// From `@step` lines alone.
    #[default]
    Steps,
    /// Where there are none, from a planner.
    Auto,
}

/// How a task is split into steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Planning {
    /// Where plans come from.
    pub mode: PlanMode,
    /// How often a part of the task may be split again; 1 splits the task alone.
    pub max_depth: u32,
    /// The lead that decides a vote on plans.
    pub k: u32,
    /// Plans that are drawn, at most, per function.
    pub max_attempts: u32,
    /// Steps of a plan, at most, the task itself included.
    pub max_steps: u32,
    /// Steps that vote side by side.
    pub steps_in_flight: u32,
    /// Steps that may be blamed for a failure and vote again, per run.
    pub revotes: u32,
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            mode: PlanMode::Steps,
            max_depth: 2,
            k: 2,
            max_attempts: 6,
            max_steps: zeroerr_core::decomposition_engine::MAX_STEPS as u32,
            steps_in_flight: 2,
            revotes: 2,
        }
    }
}

impl Planning {
    /// The rules of a vote on plans.
    pub fn voting(&self, in_flight: u32) -> StepRules {
        StepRules { k: self.k, max_attempts: self.max_attempts, in_flight }
    }

    /// The rules of a plan.
    pub fn rules(&self) -> PlanRules {
        PlanRules { in_flight: self.steps_in_flight, revotes: self.revotes, ..PlanRules::default() }
    }
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            k: 3,
            max_attempts: 20,
            in_flight: 2,
            first_temperature: 0.0,
            temperature: 0.6,
            top_p: 0.95,
            max_tokens: 512,
            seed: 0,
            policy: Policy::default(),
            planning: Planning::default(),
            agents: Agents::default(),
            reliability: None,
            by_input: false,
        }
    }
}

impl RunOptions {
    /// What each step of a plan aims at.
    pub fn aim(&self, steps: u64) -> Option<Aim> {
        self.reliability.map(|r| Aim { p: r.assumed_success, target: r.target, steps })
    }

    /// The rules of every step.
    pub fn rules(&self) -> StepRules {
        StepRules { k: self.k, max_attempts: self.max_attempts, in_flight: self.in_flight }
    }
}
