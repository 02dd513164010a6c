//! A swarm: the agents that work on one step, with mixed models and temperatures.

use serde::{Deserialize, Serialize};

use crate::archetypes::Archetype;
use crate::base_agent::Draw;
use crate::diversity::{derive_seed, variation};

/// Who works on a step and how warm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swarm {
    /// Models in the order they take turns; at least one.
    pub models: Vec<String>,
    /// Temperature of the first vote (the paper: 0).
    pub first_temperature: f64,
    /// Temperature of all later votes.
    pub temperature: f64,
    /// Seed of the run.
    pub seed: u64,
}

impl Swarm {
    /// How sample number `id` of `step` is drawn.
    pub fn draw(&self, step: &str, id: u64) -> Draw {
        let seed = derive_seed(self.seed, step, id);
        let (style, example_order) = variation(id, seed);
        let model = match self.models.len() {
            0 => String::new(),
            n => self.models[(id % n as u64) as usize].clone(),
        };
        let temperature = if id == 0 { self.first_temperature } else { self.temperature };
        Draw { archetype: Archetype::Coder, style, model, temperature, seed, example_order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_take_turns_and_only_the_first_vote_is_greedy() {
        let swarm = Swarm { models: vec!["a".into(), "b".into()], first_temperature: 0.0, temperature: 0.6, seed: 1 };
        let draws: Vec<_> = (0..4).map(|i| swarm.draw("f", i)).collect();
        assert_eq!(draws.iter().map(|d| d.model.as_str()).collect::<Vec<_>>(), ["a", "b", "a", "b"]);
        assert_eq!(draws.iter().map(|d| d.temperature).collect::<Vec<_>>(), [0.0, 0.6, 0.6, 0.6]);
        assert_ne!(draws[1].seed, draws[3].seed);
    }
}
