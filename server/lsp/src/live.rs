//! What an editor that asks for it is told beyond the protocol: the news of runs as they come, and
//! the state of every function with its layers. Our VS Code extension makes its Runs view, its
//! gutter marks and its test explorer of them; an editor that does not ask sees nothing of it.
//!
//! It asks with `experimental: {"zeroerr": {"runs": true, "marks": true, "reports": true}}` among its capabilities.

use lsp_types::Uri;
use lsp_types::notification::Notification;
use serde::Serialize;
use zeroerr_core::code::Task;
use zeroerr_core::report::{RunEvent, RunOutcome};
use zeroerr_core::verdict::{LayerReport, Verdict};

use crate::document::Snapshot;
use crate::jobs::{JobEnd, JobId, JobKind, Target};
use crate::marks::{Mark, MarkKind};
use crate::state::State;

/// What a client asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Live {
    /// [`RunNews`]
    pub(crate) runs: bool,
    /// [`FunctionStates`]
    pub(crate) marks: bool,
    /// [`ReportPage`]
    pub(crate) reports: bool,
}

impl Live {
    /// Reads it from the parameters of `initialize` as they came.
    pub(crate) fn announced(raw: &serde_json::Value) -> Self {
        let asked =
            |what: &str| raw.pointer(&format!("/capabilities/experimental/zeroerr/{what}")) == Some(&true.into());
        Self { runs: asked("runs"), marks: asked("marks"), reports: asked("reports") }
    }
}

/// `zeroerr/run`: a job began, has news, or ended.
enum RunNews {}

impl Notification for RunNews {
    type Params = RunNewsParams;
    const METHOD: &'static str = "zeroerr/run";
}

#[derive(Serialize, serde::Deserialize)]
struct RunNewsParams {
    /// The job, unique in this server.
    job: JobId,
    /// `implement` or `verify`.
    kind: String,
    uri: Uri,
    function: String,
    /// What happened since the last message, in order.
    news: Vec<RunEvent>,
    /// How it ended; absent while it runs.
    end: Option<RunEnd>,
}

#[derive(Serialize, serde::Deserialize)]
struct RunEnd {
    /// `verified`, `abstained`, `error`, `checked` (a verification) or `cancelled`.
    outcome: String,
    /// One line for people.
    message: String,
    /// The identifier of the run in the journal.
    run: Option<String>,
}

/// `zeroerr/marks`: the state of every function of a document that has a spec.
enum FunctionStates {}

impl Notification for FunctionStates {
    type Params = FunctionStatesParams;
    const METHOD: &'static str = "zeroerr/marks";
}

#[derive(Serialize, serde::Deserialize)]
struct FunctionStatesParams {
    uri: Uri,
    /// The version of the document that the lines are about.
    version: i32,
    functions: Vec<FunctionState>,
}

#[derive(Serialize, serde::Deserialize)]
struct FunctionState {
    /// `Class.method` for methods.
    function: String,
    /// 0-based line of the function's header.
    line: usize,
    stub: bool,
    /// `running`, `unchecked`, `changed`, `abstained`, `failed` or `passed`; the last two are about
    /// exactly this text.
    state: String,
    /// "7/8 checks @v42 · 5 votes, ahead by 3"; empty without a mark.
    title: String,
    /// How many lines the function has moved since its findings were made.
    moved: i64,
    /// The layers, only when they are about exactly this text.
    layers: Vec<LayerReport>,
}

/// `zeroerr/report`: a run as a page, to be shown beside the code.
enum ReportPage {}

impl Notification for ReportPage {
    type Params = ReportPageParams;
    const METHOD: &'static str = "zeroerr/report";
}

#[derive(Serialize, serde::Deserialize)]
struct ReportPageParams {
    title: String,
    /// Without scripts, and without anything that is fetched.
    html: String,
}

/// Shows a page.
pub(crate) fn report(state: &State, title: String, html: String) {
    state.outbox.notify::<ReportPage>(ReportPageParams { title, html });
}

/// Tells of a job: `news`, or its end.
pub(crate) fn run(state: &State, job: JobId, kind: JobKind, target: &Target, news: &[RunEvent], end: Option<&JobEnd>) {
    if !state.profile.live.runs {
        return;
    }
    let params = RunNewsParams {
        job,
        kind: if kind == JobKind::Implement { "implement" } else { "verify" }.into(),
        uri: target.uri.clone(),
        function: target.function.clone(),
        news: news.to_vec(),
        end: end.map(run_end),
    };
    state.outbox.notify::<RunNews>(params);
}

fn run_end(end: &JobEnd) -> RunEnd {
    let (outcome, message, run) = match end {
        JobEnd::Ran(report) => {
            let outcome = match report.outcome {
                RunOutcome::Verified => "verified",
                RunOutcome::Abstained => "abstained",
                RunOutcome::Error => "error",
            };
            let message =
                if report.outcome == RunOutcome::Verified { report.stack().summary() } else { report.reason.clone() };
            (outcome, message, Some(report.id.clone()))
        }
        JobEnd::Verified(stack) => ("checked", stack.summary(), None),
        JobEnd::Cancelled => ("cancelled", "cancelled".into(), None),
        JobEnd::Panicked(why) => ("error", format!("internal error: {why}"), None),
    };
    RunEnd { outcome: outcome.into(), message, run }
}

/// Tells the state of every function of a document.
pub(crate) fn marks(state: &State, uri: &Uri) {
    if !state.profile.live.marks {
        return;
    }
    let Some(snapshot) = state.snapshot(uri) else { return };
    let functions = snapshot.analysis.tasks.iter().map(|task| function_state(state, uri, &snapshot, task)).collect();
    let params = FunctionStatesParams { uri: uri.clone(), version: snapshot.version, functions };
    state.outbox.notify::<FunctionStates>(params);
}

/// A closed document has no functions to show.
pub(crate) fn no_marks(state: &State, uri: &Uri) {
    if state.profile.live.marks {
        let params = FunctionStatesParams { uri: uri.clone(), version: 0, functions: Vec::new() };
        state.outbox.notify::<FunctionStates>(params);
    }
}

fn function_state(state: &State, uri: &Uri, snapshot: &Snapshot, task: &Task) -> FunctionState {
    let function = snapshot.name_of(task);
    let mark = state.marks.of(uri, snapshot, task);
    let holds = mark.filter(|m| m.holds_for(snapshot, task));
    let name = match (state.jobs.on(uri, &function), mark) {
        (Some(_), _) => "running",
        (None, None) => "unchecked",
        (None, Some(_)) => holds.map_or("changed", |mark| verdict_of(state, task, mark)),
    };
    let line = snapshot.line_at(task.function_range.start) + 1;
    FunctionState {
        function,
        line: snapshot.header_line(task),
        stub: task.is_stub,
        state: name.into(),
        title: holds.map(Mark::headline).unwrap_or_default(),
        moved: holds.map_or(0, |m| line as i64 - m.function_line as i64),
        // Those of an abstention are about a candidate, which is not in the text.
        layers: holds.filter(|m| m.kind != MarkKind::Abstained).map(|m| m.stack.layers.clone()).unwrap_or_default(),
    }
}

/// What a mark that holds says.
fn verdict_of(state: &State, task: &Task, mark: &Mark) -> &'static str {
    let failed = mark.stack.layers.iter().any(|l| l.verdict == Verdict::Failed);
    match mark.kind {
        MarkKind::Abstained => "abstained",
        _ if failed => "failed",
        MarkKind::Applied => "passed",
        // Nothing that failed is not yet something that passed: a wrong function could look the same.
        MarkKind::Verified if state.options.workbench.objection(task, &mark.stack).is_some() => "unchecked",
        MarkKind::Verified => "passed",
    }
}
