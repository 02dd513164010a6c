//! What a run is allowed to do; a snapshot of the settings, taken when the run begins.

use serde::{Deserialize, Serialize};
use zeroerr_agents::orchestrator::StepRules;
use zeroerr_core::verdict::Policy;

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
        }
    }
}

impl RunOptions {
    /// The rules of every step.
    pub fn rules(&self) -> StepRules {
        StepRules { k: self.k, max_attempts: self.max_attempts, in_flight: self.in_flight }
    }
}
