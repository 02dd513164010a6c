//! The parts an agent can play (seed: `agents/archetypes.py`).

use serde::{Deserialize, Serialize};

/// What an agent is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Archetype {
    /// Decomposes a spec into steps.
    Planner,
    /// Writes one function.
    Coder,
    /// Writes tests; they count as weak votes, never as a gate.
    Tester,
}

/// How a coder goes about it. Styles change the prompt, not the task, and so decorrelate errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoderStyle {
    /// The spec as written.
    Plain,
    /// Asks for the shortest clear code.
    Terse,
    /// Asks to think of the edge cases first.
    Careful,
    /// The contracts and examples before the prose.
    ExamplesFirst,
}

impl CoderStyle {
    /// Every style; the first is what a first vote uses.
    pub const ALL: [CoderStyle; 4] =
        [CoderStyle::Plain, CoderStyle::Terse, CoderStyle::ExamplesFirst, CoderStyle::Careful];
}
