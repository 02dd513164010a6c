//! What a pool tells of its models: events as they happen, and how each is doing.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroerr_core::circuit_breaker::BreakerState;
use zeroerr_core::ports::ModelError;

/// What happens to a model, for progress displays and logs.
#[derive(Debug, Clone, PartialEq)]
pub enum PoolEvent {
    /// Loading has begun.
    Loading {
        /// The model.
        model: String,
    },
    /// It is loaded.
    Loaded {
        /// The model.
        model: String,
        /// How long it took.
        after: Duration,
    },
    /// It could not be loaded.
    LoadFailed {
        /// The model.
        model: String,
        /// Why, with the remedy.
        error: ModelError,
    },
    /// It was idle and its memory is free again.
    Unloaded {
        /// The model.
        model: String,
    },
    /// A transient failure is retried after a pause.
    Retrying {
        /// The model.
        model: String,
        /// What failed.
        error: ModelError,
        /// The pause.
        pause: Duration,
    },
    /// It failed repeatedly and is left alone.
    LeftAlone {
        /// The model.
        model: String,
        /// For how long.
        pause: Duration,
        /// The last failure.
        error: String,
    },
    /// It was left alone, was tried, and works again.
    Recovered {
        /// The model.
        model: String,
    },
}

/// Whether a model is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadState {
    /// Not in memory.
    Cold,
    /// Being loaded.
    Loading,
    /// Ready.
    Ready,
}

/// One line of [`ModelPool::status`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
    /// The model.
    pub name: String,
    /// Whether it is in memory.
    pub state: LoadState,
    /// Its breaker.
    pub breaker: BreakerState,
    /// How long it is still left alone, in milliseconds; 0 when it is not.
    pub open_for_ms: u64,
    /// Retries so far.
    pub retries: u64,
    /// Retries that its budget still allows; successes earn it back.
    pub retries_left: u32,
    /// Samples under way.
    pub busy: usize,
    /// Answers so far.
    pub answers: u64,
    /// Failures so far, retried ones included.
    pub failures: u64,
    /// Tokens written so far.
    pub tokens: u64,
    /// The last failure.
    pub last_error: Option<String>,
}

/// Takes the events of a pool.
pub type OnPoolEvent = Arc<dyn Fn(PoolEvent) + Send + Sync>;
