//! A model that says what it was told to say: fast, deterministic, and it knows who cancelled it.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroerr_core::ports::{BoxFuture, FinishReason, Model, ModelError, SampleRequest, SampleResponse};

/// What the model does when it is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Says this.
    Text(String),
    /// Says this, cut off by the token limit.
    Truncated(String),
    /// Says this after a while.
    Slow(Duration, String),
    /// Never answers; only cancellation ends it.
    Hang,
    /// Fails.
    Fail(ModelError),
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Chooses a reply by what is asked.
type Answer = Arc<dyn Fn(&SampleRequest) -> Reply + Send + Sync>;

#[derive(Default)]
struct Record {
    answer: Option<Answer>,
    script: VecDeque<Reply>,
    then: Option<Reply>,
    requests: Vec<SampleRequest>,
    in_flight: usize,
    most_in_flight: usize,
    cancelled: usize,
}

/// A [`Model`] that replays replies in the order in which it is asked. Clones share one script.
#[derive(Clone, Default)]
pub struct ScriptedModel {
    record: Arc<Mutex<Record>>,
}

impl std::fmt::Debug for ScriptedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedModel").field("requests", &self.requests().len()).finish_non_exhaustive()
    }
}

impl ScriptedModel {
    /// Replays `replies`; asked once more, it fails with [`ModelError::Unavailable`].
    pub fn new(replies: impl IntoIterator<Item = impl Into<Reply>>) -> Self {
        let script = replies.into_iter().map(Into::into).collect();
        Self { record: Arc::new(Mutex::new(Record { script, ..Record::default() })) }
    }

    /// Replies to each request on its own, whatever order they come in.
    pub fn answering(answer: impl Fn(&SampleRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self { record: Arc::new(Mutex::new(Record { answer: Some(Arc::new(answer)), ..Record::default() })) }
    }

    /// Gives `reply` whenever the script is at its end.
    pub fn then_always(self, reply: impl Into<Reply>) -> Self {
        self.with(|r| r.then = Some(reply.into()));
        self
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<SampleRequest> {
        self.with(|r| r.requests.clone())
    }

    /// Samples that are being drawn now.
    pub fn in_flight(&self) -> usize {
        self.with(|r| r.in_flight)
    }

    /// The most samples that were ever drawn at once.
    pub fn most_in_flight(&self) -> usize {
        self.with(|r| r.most_in_flight)
    }

    /// Samples that were dropped before they had answered.
    pub fn cancelled(&self) -> usize {
        self.with(|r| r.cancelled)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Record) -> T) -> T {
        f(&mut self.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Counts a sample as cancelled unless it was told that it has ended.
struct InFlight {
    model: ScriptedModel,
    ended: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let cancelled = usize::from(!self.ended);
        self.model.with(|r| {
            r.in_flight -= 1;
            r.cancelled += cancelled;
        });
    }
}

impl Model for ScriptedModel {
    fn name(&self) -> &str {
        "scripted"
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(async move {
            let prompt_tokens = request.messages.iter().map(|m| tokens(&m.content)).sum();
            let answer = self.with(|r| r.answer.clone()).map(|answer| answer(&request));
            let reply = self.with(|r| {
                r.requests.push(request);
                r.in_flight += 1;
                r.most_in_flight = r.most_in_flight.max(r.in_flight);
                answer.or_else(|| r.script.pop_front()).or_else(|| r.then.clone())
            });
            let mut guard = InFlight { model: self.clone(), ended: false };
            let said = match reply {
                Some(Reply::Text(text)) => Ok((text, FinishReason::Stop)),
                Some(Reply::Truncated(text)) => Ok((text, FinishReason::Length)),
                Some(Reply::Slow(after, text)) => {
                    tokio::time::sleep(after).await;
                    Ok((text, FinishReason::Stop))
                }
                Some(Reply::Hang) => pending().await,
                Some(Reply::Fail(error)) => Err(error),
                None => Err(ModelError::Unavailable("the script is at its end".into())),
            };
            guard.ended = true;
            said.map(|(text, finish)| SampleResponse {
                completion_tokens: tokens(&text),
                text,
                finish,
                prompt_tokens,
                model: "scripted".into(),
            })
        })
    }
}

/// As good a count as a script needs: words.
fn tokens(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_core::ports::{Message, Role};

    fn request(content: &str) -> SampleRequest {
        let messages = vec![Message { role: Role::User, content: content.into() }];
        SampleRequest {
            messages,
            temperature: 0.0,
            top_p: 1.0,
            seed: 1,
            max_tokens: 9,
            stop: Vec::new(),
            constraint: None,
        }
    }

    #[tokio::test]
    async fn replays_in_order_then_repeats_then_fails() {
        let model = ScriptedModel::new(["one", "two"]);
        assert_eq!(model.sample(request("a")).await.unwrap().text, "one");
        assert_eq!(model.sample(request("b")).await.unwrap().text, "two");
        assert!(matches!(model.sample(request("c")).await, Err(ModelError::Unavailable(_))));
        assert_eq!(
            model.requests().iter().map(|r| r.messages[0].content.as_str()).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        let model = ScriptedModel::new([Reply::Truncated("x".into())]).then_always("y");
        assert_eq!(model.sample(request("a")).await.unwrap().finish, FinishReason::Length);
        for _ in 0..3 {
            assert_eq!(model.sample(request("a")).await.unwrap().text, "y");
        }
        assert_eq!(model.cancelled(), 0);
    }

    #[tokio::test]
    async fn a_dropped_sample_counts_as_cancelled() {
        let model = ScriptedModel::new([Reply::Hang, Reply::Hang]);
        let sampler = model.clone();
        let one = tokio::spawn(async move { sampler.sample(request("a")).await });
        while model.in_flight() < 1 {
            tokio::task::yield_now().await;
        }
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
        assert_eq!((model.in_flight(), model.cancelled()), (0, 1));
    }
}
