//! First to be ahead by k (MAKER, arXiv 2511.09030): candidates vote for what they *do*.
//!
//! [`tally`] counts, [`theory`] says how many votes that takes and how sure it is, [`estimate`] what
//! the votes say of p, [`adaptive`] how the lead follows them, [`agreement`] what generated tests say, [`sequential`] when to stop trying and
//! how many samples are worth drawing side by side.

pub mod adaptive;
pub mod agreement;
pub mod consensus;
pub mod domain;
pub mod estimate;
mod misses;
pub mod sequential;
pub mod tally;
pub mod theory;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a candidate does: its outcome on each of the step's shared inputs, in input order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Input (a call, as source code) and outcome (`= 3`, `! ValueError`, `timeout`).
    pub outcomes: Vec<(String, String)>,
}

impl Fingerprint {
    /// The behaviour class: a hash of all inputs and outcomes; hex, 64 characters.
    pub fn class(&self) -> String {
        let mut hasher = Sha256::new();
        for (input, outcome) in &self.outcomes {
            for part in [input, outcome] {
                hasher.update((part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        crate::task_specification::hex(&hasher.finalize())
    }

    /// Inputs on which two fingerprints differ, the shortest first.
    pub fn differences<'a>(&'a self, other: &'a Fingerprint) -> Vec<(&'a str, &'a str, &'a str)> {
        let mut found: Vec<_> = self
            .outcomes
            .iter()
            .zip(&other.outcomes)
            .filter(|((a, _), (b, _))| a == b)
            .filter(|((_, x), (_, y))| x != y)
            .map(|((input, x), (_, y))| (input.as_str(), x.as_str(), y.as_str()))
            .collect();
        found.sort_by_key(|(input, _, _)| (input.len(), *input));
        found
    }
}
