//! mistral.rs in process: a GGUF file, one engine thread, one request at a time on a CPU.
//!
//! What this module adds to the engine, and why:
//! * **Its own choice of tokens** ([`Chooser`]), since the engine's generator has a constant seed
//!   shared by all requests. The chooser also ends a request, by refusing to choose after the last
//!   token: the engine then drops the sequence without running the model on an end token.
//! * **A prompt cache that works.** The engine reuses a cached prefix only when the new prompt is
//!   *longer* than what matches, so equal prompts, the normal case of voting, are computed anew
//!   each time; and on a CPU it never evicts. [`prefix`] caches a prompt without its last token,
//!   keeps finished answers out, and empties the cache when it grows.
//! * **One at a time on a CPU:** candle multiplies a batch row by row, so eight together gain
//!   nothing, while the first of eight in turn is done eight times sooner.

mod chooser;
mod prefix;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use either::Either;
use mistralrs::{
    Constraint as EngineConstraint, CustomLogitsProcessor, GgufModelBuilder, Model as Engine, NormalRequest, Request,
    RequestMessage, Response, SamplingParams, TextMessageRole, TextMessages,
};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::{Mutex, Semaphore};
use zeroerr_core::ports::{
    BoxFuture, Constraint, FinishReason, Message, Model, ModelError, Role, SampleRequest, SampleResponse,
};

use crate::gguf::{self, GgufInfo};
use chooser::{Chooser, Ending};
use prefix::PrefixCache;

/// How a model file is loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Name shown to users.
    pub name: String,
    /// At most this many tokens of prompt and answer; 0 means what the model was made for.
    pub context: usize,
    /// Where the copy in formats that are fast on this CPU lies; `None` loads the file as it is.
    pub optimised_copy: Option<PathBuf>,
    /// Requests decoded together; 1 is best on a CPU, more pays on a GPU.
    pub parallel: usize,
    /// Bytes that cached prompts may take; 0 caches none.
    pub prompt_cache_bytes: usize,
}

impl LoadOptions {
    /// The defaults for a model of this name.
    pub fn new(name: impl Into<String>) -> Self {
        let gpu = cfg!(any(feature = "cuda", feature = "metal"));
        Self {
            name: name.into(),
            context: 0,
            optimised_copy: None,
            parallel: if gpu { 16 } else { 1 },
            prompt_cache_bytes: 256 << 20,
        }
    }
}

/// A loaded model. Dropping the last handle ends its engine thread and frees its memory.
pub struct MistralModel {
    name: String,
    engine: Arc<Engine>,
    info: GgufInfo,
    context: usize,
    ends: Arc<[u32]>,
    turns: Semaphore,
    prefixes: Mutex<PrefixCache>,
}

impl MistralModel {
    /// Checks and loads a GGUF file, off the async runtime.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`] with path and remedy, also when the engine panics.
    pub async fn load(path: &Path, options: LoadOptions) -> Result<Self, ModelError> {
        let path = path.to_path_buf();
        let shown = path.display().to_string();
        let loading = tokio::task::spawn_blocking(move || load_blocking(&path, options));
        loading.await.unwrap_or_else(|panic| {
            Err(ModelError::Unavailable(format!(
                "the engine failed while loading {shown} ({}); fetch it again (zeroerr models pull), or choose another model",
                panic_text(panic)
            )))
        })
    }

    /// What the file says of itself.
    pub fn info(&self) -> &GgufInfo {
        &self.info
    }

    async fn decode(&self, request: SampleRequest) -> Result<SampleResponse, ModelError> {
        let _turn = self.turns.acquire().await.map_err(|_| self.gone())?;
        let prompt = self.tokens(&request.messages).await?;
        let room = self.context.saturating_sub(prompt.len());
        if room == 0 {
            return Err(ModelError::Rejected(format!(
                "the prompt has {} tokens, {} takes {} for prompt and answer; shorten the spec or choose a model with a longer context",
                prompt.len(),
                self.name,
                self.context
            )));
        }
        self.prefixes.lock().await.prepare(self, &prompt).await?;
        let chooser =
            Arc::new(Chooser::new(&request, prompt.len(), request.max_tokens.min(room), Arc::clone(&self.ends)));
        let constraint = match request.constraint {
            None => EngineConstraint::None,
            Some(Constraint::JsonSchema(schema)) => EngineConstraint::JsonSchema(schema),
            Some(Constraint::Regex(regex)) => EngineConstraint::Regex(regex),
        };
        let prompt_tokens = prompt.len();
        let begun = request
            .messages
            .last()
            .filter(|m| m.role == Role::Assistant)
            .map(|m| m.content.clone())
            .unwrap_or_default();
        let receiver = self.send(prompt, chooser.clone(), constraint, None).await?;
        let (text, finish) = self.collect(receiver, &chooser, &request.stop, !begun.is_empty()).await?;
        let text = begun + &text;
        Ok(SampleResponse {
            text,
            finish,
            prompt_tokens,
            completion_tokens: chooser.written(),
            model: self.name.clone(),
        })
    }

    /// Reads until the chooser ends the request or a stop text comes; dropping the receiver
    /// makes the engine give up the sequence at its next token.
    async fn collect(
        &self,
        mut receiver: Receiver<Response>,
        chooser: &Chooser,
        stop: &[String],
        continues: bool,
    ) -> Result<(String, FinishReason), ModelError> {
        let mut text = String::new();
        let longest = stop.iter().map(String::len).max().unwrap_or(0);
        while let Some(response) = receiver.recv().await {
            match response {
                Response::CompletionChunk(chunk) => {
                    let seen = text.len();
                    if continues && seen == 0 {
                        text = self.leading_space(chooser).await;
                    }
                    chunk.choices.iter().for_each(|choice| text.push_str(&choice.text));
                    if let Some(end) = first_stop(&text, seen.saturating_sub(longest), stop) {
                        text.truncate(end);
                        return Ok((text, FinishReason::Stop));
                    }
                    if chunk.choices.iter().any(|choice| choice.finish_reason.is_some()) {
                        return Ok((text, FinishReason::Stop));
                    }
                }
                Response::ValidationError(error) => {
                    return Err(ModelError::Rejected(format!("{} refused the request: {error}", self.name)));
                }
                Response::InternalError(error) => {
                    return match chooser.ending() {
                        Some(Ending::Stop) => Ok((text, FinishReason::Stop)),
                        Some(Ending::Length) => Ok((text, FinishReason::Length)),
                        None => Err(ModelError::Transient(format!("{} failed while decoding: {error}", self.name))),
                    };
                }
                Response::CompletionModelError(error, _) => {
                    return Err(ModelError::Transient(format!("{} failed while decoding: {error}", self.name)));
                }
                _ => return Err(ModelError::Transient(format!("{} gave an answer of an unknown kind", self.name))),
            }
        }
        Err(self.gone())
    }

    /// The white space that an answer begins with. The engine drops it, and with it the line break
    /// and the indentation when the answer continues a begun one.
    async fn leading_space(&self, chooser: &Chooser) -> String {
        let Some(first) = chooser.first() else { return String::new() };
        let engine = Arc::clone(&self.engine);
        let text = shielded(async move { engine.detokenize(vec![first], false).await.ok() })
            .await
            .flatten()
            .unwrap_or_default();
        text.chars().take_while(|c| c.is_whitespace()).collect()
    }

    /// The prompt as the model's own chat template writes it. A last message of the assistant is
    /// the beginning of its answer, which it is to continue.
    async fn tokens(&self, messages: &[Message]) -> Result<Vec<u32>, ModelError> {
        let (begun, messages) = match messages.split_last() {
            Some((last, rest)) if last.role == Role::Assistant => (last.content.as_str(), rest),
            _ => ("", messages),
        };
        let messages = messages.iter().fold(TextMessages::new(), |all, message| {
            let role = match message.role {
                Role::System => TextMessageRole::System,
                Role::User => TextMessageRole::User,
                Role::Assistant => TextMessageRole::Assistant,
            };
            all.add_message(role, &message.content)
        });
        let (engine, begun) = (Arc::clone(&self.engine), begun.to_owned());
        let tokens = shielded(async move {
            let said = |e: &dyn std::fmt::Display| e.to_string();
            let mut tokens =
                engine.tokenize(Either::Left(messages), None, true, true, None).await.map_err(|e| said(&e))?;
            if !begun.is_empty() {
                let more = engine.tokenize(Either::Right(begun), None, false, false, None).await;
                tokens.extend(more.map_err(|e| said(&e))?);
            }
            Ok::<_, String>(tokens)
        });
        let refused =
            |e: String| ModelError::Rejected(format!("the chat template of {} refused the prompt: {e}", self.name));
        tokens.await.ok_or_else(|| self.gone())?.map_err(refused)
    }

    async fn send(
        &self,
        tokens: Vec<u32>,
        processor: Arc<dyn CustomLogitsProcessor>,
        constraint: EngineConstraint,
        max_len: Option<usize>,
    ) -> Result<Receiver<Response>, ModelError> {
        let (response, receiver) = channel(64);
        let request = NormalRequest {
            messages: RequestMessage::CompletionTokens(tokens),
            // Temperature must be given as 0: the engine takes "none" for 1. The chooser does the rest.
            sampling_params: SamplingParams { temperature: Some(0.0), max_len, ..SamplingParams::neutral() },
            response,
            return_logprobs: false,
            is_streaming: true,
            id: 0,
            constraint,
            suffix: None,
            tools: None,
            tool_choice: None,
            logits_processors: Some(vec![processor]),
            return_raw_logits: false,
            web_search_options: None,
            model_id: None,
            truncate_sequence: false,
        };
        let sender = self.engine.inner().get_sender(None).map_err(|_| self.gone())?;
        sender.send(Request::Normal(Box::new(request))).await.map_err(|_| self.gone())?;
        Ok(receiver)
    }

    fn gone(&self) -> ModelError {
        ModelError::Transient(format!("the engine of {} has stopped", self.name))
    }
}

impl Model for MistralModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(self.decode(request))
    }
}

fn load_blocking(path: &Path, options: LoadOptions) -> Result<MistralModel, ModelError> {
    let fail = |e: &dyn std::fmt::Display| {
        ModelError::Unavailable(format!(
            "mistral.rs cannot load {} ({e}); its architecture may be unknown to it: choose another model",
            path.display()
        ))
    };
    let mut path = path.to_path_buf();
    let mut info = gguf::inspect(&path)?;
    let cpu = !cfg!(any(feature = "cuda", feature = "metal"));
    if let Some(copy) = options.optimised_copy.as_deref().filter(|_| cpu && info.slow_format) {
        match gguf::optimised(&path, copy) {
            Ok(fast) => {
                info = gguf::inspect(&fast)?;
                path = fast;
            }
            // A full disk or a read-only store costs speed, not the model.
            Err(error) => tracing::warn!(%error, "loading the model in its own, slower format"),
        }
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = path.file_name().and_then(|f| f.to_str()).ok_or_else(|| fail(&"its name is not UTF-8"))?;
    let mut builder = GgufModelBuilder::new(folder.display(), vec![file]).with_max_num_seqs(options.parallel.max(1));
    if cpu {
        builder = builder.with_force_cpu();
    }
    // Building is one long computation that happens to be `async`.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| fail(&e))?;
    let engine = runtime.block_on(builder.build()).map_err(|e| fail(&e))?;
    let context = if options.context == 0 { info.context } else { options.context.min(info.context) };
    Ok(MistralModel {
        name: options.name,
        engine: Arc::new(engine),
        context,
        ends: info.ends.clone().into(),
        turns: Semaphore::new(options.parallel.max(1)),
        prefixes: Mutex::new(PrefixCache::new(info.cache_bytes_per_token, options.prompt_cache_bytes, info.vocabulary)),
        info,
    })
}

/// Runs to its end even when the caller is cancelled: the engine's thread panics when nobody takes
/// the answer to a tokenization. `None` when it panicked.
async fn shielded<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(future).await.ok()
}

/// Byte offset of the first stop text at or after `from`.
fn first_stop(text: &str, from: usize, stop: &[String]) -> Option<usize> {
    let from = (0..=from.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let tail = text.get(from..)?;
    stop.iter().filter(|s| !s.is_empty()).filter_map(|s| tail.find(s.as_str())).min().map(|at| from + at)
}

fn panic_text(error: tokio::task::JoinError) -> String {
    if error.is_cancelled() {
        return "loading was cancelled".to_owned();
    }
    let panic = error.into_panic();
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("panic").lines().next().unwrap_or("panic").to_owned()
}
