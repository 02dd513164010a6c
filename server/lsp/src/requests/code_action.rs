//! `textDocument/codeAction`: complete actions from what is known already, in milliseconds.

use lsp_types::*;
use serde::Serialize;
use zeroerr_core::code::{Task, TextRange};

use super::execute_command as command;
use super::{counterexample, disagreement};
use super::{selection, whole_file};
use crate::document::Snapshot;
use crate::jobs::JobKind;
use crate::position::{range_of, text_range_of, trimmed_line};
use crate::state::State;
use crate::{apply, diagnostics};

pub(crate) fn answer(state: &State, params: &CodeActionParams) -> Option<Vec<Offered>> {
    let uri = &params.text_document.uri;
    let snapshot = state.snapshot(uri)?;
    let selected = text_range_of(&snapshot.rope, params.range, state.profile.encoding);
    let mut offer =
        Offer { state, uri, snapshot: &snapshot, wanted: params.context.only.as_deref(), actions: Vec::new() };
    offer.fixes(selected);
    let tasks: Vec<&Task> = snapshot
        .analysis
        .tasks
        .iter()
        .filter(|t| t.function_range.overlaps(selected) || t.spec_range.overlaps(selected))
        .collect();
    // Of functions inside one another the innermost is meant, of several selected ones each.
    let innermost = |t: &&&Task| {
        !tasks.iter().any(|o| o.function_range != t.function_range && contains(t.function_range, o.function_range))
    };
    for task in tasks.iter().filter(innermost) {
        offer.for_task(task);
    }
    if !tasks.is_empty() {
        offer.for_file();
    }
    if !selected.is_empty() && (tasks.is_empty() || selection::is_marked(&snapshot.text, selected)) {
        offer.for_selection(params.range, selected);
    }
    Some(offer.actions)
}

fn contains(outer: TextRange, inner: TextRange) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A code action, with what 3.18 adds to it; or the bare command, for clients that know only those.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Offered {
    Command(Command),
    Action {
        #[serde(flatten)]
        action: Box<CodeAction>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tags: Vec<u8>,
    },
}

/// The tag for what a language model has written.
const GENERATED: u8 = 1;

struct Offer<'a> {
    state: &'a State,
    uri: &'a Uri,
    snapshot: &'a Snapshot,
    wanted: Option<&'a [CodeActionKind]>,
    actions: Vec<Offered>,
}

impl Offer<'_> {
    fn push(&mut self, action: CodeAction) {
        let kind = action.kind.as_ref().map_or("", CodeActionKind::as_str);
        let fits = |w: &CodeActionKind| {
            w.as_str().is_empty()
                || kind == w.as_str()
                || kind.strip_prefix(w.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if self.wanted.is_none_or(|wanted| wanted.iter().any(fits)) {
            self.actions.extend(self.offered(action));
        }
    }

    /// The action in the form that this client takes, if there is one.
    fn offered(&self, mut action: CodeAction) -> Option<Offered> {
        let client = self.state.profile.actions;
        if !client.literals {
            return action.command.map(Offered::Command);
        }
        if !client.preferred {
            action.is_preferred = None;
        }
        let writes = |c: &Command| {
            matches!(c.command.as_str(), command::IMPLEMENT | command::IMPLEMENT_ALL | command::APPLY_EDIT)
        };
        let is_generated = client.generated && action.command.as_ref().is_some_and(writes);
        Some(Offered::Action {
            action: Box::new(action),
            tags: if is_generated { vec![GENERATED] } else { Vec::new() },
        })
    }

    fn command(&mut self, title: &str, kind: CodeActionKind, name: &str, function: &str) {
        let command = command::on_function(title, name, self.uri, function);
        self.push(CodeAction {
            title: title.to_owned(),
            kind: Some(kind),
            command: Some(command),
            ..CodeAction::default()
        });
    }

    /// Fixes of spec faults on the lines of the range: whoever has just typed a line is at its end.
    fn fixes(&mut self, selected: TextRange) {
        let snapshot = self.snapshot;
        let line = |at: usize| trimmed_line(&snapshot.rope, snapshot.line_at(at));
        let selected =
            TextRange::new(line(selected.start).start.min(selected.start), line(selected.end).end.max(selected.end));
        for fault in snapshot.analysis.diagnostics.iter().filter(|d| d.range.overlaps(selected)) {
            let Some((title, new_text)) = &fault.fix else { continue };
            let profile = &self.state.profile;
            let range = range_of(&snapshot.rope, fault.range, profile.encoding);
            let edit = apply::workspace_edit(
                profile,
                self.uri,
                snapshot.version,
                vec![TextEdit { range, new_text: new_text.clone() }],
            );
            self.push(CodeAction {
                title: title.clone(),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: Some(vec![diagnostics::of_spec(self.uri, snapshot, profile, fault)]),
                edit: Some(edit),
                is_preferred: Some(true),
                ..CodeAction::default()
            });
        }
    }

    fn for_task(&mut self, task: &Task) {
        let name = self.snapshot.name_of(task);
        if self.state.jobs.is_busy_on(self.uri, &name) {
            return self.command(
                &format!("Cancel zeroerr run on `{name}`"),
                CodeActionKind::REFACTOR,
                command::CANCEL,
                &name,
            );
        }
        if self.state.edits.is_kept(self.uri, &name, self.snapshot) {
            self.kept(&name);
        }
        self.implement(task, &name);
        if !task.is_stub {
            self.command("Verify this function", CodeActionKind::REFACTOR, command::VERIFY, &name);
        }
        self.answers(task, &name);
        let state = self.state;
        for action in counterexample::actions(state, self.uri, self.snapshot, task) {
            self.push(action);
        }
        if self.state.marks.of(self.uri, self.snapshot, task).is_some() {
            self.command(
                &format!("Show zeroerr report on `{name}`"),
                CodeActionKind::REFACTOR,
                command::SHOW_REPORT,
                &name,
            );
        }
    }

    /// What can be done with all functions of the file at once.
    fn for_file(&mut self) {
        let count = |kind| whole_file::functions(self.state, self.uri, self.snapshot, kind).len();
        let (stubs, changed) = (count(JobKind::Implement), count(JobKind::Verify));
        let mut offer = |title: String, kind: CodeActionKind, name: &str| {
            let arguments = Some(vec![serde_json::json!({ "uri": self.uri })]);
            let command = Some(Command { title: title.clone(), command: name.into(), arguments });
            self.push(CodeAction { title, kind: Some(kind), command, ..CodeAction::default() });
        };
        // For a single stub there is an action already.
        if stubs > 1 {
            let title = format!("Implement all {stubs} stubs of this file");
            offer(title, CodeActionKind::REFACTOR_REWRITE, command::IMPLEMENT_ALL);
        }
        if changed > 0 {
            let functions = if changed == 1 { "function" } else { "functions" };
            let title = format!("Verify {changed} changed {functions} of this file");
            offer(title, CodeActionKind::REFACTOR, command::VERIFY_CHANGED);
        }
    }

    fn kept(&mut self, name: &str) {
        let title = format!("Apply verified edit to `{name}`");
        if self.state.profile.apply_edit {
            return self.command(&title, CodeActionKind::QUICKFIX, command::APPLY_EDIT, name);
        }
        let edit = apply::kept_edit(self.state, self.uri, name, self.snapshot);
        self.push(CodeAction { title, kind: Some(CodeActionKind::QUICKFIX), edit, ..CodeAction::default() });
    }

    fn implement(&mut self, task: &Task, name: &str) {
        const TITLE: &str = "Implement with verified code";
        let kind = Some(CodeActionKind::REFACTOR_REWRITE);
        if let Some(line) = command::faulty_line(self.snapshot, task) {
            if self.state.profile.actions.disabled {
                let disabled = Some(CodeActionDisabled { reason: format!("the spec has an error in line {line}") });
                self.push(CodeAction { title: TITLE.into(), kind, disabled, ..CodeAction::default() });
            }
            return;
        }
        let command = Some(command::on_function(TITLE, command::IMPLEMENT, self.uri, name));
        let is_preferred = task.is_stub.then_some(true);
        self.push(CodeAction { title: TITLE.into(), kind, command, is_preferred, ..CodeAction::default() });
    }

    /// The answers that the candidates of the last run gave, one to be picked.
    fn answers(&mut self, task: &Task, name: &str) {
        let Some(mark) = self.state.marks.named(self.uri, name).filter(|m| m.holds_for(self.snapshot, task)) else {
            return;
        };
        let questions: Vec<CodeAction> = mark
            .questions()
            .flat_map(|q| disagreement::actions(&self.state.profile, self.uri, self.snapshot, task, name, q))
            .collect();
        questions.into_iter().for_each(|action| self.push(action));
        let guesses: Vec<CodeAction> = mark
            .suggestions()
            .filter_map(|clause| disagreement::guess(&self.state.profile, self.uri, self.snapshot, task, clause))
            .collect();
        guesses.into_iter().for_each(|action| self.push(action));
    }

    fn for_selection(&mut self, range: Range, selected: TextRange) {
        let kind = Some(CodeActionKind::REFACTOR_REWRITE);
        match selection::instruction(&self.snapshot.text, selected) {
            Some(instruction) => {
                let title = format!("Implement selection: {instruction}");
                let arguments =
                    vec![serde_json::json!({ "uri": self.uri, "range": range, "instruction": instruction })];
                let command =
                    Command { title: title.clone(), command: command::IMPLEMENT.into(), arguments: Some(arguments) };
                self.push(CodeAction { title, kind, command: Some(command), ..CodeAction::default() });
            }
            None if self.state.profile.actions.disabled => {
                let reason = "write `# zeroerr: <instruction>` in or above the selection".into();
                let disabled = Some(CodeActionDisabled { reason });
                self.push(CodeAction { title: "Implement selection".into(), kind, disabled, ..CodeAction::default() });
            }
            None => {}
        }
    }
}
