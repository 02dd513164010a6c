//! `textDocument/inlineCompletion`: a verified edit that waits to be applied, shown in place.
//!
//! Nothing is generated here: what was not verified before is not offered.

use lsp_types::*;

use crate::apply;
use crate::position::{byte_at, range_of};
use crate::state::State;

pub(crate) fn answer(state: &State, params: &InlineCompletionParams) -> Option<InlineCompletionResponse> {
    let place = &params.text_document_position;
    let uri = &place.text_document.uri;
    let snapshot = state.snapshot(uri)?;
    let at = byte_at(&snapshot.rope, place.position, state.profile.encoding);
    let task = snapshot.analysis.task_at(at)?;
    let edits = apply::kept_edits(state, uri, &snapshot.name_of(task), &snapshot)?;
    // An inline completion is one change within one line; an edit that also imports is an action.
    let [edit] = edits.as_slice() else { return None };
    let range = range_of(&snapshot.rope, edit.range, state.profile.encoding);
    if range.start.line != range.end.line || range.end.line != place.position.line {
        return None;
    }
    let item = InlineCompletionItem {
        insert_text: edit.new_text.clone(),
        // What stands there (`...`) is no beginning of what is written: the text itself is the filter.
        filter_text: Some(edit.range.slice(&snapshot.text).to_owned()),
        range: Some(range),
        command: None,
        insert_text_format: None,
    };
    Some(InlineCompletionResponse::Array(vec![item]))
}
