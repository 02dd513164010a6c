//! From the wire to events, in wire order, each request answered exactly once.
//!
//! tower-lsp polls its handlers in any order. [`Ordered`] therefore polls each once, here and
//! now, as its message is read: every handler puts its event into the queue before its first
//! wait, so that the queue has wire order. A handler that panics answers with an error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::future::{self, BoxFuture, FutureExt as _};
use lsp_types::*;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tower::Service;
use tower_lsp::LanguageServer;
use tower_lsp::jsonrpc::{Error, Request, Response, Result};

use crate::requests::code_action::Offered;
use crate::state::{Event, Reply};

/// Starts every handler in the order in which messages are read.
pub(crate) struct Ordered<S, P> {
    inner: S,
    /// Sees every message before its handler does.
    prepare: P,
}

impl<S, P> Ordered<S, P> {
    pub(crate) fn new(inner: S, prepare: P) -> Self {
        Self { inner, prepare }
    }
}

impl<S, P, E> Service<Request> for Ordered<S, P>
where
    P: Fn(Request) -> Request,
    S: Service<Request, Response = Option<Response>, Error = E>,
    S::Future: Send + 'static,
    E: Send + 'static,
{
    type Response = Option<Response>;
    type Error = E;
    type Future = BoxFuture<'static, std::result::Result<Option<Response>, E>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), E>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let request = (self.prepare)(request);
        let id = request.id().cloned();
        let failed = move |panic: Box<dyn Any + Send>| Ok(id.map(|id| Response::from_error(id, panicked(&*panic))));
        let started = match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(handler) => handler,
            Err(panic) => return future::ready(failed(panic)).boxed(),
        };
        let mut handler = AssertUnwindSafe(started).catch_unwind().map(|end| end.unwrap_or_else(failed)).boxed();
        match (&mut handler).now_or_never() {
            Some(answer) => future::ready(answer).boxed(),
            None => handler,
        }
    }
}

/// The error that a panic becomes.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let mut error = Error::internal_error();
    error.message = format!("internal error in zeroerr: {}; please report it", panic_text(panic)).into();
    tracing::error!("{}", error.message);
    error
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
}

/// The name under which code actions are asked for here: tower-lsp's own handler of the method would
/// drop what its types do not know.
pub(crate) const CODE_ACTION: &str = "zeroerr/codeAction";

/// Looks at a message before its handler does: keeps what the handler's types would drop.
pub(crate) fn prepare(events: UnboundedSender<Event>) -> impl Fn(Request) -> Request {
    move |request| match request.method() {
        "initialize" => {
            drop(events.send(Event::Announced(request.params().cloned().unwrap_or_default())));
            request
        }
        "textDocument/codeAction" => {
            let (_, id, params) = request.into_parts();
            let renamed = Request::build(CODE_ACTION);
            let renamed = id.into_iter().fold(renamed, tower_lsp::jsonrpc::RequestBuilder::id);
            params.into_iter().fold(renamed, tower_lsp::jsonrpc::RequestBuilder::params).finish()
        }
        _ => request,
    }
}

/// The handlers: each turns its message into an event and, for a request, waits for the answer.
#[derive(Debug)]
pub(crate) struct Frontend {
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) shut_down: Arc<AtomicBool>,
}

impl Frontend {
    fn tell(&self, event: Event) {
        drop(self.events.send(event));
    }

    async fn ask<T>(&self, event: impl FnOnce(Reply<T>) -> Event) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(event(reply));
        // The answer's sender is lost only by a panic or at the end.
        answer.await.unwrap_or_else(|_| Err(Error::internal_error()))
    }

    /// `window/workDoneProgress/cancel`, which tower-lsp's trait lacks.
    pub(crate) async fn progress_cancel(&self, params: WorkDoneProgressCancelParams) {
        self.tell(Event::ProgressCancelled(params.token));
    }

    /// `$/setTrace`, which tower-lsp's trait lacks.
    pub(crate) async fn set_trace(&self, params: SetTraceParams) {
        self.tell(Event::TraceSet(params.value));
    }

    /// `textDocument/inlineCompletion`, which tower-lsp's trait lacks.
    pub(crate) async fn inline_completion(
        &self,
        params: InlineCompletionParams,
    ) -> Result<Option<InlineCompletionResponse>> {
        self.ask(|reply| Event::InlineCompletion(params, reply)).await
    }

    /// `textDocument/codeAction`, whose actions have tags since 3.18; see [`prepare`].
    pub(crate) async fn code_action(&self, params: CodeActionParams) -> Result<Option<Vec<Offered>>> {
        self.ask(|reply| Event::CodeAction(params, reply)).await
    }
}

impl LanguageServer for Frontend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        self.ask(|reply| Event::Initialize(Box::new(params), reply)).await
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        self.shut_down.store(true, Ordering::SeqCst);
        self.ask(Event::Shutdown).await
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Opened(params));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Changed(params));
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {}

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Closed(params));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.tell(Event::SettingsChanged(params.settings));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(Event::FoldersChanged(params));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        self.tell(Event::FilesTold(params));
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        self.ask(|reply| Event::Hover(params, reply)).await
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        self.ask(|reply| Event::Completion(params, reply)).await
    }

    /// Actions are complete from the start; Neovim and Helix ask all the same.
    async fn code_action_resolve(&self, action: CodeAction) -> Result<CodeAction> {
        Ok(action)
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        self.ask(|reply| Event::CodeLens(params, reply)).await
    }

    async fn code_lens_resolve(&self, lens: CodeLens) -> Result<CodeLens> {
        Ok(lens)
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        self.ask(|reply| Event::InlayHint(params, reply)).await
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        self.ask(|reply| Event::DocumentLink(params, reply)).await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask(|reply| Event::FoldingRange(params, reply)).await
    }

    async fn semantic_tokens_full(&self, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
        self.ask(|reply| Event::TokensFull(params, reply)).await
    }

    async fn semantic_tokens_full_delta(
        &self,
        params: SemanticTokensDeltaParams,
    ) -> Result<Option<SemanticTokensFullDeltaResult>> {
        self.ask(|reply| Event::TokensDelta(params, reply)).await
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        self.ask(|reply| Event::TokensRange(params, reply)).await
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        self.ask(|reply| Event::Diagnostic(params, reply)).await
    }

    async fn workspace_diagnostic(&self, params: WorkspaceDiagnosticParams) -> Result<WorkspaceDiagnosticReportResult> {
        self.ask(|reply| Event::WorkspaceDiagnostic(params, reply)).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        self.ask(|reply| Event::Command(params, reply)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// A service whose handlers write their method down when they are first polled.
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Service<Request> for Recorder {
        type Response = Option<Response>;
        type Error = String;
        type Future = BoxFuture<'static, std::result::Result<Option<Response>, String>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::result::Result<(), String>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request) -> Self::Future {
            let seen = self.0.clone();
            Box::pin(async move {
                seen.lock().unwrap().push(request.method().to_owned());
                assert!(request.method() != "panic", "on purpose");
                tokio::task::yield_now().await;
                Ok(request.id().map(|id| Response::from_ok(id.clone(), LSPAny::Null)))
            })
        }
    }

    fn request(method: &'static str) -> Request {
        Request::build(method).id(7).finish()
    }

    #[tokio::test]
    async fn handlers_begin_in_the_order_in_which_messages_are_read_whoever_is_polled_first() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut service = Ordered::new(Recorder(seen.clone()), |r| r);
        let (first, second) = (service.call(request("first")), service.call(request("second")));
        assert!(second.await.unwrap().unwrap().is_ok());
        assert!(first.await.unwrap().unwrap().is_ok());
        assert_eq!(*seen.lock().unwrap(), ["first", "second"]);
    }

    #[tokio::test]
    async fn a_handler_that_panics_answers_with_an_error() {
        let mut service = Ordered::new(Recorder(Arc::default()), |r| r);
        let response = service.call(request("panic")).await.unwrap().unwrap();
        let error = response.error().unwrap();
        assert_eq!(error.message, "internal error in zeroerr: on purpose; please report it");
    }
}
