//! The eight layers in cost order: what runs beside what, when to stop, and what is remembered.
//!
//! Reading comes first and side by side (syntax, types, analysis, security), then what runs the
//! code (tests, contracts, properties), then the stopwatch, alone on the machine as far as this
//! process goes; what it needs is made ready meanwhile. [`VerificationStack::verify`] stops at the first group that objects, so code that
//! a reader already refuses is never run; [`VerificationStack::verify_all`] always reports eight.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use futures::future::{Either, MaybeDone, maybe_done, select};
use tokio::sync::RwLock;
use zeroerr_core::code::{Candidate, LanguageId, Task, TextEdit, TextRange, apply_edits};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::question::{Answer, Question};
use zeroerr_core::verdict::{Layer, LayerReport, Policy, StackReport, Verdict};
use zeroerr_core::voting_engine::Fingerprint;

use crate::fingerprint::visible;
use crate::languages::{Behaviour, CheckError, Judgement, Language, Observation, Probe, Subject};
use crate::toolchain::Toolchain;
use crate::verdict_cache::{self, VerdictCache};

/// Layers that read the code.
const READING: [Layer; 4] = [Layer::Syntax, Layer::Types, Layer::Analysis, Layer::Security];
/// Layers that run it, cheapest first.
const RUNNING: [Layer; 3] = [Layer::Tests, Layer::Contracts, Layer::Properties];

/// Progress of a verification, in order per layer.
#[derive(Debug, Clone, PartialEq)]
pub enum LayerEvent {
    /// A layer began.
    Started(Layer),
    /// A layer ended.
    Finished(LayerReport),
}

/// Who is told about progress.
pub type OnEvent<'a> = &'a (dyn Fn(LayerEvent) + Send + Sync);

/// The stack for every language there is an adapter for.
pub struct VerificationStack {
    toolchain: Arc<Toolchain>,
    policy: Policy,
    languages: HashMap<LanguageId, Box<dyn Language>>,
    cache: VerdictCache,
    build: String,
    /// Held for writing while something is measured, for reading while anything else runs.
    quiet: RwLock<()>,
    /// Layers that run code at the same time.
    width: usize,
}

impl VerificationStack {
    /// A stack with all adapters.
    pub fn new(toolchain: Arc<Toolchain>, policy: Policy) -> Self {
        Self::with_languages(toolchain, policy, crate::languages::all())
    }

    /// A stack with the given adapters.
    pub fn with_languages(toolchain: Arc<Toolchain>, policy: Policy, languages: Vec<Box<dyn Language>>) -> Self {
        let languages = languages.into_iter().map(|l| (l.id(), l)).collect();
        let width = std::thread::available_parallelism().map_or(1, usize::from).min(RUNNING.len());
        Self {
            toolchain,
            policy,
            languages,
            cache: VerdictCache::default(),
            build: verdict_cache::build(),
            quiet: RwLock::new(()),
            width,
        }
    }

    /// The same, with verdicts that outlive the process, in the data folder.
    pub fn remembering(mut self) -> Self {
        self.cache = VerdictCache::in_folder(&self.toolchain.data_dir().join("cache").join("verdicts"));
        self
    }

    /// The tools the layers run.
    pub fn toolchain(&self) -> &Arc<Toolchain> {
        &self.toolchain
    }

    /// Which layers must pass before an edit may be called verified.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The adapter of a language.
    ///
    /// # Errors
    /// One sentence when there is none.
    pub fn language(&self, id: LanguageId) -> Result<&dyn Language, CheckError> {
        let found = self.languages.get(&id).map(AsRef::as_ref);
        found.ok_or_else(|| {
            let mut known: Vec<&str> = self.languages.keys().map(|l| l.title()).collect();
            known.sort_unstable();
            CheckError(format!("{} cannot be verified yet; {} can", id.title(), known.join(" and ")))
        })
    }

    /// The same for a task whose file the tools can be told of: they are spoken to in UTF-8.
    fn adapter(&self, task: &Task) -> Result<&dyn Language, CheckError> {
        match task.file.to_str() {
            Some(_) => self.language(task.language),
            None => Err(CheckError(format!("{}: its path is not UTF-8; rename it", task.file.display()))),
        }
    }

    /// Gate and fingerprint of a candidate, standing in its file.
    ///
    /// # Errors
    /// One sentence with the remedy when sandbox or tools are missing or the file cannot take it.
    pub async fn judge(&self, task: &Task, candidate: &Candidate, seed: u64) -> Result<Judgement, CheckError> {
        let language = self.adapter(task)?;
        let edits = language.splice(task, candidate).map_err(CheckError)?;
        let subject = subject_for_edit(task, &edits).map_err(CheckError)?;
        let _running = self.quiet.read().await;
        language.judge(&self.toolchain, &subject, seed).await
    }

    /// Small calls on which classes of candidates differ, to be asked of the user: each class by one
    /// candidate, its fingerprint and its votes. The first question tells most votes apart. The same
    /// classes give the same questions.
    ///
    /// # Errors
    /// One sentence with the remedy when sandbox or tools are missing or the file cannot take one.
    pub async fn questions(
        &self,
        task: &Task,
        classes: &[(Candidate, Fingerprint, u32)],
        seed: u64,
    ) -> Result<Vec<Question>, CheckError> {
        let language = self.adapter(task)?;
        let behaviours = classes
            .iter()
            .map(|(candidate, fingerprint, votes)| self.behaviour(task, candidate, fingerprint.clone(), *votes))
            .collect::<Result<Vec<_>, _>>()?;
        let _running = self.quiet.read().await;
        language.questions(&self.toolchain, &behaviours, seed).await
    }

    /// What a candidate answers to the call of a question, with the clause that would say so; `None`
    /// when `@requires` forbids the call.
    ///
    /// # Errors
    /// One sentence with the remedy when sandbox or tools are missing or the file cannot take it.
    pub async fn answer(&self, task: &Task, candidate: &Candidate, call: &str) -> Result<Option<Answer>, CheckError> {
        let language = self.adapter(task)?;
        let behaviour = self.behaviour(task, candidate, Fingerprint { outcomes: Vec::new() }, 1)?;
        let _running = self.quiet.read().await;
        language.answer(&self.toolchain, &behaviour, call).await
    }

    fn behaviour(
        &self,
        task: &Task,
        candidate: &Candidate,
        fingerprint: Fingerprint,
        votes: u32,
    ) -> Result<Behaviour, CheckError> {
        let edits = self.adapter(task)?.splice(task, candidate).map_err(CheckError)?;
        let subject = subject_for_edit(task, &edits).map_err(CheckError)?;
        Ok(Behaviour { subject, fingerprint, votes })
    }

    /// What each candidate does, standing in its file: [`judge`](Self::judge) for many at once, and
    /// of those that fail an example too. A candidate that does not fit its file has an objection.
    ///
    /// # Errors
    /// As [`judge`](Self::judge).
    pub async fn observe(
        &self,
        task: &Task,
        candidates: &[Candidate],
        probe: Probe,
    ) -> Result<Vec<Observation>, CheckError> {
        let language = self.adapter(task)?;
        let placed: Vec<Result<Subject, String>> = candidates
            .iter()
            .map(|c| language.splice(task, c).and_then(|edits| subject_for_edit(task, &edits)))
            .collect();
        let subjects: Vec<Subject> = placed.iter().filter_map(|p| p.as_ref().ok().cloned()).collect();
        let _running = self.quiet.read().await;
        let mut observed = language.observe(&self.toolchain, &subjects, probe).await.into_iter();
        let missing = || CheckError("internal error: a candidate was not observed".into());
        let each = placed.into_iter().map(|place| match place {
            Ok(_) => observed.next().unwrap_or_else(|| Err(missing())),
            Err(why) => Ok(Judgement::Unfit(format!("it does not fit the file: {why}")).into()),
        });
        each.collect()
    }

    /// Held while code runs that is not measured.
    pub(crate) async fn running(&self) -> tokio::sync::RwLockReadGuard<'_, ()> {
        self.quiet.read().await
    }

    /// Runs the layers and stops after the first group that objects or cannot be asked.
    pub async fn verify(&self, subject: &Subject, on_event: OnEvent<'_>) -> StackReport {
        let mut prepared = pin!(maybe_done(self.prepare(subject)));
        let reading = self.group(subject, &READING, READING.len(), on_event);
        let mut done = beside(prepared.as_mut(), reading).await;
        let policy = self.policy.of(subject.task.language);
        if !may_go_on(&policy, &done) {
            return ordered(done);
        }
        done.extend(beside(prepared.as_mut(), self.group(subject, &RUNNING, self.width, on_event)).await);
        if may_go_on(&policy, &done) {
            prepared.await;
            done.extend(self.group(subject, &[Layer::Performance], 1, on_event).await);
        }
        ordered(done)
    }

    /// Runs all eight, whatever they say. Code that does not compile is not run: those layers
    /// have nothing to check, and the stack has failed already.
    pub async fn verify_all(&self, subject: &Subject, on_event: OnEvent<'_>) -> StackReport {
        let mut prepared = pin!(maybe_done(self.prepare(subject)));
        let mut done = beside(prepared.as_mut(), self.group(subject, &READING, READING.len(), on_event)).await;
        let syntax = done.iter().find(|r| r.layer == Layer::Syntax);
        if syntax.is_some_and(|r| r.verdict == Verdict::Failed) {
            for layer in RUNNING.into_iter().chain([Layer::Performance]) {
                let report = LayerReport::new(layer, Verdict::NotApplicable, "the file does not compile");
                on_event(LayerEvent::Finished(report.clone()));
                done.push(report);
            }
            return ordered(done);
        }
        done.extend(beside(prepared.as_mut(), self.group(subject, &RUNNING, self.width, on_event)).await);
        prepared.await;
        done.extend(self.group(subject, &[Layer::Performance], 1, on_event).await);
        ordered(done)
    }

    /// Has made what the measurements need: they alone have the machine to themselves.
    async fn prepare(&self, subject: &Subject) {
        if let Ok(language) = self.adapter(&subject.task) {
            let _running = self.quiet.read().await;
            language.prepare(&self.toolchain, subject).await;
        }
    }

    /// Runs one layer, with its time taken. Verdicts are remembered under everything that could change them.
    pub async fn check(&self, subject: &Subject, layer: Layer) -> LayerReport {
        let language = match self.adapter(&subject.task) {
            Ok(language) => language,
            Err(error) => return LayerReport::new(layer, Verdict::Unavailable, error.0),
        };
        let key = self.cache_key(language, subject, layer);
        if let Some(known) = key.as_ref().and_then(|k| self.cache.get(k)) {
            return LayerReport { remembered: true, ..known };
        }
        let started = Instant::now();
        let mut report = if layer == Layer::Performance {
            let _alone = self.quiet.write().await;
            language.check(&self.toolchain, subject, layer).await
        } else {
            let _running = self.quiet.read().await;
            language.check(&self.toolchain, subject, layer).await
        };
        self.quieten(&mut report);
        report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(key) = key {
            self.cache.put(key, &report);
        }
        report
    }

    /// Code under test and tools write what is shown: no terminal and no editor shall obey it, and what differs from
    /// run to run is left out.
    fn quieten(&self, report: &mut LayerReport) {
        let shown = |text: &str| visible(&self.toolchain.without_scratch(text));
        report.detail = shown(&report.detail);
        for finding in &mut report.findings {
            finding.message = shown(&finding.message);
            finding.counterexample = finding.counterexample.as_deref().map(shown);
        }
    }

    async fn group(
        &self,
        subject: &Subject,
        layers: &[Layer],
        width: usize,
        on_event: OnEvent<'_>,
    ) -> Vec<LayerReport> {
        // Boxed one by one: a closure over borrowed layers would make the future of `verify` fail to be
        // `Send` for every lifetime, which the engine's boxed futures need.
        let mut runs: Vec<BoxFuture<'_, LayerReport>> = Vec::with_capacity(layers.len());
        for &layer in layers {
            runs.push(Box::pin(async move {
                on_event(LayerEvent::Started(layer));
                let report = self.check(subject, layer).await;
                on_event(LayerEvent::Finished(report.clone()));
                report
            }));
        }
        futures::stream::iter(runs).buffer_unordered(width.max(1)).collect().await
    }

    /// A hash of everything that can change the verdict of a layer, or `None` where the adapter cannot name it.
    fn cache_key(&self, language: &dyn Language, subject: &Subject, layer: Layer) -> Option<String> {
        let surroundings = if READING.contains(&layer) {
            language.surroundings(&self.toolchain, subject)?
        } else {
            language.surroundings_of_runs(&self.toolchain, subject, layer)?
        };
        let policy = format!("{:?}", self.policy);
        let sandbox = self.toolchain.sandbox().map(|s| format!("{:?}", s.describe().mechanisms)).unwrap_or_default();
        let task = &subject.task;
        let places = format!("{:?} {:?} {:?}", task.function_range, task.body_range, task.class);
        Some(verdict_cache::key_of([
            self.build.as_str(),
            task.language.name(),
            layer.name(),
            &task.source,
            &subject.previous,
            &task.spec.hash(),
            &places,
            &surroundings,
            &policy,
            &sandbox,
            &task.file.to_string_lossy(),
        ]))
    }
}

/// Does `work` to its end, and what it can of `other` meanwhile.
async fn beside<T>(other: Pin<&mut MaybeDone<impl Future<Output = ()>>>, work: impl Future<Output = T>) -> T {
    match select(pin!(work), other).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}

/// Whether what has been reported still allows the word "verified".
fn may_go_on(policy: &Policy, done: &[LayerReport]) -> bool {
    done.iter().all(|r| match r.verdict {
        Verdict::Passed | Verdict::NotApplicable => true,
        Verdict::Failed => false,
        Verdict::Unavailable | Verdict::TimedOut => policy.may_be_unavailable.contains(&r.layer),
    })
}

fn ordered(mut layers: Vec<LayerReport>) -> StackReport {
    layers.sort_by_key(|r| r.layer);
    StackReport { layers }
}

/// The task with `edits` applied, every range moved along, and the file as it was before.
///
/// # Errors
/// One sentence when the edits overlap, do not fit the text, or one of them swallows the start of the function:
/// where it then is nobody knows, and a layer that looks in the wrong place finds nothing.
pub fn subject_for_edit(task: &Task, edits: &[TextEdit]) -> Result<Subject, String> {
    let start = task.function_range.start;
    if edits.iter().any(|e| e.range.start < start && start < e.range.end) {
        return Err("an edit covers more than the function it was made for; run again".into());
    }
    let source =
        apply_edits(&task.source, edits).ok_or("the edits do not fit the file they were made for; run again")?;
    let mut edited = task.clone();
    edited.source = source.into();
    edited.is_stub = false;
    let end_of = |end: usize| moved_end(&task.source, end, edits);
    let body = TextRange::new(moved(task.body_range.start, edits, Side::Within), end_of(task.body_range.end));
    let outer = |r: TextRange| TextRange::new(moved(r.start, edits, Side::After), moved(r.end, edits, Side::After));
    edited.function_range =
        TextRange::new(moved(task.function_range.start, edits, Side::After), end_of(task.function_range.end));
    edited.spec_range = outer(task.spec_range);
    edited.body_range = body;
    edited.function_range.end = edited.function_range.end.max(body.end);
    for range in clause_ranges(&mut edited) {
        *range = outer(*range);
    }
    let workspace = workspace_of(&task.file);
    Ok(Subject { task: edited, previous: task.source.clone(), workspace })
}

/// The task as it stands; `workspace` is its project's root, see [`workspace_of`].
pub fn subject_as_is(task: &Task, workspace: Option<PathBuf>) -> Subject {
    Subject { task: task.clone(), previous: task.source.clone(), workspace }
}

/// The project's root: the nearest folder above the file that carries a project's mark.
pub fn workspace_of(file: &std::path::Path) -> Option<PathBuf> {
    const MARKS: &[&str] = &[".git", "pyproject.toml", "setup.cfg", "setup.py", "Cargo.toml", "package.json"];
    let folders = file.ancestors().skip(1).filter(|f| !f.as_os_str().is_empty());
    folders.into_iter().find(|f| MARKS.iter().any(|m| f.join(m).exists())).map(PathBuf::from)
}

/// Which side of an insertion right at an offset the offset goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Stays before it: the start of a body, whose new text belongs to it.
    Within,
    /// Goes behind it: the start of a function that an import is put in front of.
    After,
}

fn moved(offset: usize, edits: &[TextEdit], side: Side) -> usize {
    let before = |e: &&TextEdit| {
        if side == Side::After { e.range.end <= offset } else { e.range.end <= offset && e.range.start < offset }
    };
    edits.iter().filter(before).fold(offset, |at, e| (at + e.new_text.len()).saturating_sub(e.range.len()))
}

/// Where the end of a function or body goes. An edit made of whole lines reaches beyond it, to the end of its line: what
/// stands behind it there stands behind it afterwards.
fn moved_end(source: &str, end: usize, edits: &[TextEdit]) -> usize {
    let Some(over) = edits.iter().find(|e| e.range.start < end && end < e.range.end) else {
        return moved(end, edits, Side::After);
    };
    let behind = source.get(end..over.range.end).unwrap_or("");
    let written = over.new_text.strip_suffix(behind).unwrap_or_else(|| over.new_text.trim_end());
    moved(over.range.start, edits, Side::After) + written.len()
}

/// Every range that a spec carries.
fn clause_ranges(task: &mut Task) -> Vec<&mut TextRange> {
    let spec = &mut task.spec;
    let clauses = [
        &mut spec.requires,
        &mut spec.ensures,
        &mut spec.properties,
        &mut spec.uses,
        &mut spec.forbids,
        &mut spec.guesses,
    ];
    let mut ranges: Vec<&mut TextRange> = clauses.into_iter().flatten().map(|c| &mut c.range).collect();
    ranges.extend(spec.examples.iter_mut().map(|e| &mut e.range));
    ranges.extend(spec.raises.iter_mut().map(|r| &mut r.range));
    ranges.extend(spec.budgets.iter_mut().map(|b| &mut b.range));
    for step in &mut spec.steps {
        ranges.push(&mut step.range);
        ranges.extend(step.examples.iter_mut().map(|e| &mut e.range));
        ranges.extend(step.raises.iter_mut().map(|r| &mut r.range));
    }
    ranges.extend(spec.complexity.iter_mut().map(|c| &mut c.range));
    ranges
}
