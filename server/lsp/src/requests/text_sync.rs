//! `textDocument/didOpen`, `didChange`, `didClose`.

use lsp_types::*;

use crate::state::State;
use crate::{apply, diagnostics};

pub(crate) fn opened(state: &mut State, params: DidOpenTextDocumentParams) {
    let uri = params.text_document.uri.clone();
    state.open(params.text_document);
    state.analyse_soon(&uri);
    super::workspace_diagnostic::changed(state);
}

pub(crate) fn changed(state: &mut State, params: DidChangeTextDocumentParams) {
    let VersionedTextDocumentIdentifier { uri, version } = params.text_document;
    let encoding = state.profile.encoding;
    match state.documents.get_mut(&uri) {
        Some(doc) => doc.change(version, params.content_changes, encoding),
        None => return tracing::warn!("a change of {}, which is not open", uri.as_str()),
    }
    apply::changed(state, &uri);
    state.analyse_soon(&uri);
}

pub(crate) fn closed(state: &mut State, params: DidCloseTextDocumentParams) {
    let uri = params.text_document.uri;
    let Some(doc) = state.documents.remove(&uri) else { return };
    let on_it: Vec<_> = state.jobs.iter().filter(|(_, job)| job.target.uri == uri).map(|(id, _)| id).collect();
    for job in on_it {
        state.jobs.cancel(job);
    }
    state.waiting.retain(|order| order.uri != uri);
    state.edits.forget(&uri, None);
    if doc.language.is_some() {
        diagnostics::clear(state, &uri);
        crate::live::no_marks(state, &uri);
    }
    super::workspace_diagnostic::changed(state);
    // Whoever still asks about it gets "nothing there" by the loss of the text.
    for (_, event) in doc.parked {
        drop(state.events.send(event));
    }
}
