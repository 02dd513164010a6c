//! `textDocument/documentLink`: from a spec to the report on its function.

use std::path::PathBuf;

use lsp_types::*;
use zeroerr_core::code::{Task, TextRange};

use super::show_report;
use crate::document::Snapshot;
use crate::position::range_of;
use crate::spec_tokens::{Piece, pieces};
use crate::state::{Reply, State};

/// Answers with complete links. The files they lead to are written first, by a worker.
pub(crate) fn answer(state: &State, params: &DocumentLinkParams, reply: Reply<Option<Vec<DocumentLink>>>) {
    let uri = &params.text_document.uri;
    let found = state.snapshot(uri).zip(state.options.reports.clone()).map(|(snapshot, folder)| {
        let links = snapshot.analysis.tasks.iter().filter_map(|task| link(state, uri, &snapshot, task));
        links.map(|(link, name, text)| (link, folder.join(name), text)).collect::<Vec<_>>()
    });
    let Some(found) = found.filter(|f| !f.is_empty()) else { return drop(reply.send(Ok(Some(Vec::new())))) };
    tokio::task::spawn_blocking(move || {
        let written = |(mut link, path, text): (DocumentLink, PathBuf, String)| {
            let path = show_report::write(&path, &text).inspect_err(|e| tracing::warn!("no report to link to: {e}"));
            link.target = Some(Uri::from_file_path(path.ok()?)?);
            Some(link)
        };
        drop(reply.send(Ok(Some(found.into_iter().filter_map(written).collect()))));
    });
}

/// A link without its target, the name of the file and its text.
fn link(state: &State, uri: &Uri, snapshot: &Snapshot, task: &Task) -> Option<(DocumentLink, String, String)> {
    let name = snapshot.name_of(task);
    let mark = state.marks.of(uri, snapshot, task)?;
    let range = range_of(&snapshot.rope, place(task)?, state.profile.encoding);
    let tooltip = format!("zeroerr report on `{name}`: {}", mark.headline());
    let tooltip = state.profile.link_tooltips.then_some(tooltip);
    let (file, text) = show_report::document(uri, &name, mark);
    Some((DocumentLink { range, target: None, tooltip, data: None }, file, text))
}

/// The first tag of the spec.
fn place(task: &Task) -> Option<TextRange> {
    pieces(task).into_iter().find(|(_, piece)| *piece == Piece::Tag).map(|(range, _)| range)
}
