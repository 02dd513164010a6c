//! `workspace/executeCommand`: answered at once; what takes time becomes a job.

use lsp_types::*;
use serde::Deserialize;
use tower_lsp::jsonrpc::Error;
use zeroerr_core::code::Task;
use zeroerr_core::report::{RunOutcome, RunReport};

use super::disagreement::{self, Answered};
use super::show_report::After;
use super::whole_file;
use crate::apply;
use crate::document::Snapshot;
use crate::jobs::{JobEnd, JobId, JobKind, Target};
use crate::live;
use crate::marks::{Mark, MarkKind};
use crate::position::{byte_at, text_range_of};
use crate::state::{Event, Reply, State};

/// Writes a function: `{uri, function}`, `{uri, position}` or `{uri, range, instruction}`.
pub(crate) const IMPLEMENT: &str = "zeroerr.implement";
/// Checks a function as it stands: `{uri, function}` or `{uri, position}`.
pub(crate) const VERIFY: &str = "zeroerr.verify";
/// Cancels the job on `{uri, function}`; without arguments all of them.
pub(crate) const CANCEL: &str = "zeroerr.cancel";
/// Says what runs and what the machine has.
pub(crate) const STATUS: &str = "zeroerr.status";
/// Shows the report on `{uri, function}`; without arguments the newest.
pub(crate) const SHOW_REPORT: &str = "zeroerr.showReport";
/// Tries again to apply the verified edit for `{uri, function}`.
pub(crate) const APPLY_EDIT: &str = "zeroerr.applyEdit";
/// Puts the answer to a question into the spec and goes on: `{uri, function, clause}`, or
/// `{uri, function, input, answer}` with an answer such as `= 0` or `! ValueError`.
pub(crate) const ANSWER: &str = "zeroerr.answer";

/// Writes every stub of `{uri}` that has a spec.
pub(crate) const IMPLEMENT_ALL: &str = "zeroerr.implementAll";
/// Checks every function of `{uri}` that was changed since it was checked.
pub(crate) const VERIFY_CHANGED: &str = "zeroerr.verifyChanged";

/// Every command. Neovim refuses commands that are not announced.
pub(crate) const COMMANDS: [&str; 9] =
    [IMPLEMENT, VERIFY, CANCEL, STATUS, SHOW_REPORT, APPLY_EDIT, ANSWER, IMPLEMENT_ALL, VERIFY_CHANGED];

/// A command on a function, complete with arguments.
pub(crate) fn on_function(title: &str, command: &str, uri: &Uri, function: &str) -> Command {
    let arguments = vec![serde_json::json!({ "uri": uri, "function": function })];
    Command { title: title.to_owned(), command: command.to_owned(), arguments: Some(arguments) }
}

/// What a command may be told.
#[derive(Deserialize, Default)]
struct Arguments {
    uri: Option<Uri>,
    function: Option<String>,
    position: Option<Position>,
    range: Option<Range>,
    instruction: Option<String>,
    input: Option<String>,
    answer: Option<String>,
    clause: Option<String>,
}

/// A job that was asked for.
#[derive(Clone)]
pub(crate) struct JobOrder {
    kind: JobKind,
    pub(crate) uri: Uri,
    place: Place,
    /// The answer that has to stand in the spec first.
    answered: Option<Answered>,
}

impl JobOrder {
    /// A job on a function by its name.
    pub(crate) fn on(kind: JobKind, uri: Uri, function: String) -> Self {
        Self { kind, uri, place: Place::Function(function), answered: None }
    }

    /// The run that goes on with an answer.
    pub(crate) fn after(uri: Uri, function: String, answered: Answered) -> Self {
        Self { kind: JobKind::Implement, uri, place: Place::Function(function), answered: Some(answered) }
    }
}

/// Where in the document.
#[derive(Clone)]
enum Place {
    Function(String),
    Position(Position),
    Selection(Range, String),
}

pub(crate) fn answer(state: &mut State, params: ExecuteCommandParams, reply: Reply<Option<LSPAny>>) {
    let result = execute(state, &params.command, params.arguments).map(|()| None);
    drop(reply.send(result.map_err(|why| match why {
        Refusal::Unknown => Error::method_not_found(),
        Refusal::Arguments(why) => Error::invalid_params(why),
    })));
}

enum Refusal {
    Unknown,
    Arguments(String),
}

fn execute(state: &mut State, command: &str, arguments: Vec<serde_json::Value>) -> Result<(), Refusal> {
    let arguments = match arguments.into_iter().next() {
        None | Some(serde_json::Value::Null) => Arguments::default(),
        Some(value) => serde_json::from_value(value).map_err(|e| Refusal::Arguments(format!("{command}: {e}")))?,
    };
    let needs = |what: &str| Refusal::Arguments(format!("{command} needs one argument: {what}"));
    let uri = arguments.uri.clone();
    let on_function = || uri.as_ref().zip(arguments.function.as_deref());
    match command {
        IMPLEMENT | VERIFY => {
            let kind = if command == IMPLEMENT { JobKind::Implement } else { JobKind::Verify };
            let order = order(kind, arguments)
                .ok_or_else(|| needs("{uri, function}, {uri, position} or {uri, range, instruction}"))?;
            drop(state.events.send(Event::StartJob(order)));
        }
        IMPLEMENT_ALL | VERIFY_CHANGED => {
            let kind = if command == IMPLEMENT_ALL { JobKind::Implement } else { JobKind::Verify };
            let uri = uri.ok_or_else(|| needs("{uri}"))?;
            drop(state.events.send(Event::StartAll { kind, uri }));
        }
        CANCEL => cancel(state, on_function()),
        STATUS => show_status(state),
        SHOW_REPORT => super::show_report::show(state, on_function()),
        APPLY_EDIT => {
            let (uri, function) = on_function().ok_or_else(|| needs("{uri, function}"))?;
            if !apply::retry(state, uri, function) {
                state.show(MessageType::INFO, format!("zeroerr: no verified edit waits for `{function}`"));
            }
        }
        ANSWER => {
            let what = "{uri, function, clause} or {uri, function, input, answer}";
            let (uri, function) = on_function().ok_or_else(|| needs(what))?;
            let told = arguments.input.as_deref().zip(arguments.answer.as_deref());
            let clause = match (arguments.clause.clone(), told) {
                (Some(clause), _) => clause,
                (None, Some((input, said))) => disagreement::clause_of(input, said)
                    .ok_or_else(|| Refusal::Arguments(format!("`{said}` is no value and no exception")))?,
                (None, None) => return Err(needs(what)),
            };
            disagreement::put(state, uri, function, &clause);
        }
        _ => return Err(Refusal::Unknown),
    }
    Ok(())
}

fn order(kind: JobKind, arguments: Arguments) -> Option<JobOrder> {
    let place = match arguments {
        Arguments { function: Some(name), .. } => Place::Function(name),
        Arguments { range: Some(range), instruction: Some(text), .. } if kind == JobKind::Implement => {
            Place::Selection(range, text)
        }
        Arguments { position: Some(position), .. } => Place::Position(position),
        Arguments { range: Some(range), .. } => Place::Position(range.start),
        _ => return None,
    };
    Some(JobOrder { kind, uri: arguments.uri?, place, answered: None })
}

fn cancel(state: &mut State, target: Option<(&Uri, &str)>) {
    let cancelled = match target {
        Some((uri, function)) => {
            let job = state.jobs.on(uri, function).map(|(id, _)| id);
            usize::from(job.is_some_and(|id| state.jobs.cancel(id)))
        }
        None => {
            let waiting = std::mem::take(&mut state.waiting).len();
            state.jobs.cancel_all() + waiting
        }
    };
    if cancelled == 0 {
        state.show(MessageType::INFO, "zeroerr: nothing is running");
    }
}

fn show_status(state: &State) {
    let mut lines: Vec<String> =
        state.jobs.iter().map(|(_, job)| format!("running: `{}`: {}", job.target.function, job.status)).collect();
    if lines.is_empty() {
        lines.push("nothing is running".into());
    }
    lines.extend(state.options.workbench.status());
    let said = format!("zeroerr: {}", lines.join("\n"));
    if state.profile.helix {
        let list: String = lines.iter().map(|line| format!("- {line}\n")).collect();
        return super::show_report::open(
            state,
            "status.md".into(),
            format!("# zeroerr\n\n{list}"),
            After { instead: said, asks: None },
        );
    }
    state.show(MessageType::INFO, said);
}

/// Begins a job, or says why not.
pub(crate) fn start(state: &mut State, order: JobOrder) {
    if order.answered.as_ref().is_some_and(|answered| !disagreement::stands(state, &order, answered)) {
        return;
    }
    match target(state, &order) {
        Ok(target) => {
            let kind = order.kind;
            if state.jobs.after_cancelled(&target, order).is_none() {
                return;
            }
            let (uri, function) = (target.uri.clone(), target.function.clone());
            state.edits.forget(&uri, Some(&function));
            state.jobs.start(kind, target, state.options.workbench.clone(), &state.outbox, state.profile.progress);
            if let Some((id, job)) = state.jobs.on(&uri, &function) {
                live::run(state, id, job.kind, &job.target, &[], None);
            }
            live::marks(state, &uri);
            state.refresh_lenses();
        }
        Err(why) => {
            state.show(MessageType::WARNING, format!("zeroerr: {why}"));
            whole_file::go_on(state, 1);
        }
    }
}

fn target(state: &State, order: &JobOrder) -> Result<Target, String> {
    let doc = state.documents.get(&order.uri).ok_or_else(|| format!("{} is not open", order.uri.as_str()))?;
    let snapshot =
        doc.snapshot.clone().ok_or_else(|| format!("{} is in no language that zeroerr knows", order.uri.as_str()))?;
    let encoding = state.profile.encoding;
    let task = match &order.place {
        Place::Function(name) => snapshot
            .task_named(name)
            .cloned()
            .ok_or_else(|| format!("no function `{name}` with a spec in this file"))?,
        Place::Position(position) => {
            let at = byte_at(&snapshot.rope, *position, encoding);
            snapshot
                .analysis
                .task_at(at)
                .cloned()
                .ok_or("no function with a spec here; write `# @spec ...` above one")?
        }
        Place::Selection(range, instruction) => {
            let selection = text_range_of(&snapshot.rope, *range, encoding);
            state.options.workbench.task_for_selection(&doc.path, &snapshot.text, selection, instruction)?
        }
    };
    let function = snapshot.name_of(&task);
    if let Some(line) = faulty_line(&snapshot, &task) {
        return Err(format!("the spec of `{function}` has an error in line {line}; mend it first"));
    }
    if state.jobs.is_busy_on(&order.uri, &function) {
        return Err(format!("`{function}` is being worked on already; cancel that first"));
    }
    Ok(Target { uri: order.uri.clone(), function, snapshot, task })
}

/// The 1-based line of the first error in a task's spec.
pub(crate) fn faulty_line(snapshot: &Snapshot, task: &Task) -> Option<usize> {
    let fault = snapshot.analysis.spec_error(task)?;
    Some(snapshot.line_at(fault.range.start) + 1)
}

/// A job has ended: its progress goes, its result stays.
pub(crate) fn ended(state: &mut State, id: JobId, end: JobEnd) {
    let message = end_message(&end);
    let shows_progress = state.profile.progress;
    let Some(job) = state.jobs.take(id, &state.outbox, |_| message.clone()) else { return };
    live::run(state, id, job.kind, &job.target, &[], Some(&end));
    whole_file::go_on(state, 1);
    let Target { uri, function, snapshot, task } = job.target.clone();
    match end {
        JobEnd::Ran(report) if report.outcome == RunOutcome::Verified && !report.edits.is_empty() => {
            ended_without_mark(state, &uri);
            apply::offer(state, job.target, *report);
        }
        JobEnd::Ran(report) if report.outcome == RunOutcome::Error => {
            ended_without_mark(state, &uri);
            state.show(MessageType::ERROR, format!("zeroerr: `{function}`: {}", report.reason));
        }
        JobEnd::Ran(report) => {
            state.show(MessageType::WARNING, format!("zeroerr: no edit for `{function}`: {}", report.reason));
            let mark = Mark::new(MarkKind::Abstained, &snapshot, &task, report.stack(), Some(*report));
            state.marks.set(&uri, &function, mark);
            state.refresh(&uri);
        }
        JobEnd::Verified(stack) => {
            state.marks.set(&uri, &function, Mark::new(MarkKind::Verified, &snapshot, &task, stack, None));
            state.refresh(&uri);
        }
        JobEnd::Cancelled => {
            ended_without_mark(state, &uri);
            if !shows_progress {
                state.show(MessageType::INFO, format!("zeroerr: `{function}`: cancelled"));
            }
        }
        JobEnd::Panicked(why) => {
            ended_without_mark(state, &uri);
            state.show(
                MessageType::ERROR,
                format!("zeroerr: internal error while working on `{function}`: {why}; please report it"),
            );
        }
    }
}

/// What runs has changed, and what is known has not. With a mark the news come with the mark, so
/// that nobody takes the state between a job and its mark for the result.
fn ended_without_mark(state: &State, uri: &Uri) {
    state.refresh_lenses();
    live::marks(state, uri);
}

fn end_message(end: &JobEnd) -> String {
    match end {
        JobEnd::Ran(report) => run_message(report),
        JobEnd::Verified(stack) => stack.summary(),
        JobEnd::Cancelled => "cancelled".into(),
        JobEnd::Panicked(_) => "internal error".into(),
    }
}

fn run_message(report: &RunReport) -> String {
    match report.outcome {
        RunOutcome::Verified => format!("verified: {}", report.stack().summary()),
        RunOutcome::Abstained => format!("no edit: {}", report.reason),
        RunOutcome::Error => report.reason.clone(),
    }
}
