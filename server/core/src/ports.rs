//! What the domain asks of the outside world. Implementations live in `llm`, `verification`
//! and `engine`; tests use the scripted model of `test-support`.

use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;

/// A boxed future; the domain names no runtime.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Standing instructions.
    System,
    /// The task.
    User,
    /// The model.
    Assistant,
}

/// One message of a chat prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A limit on what the model may write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// A JSON schema.
    JsonSchema(serde_json::Value),
    /// A regular expression.
    Regex(String),
}

/// What is asked of a model once.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRequest {
    /// The prompt; the model's own chat template is applied to it.
    pub messages: Vec<Message>,
    /// 0 means greedy.
    pub temperature: f64,
    /// Nucleus sampling; 1 switches it off.
    pub top_p: f64,
    /// Seed of this sample alone: equal requests with equal seeds may, with other seeds must be
    /// allowed to, differ.
    pub seed: u64,
    /// At most this many new tokens.
    pub max_tokens: usize,
    /// Decoding ends before any of these.
    pub stop: Vec<String>,
    /// A grammar, if any.
    pub constraint: Option<Constraint>,
}

/// Why decoding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was done, or a stop text came.
    Stop,
    /// `max_tokens` was reached: the text is truncated.
    Length,
}

/// One model response.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleResponse {
    /// The text.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens read.
    pub prompt_tokens: usize,
    /// Tokens written.
    pub completion_tokens: usize,
    /// Which model answered.
    pub model: String,
}

/// Why a model gave no response.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The model cannot be had: file missing, damaged, endpoint refused. Trying again will not help.
    #[error("{0}")]
    Unavailable(String),
    /// It may work next time: time-out, overload, dropped connection.
    #[error("{0}")]
    Transient(String),
    /// The request itself is at fault, e.g. the prompt is longer than the context.
    #[error("{0}")]
    Rejected(String),
    /// It has failed so often in a row that it is left alone for now.
    #[error("{why}")]
    LeftAlone {
        /// What happened.
        why: String,
        /// Milliseconds until it may be tried; 0 while another call tries whether it works again.
        for_ms: u64,
    },
}

/// A language model. Dropping the returned future cancels decoding, for real.
pub trait Model: Send + Sync {
    /// The name shown to users and written into certificates.
    fn name(&self) -> &str;
    /// Draws one sample.
    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>>;
}
