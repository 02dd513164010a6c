//! `workspace/diagnostic`: faults of the specs in files that nobody has opened.
//!
//! A client asks again as soon as it is answered, so a question that has no news is kept until
//! there are some. The files are read by a worker; its findings come back as an event.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use lsp_types::*;

use crate::dispatch::panic_text;
use crate::state::{Event, Reply, State};
use crate::workspace::{FileFaults, Question, Search, search};

/// Changes within this time of one another are looked at together.
const PAUSE: Duration = Duration::from_millis(200);
/// Files in one partial result.
const PART: usize = 100;

pub(crate) fn ask(state: &mut State, params: WorkspaceDiagnosticParams, reply: Reply<WorkspaceDiagnosticReportResult>) {
    let progress = params.work_done_progress_params.work_done_token.clone();
    if let Some(token) = progress.clone() {
        let begin = WorkDoneProgressBegin { title: "zeroerr: reading specs".into(), ..Default::default() };
        progress_value(state, token, WorkDoneProgress::Begin(begin));
    }
    state.workspace.questions.push(Question { params, reply, progress });
    start(state);
}

/// Something on the disk or among the open documents is another: whoever waits may get news.
pub(crate) fn changed(state: &mut State) {
    state.workspace.questions.retain(|q| !q.reply.is_closed());
    if !state.workspace.questions.is_empty() && !std::mem::replace(&mut state.workspace.due, true) {
        state.later(PAUSE, Event::WorkspaceDue);
    }
}

pub(crate) fn due(state: &mut State) {
    state.workspace.due = false;
    start(state);
}

fn start(state: &mut State) {
    if state.workspace.searching {
        state.workspace.again = true;
        return;
    }
    state.workspace.searching = true;
    let search_for = Search {
        folders: state.workspace.paths(),
        open: state.documents.keys().filter_map(|u| u.to_file_path().map(|p| p.into_owned())).collect(),
        profile: state.profile.clone(),
        workbench: state.options.workbench.clone(),
        known: state.workspace.known.clone(),
    };
    let events = state.events.clone();
    tokio::task::spawn_blocking(move || {
        let found = catch_unwind(AssertUnwindSafe(|| search(&search_for))).unwrap_or_else(|panic| {
            tracing::error!("internal error in zeroerr while reading the workspace: {}", panic_text(&*panic));
            Vec::new()
        });
        drop(events.send(Event::WorkspaceSearched(found)));
    });
}

/// The worker is back.
pub(crate) fn searched(state: &mut State, found: &[Arc<FileFaults>]) {
    state.workspace.searching = false;
    for mut question in std::mem::take(&mut state.workspace.questions) {
        if let Some(token) = question.progress.take() {
            progress_value(state, token, WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
        }
        let (items, news) = reports(state, &question.params, found);
        // The first answer comes at once: a client may ask only once.
        if news || !state.workspace.answered {
            state.workspace.answered = true;
            answer(state, question, items);
        } else {
            state.workspace.questions.push(question);
        }
    }
    if std::mem::take(&mut state.workspace.again) {
        start(state);
    }
}

/// Answers whoever still waits: the server shuts down.
pub(crate) fn release(state: &mut State) {
    for question in std::mem::take(&mut state.workspace.questions) {
        answer(state, question, Vec::new());
    }
}

/// The report on each file, and whether any of them is another than the client has.
fn reports(
    state: &State,
    params: &WorkspaceDiagnosticParams,
    found: &[Arc<FileFaults>],
) -> (Vec<WorkspaceDocumentDiagnosticReport>, bool) {
    let had: HashMap<&str, &str> =
        params.previous_result_ids.iter().map(|p| (p.uri.as_str(), p.value.as_str())).collect();
    let mut items = Vec::new();
    let mut news = false;
    for file in found {
        let unchanged = had.get(file.uri.as_str()) == Some(&file.result_id.as_str());
        news |= !unchanged;
        items.push(if unchanged { unchanged_report(file) } else { full_report(file) });
    }
    let now: HashSet<&str> = found.iter().map(|f| f.uri.as_str()).collect();
    // What an open document has is told to whoever asks for that document.
    let gone = params.previous_result_ids.iter().map(|p| &p.uri);
    for uri in gone.filter(|u| !now.contains(u.as_str()) && !state.documents.contains_key(u)) {
        news = true;
        items.push(WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
            uri: uri.clone(),
            version: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: None, items: Vec::new() },
        }));
    }
    (items, news)
}

fn full_report(file: &FileFaults) -> WorkspaceDocumentDiagnosticReport {
    WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
        uri: file.uri.clone(),
        version: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport {
            result_id: Some(file.result_id.clone()),
            items: file.diagnostics.clone(),
        },
    })
}

fn unchanged_report(file: &FileFaults) -> WorkspaceDocumentDiagnosticReport {
    WorkspaceDocumentDiagnosticReport::Unchanged(WorkspaceUnchangedDocumentDiagnosticReport {
        uri: file.uri.clone(),
        version: None,
        unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id: file.result_id.clone() },
    })
}

/// Answers, in parts where the client takes parts: then the answer itself is empty.
fn answer(state: &State, question: Question, mut items: Vec<WorkspaceDocumentDiagnosticReport>) {
    if let Some(token) = question.params.partial_result_params.partial_result_token {
        for part in items.chunks(PART) {
            let part = WorkspaceDiagnosticReportPartialResult { items: part.to_vec() };
            state.outbox.notify::<PartialResult>(serde_json::json!({ "token": token, "value": part }));
        }
        items.clear();
    }
    drop(question.reply.send(Ok(WorkspaceDiagnosticReport { items }.into())));
}

/// `$/progress` with a value that is no work-done progress.
enum PartialResult {}

impl notification::Notification for PartialResult {
    type Params = serde_json::Value;
    const METHOD: &'static str = "$/progress";
}

fn progress_value(state: &State, token: ProgressToken, value: WorkDoneProgress) {
    let params = ProgressParams { token, value: ProgressParamsValue::WorkDone(value) };
    state.outbox.notify::<notification::Progress>(params);
}
