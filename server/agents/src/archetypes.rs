//! The parts an agent can play (seed: `agents/archetypes.py`).

use serde::{Deserialize, Serialize};
use zeroerr_core::advice::Errand;

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
    /// Reads a winner that every required layer has passed; it can object, not approve.
    Critic,
    /// Looks for inputs on which two behaviours may differ.
    Discriminator,
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

impl Archetype {
    /// The prefix of what its answers are seeded by: another than a coder's, whose samples are seeded by
    /// the step's name alone.
    pub fn purpose(self) -> &'static str {
        match self {
            Archetype::Planner => "plan of ",
            Archetype::Coder => "",
            Archetype::Tester => "tests of ",
            Archetype::Critic => "critique of ",
            Archetype::Discriminator => "inputs of ",
        }
    }
}

impl From<Errand> for Archetype {
    fn from(errand: Errand) -> Self {
        match errand {
            Errand::Test(_) => Archetype::Tester,
            Errand::Discriminate(_) => Archetype::Discriminator,
            Errand::Criticise(_) => Archetype::Critic,
        }
    }
}
