//! The user's consent to a verified edit, where the settings ask for it (`lsp.confirm_edits`).
//!
//! An editor that can show an edit before it applies it is given the edit and asks; another is told
//! to ask with buttons. Where there are none, the edit waits as a code action.

use std::collections::HashMap;

use lsp_types::*;

use crate::apply::{self, ApplyId};
use crate::requests::show_report::{self, After};
use crate::state::{Event, State};

const APPLY: &str = "Apply";
const SHOW: &str = "Show the diff";
const DISCARD: &str = "Discard";
/// The name of our one annotation within an edit.
const ANNOTATION: &str = "zeroerr";

/// Marks an edit as one that the editor has to ask about.
pub(crate) fn annotate(edit: &mut WorkspaceEdit, function: &str, checks: String) {
    let annotation = ChangeAnnotation {
        label: format!("zeroerr: implement `{function}`"),
        needs_confirmation: Some(true),
        description: Some(checks),
    };
    edit.change_annotations = Some(HashMap::from([(ANNOTATION.to_owned(), annotation)]));
    if let Some(DocumentChanges::Edits(documents)) = &mut edit.document_changes {
        for change in documents.iter_mut().flat_map(|d| &mut d.edits) {
            if let OneOf::Left(plain) = change {
                let annotated =
                    AnnotatedTextEdit { text_edit: std::mem::take(plain), annotation_id: ANNOTATION.to_owned() };
                *change = OneOf::Right(annotated);
            }
        }
    }
}

/// Asks with buttons about an edit that waits.
pub(crate) fn ask(state: &State, id: ApplyId) {
    let Some(function) = apply::function_of_kept(state, id) else { return };
    let waits = format!("zeroerr: a verified edit for `{function}` is ready");
    if !state.profile.message_buttons {
        let message = format!("{waits}. The code action \"Apply verified edit\" applies it.");
        return state.show(MessageType::INFO, message);
    }
    let button = |title: &str| MessageActionItem { title: title.to_owned(), properties: HashMap::default() };
    let params = ShowMessageRequestParams {
        typ: MessageType::INFO,
        message: waits,
        actions: Some([APPLY, SHOW, DISCARD].map(button).to_vec()),
    };
    state.outbox.request::<request::ShowMessageRequest>(params, move |answer| {
        Some(Event::Chosen { edit: id, choice: answer.ok().flatten().map(|a| a.title) })
    });
}

/// The user pressed a button, or none: then the edit waits as a code action.
pub(crate) fn chosen(state: &mut State, id: ApplyId, choice: Option<&str>) {
    let Some(function) = apply::function_of_kept(state, id) else { return };
    match choice {
        Some(APPLY) => apply::again(state, id),
        Some(DISCARD) => apply::discard(state, id),
        Some(SHOW) => {
            let Some(diff) = apply::diff_of_kept(state, id) else { return ask(state, id) };
            let name = show_report::safe_name(&function);
            let after = After { instead: diff.clone(), asks: Some(id) };
            show_report::open(state, format!("{name}-{id}.diff"), diff, after);
        }
        _ => {}
    }
}
