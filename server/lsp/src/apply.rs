//! Verified edits on their way into the document.
//!
//! Between the start of a run and its end the user goes on typing. An edit is therefore checked
//! against the text as it is now: when the function and its spec stand unchanged it is moved to
//! where they are, else it is given up. It is sent with the document's version, and believed only
//! when the client's next change shows it: an answer of `applied: true` proves nothing (Neovim
//! gives it for refused edits, too). A document gets one edit at a time: of two made for the same
//! version the client would have to refuse the second.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

use lsp_types::{
    ApplyWorkspaceEditParams, DocumentChanges, MessageType, OneOf, OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit, TextEdit as LspEdit, Uri, WorkspaceEdit, request,
};
use similar::TextDiff;
use zeroerr_core::certificate::code_hash;
use zeroerr_core::code::{TextEdit, apply_edits};
use zeroerr_core::report::RunReport;
use zeroerr_engine::accept::AcceptedEdit;
use zeroerr_engine::journal::AcceptedBy;

use crate::client::ClientProfile;
use crate::confirm;
use crate::document::Snapshot;
use crate::jobs::Target;
use crate::marks::{Mark, MarkKind};
use crate::position::range_of;
use crate::rebase::rebase;
use crate::state::{Event, State};

/// Numbers attempts to apply an edit.
pub(crate) type ApplyId = u64;

/// How many times the patience for a change a client without any answer gets.
const SILENCE: u32 = 3;
/// How often an edit is sent again by itself because the user typed while it was on its way.
const TRIES: u32 = 5;

/// How far an edit has come.
enum Stage {
    /// About to be sent.
    Ready,
    /// Sent.
    Sent(Expected),
    /// It could not be applied by itself; an action offers it.
    Kept(Expected),
    /// The document shows it.
    Shown { version: i32, function: String },
}

/// What will be in the document when an edit is; line ends as `\n`.
struct Expected {
    text: String,
    function: String,
    /// How often such a function stands in the text without the edit.
    alike: usize,
}

struct Pending {
    target: Target,
    report: RunReport,
    stage: Stage,
    consent: Consent,
    /// The revision of the document that it was last sent for.
    sent_for: u64,
    /// How often it was sent.
    sent: u32,
}

/// Whether the user wants the edit, where the settings say that they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    /// Not asked yet.
    Open,
    /// The editor asks, with the edit in hand.
    AskedByEditor,
    /// Given, by a button or by the code action.
    Given,
}

/// Verified edits that are not confirmed yet.
#[derive(Default)]
pub(crate) struct PendingEdits {
    next: ApplyId,
    edits: BTreeMap<ApplyId, Pending>,
}

impl PendingEdits {
    /// The document an edit belongs to.
    pub(crate) fn document_of(&self, edit: ApplyId) -> Option<Uri> {
        self.edits.get(&edit).map(|p| p.target.uri.clone())
    }

    /// Whether an edit for a function waits for the user to apply it, and still fits its text.
    pub(crate) fn is_kept(&self, uri: &Uri, function: &str, now: &Snapshot) -> bool {
        let same_text = |p: &Pending| {
            let then = p.target.task.function_range.slice(&p.target.snapshot.text);
            now.task_named(function).is_some_and(|t| {
                t.function_range.slice(&now.text) == then && t.spec.hash() == p.target.task.spec.hash()
            })
        };
        self.kept(uri, function).is_some_and(|(_, p)| same_text(p))
    }

    /// Forgets the edits for a function, or for a whole document.
    pub(crate) fn forget(&mut self, uri: &Uri, function: Option<&str>) {
        self.edits.retain(|_, p| p.target.uri != *uri || function.is_some_and(|f| p.target.function != f));
    }

    /// Whether an edit is on its way to a document.
    fn is_busy(&self, uri: &Uri) -> bool {
        self.edits.values().any(|p| p.target.uri == *uri && matches!(p.stage, Stage::Sent(_)))
    }

    /// The first edit that waits until others of its document have arrived.
    fn waiting(&self, uri: &Uri) -> Option<ApplyId> {
        let waits = |p: &Pending| p.target.uri == *uri && matches!(p.stage, Stage::Ready);
        self.edits.iter().find(|(_, p)| waits(p)).map(|(id, _)| *id)
    }

    fn kept(&self, uri: &Uri, function: &str) -> Option<(ApplyId, &Pending)> {
        let fits =
            |p: &Pending| matches!(p.stage, Stage::Kept(_)) && p.target.uri == *uri && p.target.function == function;
        self.edits.iter().find(|(_, p)| fits(p)).map(|(id, p)| (*id, p))
    }

    fn add(&mut self, pending: Pending) -> ApplyId {
        self.next += 1;
        self.edits.insert(self.next, pending);
        self.next
    }
}

/// Brings the edit of a finished run to its document.
pub(crate) fn offer(state: &mut State, target: Target, report: RunReport) {
    state.edits.forget(&target.uri, Some(&target.function));
    let (stage, consent) = (Stage::Ready, Consent::Open);
    let id = state.edits.add(Pending { target, report, stage, consent, sent_for: 0, sent: 0 });
    drop(state.events.send(Event::ApplyEdit(id)));
}

/// Tries a kept edit again; `false` when there is none.
pub(crate) fn retry(state: &mut State, uri: &Uri, function: &str) -> bool {
    let Some(id) = state.edits.kept(uri, function).map(|(id, _)| id) else { return false };
    again(state, id);
    true
}

/// Tries an edit again that the user wants.
pub(crate) fn again(state: &mut State, id: ApplyId) {
    if let Some(mut pending) = state.edits.edits.remove(&id) {
        pending.consent = Consent::Given;
        pending.sent = 0;
        anew(state, pending);
    }
}

/// Under another number, so that what comes late for the old one finds nothing.
fn anew(state: &mut State, mut pending: Pending) {
    pending.stage = Stage::Ready;
    let id = state.edits.add(pending);
    drop(state.events.send(Event::ApplyEdit(id)));
}

/// A kept edit for an action to carry, for clients that cannot be asked to apply it.
pub(crate) fn kept_edit(state: &State, uri: &Uri, function: &str, now: &Snapshot) -> Option<WorkspaceEdit> {
    Some(on_the_wire(&state.profile, uri, &kept_edits(state, uri, function, now)?, now))
}

/// A kept edit as it fits the text now.
pub(crate) fn kept_edits(state: &State, uri: &Uri, function: &str, now: &Snapshot) -> Option<Vec<TextEdit>> {
    let (_, pending) = state.edits.kept(uri, function)?;
    Some(with_line_ends_of(&now.text, rebase(&pending.target, &pending.report.edits, now).ok()?))
}

/// Handles an edit whose document is analysed: sends it, or, once the document shows it, marks
/// the function.
pub(crate) fn apply(state: &mut State, id: ApplyId) {
    let Some(uri) = state.edits.document_of(id) else { return };
    // The user typed on while this waited for the analysis: it waits for the next one.
    if let Some(doc) = state.documents.get_mut(&uri).filter(|d| !d.is_current()) {
        return doc.parked.push((doc.revision, Event::ApplyEdit(id)));
    }
    let Some(pending) = state.edits.edits.remove(&id) else { return };
    let Some(now) = state.snapshot(&uri) else {
        return state.show(
            MessageType::WARNING,
            format!("zeroerr: the edit for `{}` was not applied: its document was closed", pending.target.function),
        );
    };
    match pending.stage {
        Stage::Ready => send(state, id, pending, &now),
        Stage::Shown { version, ref function } => mark(state, &pending, &now, version, function),
        Stage::Sent(_) | Stage::Kept(_) => drop(state.edits.edits.insert(id, pending)),
    }
    go_on(state, &uri);
}

/// Sees to the next edit of a document, when none is on its way.
fn go_on(state: &State, uri: &Uri) {
    if let Some(next) = state.edits.waiting(uri).filter(|_| !state.edits.is_busy(uri)) {
        drop(state.events.send(Event::ApplyEdit(next)));
    }
}

fn send(state: &mut State, id: ApplyId, mut pending: Pending, now: &Snapshot) {
    if state.edits.is_busy(&pending.target.uri) {
        state.edits.edits.insert(id, pending);
        return;
    }
    let function = pending.target.function.clone();
    let edits = match rebase(&pending.target, &pending.report.edits, now) {
        Ok(edits) => edits,
        Err(why) => {
            return state.show(MessageType::WARNING, format!("zeroerr: the edit for `{function}` was given up: {why}"));
        }
    };
    let edits = with_line_ends_of(&now.text, edits);
    let Some(expected) = expected(&pending.target, &edits, now) else {
        return state.show(
            MessageType::ERROR,
            format!("zeroerr: the edit for `{function}` was given up: it does not fit the text"),
        );
    };
    if expected.text == unix(&now.text) {
        pending.stage = Stage::Shown { version: now.version, function: expected.function };
        state.edits.edits.insert(id, pending);
        return apply(state, id);
    }
    if !state.profile.apply_edit {
        pending.stage = Stage::Sent(expected);
        return keep(state, id, pending, "this client cannot be asked to apply edits");
    }
    let asks = pending.consent == Consent::Open && state.options.confirm_edits.load(Ordering::Relaxed);
    if asks && !state.profile.change_annotations {
        pending.stage = Stage::Kept(expected);
        state.edits.edits.insert(id, pending);
        return confirm::ask(state, id);
    }
    let mut edit = on_the_wire(&state.profile, &pending.target.uri, &edits, now);
    if asks {
        pending.consent = Consent::AskedByEditor;
        confirm::annotate(&mut edit, &function, pending.report.stack().summary());
    }
    let params = ApplyWorkspaceEditParams { label: Some(format!("zeroerr: implement {function}")), edit };
    state.outbox.request::<request::ApplyWorkspaceEdit>(params, move |end| {
        let refused = match end {
            Ok(answer) if answer.applied => None,
            Ok(answer) => Some(answer.failure_reason.unwrap_or_else(|| "the editor gave no reason".into())),
            Err(error) => Some(error),
        };
        Some(Event::EditAnswered { edit: id, refused })
    });
    if !asks {
        state.later(state.options.apply_patience * SILENCE, Event::EditOverdue(id));
    }
    pending.stage = Stage::Sent(expected);
    (pending.sent_for, pending.sent) = (now.revision, pending.sent + 1);
    state.edits.edits.insert(id, pending);
}

/// The client answered. A refusal is believed; a success has to show itself.
pub(crate) fn answered(state: &mut State, id: ApplyId, refused: Option<String>) {
    match refused {
        None => state.later(state.options.apply_patience, Event::EditOverdue(id)),
        Some(why) => {
            let Some(pending) = take_sent(state, id) else { return };
            if pending.consent == Consent::AskedByEditor {
                state.log(format!("zeroerr: the edit for `{}` was discarded", pending.target.function));
                return go_on(state, &pending.target.uri);
            }
            missed(state, id, pending, &format!("the editor refused it ({why})"));
        }
    }
}

/// The client had time enough.
pub(crate) fn overdue(state: &mut State, id: ApplyId) {
    if let Some(pending) = take_sent(state, id) {
        missed(state, id, pending, "the editor's text does not show it");
    }
}

/// An edit did not arrive. When the user typed while it was on its way, it is made anew for the text as
/// it is now; else there is no reason to think that it would be taken another time.
fn missed(state: &mut State, id: ApplyId, pending: Pending, why: &str) {
    let uri = pending.target.uri.clone();
    let typed = state.documents.get(&uri).is_some_and(|d| d.revision != pending.sent_for);
    if typed && pending.sent < TRIES && pending.consent != Consent::AskedByEditor {
        anew(state, pending);
    } else {
        keep(state, id, pending, why);
        go_on(state, &uri);
    }
}

/// The difference that a kept edit would make, as a unified diff.
pub(crate) fn diff_of_kept(state: &State, id: ApplyId) -> Option<String> {
    let pending = state.edits.edits.get(&id)?;
    let now = state.snapshot(&pending.target.uri)?;
    let edits = with_line_ends_of(&now.text, rebase(&pending.target, &pending.report.edits, &now).ok()?);
    let then = apply_edits(&now.text, &edits)?;
    let name = pending.target.uri.path().as_str().to_owned();
    let diff = TextDiff::from_lines(&*now.text, then.as_str());
    Some(diff.unified_diff().header(&name, &format!("{name} (zeroerr)")).to_string())
}

/// The function of a kept edit.
pub(crate) fn function_of_kept(state: &State, id: ApplyId) -> Option<String> {
    let pending = state.edits.edits.get(&id)?;
    matches!(pending.stage, Stage::Kept(_)).then(|| pending.target.function.clone())
}

/// Gives a kept edit up: the user does not want it.
pub(crate) fn discard(state: &mut State, id: ApplyId) {
    state.edits.edits.remove(&id);
}

fn take_sent(state: &mut State, id: ApplyId) -> Option<Pending> {
    matches!(state.edits.edits.get(&id)?.stage, Stage::Sent(_)).then(|| state.edits.edits.remove(&id))?
}

fn keep(state: &mut State, id: ApplyId, mut pending: Pending, why: &str) {
    let function = &pending.target.function;
    let message = format!(
        "zeroerr: the verified edit for `{function}` was not applied: {why}. The code action \"Apply verified edit\" tries again."
    );
    if let Stage::Sent(expected) = pending.stage {
        pending.stage = Stage::Kept(expected);
        state.edits.edits.insert(id, pending);
    }
    state.show(MessageType::WARNING, message);
}

/// A document changed: whatever was sent to it may now stand in it.
pub(crate) fn changed(state: &mut State, uri: &Uri) {
    let Some(doc) = state.documents.get(uri) else { return };
    let on_its_way = |p: &Pending| p.target.uri == *uri && matches!(p.stage, Stage::Sent(_) | Stage::Kept(_));
    if !state.edits.edits.values().any(on_its_way) {
        return;
    }
    let (version, text) = (doc.version, unix(&doc.rope.to_string()));
    for (id, pending) in &mut state.edits.edits {
        // Another change may come with the edit: one more function like it than before is proof enough.
        if let Stage::Sent(expected) | Stage::Kept(expected) = &mut pending.stage
            && pending.target.uri == *uri
            && (text == expected.text || count(&text, &expected.function) > expected.alike)
        {
            pending.stage = Stage::Shown { version, function: std::mem::take(&mut expected.function) };
            drop(state.events.send(Event::ApplyEdit(*id)));
        }
    }
}

fn mark(state: &mut State, pending: &Pending, now: &Snapshot, version: i32, function: &str) {
    let Target { uri, function: name, .. } = &pending.target;
    let report = &pending.report;
    let summary = report.stack().summary();
    if let Some(task) = now.task_named(name) {
        let mark =
            Mark::new(MarkKind::Applied, now, task, report.stack(), Some(report.clone())).about(version, function);
        state.marks.set(uri, name, mark);
    }
    state.log(format!("zeroerr: `{name}` was written: {summary}"));
    certify(state, pending, version, function);
    let uri = uri.clone();
    state.refresh(&uri);
}

/// Keeps the certificate, if what the document shows is what was certified.
fn certify(state: &State, pending: &Pending, version: i32, function: &str) {
    let Some(certificate) = &pending.report.certificate else { return };
    if certificate.code_hash != code_hash(function) {
        return tracing::warn!("the document shows other code than was verified: no certificate is kept");
    }
    let edit = AcceptedEdit {
        report: pending.report.clone(),
        task: pending.target.task.clone(),
        by: AcceptedBy::Editor,
        doc_version: Some(i64::from(version)),
    };
    let (workbench, events) = (state.options.workbench.clone(), state.events.clone());
    // A disk is written to, and this task must not wait.
    tokio::task::spawn_blocking(move || {
        let name = edit.report.function.clone();
        if let Err(why) = workbench.accepted(edit) {
            let why = format!(
                "zeroerr: `{name}` is written, but its certificate is not kept, so `zeroerr audit` cannot check it later: {why}"
            );
            drop(events.send(Event::NotKept(why)));
        }
    });
}

/// The whole text after the edits, and the function in it.
fn expected(target: &Target, edits: &[TextEdit], now: &Snapshot) -> Option<Expected> {
    let text = apply_edits(&now.text, edits)?;
    // The body edit names the function's new place; the rest of the function moved with it.
    let function = now.task_named(&target.function).map_or_else(|| target.task.function_range, |t| t.function_range);
    let grown = |e: &&TextEdit| e.new_text.len() as isize - e.range.len() as isize;
    let (above, within): (Vec<&TextEdit>, Vec<&TextEdit>) = edits.iter().partition(|e| e.range.end <= function.start);
    let before: isize = above.iter().map(grown).sum();
    // A body may begin behind a comment that stands after the stub.
    let old_end = within.iter().map(|e| e.range.end).fold(function.end, usize::max);
    let within: isize = within.iter().map(grown).sum();
    let start = function.start.checked_add_signed(before)?;
    let end = old_end.checked_add_signed(before + within)?;
    let function = unix(text.get(start..end)?);
    Some(Expected { alike: count(&unix(&now.text), &function), function, text: unix(&text) })
}

/// How often a function stands in a text, to the end of its last line.
fn count(text: &str, function: &str) -> usize {
    let ends = |(at, _): &(usize, &str)| {
        let rest = text.get(at + function.len()..).unwrap_or("");
        rest.is_empty() || rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n')
    };
    text.match_indices(function).filter(ends).count()
}

/// Edits in the line ends of the file: some clients convert them, others write them as they come.
fn with_line_ends_of(text: &str, mut edits: Vec<TextEdit>) -> Vec<TextEdit> {
    if text.contains("\r\n") {
        edits.iter_mut().for_each(|e| e.new_text = unix(&e.new_text).replace('\n', "\r\n"));
    }
    edits
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn on_the_wire(profile: &ClientProfile, uri: &Uri, edits: &[TextEdit], now: &Snapshot) -> WorkspaceEdit {
    let edit =
        |e: &TextEdit| LspEdit { range: range_of(&now.rope, e.range, profile.encoding), new_text: e.new_text.clone() };
    workspace_edit(profile, uri, now.version, edits.iter().map(edit).collect())
}

/// An edit of one document in the form this client takes: with the document's version wherever
/// it can be checked.
pub(crate) fn workspace_edit(profile: &ClientProfile, uri: &Uri, version: i32, edits: Vec<LspEdit>) -> WorkspaceEdit {
    if !profile.document_changes {
        return WorkspaceEdit { changes: Some(HashMap::from([(uri.clone(), edits)])), ..WorkspaceEdit::default() };
    }
    let text_document =
        OptionalVersionedTextDocumentIdentifier { uri: uri.clone(), version: Some(profile.edit_version(version)) };
    let edits = edits.into_iter().map(OneOf::Left).collect();
    let document_changes = Some(DocumentChanges::Edits(vec![TextDocumentEdit { text_document, edits }]));
    WorkspaceEdit { document_changes, ..WorkspaceEdit::default() }
}

#[cfg(test)]
mod tests {
    use zeroerr_core::code::TextRange;

    use super::*;

    #[test]
    fn an_edit_takes_the_line_ends_of_its_file() {
        let edit = |text: &str| vec![TextEdit { range: TextRange::new(0, 0), new_text: text.into() }];
        assert_eq!(with_line_ends_of("a\r\n", edit("x\ny\r\nz")), edit("x\r\ny\r\nz"));
        assert_eq!(with_line_ends_of("a\n", edit("x\ny")), edit("x\ny"));
    }
}
