//! `agents`: who advises the vote beside those who write code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Testers, discriminators and critics: they can split votes and ask for more of them, and neither reject
/// a candidate nor make one win. All are off unless switched on here; they use `llm.models.verifier` where there
/// is one, else the models that write functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Agents {
    /// Testers per step. Their tests are weak votes (see `weak_votes`); inputs of them that look like the
    /// examples' are among those that candidates are compared on.
    #[schemars(range(max = 16))]
    pub testers: u32,
    /// Tests that a tester may write.
    #[schemars(range(min = 1, max = 50))]
    pub tests: u32,
    /// Votes that the leader needs more while sets of candidates that pass the same tests speak for another
    /// behaviour (candidates times tests, CodeT's agreement).
    #[schemars(range(min = 1, max = 100))]
    pub weak_votes: u32,
    /// How often a split of a step is put to a discriminator, which proposes inputs on which two behaviours
    /// may differ.
    #[schemars(range(max = 16))]
    pub discriminators: u32,
    /// Whether a critic reads a winner that every required layer has passed.
    pub critic: bool,
    /// Votes that a critic's objection costs the winner.
    #[schemars(range(min = 1, max = 100))]
    pub objection_votes: u32,
    /// Whether samples from the ninth on are told the task over again in other words, so that they differ more.
    pub paraphrase: bool,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            testers: 0,
            tests: 8,
            weak_votes: 1,
            discriminators: 0,
            critic: false,
            objection_votes: 1,
            paraphrase: false,
        }
    }
}
