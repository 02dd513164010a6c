//! A workbench that reads specs with the real parsers, says in a diagnostic which text it was shown, and
//! ends its jobs in every way there is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::*;
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::report::*;
use zeroerr_core::task_specification::{Severity, SpecDiagnostic};
use zeroerr_core::verdict::*;
use zeroerr_engine::Workbench;
use zeroerr_verification::languages::{self, Language};

use crate::workbench;

/// What a text is known by.
pub fn fingerprint(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{} bytes, {:016x}", text.len(), hasher.finish())
}

pub struct Bench {
    languages: Vec<Box<dyn Language>>,
    panics: AtomicUsize,
    alive: AtomicUsize,
}

impl Default for Bench {
    fn default() -> Self {
        Self { languages: languages::all(), panics: AtomicUsize::new(0), alive: AtomicUsize::new(0) }
    }
}

struct Alive<'a>(&'a AtomicUsize);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Bench {
    /// Panics of the parsers.
    pub fn panics(&self) -> usize {
        self.panics.load(Ordering::SeqCst)
    }

    /// Jobs that have not ended.
    pub fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    fn language(&self, path: &Path) -> Option<&dyn Language> {
        let id = LanguageId::from_path(path)?;
        self.languages.iter().find(|l| l.id() == id).map(AsRef::as_ref)
    }

    /// What becomes of a job: a number below `ways`, the same for the same task.
    async fn fate(&self, task: &Task, ways: u64, cancel: &CancellationToken) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        (&task.source, &task.signature.name).hash(&mut hasher);
        let hash = hasher.finish();
        if hash.is_multiple_of(7) {
            cancel.cancelled().await;
            return None;
        }
        tokio::select! {
            () = cancel.cancelled() => None,
            () = tokio::time::sleep(Duration::from_millis(hash % 8)) => Some(hash / 8 % ways),
        }
    }

    fn begin(&self) -> Alive<'_> {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Alive(&self.alive)
    }
}

impl Workbench for Bench {
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        let found = self.language(path).map(|l| catch_unwind(AssertUnwindSafe(|| l.analyse(path, source))));
        let mut analysis = match found {
            None => FileAnalysis::default(),
            Some(Ok(analysis)) => analysis,
            Some(Err(panic)) => {
                self.panics.fetch_add(1, Ordering::SeqCst);
                eprintln!("the text that a parser panicked on: {source:?}");
                resume_unwind(panic)
            }
        };
        // So that the client can see which text its diagnostics are about.
        analysis.diagnostics.push(SpecDiagnostic {
            code: "spec.text".into(),
            message: fingerprint(source),
            range: TextRange::new(0, 0),
            severity: Severity::Hint,
            fix: None,
            related: None,
        });
        analysis
    }

    fn names(&self, path: &Path, source: &str) -> Vec<ScopeName> {
        self.language(path).map(|l| l.names(source)).unwrap_or_default()
    }

    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        let language = self.language(path).ok_or("no language")?;
        language.task_for_selection(path, source, selection, instruction)
    }

    fn run<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, RunReport> {
        Box::pin(async move {
            let _alive = self.begin();
            let tally = vec![ClassVotes { class: "c0ffee00".into(), votes: 4 }];
            drop(events.send(RunEvent::Started { steps: vec![task.signature.name.clone()] }));
            let mut report = workbench::report(&task, tally);
            match self.fate(&task, 5, &cancel).await {
                // A panic without the noise.
                Some(0) => resume_unwind(Box::new("a job panics on purpose")),
                Some(1) => {
                    report.outcome = RunOutcome::Abstained;
                    report.reason = "no majority".into();
                    report.layers.clear();
                }
                Some(_) => {
                    report.edits.push(TextEdit { range: task.body_range, new_text: "return '😀'".into() });
                }
                None => {
                    report.outcome = RunOutcome::Error;
                    report.reason = "cancelled".into();
                }
            }
            report
        })
    }

    fn verify<'a>(
        &'a self,
        task: Task,
        _: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, StackReport> {
        Box::pin(async move {
            let _alive = self.begin();
            let mut stack = StackReport { layers: workbench::passed() };
            if self.fate(&task, 2, &cancel).await == Some(0) {
                stack.layers[0].verdict = Verdict::Failed;
            }
            stack
        })
    }

    fn status(&self) -> Vec<String> {
        vec!["model: none".into()]
    }
}
