//! Long work: runs and verifications, with progress the client can show and cancel.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use futures::future::FutureExt as _;
use lsp_types::*;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::Task;
use zeroerr_core::report::{RunEvent, RunReport};
use zeroerr_core::verdict::{Layer, StackReport};
use zeroerr_engine::Workbench;

use crate::dispatch::panic_text;
use crate::document::Snapshot;
use crate::outbox::Outbox;
use crate::requests::execute_command::JobOrder;
use crate::state::Event;

/// Numbers jobs; also the end of their progress token.
pub(crate) type JobId = u64;

/// How long a cancelled job may take to end by itself before it is dropped.
const GRACE: Duration = Duration::from_secs(2);

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Writes a function.
    Implement,
    /// Checks a function as it stands.
    Verify,
}

/// How a job ended.
pub(crate) enum JobEnd {
    /// A run, with its report.
    Ran(Box<RunReport>),
    /// A verification, with its verdicts.
    Verified(StackReport),
    /// It was cancelled.
    Cancelled,
    /// It panicked.
    Panicked(String),
}

/// What a job works on, as it was when the job began.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The document.
    pub(crate) uri: Uri,
    /// The function, `Class.method` for methods.
    pub(crate) function: String,
    /// The document's text and analysis.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The task.
    pub(crate) task: Task,
}

/// Whether the client shows a job's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    None,
    Asked,
    Shown,
}

/// One job.
pub(crate) struct Job {
    pub(crate) kind: JobKind,
    pub(crate) target: Target,
    /// The last thing it told, as one line.
    pub(crate) status: String,
    finished_layers: u32,
    display: Display,
    /// Whether it was cancelled, and will end soon.
    cancelled: bool,
    /// What begins on the same function when it has ended.
    then: Option<JobOrder>,
}

/// The jobs that run.
pub(crate) struct Jobs {
    next: JobId,
    running: BTreeMap<JobId, Job>,
    /// Shared with the workers, which take their entry out when they end: a cancellation that
    /// crosses with the end of its job finds nothing.
    cancel: Arc<DashMap<JobId, CancellationToken>>,
    workers: JoinSet<()>,
    runs_on: Option<Handle>,
    events: UnboundedSender<Event>,
}

impl Jobs {
    pub(crate) fn new(events: UnboundedSender<Event>, runs_on: Option<Handle>) -> Self {
        Self { next: 1, running: BTreeMap::new(), cancel: Arc::default(), workers: JoinSet::new(), runs_on, events }
    }

    /// The job on a function, if one runs.
    pub(crate) fn on(&self, uri: &Uri, function: &str) -> Option<(JobId, &Job)> {
        self.running
            .iter()
            .find(|(_, j)| j.target.uri == *uri && j.target.function == function)
            .map(|(id, job)| (*id, job))
    }

    /// Whether a job is on a function that nobody has cancelled.
    pub(crate) fn is_busy_on(&self, uri: &Uri, function: &str) -> bool {
        self.on(uri, function).is_some_and(|(_, job)| !job.cancelled)
    }

    /// Keeps an order until the cancelled job on its function has ended; gives it back when there is none.
    pub(crate) fn after_cancelled(&mut self, target: &Target, order: JobOrder) -> Option<JobOrder> {
        let on_it = |j: &&mut Job| j.target.uri == target.uri && j.target.function == target.function;
        match self.running.values_mut().find(on_it) {
            Some(job) => {
                job.then = Some(order);
                None
            }
            None => Some(order),
        }
    }

    /// Every running job.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (JobId, &Job)> {
        self.running.iter().map(|(id, job)| (*id, job))
    }

    /// Begins a job.
    pub(crate) fn start(
        &mut self,
        kind: JobKind,
        target: Target,
        workbench: Arc<dyn Workbench>,
        outbox: &Outbox,
        shows_progress: bool,
    ) {
        while self.workers.try_join_next().is_some() {}
        let id = self.next;
        self.next += 1;
        let token = CancellationToken::new();
        self.cancel.insert(id, token.clone());
        let display = if shows_progress { Display::Asked } else { Display::None };
        let (task, ended) = (target.task.clone(), self.cancel.clone());
        let run = work(id, kind, task, workbench, token, ended, self.events.clone());
        match &self.runs_on {
            Some(threads) => self.workers.spawn_on(run, threads),
            None => self.workers.spawn(run),
        };
        let job =
            Job { kind, target, status: "starting".into(), finished_layers: 0, display, cancelled: false, then: None };
        if shows_progress {
            let params = WorkDoneProgressCreateParams { token: token_of(id) };
            outbox.request::<request::WorkDoneProgressCreate>(params, move |end| {
                Some(Event::ProgressCreated { job: id, shown: end.is_ok() })
            });
        } else {
            log(outbox, format!("zeroerr: {} began", title(&job)));
        }
        self.running.insert(id, job);
    }

    /// The client's answer to the request for a progress display.
    pub(crate) fn progress_created(&mut self, id: JobId, shown: bool, titled: &str, outbox: &Outbox) {
        let Some(job) = self.running.get_mut(&id) else { return };
        job.display = if shown { Display::Shown } else { Display::None };
        if shown {
            let begin = WorkDoneProgressBegin {
                title: format!("{titled}{}", title(job)),
                cancellable: Some(true),
                message: Some(job.status.clone()),
                percentage: None,
            };
            progress(outbox, id, WorkDoneProgress::Begin(begin));
        }
    }

    /// Takes in what a job told and shows the newest line.
    pub(crate) fn progress(&mut self, id: JobId, events: &[RunEvent], outbox: &Outbox) {
        let Some(job) = self.running.get_mut(&id) else { return };
        let before = job.status.clone();
        for event in events {
            if let RunEvent::NotJournaled { why } = event {
                let message = format!("zeroerr: the run is not kept, and cannot be resumed or shown: {why}");
                outbox.notify::<notification::ShowMessage>(ShowMessageParams { typ: MessageType::WARNING, message });
            }
            job.finished_layers += u32::from(matches!(event, RunEvent::LayerFinished { .. }));
            job.status = describe(event, job.finished_layers);
        }
        if job.display == Display::Shown && job.status != before {
            let report =
                WorkDoneProgressReport { cancellable: Some(true), message: Some(job.status.clone()), percentage: None };
            progress(outbox, id, WorkDoneProgress::Report(report));
        }
    }

    /// Takes a job that has ended out, and its progress off the screen; what was to begin after it begins.
    pub(crate) fn take(&mut self, id: JobId, outbox: &Outbox, message: impl FnOnce(&Job) -> String) -> Option<Job> {
        let mut job = self.running.remove(&id)?;
        if let Some(order) = job.then.take() {
            drop(self.events.send(Event::StartJob(order)));
        }
        let message = message(&job);
        match job.display {
            Display::Shown => {
                progress(outbox, id, WorkDoneProgress::End(WorkDoneProgressEnd { message: Some(message) }))
            }
            Display::Asked | Display::None => log(outbox, format!("zeroerr: {}: {message}", title(&job))),
        }
        Some(job)
    }

    /// Cancels a job, and what was to begin after it; `false` when it is not running any more.
    pub(crate) fn cancel(&mut self, id: JobId) -> bool {
        let token = self.cancel.get(&id).map(|token| token.clone());
        if let Some(job) = self.running.get_mut(&id) {
            job.cancelled |= token.is_some();
            job.then = None;
        }
        token.is_some_and(|token| {
            token.cancel();
            true
        })
    }

    /// Cancels every job and says how many there were.
    pub(crate) fn cancel_all(&mut self) -> usize {
        let all: Vec<JobId> = self.running.keys().copied().collect();
        all.into_iter().filter(|id| self.cancel(*id)).count()
    }

    /// Cancels the job behind a progress token.
    pub(crate) fn cancel_token(&mut self, token: &ProgressToken) {
        if let Some(id) = self.running.keys().copied().find(|id| token_of(*id) == *token) {
            self.cancel(id);
        }
    }

    /// Cancels every job and waits until each has ended, or drops it.
    pub(crate) async fn end_all(&mut self) {
        self.cancel_all();
        let ended = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(2 * GRACE, ended).await.is_err() {
            self.workers.shutdown().await;
        }
    }
}

/// Runs one job to its end and says how it ended, exactly once.
async fn work(
    id: JobId,
    kind: JobKind,
    task: Task,
    workbench: Arc<dyn Workbench>,
    token: CancellationToken,
    tokens: Arc<DashMap<JobId, CancellationToken>>,
    events: UnboundedSender<Event>,
) {
    let (tell, mut told) = unbounded_channel();
    let cancelled = token.clone();
    let job = async move {
        match kind {
            JobKind::Implement => JobEnd::Ran(Box::new(workbench.run(task, tell, token).await)),
            JobKind::Verify => JobEnd::Verified(workbench.verify(task, tell, token).await),
        }
    };
    let guarded = AssertUnwindSafe(job).catch_unwind();
    let overdue = async {
        cancelled.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let end = async {
        tokio::select! {
            end = guarded => end.unwrap_or_else(|panic| JobEnd::Panicked(panic_text(&*panic).to_owned())),
            () = overdue => JobEnd::Cancelled,
        }
    };
    // Everything told before the end goes out before the end; a flood goes out in batches.
    tokio::pin!(end);
    let mut batch = Vec::new();
    let send =
        |batch: &mut Vec<RunEvent>| drop(events.send(Event::JobProgress { job: id, events: std::mem::take(batch) }));
    let end = loop {
        tokio::select! {
            biased;
            n = told.recv_many(&mut batch, 64), if !told.is_closed() || !told.is_empty() => if n > 0 { send(&mut batch) },
            end = &mut end => break end,
        }
    };
    while let Ok(event) = told.try_recv() {
        batch.push(event);
    }
    if !batch.is_empty() {
        send(&mut batch);
    }
    tokens.remove(&id);
    let end = if cancelled.is_cancelled() { JobEnd::Cancelled } else { end };
    drop(events.send(Event::JobEnded { job: id, end }));
}

fn title(job: &Job) -> String {
    let verb = match job.kind {
        JobKind::Implement => "implement",
        JobKind::Verify => "verify",
    };
    format!("{verb} `{}`", job.target.function)
}

fn token_of(id: JobId) -> ProgressToken {
    ProgressToken::String(format!("zeroerr-{id}"))
}

fn progress(outbox: &Outbox, id: JobId, value: WorkDoneProgress) {
    outbox.notify::<notification::Progress>(ProgressParams {
        token: token_of(id),
        value: ProgressParamsValue::WorkDone(value),
    });
}

fn log(outbox: &Outbox, message: String) {
    outbox.notify::<notification::LogMessage>(LogMessageParams { typ: MessageType::INFO, message });
}

/// One line for what just happened.
fn describe(event: &RunEvent, layers: u32) -> String {
    match event {
        RunEvent::Started { steps } if steps.len() > 1 => format!("{} steps: {}", steps.len(), steps.join(", ")),
        RunEvent::Started { .. } => "sampling".into(),
        RunEvent::LoadingModel { model } => format!("loading {model}"),
        RunEvent::Sampled { step, samples, max_attempts } => {
            format!("{step}: sample {samples} of at most {max_attempts}")
        }
        RunEvent::Flagged { step, flag } => format!("{step}: sample discarded ({})", flag.name().replace('_', " ")),
        RunEvent::GateRejected { step, why } => format!("{step}: candidate does not vote ({why})"),
        RunEvent::Voted { step, tally, margin, k } => {
            let votes: u32 = tally.iter().map(|c| c.votes).sum();
            let plural = if votes == 1 { "" } else { "s" };
            format!("{step}: {votes} vote{plural}, ahead by {margin} of {k}")
        }
        RunEvent::Decided { step, .. } => format!("{step}: decided"),
        RunEvent::Advised { step, agent, says } => format!("{step}: {agent}: {says}"),
        RunEvent::NotJournaled { .. } => "the run is not kept".into(),
        RunEvent::LayerStarted { layer } => format!("checking {layer} ({layers} of {} done)", Layer::ALL.len()),
        RunEvent::LayerFinished { report } => {
            format!(
                "{} {} ({layers} of {} done)",
                report.layer,
                report.verdict.name().replace('_', " "),
                Layer::ALL.len()
            )
        }
    }
}
