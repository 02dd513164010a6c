//! `zeroerr.showReport`: the last report of a function as a document the editor opens, or as a
//! message where it cannot.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use lsp_types::*;
use zeroerr_core::certificate::code_hash;

use crate::apply::ApplyId;
use crate::confirm;
use crate::live;
use crate::marks::Mark;
use crate::render;
use crate::state::{Event, State};

pub(crate) fn show(state: &mut State, target: Option<(&Uri, &str)>) {
    let found = match target {
        Some((uri, function)) => state.marks.named(uri, function).map(|m| (uri, function, m)),
        None => state.marks.last(),
    };
    let Some((uri, function, mark)) = found else {
        return state.show(
            MessageType::INFO,
            "zeroerr: no report yet; run \"Implement with verified code\" or \"Verify this function\" first",
        );
    };
    let (name, text) = document(uri, function, mark);
    let run = mark.run.as_ref().map(|run| run.id.clone()).filter(|_| state.profile.live.reports);
    let report = Report { title: function.to_owned(), name, text };
    let Some(run) = run else { return page_made(state, None, report) };
    let (workbench, events) = (state.options.workbench.clone(), state.events.clone());
    tokio::task::spawn_blocking(move || {
        let page = workbench.page(&run);
        drop(events.send(Event::PageMade { page, report }));
    });
}

/// A report, as a text.
pub(crate) struct Report {
    title: String,
    /// The name of its file.
    name: String,
    text: String,
}

/// Shows the page of a run; without one the report's text.
pub(crate) fn page_made(state: &State, page: Option<String>, report: Report) {
    match page {
        Some(html) => live::report(state, format!("zeroerr: {}", report.title), html),
        None => {
            let instead = render::plain(&report.text);
            open(state, report.name, report.text, After { instead, asks: None });
        }
    }
}

/// What follows when a file was shown, or could not be.
#[derive(Debug)]
pub(crate) struct After {
    /// A message in the place of a file that cannot be shown.
    pub(crate) instead: String,
    /// The edit that the user is asked about with the file in sight: a question that came first would hide it.
    pub(crate) asks: Option<ApplyId>,
}

/// Shows a text as a file of this name, or a message where that cannot be.
pub(crate) fn open(state: &State, name: String, text: String, after: After) {
    let Some(folder) = state.options.reports.clone().filter(|_| state.profile.show_document) else {
        return shown(state, false, after);
    };
    let path = folder.join(name);
    let events = state.events.clone();
    tokio::task::spawn_blocking(move || {
        let path = write(&path, &text)
            .inspect_err(|e| tracing::warn!("could not write the report {}: {e}", path.display()))
            .ok();
        drop(events.send(Event::ReportWritten { path, after }));
    });
}

/// Asks the client to show a report that was written.
pub(crate) fn written(state: &State, path: Option<PathBuf>, after: After) {
    let Some(uri) = path.and_then(Uri::from_file_path) else { return shown(state, false, after) };
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
    state.outbox.request::<request::ShowDocument>(params, move |answer| {
        let shown = answer.is_ok_and(|a| a.success);
        Some(Event::ReportShown { shown, after })
    });
}

/// The client has shown a file, or has not.
pub(crate) fn shown(state: &State, shown: bool, after: After) {
    if !shown {
        state.show(MessageType::INFO, after.instead);
    }
    if let Some(edit) = after.asks {
        confirm::ask(state, edit);
    }
}

/// The report on a function: the name of its file, and its text.
pub(crate) fn document(uri: &Uri, function: &str, mark: &Mark) -> (String, String) {
    (file_name(uri, function, mark), render::report(function, mark))
}

/// One file per function and run.
fn file_name(uri: &Uri, function: &str, mark: &Mark) -> String {
    let place = || code_hash(uri.as_str()).chars().take(8).collect::<String>();
    let run = mark.run.as_ref().map_or_else(|| format!("v{}-{}", mark.version, place()), |r| r.id.clone());
    format!("{}-{}.md", safe_name(function), safe_name(&run))
}

/// A part of a file's name: nothing of it can leave a folder.
pub(crate) fn safe_name(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).take(80).collect()
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(path.to_owned())
}
