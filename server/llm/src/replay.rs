//! A backend that replays given texts: for recorded samples, and for tests that must not depend on
//! what a model happens to say.
//!
//! The file is a JSON list; each entry is a text, or `{"text": …, "delay_ms": …, "finish":
//! "length"}`. Every request takes the next entry; when they are used up the model is unavailable.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use zeroerr_core::ports::{BoxFuture, FinishReason, Model, ModelError, SampleRequest, SampleResponse};

/// See the module.
#[derive(Debug)]
pub struct ReplayModel {
    name: String,
    entries: Vec<Entry>,
    by_seed: bool,
    next: AtomicUsize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Script {
    InOrder(Vec<Entry>),
    BySeed { by_seed: Vec<Entry> },
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
        let (entries, by_seed) = match script {
            Script::InOrder(entries) => (entries, false),
            Script::BySeed { by_seed } => (by_seed, true),
        };
        Ok(Self { name: name.into(), entries, by_seed, next: AtomicUsize::new(0) })
    }

    fn place(&self, seed: u64) -> usize {
        if self.by_seed {
            // The high bits: derived seeds are well mixed, and small ones that users write are not.
            let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            return (mixed % self.entries.len().max(1) as u64) as usize;
        }
        self.next.fetch_add(1, Ordering::SeqCst)
    }
}

impl Model for ReplayModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(async move {
            let entry = self.entries.get(self.place(request.seed)).cloned().ok_or_else(|| {
                ModelError::Unavailable(format!("all {} recorded samples are used up", self.entries.len()))
            })?;
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

    #[test]
    fn a_file_that_is_no_list_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{").unwrap();
        let error = ReplayModel::open("replay", file.path()).unwrap_err().to_string();
        assert!(error.contains(&file.path().display().to_string()), "{error}");
    }
}
