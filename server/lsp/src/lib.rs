//! The language server: the only crate that knows LSP types.
//!
//! Messages come in wire order through [`dispatch`], become [`state::Event`]s and are handled one
//! after the other by the task that owns all state. Whatever takes time (analysis, runs,
//! verification, answers of the client) goes on elsewhere and comes back as an event. One method
//! of the protocol is one small file in `requests/`.

mod apply;
mod client;
mod confirm;
mod diagnostics;
mod dispatch;
mod document;
pub mod frames;
mod jobs;
mod live;
mod marks;
mod outbox;
pub mod position;
mod rebase;
mod render;
mod requests;
mod spec_tokens;
mod state;
mod transport;
mod watcher;
mod workspace;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tower_lsp::LspService;
use zeroerr_engine::Workbench;

use crate::dispatch::{CODE_ACTION, Frontend, Ordered, prepare};
use crate::state::{Event, State};

/// Takes a settings object from the client; an error is one sentence, shown to the user.
pub type OnSettings = Box<dyn Fn(serde_json::Value) -> Result<(), String> + Send + Sync>;

/// What the composition root gives the server.
pub struct ServerOptions {
    /// Does the work.
    pub workbench: Arc<dyn Workbench>,
    /// Called with the client's `zeroerr` settings: at start and whenever they change.
    pub on_settings: OnSettings,
    /// Files that [`ServerOptions::on_settings`] reads: when one changes, it is called again.
    pub settings_files: Vec<PathBuf>,
    /// Where reports are written for `zeroerr.showReport`; without it they are shown as messages.
    pub reports: Option<PathBuf>,
    /// How long the client may take to show an edit in its text before the user is told that it
    /// did not.
    pub apply_patience: Duration,
    /// Threads that runs are worked on by; without it those that serve the client. A run computes
    /// between two waits, and an edit or a cancellation may not queue up behind that.
    pub runs_on: Option<Handle>,
    /// Whether the user is asked before a verified edit is put into the text. Shared, because
    /// [`ServerOptions::on_settings`] changes it.
    pub confirm_edits: Arc<AtomicBool>,
}

impl ServerOptions {
    /// Options with defaults: settings are ignored, reports shown as messages, 5 s of patience.
    pub fn new(workbench: Arc<dyn Workbench>) -> Self {
        Self {
            workbench,
            on_settings: Box::new(|_| Ok(())),
            settings_files: Vec::new(),
            reports: None,
            apply_patience: Duration::from_secs(5),
            runs_on: None,
            confirm_edits: Arc::default(),
        }
    }
}

/// How the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// After `shutdown`.
    Clean,
    /// By `exit`, end of input or death of the client without a `shutdown` before.
    Abrupt,
}

impl Exit {
    /// The exit code that the protocol asks for.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Abrupt => 1,
        }
    }
}

/// Serves one client until it exits, closes `stdin` or dies, then ends every job.
///
/// A read of the process's own standard input cannot be interrupted: the caller should leave by
/// `std::process::exit` with [`Exit::code`].
pub async fn serve<I, O>(stdin: I, stdout: O, options: ServerOptions) -> Exit
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite + Unpin + Send + 'static,
{
    let (events, inbox) = tokio::sync::mpsc::unbounded_channel();
    let shut_down = Arc::new(AtomicBool::new(false));
    let mut to_client = None;
    let frontend_events = events.clone();
    let (service, socket) = LspService::build(|client| {
        to_client = Some(client);
        Frontend { events: frontend_events, shut_down: shut_down.clone() }
    })
    .custom_method("window/workDoneProgress/cancel", Frontend::progress_cancel)
    .custom_method("$/setTrace", Frontend::set_trace)
    .custom_method("textDocument/inlineCompletion", Frontend::inline_completion)
    .custom_method(CODE_ACTION, Frontend::code_action)
    .finish();
    let Some(to_client) = to_client else { return Exit::Abrupt };

    let (gone, client_gone) = tokio::sync::oneshot::channel();
    let actor = tokio::spawn(State::new(to_client, events.clone(), options, gone).run(inbox));
    let service = Ordered::new(service, prepare(events.clone()));
    tokio::select! {
        () = transport::serve(stdin, stdout, service, socket) => {}
        _ = client_gone => tracing::info!("the client's process is gone"),
    }
    drop(events.send(Event::Stop));
    drop(actor.await);
    if shut_down.load(Ordering::SeqCst) { Exit::Clean } else { Exit::Abrupt }
}
