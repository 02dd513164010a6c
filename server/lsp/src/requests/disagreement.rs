//! A disagreement of the candidates, answered: one more clause in the spec, and the run goes on.
//!
//! The server itself asks the client to write the clause, and begins the run when the document shows
//! it. An action with an edit and a command would leave the order to the client: Emacs sends its
//! changes half a second later than its commands.

use std::time::{Duration, Instant};

use lsp_types::{
    ApplyWorkspaceEditParams, CodeAction, CodeActionKind, Command, MessageType, TextEdit as LspEdit, Uri,
    WorkspaceEdit, request,
};
use zeroerr_core::code::Task;
use zeroerr_core::question::Question;
use zeroerr_core::report::{Disagreement, StepReport};
use zeroerr_core::task_specification::insert_clause;

use super::execute_command::{self as command, JobOrder};
use crate::client::ClientProfile;
use crate::document::Snapshot;
use crate::position::range_of;
use crate::state::{Event, State};

/// How often the document is looked at for a clause that was sent to it.
const LOOK: Duration = Duration::from_millis(50);

/// What a call does, as fingerprints write it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Returns(String),
    Raises(String),
}

impl Outcome {
    /// Reads `= 3` or `! ValueError`; a time-out is none.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(exception) = text.strip_prefix('!').or_else(|| text.strip_prefix("raises ")) {
            return Some(Self::Raises(exception.split([':', '(']).next().unwrap_or_default().trim().to_owned()));
        }
        let value = text.strip_prefix("= ").unwrap_or(text).trim();
        (!value.is_empty() && !value.starts_with("time")).then(|| Self::Returns(value.to_owned()))
    }
}

/// The clause for an answer that a plugin gives in its own words: `= 3`, `! ValueError`.
pub(crate) fn clause_of(call: &str, answer: &str) -> Option<String> {
    Some(match Outcome::parse(answer)? {
        Outcome::Returns(value) => format!("@example {call} == {value}"),
        Outcome::Raises(exception) => format!("@raises {exception} {call}"),
    })
}

/// What the behaviours of a step differ on, one line each: the questions that were made of it, else the
/// inputs as they came.
pub(crate) fn differences(step: &StepReport) -> Vec<String> {
    if step.questions.is_empty() {
        return step.disagreements.iter().map(plainly).collect();
    }
    step.questions.iter().map(Question::summary).collect()
}

/// "`f([])`: `0` (5 votes), raises `ValueError` (1 vote)".
fn plainly(d: &Disagreement) -> String {
    let shown = |answer: &str| match Outcome::parse(answer) {
        Some(Outcome::Returns(value)) => format!("`{value}`"),
        Some(Outcome::Raises(exception)) => format!("raises `{exception}`"),
        None => answer.to_owned(),
    };
    let counted = |votes: u32| format!("{votes} {}", if votes == 1 { "vote" } else { "votes" });
    let answers: Vec<_> =
        d.answers.iter().map(|(answer, votes)| format!("{} ({})", shown(answer), counted(*votes))).collect();
    format!("`{}`: {}", d.input, answers.join(", "))
}

/// The actions that answer a question, and one to answer it in one's own words.
pub(crate) fn actions(
    profile: &ClientProfile,
    uri: &Uri,
    snapshot: &Snapshot,
    task: &Task,
    function: &str,
    question: &Question,
) -> Vec<CodeAction> {
    let action = |title: String| CodeAction { title, kind: Some(CodeActionKind::QUICKFIX), ..CodeAction::default() };
    let chosen = |clause: &str, title: String| {
        let arguments = vec![serde_json::json!({ "uri": uri, "function": function, "clause": clause })];
        let command = |name: &str, arguments| {
            Some(Command { title: title.clone(), command: name.to_owned(), arguments: Some(arguments) })
        };
        if profile.apply_edit {
            return Some(CodeAction { command: command(command::ANSWER, arguments), ..action(title.clone()) });
        }
        let edit = Some(edit(profile, uri, snapshot, task, clause)?.0);
        let arguments = vec![serde_json::json!({ "uri": uri, "function": function })];
        Some(CodeAction { edit, command: command(command::IMPLEMENT, arguments), ..action(title.clone()) })
    };
    let mut actions: Vec<CodeAction> =
        question.choices().filter_map(|(answer, clause)| chosen(clause, answer.title(&question.input))).collect();
    if !actions.is_empty() {
        // What is left to be typed is a fault of the spec until it is.
        let unfinished = edit(profile, uri, snapshot, task, &format!("@example {} == ", question.input));
        actions.extend(unfinished.map(|(edit, _)| CodeAction {
            edit: Some(edit),
            ..action(format!("`{}` should be something else: write it", question.input))
        }));
    }
    actions
}

/// The action that puts a guess at an example into the spec, to be looked at and accepted there.
pub(crate) fn guess(
    profile: &ClientProfile,
    uri: &Uri,
    snapshot: &Snapshot,
    task: &Task,
    clause: &str,
) -> Option<CodeAction> {
    let shown = clause.split_once(' ').map_or(clause, |(_, claim)| claim);
    Some(CodeAction {
        title: format!("Add to the spec as a guess: `{shown}`"),
        kind: Some(CodeActionKind::QUICKFIX),
        edit: Some(edit(profile, uri, snapshot, task, clause)?.0),
        ..CodeAction::default()
    })
}

/// The edit that puts a clause into a task's spec, and the text that it puts there.
pub(super) fn edit(
    profile: &ClientProfile,
    uri: &Uri,
    snapshot: &Snapshot,
    task: &Task,
    clause: &str,
) -> Option<(WorkspaceEdit, String)> {
    let edit = insert_clause(task, clause)?;
    let range = range_of(&snapshot.rope, edit.range, profile.encoding);
    let lsp = LspEdit { range, new_text: edit.new_text.clone() };
    Some((crate::apply::workspace_edit(profile, uri, snapshot.version, vec![lsp]), edit.new_text))
}

/// Puts a clause into a function's spec and goes on with its run.
pub(crate) fn put(state: &State, uri: &Uri, function: &str, clause: &str) {
    let edit = state.snapshot(uri).and_then(|now| {
        let task = now.task_named(function)?;
        edit(&state.profile, uri, &now, task, clause)
    });
    let Some((edit, written)) = edit else {
        return state
            .show(MessageType::WARNING, format!("zeroerr: `{function}` has no spec here that could take the answer"));
    };
    let (uri, function, patience) = (uri.clone(), function.to_owned(), state.options.apply_patience);
    let params = ApplyWorkspaceEditParams { label: Some(format!("zeroerr: {clause}")), edit };
    state.outbox.request::<request::ApplyWorkspaceEdit>(params, move |end| {
        let refused = match end {
            Ok(answer) if answer.applied => None,
            Ok(answer) => Some(answer.failure_reason.unwrap_or_else(|| "the editor gave no reason".into())),
            Err(error) => Some(error),
        };
        let answered = Answered { text: unix(&written), refused, until: Instant::now() + patience };
        Some(Event::StartJob(JobOrder::after(uri, function, answered)))
    });
}

/// A clause that was sent to the document.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    text: String,
    /// Why the client did not write it.
    refused: Option<String>,
    until: Instant,
}

/// Whether a clause stands in the document yet. When it does not, the order is looked at again later, or
/// given up: an answer of `applied: true` proves nothing.
pub(crate) fn stands(state: &State, order: &JobOrder, answered: &Answered) -> bool {
    if let Some(why) = &answered.refused {
        state.show(MessageType::WARNING, format!("zeroerr: the answer was not written: {why}"));
        return false;
    }
    let text = state.documents.get(&order.uri).map(|d| unix(&d.rope.to_string())).unwrap_or_default();
    if text.contains(answered.text.trim()) {
        return true;
    }
    if Instant::now() < answered.until {
        state.later(LOOK, Event::StartJob(order.clone()));
    } else {
        state.show(MessageType::WARNING, "zeroerr: the editor's text does not show the answer; nothing was started");
    }
    false
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_a_plugins_words_is_a_clause() {
        assert_eq!(clause_of("f([])", "= 0").as_deref(), Some("@example f([]) == 0"));
        assert_eq!(clause_of("f([])", "! ValueError: empty").as_deref(), Some("@raises ValueError f([])"));
        assert_eq!(clause_of("f([])", "= 'timeout'").as_deref(), Some("@example f([]) == 'timeout'"));
        assert_eq!(clause_of("f([])", "timeout"), None);
    }
}
