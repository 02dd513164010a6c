//! A swarm: the agents that work on one step, with mixed models and temperatures.

use serde::{Deserialize, Serialize};
use zeroerr_core::advice::Errand;

use crate::archetypes::{Archetype, CoderStyle};
use crate::base_agent::Draw;
use crate::diversity::{Variant, derive_seed, variation};

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
        let Variant { style, example_order, paraphrase } = variation(id, seed);
        let model = match self.models.len() {
            0 => String::new(),
            n => self.models[(id % n as u64) as usize].clone(),
        };
        let temperature = if id == 0 { self.first_temperature } else { self.temperature };
        Draw { archetype: Archetype::Coder, style, model, temperature, seed, example_order, paraphrase }
    }

    /// How an errand on `step` is drawn: the first of its kind at the first temperature, each by another
    /// model than the one before, and a critic by another than whoever wrote the code, where there is one.
    pub fn errand(&self, step: &str, errand: Errand) -> Draw {
        let archetype = Archetype::from(errand);
        let (turn, warm) = match errand {
            Errand::Test(n) | Errand::Discriminate(n) => (u64::from(n), n > 0),
            Errand::Criticise(id) => (id + 1, false),
        };
        let draw = self.draw(&format!("{}{step}", archetype.purpose()), turn);
        let temperature = if warm { self.temperature } else { self.first_temperature };
        Draw { archetype, style: CoderStyle::Plain, example_order: 0, paraphrase: 0, temperature, ..draw }
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

    #[test]
    fn errands_have_seeds_of_their_own_and_a_critic_is_another_model() {
        let swarm = Swarm { models: vec!["a".into(), "b".into()], first_temperature: 0.0, temperature: 0.6, seed: 1 };
        let errands =
            [Errand::Test(0), Errand::Test(1), Errand::Discriminate(0), Errand::Criticise(0), Errand::Criticise(1)];
        let draws: Vec<Draw> = errands.iter().map(|e| swarm.errand("f", *e)).collect();
        let seeds: std::collections::BTreeSet<u64> =
            draws.iter().map(|d| d.seed).chain([swarm.draw("f", 0).seed, swarm.draw("f", 1).seed]).collect();
        assert_eq!(seeds.len(), 7, "no two draw the same");
        assert_eq!(draws.iter().map(|d| d.temperature).collect::<Vec<_>>(), [0.0, 0.6, 0.0, 0.0, 0.0]);
        for id in 0..4 {
            assert_ne!(swarm.errand("f", Errand::Criticise(id)).model, swarm.draw("f", id).model);
        }
    }
}
