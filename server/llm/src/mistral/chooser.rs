//! Chooses the tokens of one request inside the engine's decode loop, and ends it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mistralrs::{CustomLogitsProcessor, Tensor};
use zeroerr_core::ports::SampleRequest;

use crate::sampling::Sampler;

/// Why a chooser chose no further token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The model said that it is done.
    Stop,
    /// As many tokens as were asked for.
    Length,
}

/// The engine asks it for every token; its refusal ends the sequence.
pub(super) struct Chooser {
    state: Mutex<State>,
    prompt: usize,
    max: usize,
    constrained: bool,
    ends: Arc<[u32]>,
}

struct State {
    sampler: Sampler,
    written: usize,
    first: Option<u32>,
    ending: Option<Ending>,
}

impl Chooser {
    pub(super) fn new(request: &SampleRequest, prompt: usize, max: usize, ends: Arc<[u32]>) -> Self {
        let sampler = Sampler::new(request.temperature, request.top_p, request.seed);
        let state = Mutex::new(State { sampler, written: 0, first: None, ending: None });
        Self { state, prompt, max, constrained: request.constraint.is_some(), ends }
    }

    /// Tokens chosen.
    pub(super) fn written(&self) -> usize {
        self.lock().written
    }

    /// The first token chosen.
    pub(super) fn first(&self) -> Option<u32> {
        self.lock().first
    }

    /// Why it ended, if it has.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.lock().ending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CustomLogitsProcessor for Chooser {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> mistralrs::Result<Tensor> {
        let mut state = self.lock();
        let mut values = logits.to_vec1::<f32>()?;
        let written = context.len().saturating_sub(self.prompt);
        if written >= self.max {
            state.ending = Some(Ending::Length);
            return Err(candle_core::Error::Msg("as long as asked for".to_owned()));
        }
        let token = state.sampler.choose(&values);
        // Under a grammar the engine asks twice: with all logits, and, when the grammar refuses
        // that choice, with the refused ones at minus infinity. Only then is an end token final.
        let may_end = !self.constrained || values.contains(&f32::NEG_INFINITY);
        if may_end && self.ends.binary_search(&token).is_ok() {
            state.ending = Some(Ending::Stop);
            return Err(candle_core::Error::Msg("the model is done".to_owned()));
        }
        state.written = written + 1;
        if written == 0 {
            state.first = Some(token);
        }
        only(&mut values, token);
        let length = values.len();
        Tensor::from_vec(values, length, logits.device())
    }
}

/// Leaves the engine nothing to choose.
pub(super) fn only(values: &mut [f32], token: u32) {
    values.fill(f32::NEG_INFINITY);
    if let Some(value) = values.get_mut(token as usize) {
        *value = 0.0;
    }
}
