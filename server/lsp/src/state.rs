//! The one owner of state. Everything that happens is an [`Event`], handled one at a time; what
//! takes time goes to workers and comes back as another event.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lsp_types::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tower_lsp::Client;
use tower_lsp::jsonrpc::Result;
use zeroerr_core::code::FileAnalysis;
use zeroerr_core::report::RunEvent;

use crate::ServerOptions;
use crate::apply::{ApplyId, PendingEdits};
use crate::client::ClientProfile;
use crate::dispatch::panic_text;
use crate::document::{Analysing, Document, Snapshot};
use crate::jobs::{JobEnd, JobId, JobKind, Jobs};
use crate::marks::Marks;
use crate::outbox::Outbox;
use crate::requests::code_action::Offered;
use crate::watcher::Watch;
use crate::workspace::{FileFaults, Workspace};
use crate::{diagnostics, live, requests};

/// Where a request's answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// Everything that can happen.
pub(crate) enum Event {
    /// The parameters of `initialize` as they came, right before it.
    Announced(serde_json::Value),
    /// `initialize`
    Initialize(Box<InitializeParams>, Reply<InitializeResult>),
    /// `initialized`
    Initialized,
    /// `shutdown`
    Shutdown(Reply<()>),
    /// `textDocument/didOpen`
    Opened(DidOpenTextDocumentParams),
    /// `textDocument/didChange`
    Changed(DidChangeTextDocumentParams),
    /// `textDocument/didClose`
    Closed(DidCloseTextDocumentParams),
    /// `workspace/didChangeConfiguration`
    SettingsChanged(serde_json::Value),
    /// `workspace/didChangeWorkspaceFolders`
    FoldersChanged(DidChangeWorkspaceFoldersParams),
    /// `workspace/didChangeWatchedFiles`
    FilesTold(DidChangeWatchedFilesParams),
    /// `$/setTrace`
    TraceSet(TraceValue),
    /// `window/workDoneProgress/cancel`
    ProgressCancelled(ProgressToken),
    /// `textDocument/hover`
    Hover(HoverParams, Reply<Option<Hover>>),
    /// `textDocument/completion`
    Completion(CompletionParams, Reply<Option<CompletionResponse>>),
    /// `textDocument/codeAction`
    CodeAction(CodeActionParams, Reply<Option<Vec<Offered>>>),
    /// `textDocument/codeLens`
    CodeLens(CodeLensParams, Reply<Option<Vec<CodeLens>>>),
    /// `textDocument/inlayHint`
    InlayHint(InlayHintParams, Reply<Option<Vec<InlayHint>>>),
    /// `textDocument/documentLink`
    DocumentLink(DocumentLinkParams, Reply<Option<Vec<DocumentLink>>>),
    /// `textDocument/foldingRange`
    FoldingRange(FoldingRangeParams, Reply<Option<Vec<FoldingRange>>>),
    /// `textDocument/semanticTokens/full`
    TokensFull(SemanticTokensParams, Reply<Option<SemanticTokensResult>>),
    /// `textDocument/semanticTokens/full/delta`
    TokensDelta(SemanticTokensDeltaParams, Reply<Option<SemanticTokensFullDeltaResult>>),
    /// `textDocument/semanticTokens/range`
    TokensRange(SemanticTokensRangeParams, Reply<Option<SemanticTokensRangeResult>>),
    /// `textDocument/diagnostic`
    Diagnostic(DocumentDiagnosticParams, Reply<DocumentDiagnosticReportResult>),
    /// `workspace/diagnostic`
    WorkspaceDiagnostic(WorkspaceDiagnosticParams, Reply<WorkspaceDiagnosticReportResult>),
    /// `textDocument/inlineCompletion`
    InlineCompletion(InlineCompletionParams, Reply<Option<InlineCompletionResponse>>),
    /// `workspace/executeCommand`
    Command(ExecuteCommandParams, Reply<Option<LSPAny>>),
    /// A command that was answered and now waits for its document to be analysed.
    StartJob(requests::execute_command::JobOrder),
    /// A command on a whole document, which has to be analysed first.
    StartAll { kind: JobKind, uri: Uri },

    /// Our own watch saw files change.
    FilesChanged(Vec<PathBuf>),
    /// A watch has begun; the one before it ends.
    Watching(Watch),
    /// Changes in the workspace have paused.
    WorkspaceDue,
    /// A worker has read the workspace.
    WorkspaceSearched(Vec<Arc<FileFaults>>),
    /// The client sent its settings.
    SettingsArrived(serde_json::Value),
    /// The typing in a document has paused.
    AnalysisDue { uri: Uri, opening: u64 },
    /// A worker has analysed a document.
    Analysed { uri: Uri, opening: u64, snapshot: Arc<Snapshot> },
    /// The client was asked for a progress display.
    ProgressCreated { job: JobId, shown: bool },
    /// What a job told since the last time.
    JobProgress { job: JobId, events: Vec<RunEvent> },
    /// A job has ended.
    JobEnded { job: JobId, end: JobEnd },
    /// A verified edit wants to go into the document once that is analysed.
    ApplyEdit(ApplyId),
    /// The client answered `workspace/applyEdit`.
    EditAnswered { edit: ApplyId, refused: Option<String> },
    /// The client had time enough to show an edit.
    EditOverdue(ApplyId),
    /// The user pressed a button under the question for their consent, or none.
    Chosen { edit: ApplyId, choice: Option<String> },
    /// Something was done and could not be kept; the sentence says why, with the remedy.
    NotKept(String),
    /// The page of a run was made, or there is none; then the report is shown as a text.
    PageMade { page: Option<String>, report: requests::show_report::Report },
    /// A report was written, or could not be; the text is for the second case.
    ReportWritten { path: Option<PathBuf>, after: requests::show_report::After },
    /// The client answered `window/showDocument`; the text is for when it did not.
    ReportShown { shown: bool, after: requests::show_report::After },
    /// The server ends.
    Stop,
}

/// Everything the server knows.
pub(crate) struct State {
    pub(crate) options: Arc<ServerOptions>,
    pub(crate) events: UnboundedSender<Event>,
    pub(crate) outbox: Outbox,
    pub(crate) profile: ClientProfile,
    pub(crate) documents: HashMap<Uri, Document>,
    pub(crate) jobs: Jobs,
    /// Jobs of commands on whole files that begin when others end.
    pub(crate) waiting: VecDeque<requests::execute_command::JobOrder>,
    pub(crate) marks: Marks,
    pub(crate) edits: PendingEdits,
    /// The last settings error, so that it is shown once.
    pub(crate) settings_error: Option<String>,
    /// The client's settings, for when the files beside them change.
    pub(crate) settings: Option<serde_json::Value>,
    pub(crate) workspace: Workspace,
    /// How much of its work the server tells.
    pub(crate) trace: TraceValue,
    /// Whether the client was asked to tell of changed files.
    pub(crate) registered_files: bool,
    /// The parameters of `initialize` as they came.
    pub(crate) announced: serde_json::Value,
    watch: Option<Watch>,
    openings: u64,
    client_gone: Option<oneshot::Sender<()>>,
}

impl State {
    pub(crate) fn new(
        client: Client,
        events: UnboundedSender<Event>,
        options: ServerOptions,
        client_gone: oneshot::Sender<()>,
    ) -> Self {
        let runs_on = options.runs_on.clone();
        Self {
            options: Arc::new(options),
            outbox: Outbox::new(client, events.clone()),
            jobs: Jobs::new(events.clone(), runs_on),
            events,
            profile: ClientProfile::new(&InitializeParams::default(), &serde_json::Value::Null),
            documents: HashMap::new(),
            waiting: VecDeque::new(),
            marks: Marks::default(),
            edits: PendingEdits::default(),
            settings_error: None,
            settings: None,
            workspace: Workspace::default(),
            trace: TraceValue::Off,
            registered_files: false,
            announced: serde_json::Value::Null,
            watch: None,
            openings: 0,
            client_gone: Some(client_gone),
        }
    }

    /// Handles events until [`Event::Stop`], then ends every job.
    pub(crate) async fn run(mut self, mut inbox: UnboundedReceiver<Event>) {
        while let Some(event) = inbox.recv().await {
            if matches!(event, Event::Stop) {
                break;
            }
            // A panic loses the answer's sender, which the handler turns into an error response.
            let (method, begun) = (requests::trace::method(&event), Instant::now());
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.handle(event))) {
                tracing::error!("internal error in zeroerr: {}", panic_text(&*panic));
            }
            requests::trace::log(&self, method, begun.elapsed());
        }
        self.outbox.close();
        self.jobs.end_all().await;
    }

    /// Handles an event now, or keeps it until its document is analysed.
    fn handle(&mut self, event: Event) {
        let waits_for = waits_for(&event).or_else(|| match event {
            Event::ApplyEdit(edit) => self.edits.document_of(edit),
            _ => None,
        });
        if let Some(doc) = waits_for.and_then(|uri| self.documents.get_mut(&uri))
            && !doc.is_current()
        {
            let uri = doc.uri.clone();
            doc.parked.push((doc.revision, event));
            return self.analyse_now(&uri);
        }
        self.answer(event);
    }

    fn answer(&mut self, event: Event) {
        match event {
            Event::Announced(raw) => self.announced = raw,
            Event::Initialize(params, reply) => requests::lifecycle::initialize(self, *params, reply),
            Event::Initialized => requests::lifecycle::initialized(self),
            Event::Shutdown(reply) => requests::lifecycle::shutdown(self, reply),
            Event::Opened(params) => requests::text_sync::opened(self, params),
            Event::Changed(params) => requests::text_sync::changed(self, params),
            Event::Closed(params) => requests::text_sync::closed(self, params),
            Event::SettingsChanged(settings) => requests::configuration::changed(self, settings),
            Event::SettingsArrived(settings) => requests::configuration::arrived(self, settings),
            Event::ProgressCancelled(token) => self.jobs.cancel_token(&token),
            Event::Hover(params, reply) => respond(reply, requests::hover::answer(self, &params)),
            Event::Completion(params, reply) => requests::completion::answer(self, &params, reply),
            Event::CodeAction(params, reply) => respond(reply, requests::code_action::answer(self, &params)),
            Event::CodeLens(params, reply) => respond(reply, requests::code_lens::answer(self, &params)),
            Event::InlayHint(params, reply) => respond(reply, requests::inlay_hint::answer(self, &params)),
            Event::DocumentLink(params, reply) => requests::document_link::answer(self, &params, reply),
            Event::FoldingRange(params, reply) => respond(reply, requests::folding_range::answer(self, &params)),
            Event::TokensFull(params, reply) => respond(reply, requests::semantic_tokens::full(self, &params)),
            Event::TokensDelta(params, reply) => respond(reply, requests::semantic_tokens::delta(self, &params)),
            Event::TokensRange(params, reply) => respond(reply, requests::semantic_tokens::range(self, &params)),
            Event::Diagnostic(params, reply) => respond(reply, requests::diagnostic::answer(self, &params)),
            Event::WorkspaceDiagnostic(params, reply) => requests::workspace_diagnostic::ask(self, params, reply),
            Event::InlineCompletion(params, reply) => {
                respond(reply, requests::inline_completion::answer(self, &params));
            }
            Event::FoldersChanged(params) => requests::workspace_folders::changed(self, &params),
            Event::FilesTold(params) => requests::watched_files::told(self, params),
            Event::TraceSet(value) => self.trace = value,
            Event::FilesChanged(paths) => requests::watched_files::changed(self, &paths),
            Event::Watching(watch) => self.watch = Some(watch),
            Event::WorkspaceDue => requests::workspace_diagnostic::due(self),
            Event::WorkspaceSearched(found) => requests::workspace_diagnostic::searched(self, &found),
            Event::Command(params, reply) => requests::execute_command::answer(self, params, reply),
            Event::StartJob(order) => requests::execute_command::start(self, order),
            Event::StartAll { kind, uri } => requests::whole_file::start(self, kind, &uri),
            Event::AnalysisDue { uri, opening } => {
                if self.documents.get(&uri).is_some_and(|d| d.opening == opening && d.analysing == Analysing::Waiting) {
                    self.analyse_now(&uri);
                }
            }
            Event::Analysed { uri, opening, snapshot } => self.analysed(&uri, opening, snapshot),
            Event::ProgressCreated { job, shown } => {
                self.jobs.progress_created(job, shown, self.profile.titled(), &self.outbox)
            }
            Event::JobProgress { job, events } => {
                if let Some((_, running)) = self.jobs.iter().find(|(id, _)| *id == job) {
                    live::run(self, job, running.kind, &running.target, &events, None);
                }
                self.jobs.progress(job, &events, &self.outbox);
            }
            Event::JobEnded { job, end } => requests::execute_command::ended(self, job, end),
            Event::ApplyEdit(edit) => crate::apply::apply(self, edit),
            Event::EditAnswered { edit, refused } => crate::apply::answered(self, edit, refused),
            Event::Chosen { edit, choice } => crate::confirm::chosen(self, edit, choice.as_deref()),
            Event::EditOverdue(edit) => crate::apply::overdue(self, edit),
            Event::NotKept(why) => self.show(MessageType::WARNING, why),
            Event::PageMade { page, report } => requests::show_report::page_made(self, page, report),
            Event::ReportWritten { path, after } => requests::show_report::written(self, path, after),
            Event::ReportShown { shown, after } => requests::show_report::shown(self, shown, after),
            Event::Stop => {}
        }
    }

    /// Opens a document under a number of its own.
    pub(crate) fn open(&mut self, item: TextDocumentItem) {
        self.openings += 1;
        let doc = Document::new(item.uri.clone(), &item.language_id, item.version, &item.text, self.openings);
        // A client that opens twice gets its old questions answered from the new text.
        let parked = self.documents.remove(&item.uri).map(|old| old.parked).unwrap_or_default();
        self.documents.insert(item.uri, doc);
        parked.into_iter().for_each(|(_, event)| self.handle(event));
    }

    /// Sees to it that a document's text gets analysed: at once, or when typing pauses.
    pub(crate) fn analyse_soon(&mut self, uri: &Uri) {
        let Some(doc) = self.documents.get_mut(uri) else { return };
        if doc.language.is_none() || doc.analysing != Analysing::No {
            return;
        }
        let pause = doc.debounce_ms();
        if pause == 0 || !doc.parked.is_empty() {
            return self.analyse_now(uri);
        }
        doc.analysing = Analysing::Waiting;
        let event = Event::AnalysisDue { uri: uri.clone(), opening: doc.opening };
        self.later(Duration::from_millis(pause), event);
    }

    /// Gives the document's text to a worker, unless one has it already.
    fn analyse_now(&mut self, uri: &Uri) {
        let Some(doc) = self.documents.get_mut(uri) else { return };
        if doc.analysing == Analysing::Running {
            return;
        }
        doc.analysing = Analysing::Running;
        let (number, rope) = doc.text();
        let (uri, opening, path) = (uri.clone(), doc.opening, doc.path.clone());
        let (workbench, events) = (self.options.workbench.clone(), self.events.clone());
        tokio::task::spawn_blocking(move || {
            let text: Arc<str> = Arc::from(rope.to_string());
            let analysis = catch_unwind(AssertUnwindSafe(|| workbench.analyse(&path, &text))).unwrap_or_else(|panic| {
                tracing::error!(
                    "internal error in zeroerr while analysing {}: {}",
                    path.display(),
                    panic_text(&*panic)
                );
                FileAnalysis::default()
            });
            let snapshot = Arc::new(Snapshot::new(number, rope, text, analysis));
            drop(events.send(Event::Analysed { uri, opening, snapshot: snapshot.clone() }));
            if number.1 == 0 {
                // Looked for once now, the first completion does not wait for it.
                let _ = catch_unwind(AssertUnwindSafe(|| snapshot.names(|text| workbench.names(&path, text)).len()));
            }
        });
    }

    fn analysed(&mut self, uri: &Uri, opening: u64, snapshot: Arc<Snapshot>) {
        let Some(doc) = self.documents.get_mut(uri).filter(|d| d.opening == opening) else { return };
        doc.analysing = Analysing::No;
        let revision = snapshot.revision;
        doc.snapshot = Some(snapshot);
        let current = doc.is_current();
        let (ready, waiting) = std::mem::take(&mut doc.parked).into_iter().partition(|(since, _)| *since <= revision);
        doc.parked = waiting;
        if current {
            diagnostics::publish(self, uri);
            live::marks(self, uri);
        }
        for (_, event) in ready {
            // One event's panic must not lose the others' answers.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.answer(event))) {
                tracing::error!("internal error in zeroerr: {}", panic_text(&*panic));
            }
        }
        if !current {
            self.analyse_soon(uri);
        }
    }

    /// The newest analysis of a document.
    pub(crate) fn snapshot(&self, uri: &Uri) -> Option<Arc<Snapshot>> {
        self.documents.get(uri)?.snapshot.clone()
    }

    /// Shows a message to the user.
    pub(crate) fn show(&self, typ: MessageType, message: impl Into<String>) {
        let mut message = message.into();
        if self.profile.helix {
            message = message.lines().collect::<Vec<_>>().join(" · ");
        }
        self.outbox.notify::<notification::ShowMessage>(ShowMessageParams { typ, message });
    }

    /// Writes to the client's log.
    pub(crate) fn log(&self, message: impl Into<String>) {
        self.outbox
            .notify::<notification::LogMessage>(LogMessageParams { typ: MessageType::INFO, message: message.into() });
    }

    /// Marks have changed, and with them diagnostics, hints and lenses.
    pub(crate) fn refresh(&mut self, uri: &Uri) {
        if self.profile.diagnostics.pulled {
            self.outbox.request::<request::WorkspaceDiagnosticRefresh>((), |_| None);
        } else if self.documents.get(uri).is_some_and(Document::is_current) {
            diagnostics::publish(self, uri);
        }
        live::marks(self, uri);
        if self.profile.hint_refresh {
            self.outbox.request::<request::InlayHintRefreshRequest>((), |_| None);
        }
        self.refresh_lenses();
    }

    /// Asks the client to fetch its lenses anew, where it can.
    pub(crate) fn refresh_lenses(&self) {
        if self.profile.lens_refresh {
            self.outbox.request::<request::CodeLensRefresh>((), |_| None);
        }
    }

    /// Sends an event to this state after a while.
    pub(crate) fn later(&self, after: Duration, event: Event) {
        let events = self.events.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            drop(events.send(event));
        });
    }

    /// Watches the client's process; its death ends the server.
    pub(crate) fn watch_client(&mut self) {
        // Without a process to watch the sender stays here: its loss would be taken for the client's death.
        let Some(pid) = self.profile.process_id else { return };
        if let Some(gone) = self.client_gone.take() {
            tokio::spawn(crate::requests::lifecycle::watch(pid, gone));
        }
    }
}

/// The document that has to be analysed before an event can be handled.
fn waits_for(event: &Event) -> Option<Uri> {
    match event {
        Event::Hover(p, _) => Some(p.text_document_position_params.text_document.uri.clone()),
        Event::Completion(p, _) => Some(p.text_document_position.text_document.uri.clone()),
        Event::CodeAction(p, _) => Some(p.text_document.uri.clone()),
        Event::CodeLens(p, _) => Some(p.text_document.uri.clone()),
        Event::InlayHint(p, _) => Some(p.text_document.uri.clone()),
        Event::DocumentLink(p, _) => Some(p.text_document.uri.clone()),
        Event::FoldingRange(p, _) => Some(p.text_document.uri.clone()),
        Event::TokensFull(p, _) => Some(p.text_document.uri.clone()),
        Event::TokensDelta(p, _) => Some(p.text_document.uri.clone()),
        Event::TokensRange(p, _) => Some(p.text_document.uri.clone()),
        Event::Diagnostic(p, _) => Some(p.text_document.uri.clone()),
        Event::InlineCompletion(p, _) => Some(p.text_document_position.text_document.uri.clone()),
        Event::StartJob(order) => Some(order.uri.clone()),
        Event::StartAll { uri, .. } => Some(uri.clone()),
        _ => None,
    }
}

fn respond<T>(reply: Reply<T>, answer: T) {
    // Nobody waits for the answer of a cancelled request.
    drop(reply.send(Ok(answer)));
}
