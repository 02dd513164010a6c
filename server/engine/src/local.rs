//! The real workbench: models, stack and journal of this machine.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{FileAnalysis, LanguageId, ScopeName, Task, TextEdit, TextRange, line_of};
use zeroerr_core::ports::{BoxFuture, Model};
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport};
use zeroerr_core::verdict::StackReport;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is, subject_for_edit, workspace_of};

use crate::Workbench;
use crate::accept::AcceptedEdit;
use crate::continued;
use crate::dispatcher::{Wires, layer_event};
use crate::journal::{Journal, OpenRun, Origin, now_ms};
use crate::options::RunOptions;

/// A line of `status`, asked when it is wanted.
pub type StatusSource = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// What a workbench is made of.
pub struct Parts {
    /// The models in the order in which they take turns.
    pub models: Vec<Arc<dyn Model>>,
    /// The checks.
    pub stack: Arc<VerificationStack>,
    /// The journal, or why there is none.
    pub journal: Result<Arc<Journal>, String>,
    /// Further lines for `status` (pool, sandbox).
    pub status: StatusSource,
}

/// See the module.
pub struct LocalWorkbench {
    pub(crate) parts: Parts,
    planners: Vec<Arc<dyn Model>>,
    pub(crate) advisers: Vec<Arc<dyn Model>>,
    options: RwLock<RunOptions>,
}

impl LocalWorkbench {
    /// A workbench with its first options.
    pub fn new(parts: Parts, options: RunOptions) -> Self {
        Self { parts, planners: Vec::new(), advisers: Vec::new(), options: RwLock::new(options) }
    }

    /// The same with models that propose plans; without them the models that write functions do.
    pub fn planned_by(self, planners: Vec<Arc<dyn Model>>) -> Self {
        Self { planners, ..self }
    }

    /// The same with models that test, discriminate and criticise; without them the models that write
    /// functions do.
    pub fn advised_by(self, advisers: Vec<Arc<dyn Model>>) -> Self {
        Self { advisers, ..self }
    }

    /// The models that propose plans, in the order in which they take turns.
    pub(crate) fn planners(&self) -> &[Arc<dyn Model>] {
        if self.planners.is_empty() { &self.parts.models } else { &self.planners }
    }

    /// Options for runs that begin from now on.
    pub fn set_options(&self, options: RunOptions) {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = options;
    }

    /// The options of the next run.
    pub fn options(&self) -> RunOptions {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The journal.
    ///
    /// # Errors
    /// Why there is none, with the remedy.
    pub fn journal(&self) -> Result<&Arc<Journal>, String> {
        self.parts.journal.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn stack(&self) -> &VerificationStack {
        &self.parts.stack
    }

    pub(crate) fn model_names(&self) -> Vec<String> {
        self.parts.models.iter().map(|m| m.name().to_owned()).collect()
    }

    /// Equal keys mean that an unfinished run may be taken up: same text, same spec, same rules.
    pub fn task_key(&self, task: &Task, options: &RunOptions) -> String {
        let mut hasher = Sha256::new();
        let models = self.model_names().join(",");
        let parts = [
            task.file.to_string_lossy().into_owned(),
            task.signature.name.clone(),
            // Two functions of a file may have one name.
            format!("{:?} {:?} {}", task.class, task.function_range, task.signature.header),
            task.spec.hash(),
            models,
            format!("{options:?}"),
            task.source.to_string(),
        ];
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// What the layers say of an edit as things stand now, beside the file without it. `None` when cancelled.
    ///
    /// # Errors
    /// One sentence when the edit does not fit the task's file.
    pub async fn verify_edit(
        &self,
        task: &Task,
        edits: &[TextEdit],
        cancel: &CancellationToken,
    ) -> Result<Option<StackReport>, String> {
        let subject = subject_for_edit(task, edits)?;
        Ok(tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            report = self.parts.stack.verify(&subject, &|_| {}) => Some(report),
        })
    }

    /// The run in the journal: a new one, or the unfinished one of the same task.
    fn open_run(&self, task: &Task, options: &RunOptions) -> Result<(Arc<Journal>, OpenRun, Origin), String> {
        let journal = self.journal()?;
        let mut origin = Origin::of(task, options, self.model_names());
        let analyse = |source: &str| self.analyse(&task.file, &Arc::from(source));
        origin.continues = continued::earlier_run(journal, task, &origin, &analyse);
        if let Some(id) = origin.continues.as_deref()
            && let Some(earlier) = journal.origin(id).ok().flatten()
        {
            let report = journal.report(id).ok().flatten();
            let now = report.map_or(0, |report| continued::answers(&earlier.spec, &task.spec, &report));
            origin.answered = earlier.answered.saturating_add(now);
        }
        match journal.begin(&self.task_key(task, options), &task.file.display().to_string(), &origin) {
            // A run that was begun before goes on with what it took up then.
            Ok(run) if run.resumed => {
                let begun = journal.origin(&run.id).ok().flatten();
                Ok((Arc::clone(journal), run, begun.unwrap_or(Origin { continues: None, answered: 0, ..origin })))
            }
            Ok(run) => Ok((Arc::clone(journal), run, origin)),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn run_plan(&self, task: Task, events: UnboundedSender<RunEvent>, cancel: CancellationToken) -> RunReport {
        let begun = Instant::now();
        let options = self.options();
        let mut report = RunReport {
            id: String::new(),
            file: task.file.display().to_string(),
            function: task.signature.name.clone(),
            outcome: RunOutcome::Error,
            reason: String::new(),
            steps: Vec::new(),
            layers: Vec::new(),
            edits: Vec::new(),
            certificate: None,
            elapsed_ms: 0,
        };
        if let Some(why) = self.refusal(&task) {
            report.outcome = RunOutcome::Abstained;
            report.reason = why;
            return report;
        }
        // Held to the end: while it lives, no other process takes this run up.
        let (mut lost, open) = match self.open_run(&task, &options) {
            Ok(open) => (None, Some(open)),
            // A disk that is full is no reason to keep the result from the user.
            Err(why) => (Some(why), None),
        };
        let (journal, open, origin) = open.map_or((None, None, None), |(j, run, o)| (Some(j), Some(run), Some(o)));
        let (continues, answered) = origin.map_or((None, 0), |o| (o.continues, o.answered));
        report.id = open.as_ref().map_or_else(|| format!("{:012x}-unjournaled", now_ms()), |o| o.id.clone());
        let journaled = journal.clone().map(|j| (j, report.id.clone()));
        let wires = Wires { events, cancel, journal: journaled, continues, answered };
        self.run_steps(task, &options, &wires, &mut report).await;
        report.elapsed_ms = begun.elapsed().as_millis() as u64;
        // A cancelled run stays unfinished in the journal: asking again goes on where it stopped.
        if let Some(journal) = journal {
            let left = if wires.cancel.is_cancelled() { journal.leave(&report.id) } else { journal.finish(&report) };
            lost = left.err().map(|e| e.to_string());
        }
        if let Some(why) = lost {
            tracing::info!(why, "the journal does not have the whole run");
            wires.tell(RunEvent::NotJournaled { why });
        }
        report
    }

    /// Why the task cannot be begun at all.
    fn refusal(&self, task: &Task) -> Option<String> {
        let analysis = self.analyse(&task.file, &task.source);
        let fault = analysis.spec_error(task)?;
        let line = line_of(&task.source, fault.range.start);
        Some(format!("the spec has an error on line {line}: {}", fault.message))
    }
}

impl Workbench for LocalWorkbench {
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        let language = LanguageId::from_path(path).and_then(|id| self.parts.stack.language(id).ok());
        language.map(|l| l.analyse(path, source)).unwrap_or_default()
    }

    fn names(&self, path: &Path, source: &str) -> Vec<ScopeName> {
        let language = LanguageId::from_path(path).and_then(|id| self.parts.stack.language(id).ok());
        language.map(|l| l.names(source)).unwrap_or_default()
    }

    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        let id = LanguageId::from_path(path).ok_or("the language of this file is not known")?;
        let language = self.parts.stack.language(id).map_err(|e| e.to_string())?;
        language.task_for_selection(path, source, selection, instruction)
    }

    fn objection(&self, task: &Task, stack: &StackReport) -> Option<String> {
        stack.objection(&self.options().policy.of(task.language))
    }

    fn run<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, RunReport> {
        Box::pin(self.run_plan(task, events, cancel))
    }

    fn verify<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, StackReport> {
        Box::pin(async move {
            // A run holds each step to its claims when it writes it; here they are all written.
            let task = Task { spec: task.spec.clone().with_claims_of_steps(), ..task };
            let subject = subject_as_is(&task, workspace_of(&task.file));
            let tell = move |event| {
                let _ = events.send(layer_event(event));
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => StackReport::default(),
                report = self.parts.stack.verify_all(&subject, &tell) => report,
            }
        })
    }

    fn accepted(&self, edit: AcceptedEdit) -> Result<(), String> {
        self.keep_certificate(edit)
    }

    fn page(&self, run: &str) -> Option<String> {
        let export = self.journal().ok()?.export(run);
        let page = export.map_err(|e| e.to_string()).and_then(|e| crate::page::page(&e).map_err(|e| e.to_string()));
        page.inspect_err(|why| tracing::warn!("no page for run {run}: {why}")).ok()
    }

    fn status(&self) -> Vec<String> {
        let options = self.options();
        let lead = match options.reliability {
            None => options.k.to_string(),
            Some(r) => format!("{} or more (a plan is to be right with {})", options.k, r.target),
        };
        let mut lines = vec![format!(
            "votes: first to be ahead by {lead} within {} samples, {} in flight",
            options.max_attempts, options.in_flight
        )];
        lines.extend((self.parts.status)());
        lines.push(self.journal().map_or_else(|why| format!("journal: off ({why})"), |_| "journal: on".into()));
        lines
    }
}
