//! `textDocument/hover` on a spec or on the header of its function: the spec as understood, the
//! run in progress, the last votes and verdicts.

use lsp_types::*;
use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::task_specification::{TagInfo, render_markdown};

use crate::document::Snapshot;
use crate::position::{byte_at, range_of};
use crate::render;
use crate::spec_tokens::{Piece, pieces, tag_of};
use crate::state::State;

pub(crate) fn answer(state: &State, params: &HoverParams) -> Option<Hover> {
    let place = &params.text_document_position_params;
    let uri = &place.text_document.uri;
    let snapshot = state.snapshot(uri)?;
    let encoding = state.profile.encoding;
    let at = byte_at(&snapshot.rope, place.position, encoding);
    let task = snapshot.analysis.tasks.iter().find(|t| shown_at(t, at))?;
    let mut text = text(state, uri, &snapshot, task);
    if let Some(tag) = tag_at(task, at) {
        text = format!("`{}`: {}\n\n{text}", tag.syntax, tag.summary);
    }
    let contents = if state.profile.markdown {
        MarkupContent { kind: MarkupKind::Markdown, value: text }
    } else {
        MarkupContent { kind: MarkupKind::PlainText, value: render::plain(&text) }
    };
    Some(Hover {
        contents: HoverContents::Markup(contents),
        range: Some(range_of(&snapshot.rope, head(task), encoding)),
    })
}

/// The spec and the header; in the body other servers have more to say.
fn shown_at(task: &Task, at: usize) -> bool {
    task.spec_range.touches(at) || head(task).touches(at)
}

/// The tag of the spec that a place is on.
fn tag_at(task: &Task, at: usize) -> Option<&'static TagInfo> {
    let (range, _) = pieces(task).into_iter().find(|(r, piece)| *piece == Piece::Tag && r.touches(at))?;
    tag_of(range.slice(&task.source)).map(|(tag, _)| tag)
}

fn head(task: &Task) -> TextRange {
    let end = task.body_range.start.saturating_sub(1).max(task.function_range.start);
    TextRange::new(task.function_range.start, end)
}

fn text(state: &State, uri: &Uri, snapshot: &Snapshot, task: &Task) -> String {
    let name = snapshot.name_of(task);
    let mut parts = vec![format!("**zeroerr** `{name}`")];
    let spec = render_markdown(&task.spec);
    if !spec.is_empty() {
        parts.push(spec);
    }
    if !task.spec.has_evidence() {
        parts.push(
            "Nothing here could show a wrong program to be wrong: add an `@example`, `@ensures` or `@property`.".into(),
        );
    }
    if let Some((_, job)) = state.jobs.on(uri, &name) {
        parts.push(format!("Running: {}", job.status));
    }
    if let Some(mark) = state.marks.of(uri, snapshot, task) {
        parts.push(render::mark(mark, mark.holds_for(snapshot, task)));
    }
    parts.join("\n\n")
}
