//! The prompt cache: which prompts the engine has computed, and the requests that fill and empty it.
//!
//! The engine stores the keys and values of every sequence that *it* finishes, looks for the entry
//! with the longest common prefix, and throws a hit away when nothing of the prompt is left to
//! compute. So: a prompt is stored without its last token, answers are never stored (the chooser
//! ends them), and a stored prompt is followed by a token that the prompt does not continue with.

use std::sync::Arc;

use mistralrs::{Constraint, CustomLogitsProcessor, Response, Tensor};
use zeroerr_core::ports::ModelError;

use super::MistralModel;
use super::chooser::only;

/// Fewer new tokens than this are computed with the request itself.
const WORTH_STORING: usize = 16;
/// A prompt is computed in pieces of this many tokens, so that a cancelled request stops soon.
const PIECE: usize = 128;
/// The engine allocates caches in steps of this many tokens.
const GROWTH: usize = 512;

/// What the engine has stored.
pub(super) struct PrefixCache {
    stored: Vec<Vec<u32>>,
    bytes_per_token: usize,
    budget: usize,
    vocabulary: usize,
}

impl PrefixCache {
    pub(super) fn new(bytes_per_token: usize, budget: usize, vocabulary: usize) -> Self {
        Self { stored: Vec::new(), bytes_per_token, budget, vocabulary }
    }

    /// Makes sure that a request with this prompt has little left to compute.
    pub(super) async fn prepare(&mut self, model: &MistralModel, prompt: &[u32]) -> Result<(), ModelError> {
        let Some((&last, body)) = prompt.split_last().filter(|_| self.budget > 0) else { return Ok(()) };
        let known = self.stored.iter().map(|s| common(s, body)).max().unwrap_or(0);
        if body.len() - known < WORTH_STORING {
            return Ok(());
        }
        let mut end = known;
        while end < body.len() {
            end = (end + PIECE).min(body.len());
            let next = body.get(end).copied().unwrap_or(last);
            let piece = body.get(..end).unwrap_or(body);
            if self.bytes() + self.cost(end) > self.budget && !self.stored.is_empty() {
                self.empty(model).await?;
            }
            // Noted first: a cancelled request may leave the piece in the engine.
            self.stored.push(piece.to_vec());
            if let Err(error) = store(model, piece, next).await {
                self.stored.pop();
                return Err(error);
            }
        }
        Ok(())
    }

    fn cost(&self, tokens: usize) -> usize {
        tokens.div_ceil(GROWTH) * GROWTH * self.bytes_per_token
    }

    fn bytes(&self) -> usize {
        self.stored.iter().map(|s| self.cost(s.len())).sum()
    }

    /// The engine evicts nothing on a CPU and has no request for it, but it forgets every cached
    /// prompt when a step fails: so a step is made to fail, with a token that does not exist.
    async fn empty(&mut self, model: &MistralModel) -> Result<(), ModelError> {
        self.stored.clear();
        let no_such_token = u32::try_from(self.vocabulary).unwrap_or(u32::MAX - 1).saturating_add(1_000_000);
        let mut receiver = model.send(vec![no_such_token], Arc::new(Force(0)), Constraint::None, Some(1)).await?;
        // The engine panics when nobody takes its error: wait for it even if we are cancelled.
        let taken = tokio::spawn(async move { receiver.recv().await.is_some() });
        match taken.await {
            Ok(true) => Ok(()),
            _ => Err(model.gone()),
        }
    }
}

/// Has the engine compute and keep `tokens`, followed by anything but `next`.
async fn store(model: &MistralModel, tokens: &[u32], next: u32) -> Result<(), ModelError> {
    let other = u32::from(next == 0);
    let mut receiver = model.send(tokens.to_vec(), Arc::new(Force(other)), Constraint::None, Some(1)).await?;
    while let Some(response) = receiver.recv().await {
        match response {
            Response::CompletionChunk(chunk) if chunk.choices.iter().any(|c| c.finish_reason.is_some()) => {
                return Ok(());
            }
            Response::CompletionChunk(_) => {}
            Response::ValidationError(error) | Response::InternalError(error) => {
                return Err(ModelError::Transient(format!("{} failed while reading the prompt: {error}", model.name)));
            }
            Response::CompletionModelError(error, _) => {
                return Err(ModelError::Transient(format!("{} failed while reading the prompt: {error}", model.name)));
            }
            _ => break,
        }
    }
    Err(model.gone())
}

/// Always chooses one token.
struct Force(u32);

impl CustomLogitsProcessor for Force {
    fn apply(&self, logits: &Tensor, _: &[u32]) -> mistralrs::Result<Tensor> {
        let mut values = logits.to_vec1::<f32>()?;
        only(&mut values, self.0);
        let length = values.len();
        Tensor::from_vec(values, length, logits.device())
    }
}

fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}
