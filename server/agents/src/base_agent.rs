//! One agent: an archetype bound to a model and a temperature.

use serde::{Deserialize, Serialize};

use crate::archetypes::{Archetype, CoderStyle};

/// How one sample is to be drawn. Everything that makes two samples of a step differ is in here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// Which part the agent plays.
    pub archetype: Archetype,
    /// How a coder goes about it.
    pub style: CoderStyle,
    /// Name of the model in the pool.
    pub model: String,
    /// Sampling temperature; 0 is greedy.
    pub temperature: f64,
    /// Seed of the sample.
    pub seed: u64,
    /// Seed of the order in which examples are shown; 0 keeps the written order.
    pub example_order: u64,
    /// In which other words the task is said over again; 0 is none.
    pub paraphrase: u8,
}
