//! Messages to the client, in the order in which they are given, without ever waiting for it.

use futures::future::FutureExt as _;
use lsp_types::notification::Notification;
use lsp_types::request::Request as LspRequest;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tower::Service as _;
use tower_lsp::Client;
use tower_lsp::jsonrpc::{Error, Request, Response};

use crate::state::Event;

/// The way to the client.
pub(crate) struct Outbox {
    client: Client,
    events: UnboundedSender<Event>,
    closed: CancellationToken,
}

impl Outbox {
    pub(crate) fn new(client: Client, events: UnboundedSender<Event>) -> Self {
        Self { client, events, closed: CancellationToken::new() }
    }

    /// Sends a notification.
    pub(crate) fn notify<N: Notification>(&self, params: N::Params) {
        match serde_json::to_value(params) {
            Ok(params) => self.send(Request::build(N::METHOD).params(params).finish(), |_| None),
            Err(error) => tracing::error!("could not write {}: {error}", N::METHOD),
        }
    }

    /// Sends a request; its answer comes back as the event that `then` makes of it.
    pub(crate) fn request<R: LspRequest>(
        &self,
        params: R::Params,
        then: impl FnOnce(Result<R::Result, String>) -> Option<Event> + Send + 'static,
    ) where
        R::Result: Send,
    {
        let params = match serde_json::to_value(params) {
            Ok(params) => params,
            Err(error) => return tracing::error!("could not write {}: {error}", R::METHOD),
        };
        let request = Request::build(R::METHOD).params(params).id(self.client.next_request_id()).finish();
        self.send(request, |response| {
            let (_, result) =
                response.map_or_else(|| (Default::default(), Err(Error::internal_error())), Response::into_parts);
            then(
                result
                    .map_err(|e| e.message.into_owned())
                    .and_then(|value| serde_json::from_value(value).map_err(|e| e.to_string())),
            )
        });
    }

    /// Nothing is sent and no answer waited for from here on.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    fn send(&self, request: Request, then: impl FnOnce(Option<Response>) -> Option<Event> + Send + 'static) {
        if self.closed.is_cancelled() {
            return;
        }
        // Polled once here, so that messages leave in the order they were given; each call has
        // a sender of its own, whose one guaranteed place in the queue makes that poll enough.
        follow(self.client.clone().call(request), then, self.events.clone(), self.closed.clone());
    }
}

/// Polls once, and waits in the background for an answer that is not there yet. On a busy machine
/// the client can be faster than this thread: then the answer is there at once.
fn follow<E: Send + 'static>(
    mut sending: impl Future<Output = Result<Option<Response>, E>> + Send + Unpin + 'static,
    then: impl FnOnce(Option<Response>) -> Option<Event> + Send + 'static,
    events: UnboundedSender<Event>,
    closed: CancellationToken,
) {
    let end = move |result: Result<Option<Response>, E>| {
        if let Some(event) = result.ok().and_then(then) {
            drop(events.send(event));
        }
    };
    match (&mut sending).now_or_never() {
        Some(result) => end(result),
        None => drop(tokio::spawn(async move {
            tokio::select! {
                biased;
                () = closed.cancelled() => {}
                result = sending => end(result),
            }
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};

    use tokio::sync::mpsc::unbounded_channel;
    use tower_lsp::jsonrpc::Id;

    use super::*;

    fn then(response: Option<Response>) -> Option<Event> {
        response.map(|r| Event::ProgressCreated { job: 7, shown: r.is_ok() })
    }

    #[tokio::test]
    async fn an_answer_that_is_faster_than_we_are_is_heard_once() {
        let (events, mut inbox) = unbounded_channel();
        let answer = Response::from_ok(Id::Number(1), serde_json::Value::Null);
        follow(ready(Ok::<_, Infallible>(Some(answer))), then, events, CancellationToken::new());
        assert!(matches!(inbox.recv().await, Some(Event::ProgressCreated { job: 7, shown: true })));
        assert!(inbox.recv().await.is_none(), "nothing waits for a second answer");
    }

    #[tokio::test]
    async fn an_answer_that_never_comes_ends_with_the_connection() {
        let (events, mut inbox) = unbounded_channel();
        let closed = CancellationToken::new();
        follow(pending::<Result<_, Infallible>>(), then, events, closed.clone());
        closed.cancel();
        assert!(inbox.recv().await.is_none());
    }
}
