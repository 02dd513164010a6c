//! `initialize`, `initialized`, `shutdown`, and the watch over the client's process.

use lsp_types::*;
use tokio::sync::oneshot;

use super::execute_command::COMMANDS;
use crate::client::ClientProfile;
use crate::state::{Reply, State};

/// Reads the client's abilities and says what the server can do.
pub(crate) fn initialize(state: &mut State, params: InitializeParams, reply: Reply<InitializeResult>) {
    let announced = std::mem::take(&mut state.announced);
    state.profile = ClientProfile::new(&params, &announced);
    state.trace = params.trace.unwrap_or_default();
    state.workspace.opened(&params);
    state.watch_client();
    if let Some(settings) = params.initialization_options.filter(|o| o.as_object().is_some_and(|o| !o.is_empty())) {
        super::configuration::arrived(state, settings);
    }
    let result = InitializeResult {
        capabilities: capabilities(&state.profile, state.options.reports.is_some()),
        server_info: Some(ServerInfo { name: "zeroerr".into(), version: Some(env!("CARGO_PKG_VERSION").into()) }),
        offset_encoding: None,
    };
    drop(reply.send(Ok(result)));
}

/// What this client can use, and nothing else: the table in docs/API_REFERENCE.md is made from it.
fn capabilities(client: &ClientProfile, has_reports: bool) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(vec!["@".into()]),
            ..CompletionOptions::default()
        }),
        code_action_provider: Some(code_actions(client)),
        code_lens_provider: client.lenses.then_some(CodeLensOptions { resolve_provider: Some(false) }),
        inlay_hint_provider: client.hints.then_some(OneOf::Left(true)),
        document_link_provider: (client.links && has_reports).then(|| DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        folding_range_provider: client.folding.is_some().then_some(FoldingRangeProviderCapability::Simple(true)),
        semantic_tokens_provider: client.tokens.as_ref().map(super::semantic_tokens::capability),
        inline_completion_provider: client.inline_completion.then_some(OneOf::Left(true)),
        diagnostic_provider: client.diagnostics.pulled.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("zeroerr".into()),
                workspace_diagnostics: true,
                work_done_progress_options: WorkDoneProgressOptions { work_done_progress: Some(true) },
                ..DiagnosticOptions::default()
            })
        }),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.iter().map(|c| (*c).to_owned()).collect(),
            ..ExecuteCommandOptions::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        ..ServerCapabilities::default()
    }
}

fn code_actions(client: &ClientProfile) -> CodeActionProviderCapability {
    if !client.actions.literals {
        return CodeActionProviderCapability::Simple(true);
    }
    let kinds = [CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR, CodeActionKind::REFACTOR_REWRITE];
    CodeActionProviderCapability::Options(CodeActionOptions {
        code_action_kinds: Some(kinds.to_vec()),
        resolve_provider: Some(false),
        ..CodeActionOptions::default()
    })
}

/// Subscribes to settings and fetches them.
pub(crate) fn initialized(state: &mut State) {
    if state.profile.register_configuration {
        let registration = Registration {
            id: "zeroerr-settings".into(),
            method: "workspace/didChangeConfiguration".into(),
            register_options: Some(serde_json::json!({ "section": "zeroerr" })),
        };
        state
            .outbox
            .request::<request::RegisterCapability>(RegistrationParams { registrations: vec![registration] }, |_| None);
    }
    super::configuration::fetch(state);
    super::watched_files::watch(state);
}

/// Cancels every job; the server stays up for `exit`.
pub(crate) fn shutdown(state: &mut State, reply: Reply<()>) {
    state.waiting.clear();
    state.jobs.cancel_all();
    super::workspace_diagnostic::release(state);
    drop(reply.send(Ok(())));
}

/// Waits for the death of a process, then says so. A process that cannot be seen from the start
/// (another container, another machine) is not watched.
pub(crate) async fn watch(pid: u32, gone: oneshot::Sender<()>) {
    const EVERY: std::time::Duration = std::time::Duration::from_millis(500);
    if !is_alive(pid) {
        // Keeps the sender: its loss would be taken for the client's death.
        return std::future::pending().await;
    }
    while is_alive(pid) && !gone.is_closed() {
        tokio::time::sleep(EVERY).await;
    }
    let _ = gone.send(());
}

/// Whether a process exists. Signal 0 only asks; "not permitted" is an answer from a live one.
#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    use nix::errno::Errno;
    use nix::sys::signal::kill;
    use nix::unistd::Pid;
    let Some(pid) = i32::try_from(pid).ok().filter(|p| *p > 0) else { return false };
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}

/// Elsewhere the end of standard input has to do.
#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    false
}
