//! A model behind an OpenAI-compatible server: vLLM, the shared pool, llama.cpp, a cloud.
//!
//! Always streams, so that dropping the future closes the connection and the server stops decoding.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::timeout;
use zeroerr_core::ports::{
    BoxFuture, Constraint, FinishReason, Message, Model, ModelError, Role, SampleRequest, SampleResponse,
};

use crate::sse::Lines;

/// How a server is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiConfig {
    /// Address up to and without `/chat/completions`, e.g. `http://127.0.0.1:8000/v1`.
    pub base_url: String,
    /// The model's name on the server.
    pub model: String,
    /// Name of the environment variable that holds the key; the key itself is never stored or shown.
    pub api_key_env: Option<String>,
    /// Milliseconds to connect.
    pub connect_ms: u64,
    /// Milliseconds until the first token; a server may have to load the model first.
    pub first_token_ms: u64,
    /// Milliseconds between tokens.
    pub idle_ms: u64,
    /// Whether the server knows vLLM's `guided_regex` and `guided_json`; else only JSON schemas
    /// are passed on, as `response_format`.
    pub guided: bool,
}

impl Default for OpenAiConfig {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            api_key_env: None,
            connect_ms: 5_000,
            first_token_ms: 120_000,
            idle_ms: 30_000,
            guided: false,
        }
    }
}

/// See the module.
pub struct OpenAiModel {
    name: String,
    config: OpenAiConfig,
    url: String,
    key: Option<String>,
    client: Client,
}

/// Longest line of a stream; more is no chat stream.
const LONGEST_LINE: usize = 1 << 20;

impl OpenAiModel {
    /// A client; connects at the first sample.
    ///
    /// # Errors
    /// An address that is none, or a key variable that is not set.
    pub fn new(name: impl Into<String>, config: OpenAiConfig) -> Result<Self, ModelError> {
        let name = name.into();
        let url = format!("{}/chat/completions", config.base_url.trim_end_matches('/'));
        let parsed = reqwest::Url::parse(&url).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
        if parsed.is_none() {
            return Err(ModelError::Unavailable(format!(
                "model {name}: `{}` is no http(s) address; check `llm.endpoints.{name}.url`",
                config.base_url
            )));
        }
        let key = match &config.api_key_env {
            None => None,
            Some(variable) => Some(std::env::var(variable).ok().filter(|k| !k.is_empty()).ok_or_else(|| {
                ModelError::Unavailable(format!(
                    "model {name}: the environment variable {variable} holds no key; set it, or remove `llm.endpoints.{name}.api_key_env`"
                ))
            })?),
        };
        let client = Client::builder().connect_timeout(Duration::from_millis(config.connect_ms)).build();
        let client = client.map_err(|e| ModelError::Unavailable(format!("model {name}: no HTTP client: {e}")))?;
        Ok(Self { name, config, url, key, client })
    }

    async fn ask(&self, request: SampleRequest) -> Result<SampleResponse, ModelError> {
        let mut builder = self.client.post(&self.url).json(&self.body(&request)?);
        if let Some(key) = &self.key {
            builder = builder.bearer_auth(key);
        }
        let first = Duration::from_millis(self.config.first_token_ms);
        let response = match timeout(first, builder.send()).await {
            Err(_) => return Err(self.transient(&format!("no answer in {} ms", self.config.first_token_ms))),
            Ok(Err(error)) => return Err(self.unreachable(&error)),
            Ok(Ok(response)) => response,
        };
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        let mut response = self.read(response).await?;
        if self.config.guided {
            response.text.insert_str(0, split_begun(&request.messages).0);
        }
        Ok(response)
    }

    async fn read(&self, response: Response) -> Result<SampleResponse, ModelError> {
        let mut stream = response.bytes_stream();
        let (mut lines, mut answer) = (Lines::default(), Answer::default());
        let mut patience = self.config.first_token_ms;
        let (mut said_anything, mut is_stream) = (false, false);
        loop {
            let chunk = match timeout(Duration::from_millis(patience), stream.next()).await {
                Err(_) => return Err(self.transient(&format!("nothing came for {patience} ms"))),
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    return Err(self.transient(&format!("the connection broke off ({})", cause(&error))));
                }
                Ok(Some(Ok(chunk))) => chunk,
            };
            said_anything |= !chunk.is_empty();
            for data in lines.push(&chunk) {
                is_stream = true;
                if data == "[DONE]" {
                    return answer.finish(self);
                }
                answer.add(&data).map_err(|detail| self.garbage(&detail))?;
                patience = self.config.idle_ms;
            }
            if lines.pending() > LONGEST_LINE {
                return Err(self.garbage("a line without end"));
            }
        }
        if said_anything && !is_stream {
            return Err(self.garbage("no event in all it says"));
        }
        answer.finish(self)
    }

    fn body(&self, request: &SampleRequest) -> Result<Value, ModelError> {
        let (begun, messages) = split_begun(&request.messages);
        // vLLM continues a begun answer; what others make of one differs, so they are not sent it.
        let messages = if self.config.guided { request.messages.as_slice() } else { messages };
        let mut body = json!({
            "model": self.config.model,
            "messages": messages,
            "temperature": request.temperature,
            "top_p": request.top_p,
            // Some servers keep seeds in 32 signed bits.
            "seed": request.seed & 0x7fff_ffff,
            "max_tokens": request.max_tokens,
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        // Servers take four at most. An answer that is not begun for the model begins alike: a stop
        // text in it would end it there.
        let stops: Vec<&String> =
            request.stop.iter().filter(|s| self.config.guided || !begun.contains(s.as_str())).take(4).collect();
        if !stops.is_empty() {
            body["stop"] = json!(stops);
        }
        if self.config.guided && !begun.is_empty() {
            body["continue_final_message"] = json!(true);
            body["add_generation_prompt"] = json!(false);
        }
        match &request.constraint {
            None => {}
            Some(Constraint::JsonSchema(schema)) if self.config.guided => body["guided_json"] = schema.clone(),
            Some(Constraint::JsonSchema(schema)) => {
                body["response_format"] =
                    json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}});
            }
            Some(Constraint::Regex(regex)) if self.config.guided => body["guided_regex"] = json!(regex),
            Some(Constraint::Regex(_)) => {
                return Err(ModelError::Rejected(format!(
                    "model {} cannot be held to a regular expression; set `{}: true` if its server is vLLM",
                    self.name,
                    self.setting("guided")
                )));
            }
        }
        Ok(body)
    }

    /// The whole name of one of the endpoint's settings: the model is called what the endpoint is.
    fn setting(&self, key: &str) -> String {
        format!("llm.endpoints.{}.{key}", self.name)
    }

    async fn refused(&self, response: Response) -> ModelError {
        let status = response.status();
        let text = timeout(Duration::from_secs(5), response.text()).await.ok().and_then(Result::ok).unwrap_or_default();
        // Some servers quote the key that they refuse.
        let text = self.key.as_deref().filter(|k| !k.is_empty()).map_or(text.clone(), |key| text.replace(key, "<key>"));
        let detail = format!("{} answers {status}: {}", self.url, server_message(&text));
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let remedy = match &self.config.api_key_env {
                    Some(variable) => format!("check the key in {variable}"),
                    None => format!("name the variable that holds a key in `{}`", self.setting("api_key_env")),
                };
                ModelError::Unavailable(format!("{detail}; {remedy}"))
            }
            StatusCode::NOT_FOUND => ModelError::Unavailable(format!(
                "{detail}; check `{}` and the model's name `{}` in `{}`",
                self.setting("url"),
                self.config.model,
                self.setting("model")
            )),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT => {
                ModelError::Transient(detail)
            }
            _ if status.is_server_error() => ModelError::Transient(detail),
            _ if status.is_client_error() => ModelError::Rejected(detail),
            _ => ModelError::Unavailable(format!("{detail}; check `{}`", self.setting("url"))),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> ModelError {
        let detail = cause(error);
        if error.is_connect() && !error.is_timeout() {
            return ModelError::Unavailable(format!("cannot reach {} ({detail}); is the server running?", self.url));
        }
        self.transient(&detail)
    }

    fn transient(&self, detail: &str) -> ModelError {
        ModelError::Transient(format!("{}: {detail}", self.url))
    }

    fn garbage(&self, detail: &str) -> ModelError {
        ModelError::Unavailable(format!(
            "{} does not speak the OpenAI chat protocol ({detail}); check `{}`",
            self.url,
            self.setting("url")
        ))
    }
}

impl Model for OpenAiModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(self.ask(request))
    }
}

/// The beginning of the answer, if the last message is one, and the messages before it.
fn split_begun(messages: &[Message]) -> (&str, &[Message]) {
    match messages.split_last() {
        Some((last, rest)) if last.role == Role::Assistant => (&last.content, rest),
        _ => ("", messages),
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: usize,
    #[serde(default)]
    completion_tokens: usize,
}

/// What has come so far.
#[derive(Default)]
struct Answer {
    text: String,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
    chunks: usize,
    error: Option<String>,
}

impl Answer {
    fn add(&mut self, data: &str) -> Result<(), String> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|e| e.to_string())?;
        if let Some(error) = chunk.error {
            self.error = Some(server_message(&error.to_string()));
        }
        self.usage = chunk.usage.or(self.usage.take());
        for choice in chunk.choices.into_iter().take(1) {
            if let Some(text) = choice.delta.content.filter(|t| !t.is_empty()) {
                self.text.push_str(&text);
                self.chunks += 1;
            }
            self.finish = match choice.finish_reason.as_deref() {
                None | Some("") => self.finish,
                Some("length") => Some(FinishReason::Length),
                Some(_) => Some(FinishReason::Stop),
            };
        }
        Ok(())
    }

    /// The stream is over; without a finish reason it was cut.
    fn finish(self, model: &OpenAiModel) -> Result<SampleResponse, ModelError> {
        if let Some(error) = self.error {
            return Err(model.transient(&error));
        }
        let Some(finish) = self.finish else {
            return Err(model.transient("the stream ended before the answer did"));
        };
        let usage = self.usage.unwrap_or(Usage { prompt_tokens: 0, completion_tokens: self.chunks });
        Ok(SampleResponse {
            text: self.text,
            finish,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            model: model.name.clone(),
        })
    }
}

/// `{"error": {"message": …}}` in its many spellings, else the first line, in 200 characters.
fn server_message(body: &str) -> String {
    let json = serde_json::from_str::<Value>(body).unwrap_or(Value::Null);
    let spellings = ["/error/message", "/message", "/detail", "/error"];
    let message = spellings.iter().find_map(|path| json.pointer(path).and_then(Value::as_str)).map(str::to_owned);
    let message = message.unwrap_or_else(|| body.lines().next().unwrap_or("").to_owned());
    message.chars().take(200).collect()
}

fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
