//! A backend that replays given texts: for recorded samples, and for tests that must not depend on
//! what a model happens to say.
//!
//! The file is a JSON list; each entry is a text, or `{"text": …, "delay_ms": …, "finish":
//! "length"}`. Every request takes the next entry; when they are used up the model is unavailable.
//! `{"by_seed": [entries]}` lets each request's seed choose. `{"by_words": [{"words": …, "say": [entries]}]}`
//! has a list for each kind of question: the first whose words stand in it is said in turn, again and again.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use zeroerr_core::ports::{BoxFuture, FinishReason, Model, ModelError, SampleRequest, SampleResponse};

/// See the module.
#[derive(Debug)]
pub struct ReplayModel {
    name: String,
    script: Script,
    next: AtomicUsize,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Script {
    InOrder(Vec<Entry>),
    BySeed { by_seed: Vec<Entry> },
    ByWords { by_words: Vec<Worded> },
}

/// What is said to a question with these words in it.
#[derive(Debug, Deserialize)]
struct Worded {
    words: String,
    say: Vec<Entry>,
    #[serde(skip)]
    next: AtomicUsize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Full {
        text: String,
        #[serde(default)]
        delay_ms: u64,
        #[serde(default = "stop")]
        finish: FinishReason,
    },
}

fn stop() -> FinishReason {
    FinishReason::Stop
}

impl ReplayModel {
    /// Reads the texts.
    ///
    /// # Errors
    /// When the file cannot be read or is not such a list; the message names the file.
    pub fn open(name: impl Into<String>, path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| ModelError::Unavailable(format!("cannot read recorded samples {}: {e}", path.display())))?;
        let script = serde_json::from_str(&text).map_err(|e| {
            ModelError::Unavailable(format!("{} is no JSON list of recorded samples: {e}", path.display()))
        })?;
        Ok(Self { name: name.into(), script, next: AtomicUsize::new(0) })
    }

    /// What is said to a request.
    fn entry(&self, request: &SampleRequest) -> Result<Entry, String> {
        let found = match &self.script {
            Script::InOrder(entries) => entries.get(self.next.fetch_add(1, Ordering::SeqCst)),
            Script::BySeed { by_seed } => {
                // The high bits: derived seeds are well mixed, and small ones that users write are not.
                let mixed = request.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
                by_seed.get((mixed % by_seed.len().max(1) as u64) as usize)
            }
            Script::ByWords { by_words } => {
                let question = request.messages.last().map_or("", |m| m.content.as_str());
                let worded = by_words.iter().find(|w| question.contains(&w.words));
                let worded = worded.ok_or_else(|| format!("no recorded sample answers: {question}"))?;
                worded.say.get(worded.next.fetch_add(1, Ordering::SeqCst) % worded.say.len().max(1))
            }
        };
        found.cloned().ok_or_else(|| "all recorded samples are used up".to_owned())
    }
}

impl Model for ReplayModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(async move {
            let entry = self.entry(&request).map_err(ModelError::Unavailable)?;
            let (text, delay_ms, finish) = match entry {
                Entry::Text(text) => (text, 0, FinishReason::Stop),
                Entry::Full { text, delay_ms, finish } => (text, delay_ms, finish),
            };
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            let completion_tokens = text.len().div_ceil(4);
            Ok(SampleResponse { text, finish, prompt_tokens: 0, completion_tokens, model: self.name.clone() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> SampleRequest {
        SampleRequest {
            messages: vec![],
            temperature: 0.0,
            top_p: 1.0,
            seed: 0,
            max_tokens: 1,
            stop: vec![],
            constraint: None,
        }
    }

    #[tokio::test]
    async fn texts_come_in_order_and_then_no_more() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"["a", {"text": "b", "finish": "length"}]"#).unwrap();
        let model = ReplayModel::open("replay", file.path()).unwrap();
        assert_eq!(model.sample(request()).await.unwrap().text, "a");
        assert_eq!(model.sample(request()).await.unwrap().finish, FinishReason::Length);
        assert!(matches!(model.sample(request()).await, Err(ModelError::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_seed_always_gets_the_same_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"by_seed": ["a", "b", "c"]}"#).unwrap();
        let model = ReplayModel::open("replay", file.path()).unwrap();
        let mut said = Vec::new();
        for seed in (0..30).chain(0..30) {
            said.push(model.sample(SampleRequest { seed, ..request() }).await.unwrap().text);
        }
        assert_eq!(said[..30], said[30..]);
        assert!(["a", "b", "c"].iter().all(|t| said.iter().any(|s| s == t)), "{said:?}");
    }

    #[tokio::test]
    async fn words_choose_what_is_said_in_turn() {
        use zeroerr_core::ports::{Message, Role};
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = r#"{"by_words": [{"words": "odd", "say": ["o"]}, {"words": "even", "say": ["e1", "e2"]}]}"#;
        std::fs::write(file.path(), script).unwrap();
        let model = ReplayModel::open("replay", file.path()).unwrap();
        let ask = async |content: &str| {
            let messages = vec![Message { role: Role::User, content: content.into() }];
            model.sample(SampleRequest { messages, ..request() }).await.map(|said| said.text)
        };
        let mut said = Vec::new();
        for question in ["even or odd", "even", "even", "odd", "even"] {
            said.push(ask(question).await.unwrap());
        }
        assert_eq!(said, ["o", "e1", "e2", "o", "e1"]);
        assert!(ask("prime").await.unwrap_err().to_string().contains("no recorded sample answers: prime"));
    }

    #[test]
    fn a_file_that_is_no_list_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{").unwrap();
        let error = ReplayModel::open("replay", file.path()).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}
