//! `textDocument/codeLens`: what can be done with a function, and what is known of it.

use lsp_types::*;
use zeroerr_core::code::{Task, TextRange};

use super::execute_command as command;
use crate::document::Snapshot;
use crate::marks::MarkKind;
use crate::position::range_of;
use crate::state::State;

pub(crate) fn answer(state: &State, params: &CodeLensParams) -> Option<Vec<CodeLens>> {
    let uri = &params.text_document.uri;
    let snapshot = state.snapshot(uri)?;
    Some(snapshot.analysis.tasks.iter().flat_map(|task| lenses(state, uri, &snapshot, task)).collect())
}

fn lenses(state: &State, uri: &Uri, snapshot: &Snapshot, task: &Task) -> Vec<CodeLens> {
    let name = snapshot.name_of(task);
    let line = snapshot.rope.line_to_byte(snapshot.header_line(task));
    let range = range_of(&snapshot.rope, TextRange::new(line, line), state.profile.encoding);
    let lens = |title: String, name_of_command: &str| CodeLens {
        range,
        command: Some(command::on_function(&title, name_of_command, uri, &name)),
        data: None,
    };
    if state.jobs.on(uri, &name).is_some() {
        return vec![lens("Running: cancel".into(), command::CANCEL)];
    }
    let mut out = Vec::new();
    let mark = state.marks.of(uri, snapshot, task);
    let holds = mark.is_some_and(|m| m.holds_for(snapshot, task));
    if let Some(mark) = mark {
        let title = if holds { mark.headline() } else { format!("changed since @v{}", mark.version) };
        out.push(lens(title, command::SHOW_REPORT));
    }
    let checked = holds && mark.is_some_and(|m| m.kind != MarkKind::Abstained);
    if task.is_stub {
        out.push(lens("Generate".into(), command::IMPLEMENT));
    } else if !checked {
        out.push(lens("Verify".into(), command::VERIFY));
    }
    out
}
