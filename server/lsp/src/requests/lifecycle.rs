//! `initialize`, `initialized`, `shutdown`, and the watch over the client's process.

use lsp_types::*;
use tokio::sync::oneshot;

use super::execute_command::COMMANDS;
use crate::client::ClientProfile;
use crate::state::{Reply, State};

/// Reads the client's abilities and says what the server can do.
pub(crate) fn initialize(state: &mut State, params: InitializeParams, reply: Reply<InitializeResult>) {
    state.profile = ClientProfile::new(&params);
    state.watch_client();
    if let Some(settings) = params.initialization_options.filter(|o| o.as_object().is_some_and(|o| !o.is_empty())) {
        super::configuration::arrived(state, settings);
    }
    let result = InitializeResult {
        capabilities: capabilities(&state.profile),
        server_info: Some(ServerInfo { name: "zeroerr".into(), version: Some(env!("CARGO_PKG_VERSION").into()) }),
        offset_encoding: None,
    };
    drop(reply.send(Ok(result)));
}

fn capabilities(profile: &ClientProfile) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(profile.encoding.kind()),
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
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QUICKFIX,
                CodeActionKind::REFACTOR,
                CodeActionKind::REFACTOR_REWRITE,
            ]),
            resolve_provider: Some(false),
            ..CodeActionOptions::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
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
}

/// Cancels every job; the server stays up for `exit`.
pub(crate) fn shutdown(state: &mut State, reply: Reply<()>) {
    state.jobs.cancel_all();
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
