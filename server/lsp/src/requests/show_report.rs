//! `zeroerr.showReport`: the last report of a function as a document the editor opens, or as a
//! message where it cannot.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use lsp_types::*;

use crate::marks::Mark;
use crate::render;
use crate::state::{Event, State};

pub(crate) fn show(state: &mut State, target: Option<(&Uri, &str)>) {
    let found = match target {
        Some((uri, function)) => state.marks.named(uri, function).map(|m| (function, m)),
        None => state.marks.last(),
    };
    let Some((function, mark)) = found else {
        return state.show(
            MessageType::INFO,
            "zeroerr: no report yet; run \"Implement with verified code\" or \"Verify this function\" first",
        );
    };
    let text = render::report(function, mark);
    let instead = render::plain(&text);
    let Some(folder) = state.options.reports.clone().filter(|_| state.profile.show_document) else {
        return state.show(MessageType::INFO, instead);
    };
    let path = folder.join(file_name(function, mark));
    let events = state.events.clone();
    tokio::task::spawn_blocking(move || {
        let path = write(&path, &text)
            .inspect_err(|e| tracing::warn!("could not write the report {}: {e}", path.display()))
            .ok();
        drop(events.send(Event::ReportWritten { path, instead }));
    });
}

/// Asks the client to show a report that was written.
pub(crate) fn written(state: &State, path: Option<PathBuf>, instead: String) {
    let Some(uri) = path.and_then(Uri::from_file_path) else {
        return state.show(MessageType::INFO, instead);
    };
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
    state.outbox.request::<request::ShowDocument>(params, move |answer| {
        let shown = answer.is_ok_and(|a| a.success);
        Some(Event::ReportShown { shown, instead })
    });
}

/// One file per function and run; nothing of a name that could leave the folder survives.
fn file_name(function: &str, mark: &Mark) -> String {
    let run = mark.run.as_ref().map_or_else(|| format!("v{}", mark.version), |r| r.id.clone());
    let safe = |s: &str| {
        s.chars()
            .map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
            .take(80)
            .collect::<String>()
    };
    format!("{}-{}.md", safe(function), safe(&run))
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(path.to_owned())
}
