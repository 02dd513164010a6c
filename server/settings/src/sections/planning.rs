//! `planning`: how a task is split into steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a task is split into steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Planning {
    /// Where plans come from: `off` (every function is written as a whole; a spec with `@step` lines is
    /// refused), `steps` (from `@step` lines), `auto` (where there are none, a model proposes plans and
    /// they are voted on).
    pub mode: PlanningMode,
    /// Functions that a plan may have, the task itself included. A larger plan is refused.
    #[schemars(range(min = 1, max = 1000))]
    pub max_steps: u32,
    /// How often a part of the task may be split again; 1 splits the task alone. Only used by `auto`.
    #[schemars(range(min = 1, max = 10))]
    pub max_depth: u32,
    /// The lead that decides a vote on plans. Only used by `auto`.
    #[schemars(range(min = 1, max = 100))]
    pub k: u32,
    /// Plans that may be drawn for one function; without a decision it is written as a whole. Only used
    /// by `auto`.
    #[schemars(range(min = 1, max = 1000))]
    pub max_attempts: u32,
    /// Steps that vote side by side, at most.
    #[schemars(range(min = 1, max = 256))]
    pub steps_in_flight: u32,
    /// Steps that may be blamed when the whole fails, and vote again, per run.
    #[schemars(range(max = 100))]
    pub revotes: u32,
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            mode: PlanningMode::Steps,
            max_steps: 100,
            max_depth: 2,
            k: 2,
            max_attempts: 6,
            steps_in_flight: 2,
            revotes: 2,
        }
    }
}

/// Where plans come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlanningMode {
    /// From nowhere.
    Off,
    /// From `@step` lines.
    #[default]
    Steps,
    /// From `@step` lines, else from a model.
    Auto,
}
