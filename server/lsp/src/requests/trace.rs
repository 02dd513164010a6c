//! `$/setTrace` and `$/logTrace`: what the server did with each message, for who asked to know.
//!
//! There is no telemetry: nothing that is traced leaves the client's own log.

use std::time::Duration;

use lsp_types::{LogTraceParams, TraceValue, notification};

use crate::state::{Event, State};

/// Tells of an event that was handled.
pub(crate) fn log(state: &State, method: Option<&'static str>, took: Duration) {
    let Some(method) = method.filter(|_| state.trace != TraceValue::Off) else { return };
    let verbose = (state.trace == TraceValue::Verbose).then(|| {
        let parked: usize = state.documents.values().map(|d| d.parked.len()).sum();
        let (documents, jobs) = (state.documents.len(), state.jobs.iter().count());
        format!("{documents} documents open, {parked} questions wait for an analysis, {jobs} jobs run")
    });
    let params = LogTraceParams { message: format!("zeroerr took {took:.1?} for {method}"), verbose };
    state.outbox.notify::<notification::LogTrace>(params);
}

/// The method behind an event, when a client's message is behind it.
pub(crate) fn method(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Initialized => "initialized",
        Event::Opened(_) => "textDocument/didOpen",
        Event::Changed(_) => "textDocument/didChange",
        Event::Closed(_) => "textDocument/didClose",
        Event::SettingsChanged(_) => "workspace/didChangeConfiguration",
        Event::FoldersChanged(_) => "workspace/didChangeWorkspaceFolders",
        Event::FilesTold(_) => "workspace/didChangeWatchedFiles",
        Event::ProgressCancelled(_) => "window/workDoneProgress/cancel",
        Event::Hover(..) => "textDocument/hover",
        Event::Completion(..) => "textDocument/completion",
        Event::InlineCompletion(..) => "textDocument/inlineCompletion",
        Event::CodeAction(..) => "textDocument/codeAction",
        Event::CodeLens(..) => "textDocument/codeLens",
        Event::InlayHint(..) => "textDocument/inlayHint",
        Event::DocumentLink(..) => "textDocument/documentLink",
        Event::FoldingRange(..) => "textDocument/foldingRange",
        Event::TokensFull(..) => "textDocument/semanticTokens/full",
        Event::TokensDelta(..) => "textDocument/semanticTokens/full/delta",
        Event::TokensRange(..) => "textDocument/semanticTokens/range",
        Event::Diagnostic(..) => "textDocument/diagnostic",
        Event::WorkspaceDiagnostic(..) => "workspace/diagnostic",
        Event::Command(..) => "workspace/executeCommand",
        _ => return None,
    })
}
