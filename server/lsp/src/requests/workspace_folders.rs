//! `workspace/didChangeWorkspaceFolders`: one server serves all of a window's folders.

use lsp_types::DidChangeWorkspaceFoldersParams;

use super::{configuration, watched_files, workspace_diagnostic};
use crate::state::State;

pub(crate) fn changed(state: &mut State, params: &DidChangeWorkspaceFoldersParams) {
    state.workspace.changed(&params.event);
    configuration::fetch(state);
    watched_files::watch(state);
    workspace_diagnostic::changed(state);
}
