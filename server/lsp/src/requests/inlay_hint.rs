//! `textDocument/inlayHint`: how the votes stood, behind the header of each function.

use lsp_types::*;
use zeroerr_core::code::Task;

use crate::document::Snapshot;
use crate::marks::Mark;
use crate::position::{position_of, text_range_of, trimmed_line};
use crate::render;
use crate::state::State;

pub(crate) fn answer(state: &State, params: &InlayHintParams) -> Option<Vec<InlayHint>> {
    let uri = &params.text_document.uri;
    let snapshot = state.snapshot(uri)?;
    let shown = text_range_of(&snapshot.rope, params.range, state.profile.encoding);
    let hint = |task: &Task| {
        let mark = state.marks.of(uri, &snapshot, task).filter(|m| m.holds_for(&snapshot, task))?;
        let place = trimmed_line(&snapshot.rope, snapshot.header_line(task)).end;
        shown.touches(place).then(|| hint(state, &snapshot, place, mark)).flatten()
    };
    Some(snapshot.analysis.tasks.iter().filter_map(hint).collect())
}

fn hint(state: &State, snapshot: &Snapshot, place: usize, mark: &Mark) -> Option<InlayHint> {
    // Where lenses are shown, they tell the checks.
    let parts = if state.profile.lenses { [None, mark.votes()] } else { [Some(mark.checks()), mark.votes()] };
    let label: Vec<String> = parts.into_iter().flatten().collect();
    let text = render::mark(mark, true);
    let tooltip = if state.profile.markdown {
        InlayHintTooltip::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: text })
    } else {
        InlayHintTooltip::String(render::plain(&text))
    };
    (!label.is_empty()).then(|| InlayHint {
        position: position_of(&snapshot.rope, place, state.profile.encoding),
        label: InlayHintLabel::String(label.join(" · ")),
        kind: None,
        text_edits: None,
        tooltip: Some(tooltip),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    })
}
