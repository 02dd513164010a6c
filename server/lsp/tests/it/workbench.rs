//! A workbench that does what it is told: it finds `# @spec` blocks above `def` lines by looking
//! at lines, and ends runs the way the test has written down. TypeScript is read and written by its adapter.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use zeroerr_core::certificate::{Certificate, code_hash};
use zeroerr_core::code::*;
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::question::Question;
use zeroerr_core::report::*;
use zeroerr_core::task_specification::*;
use zeroerr_core::verdict::*;
use zeroerr_engine::Workbench;
use zeroerr_engine::accept::AcceptedEdit;
use zeroerr_verification::languages::Language;
use zeroerr_verification::languages::typescript::TypeScript;

/// How a job ends.
#[derive(Debug, Clone)]
pub enum Script {
    /// With this body, and these lines put at the top of the file.
    Write { body: String, imports: String },
    /// With the function of a model's response in TypeScript, spliced by the adapter.
    Answered(&'static str),
    /// With this body, if the run was told this clause; else it cannot be done.
    Told { clause: String, body: String },
    /// Without an edit.
    Abstain { reason: String, disagreements: Vec<Disagreement>, questions: Vec<Question> },
    /// With this body, where there is no room to keep anything.
    Unkept(&'static str),
    /// Without an edit: nothing speaks for it but these guesses.
    Unproven { suggestions: Vec<String> },
    /// It cannot be done.
    Fail(String),
    /// Only by cancellation.
    Hang,
    /// Not even by cancellation.
    Deaf,
    /// By a panic.
    Panic,
    /// A verification with these findings.
    Findings(Vec<(Layer, Finding)>),
    /// A verification in which nothing could have failed.
    NoEvidence,
}

impl Script {
    pub fn body(body: &str) -> Self {
        Self::Write { body: body.into(), imports: String::new() }
    }
}

#[derive(Default)]
pub struct FakeWorkbench {
    scripts: Mutex<HashMap<String, VecDeque<Script>>>,
    /// With `gated`, a job ends only when it gets a permit.
    gate: Option<Semaphore>,
    /// Jobs that have not ended or been dropped.
    pub alive: AtomicUsize,
    /// Texts that were analysed.
    pub analysed: AtomicUsize,
}

impl FakeWorkbench {
    pub fn new(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> Arc<Self> {
        Arc::new(Self::scripted(scripts))
    }

    /// A workbench whose jobs end one at a time, when [`FakeWorkbench::release`] says so.
    pub fn gated(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> Arc<Self> {
        Arc::new(Self { gate: Some(Semaphore::new(0)), ..Self::scripted(scripts) })
    }

    pub fn release(&self) {
        self.gate.as_ref().expect("a gated workbench").add_permits(1);
    }

    fn scripted(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> Self {
        let fake = Self::default();
        for (function, script) in scripts {
            fake.scripts.lock().unwrap().entry(function.into()).or_default().push_back(script);
        }
        fake
    }

    /// The next script for a function, when the gate has let it through; `None` when cancelled.
    async fn script(&self, function: &str, cancel: &CancellationToken) -> Option<Script> {
        let script =
            self.scripts.lock().unwrap().get_mut(function).and_then(VecDeque::pop_front).unwrap_or(Script::Hang);
        if let Some(gate) = &self.gate {
            tokio::select! {
                permit = gate.acquire() => permit.expect("open").forget(),
                () = cancel.cancelled() => return None,
            }
        }
        match script {
            Script::Hang => {
                cancel.cancelled().await;
                None
            }
            Script::Deaf => std::future::pending().await,
            Script::Panic => panic!("the work panicked"),
            script => Some(script),
        }
    }

    fn alive(&self) -> Alive<'_> {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Alive(&self.alive)
    }
}

struct Alive<'a>(&'a AtomicUsize);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Workbench for FakeWorkbench {
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        self.analysed.fetch_add(1, Ordering::SeqCst);
        assert!(!source.contains("PANIC IN ANALYSIS"), "the analysis panicked");
        if source.contains("SLOW ANALYSIS") {
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        match LanguageId::from_path(path) {
            Some(LanguageId::Python) => Finder::new(path, source).find(),
            Some(LanguageId::TypeScript) => TypeScript.analyse(path, source),
            _ => FileAnalysis::default(),
        }
    }

    fn names(&self, _: &Path, source: &str) -> Vec<ScopeName> {
        let name = |line: &str| {
            let (word, rest) = line.split_once(' ')?;
            let kind = match word {
                "import" => NameKind::Module,
                "class" => NameKind::Class,
                "def" => NameKind::Function,
                _ => return None,
            };
            let name = rest.split(|c: char| !c.is_alphanumeric()).next()?.to_owned();
            Some(ScopeName { name, kind, detail: line.to_owned() })
        };
        source.lines().filter_map(name).collect()
    }

    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        let mut finder = Finder::new(path, source);
        finder.without_spec = Some(instruction.to_owned());
        finder
            .find()
            .tasks
            .into_iter()
            .find(|t| t.function_range.overlaps(selection))
            .ok_or_else(|| "the selection holds no function".into())
    }

    fn run<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, RunReport> {
        Box::pin(async move {
            let _alive = self.alive();
            let step = task.signature.name.clone();
            let tally = vec![
                ClassVotes { class: "c0ffee00".into(), votes: 4 },
                ClassVotes { class: "deadbeef".into(), votes: 1 },
            ];
            let _ = events.send(RunEvent::Started { steps: vec![step.clone()] });
            let _ = events.send(RunEvent::Voted { step: step.clone(), tally: tally.clone(), margin: 3, k: 3 });
            let script = self.script(&step, &cancel).await;
            let mut report = report(&task, tally);
            match script {
                Some(Script::Answered(response)) => {
                    let candidate = TypeScript.extract(response, &task).expect("a candidate");
                    report.edits = TypeScript.splice(&task, &candidate).expect("it fits");
                }
                Some(Script::Write { body, imports }) => {
                    report.edits.push(TextEdit { range: task.body_range, new_text: body });
                    if !imports.is_empty() {
                        report.edits.insert(0, TextEdit { range: TextRange::new(0, 0), new_text: imports });
                    }
                }
                Some(Script::Unkept(body)) => {
                    let (function, range) = (task.function_range.slice(&task.source), task.body_range);
                    let at = range.start - task.function_range.start;
                    let whole = format!("{}{body}{}", &function[..at], &function[at + range.len()..]);
                    report.edits.push(TextEdit { range, new_text: body.into() });
                    report.certificate = Some(certificate(&whole));
                    let _ = events.send(RunEvent::NotJournaled { why: "the disk is full; make room".into() });
                }
                Some(Script::Told { clause, body }) if told(&task, &clause) => {
                    report.edits.push(TextEdit { range: task.body_range, new_text: body });
                }
                Some(Script::Abstain { reason, disagreements, questions }) => {
                    report.outcome = RunOutcome::Abstained;
                    report.reason = reason;
                    report.layers.clear();
                    report.steps[0].disagreements = disagreements;
                    report.steps[0].questions = questions;
                }
                Some(Script::Unproven { suggestions }) => {
                    report.outcome = RunOutcome::Abstained;
                    report.reason = "no evidence: add an @example".into();
                    report.steps[0].suggestions = suggestions;
                }
                other => {
                    report.outcome = RunOutcome::Error;
                    report.reason = if let Some(Script::Fail(why)) = other { why } else { "cancelled".into() };
                }
            }
            report
        })
    }

    fn verify<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, StackReport> {
        Box::pin(async move {
            let _alive = self.alive();
            let _ = events.send(RunEvent::LayerStarted { layer: Layer::Syntax });
            let mut stack = StackReport { layers: passed() };
            match self.script(&task.signature.name, &cancel).await {
                Some(Script::Findings(findings)) => {
                    for (layer, finding) in findings {
                        let report = stack.layers.iter_mut().find(|l| l.layer == layer).unwrap();
                        report.verdict = Verdict::Failed;
                        report.findings.push(finding);
                    }
                }
                Some(Script::NoEvidence) => stack.layers.iter_mut().for_each(|l| l.evidence = 0),
                _ => {}
            }
            stack
        })
    }

    fn accepted(&self, _: AcceptedEdit) -> Result<(), String> {
        Err("the disk is full; make room".into())
    }

    fn page(&self, run: &str) -> Option<String> {
        Some(format!("<!doctype html>the page of {run}"))
    }

    fn status(&self) -> Vec<String> {
        assert!(!self.scripts.lock().unwrap().contains_key("status panics"), "the status panicked");
        vec!["model: scripted".into(), "sandbox: none needed".into()]
    }
}

fn certificate(function: &str) -> Certificate {
    Certificate {
        spec_hash: String::new(),
        code_hash: code_hash(function),
        doc_version: None,
        layers: Vec::new(),
        votes: Vec::new(),
        models: Vec::new(),
        seed: 0,
    }
}

/// Whether a clause such as `@example f(2) == 4` stands in the task's spec.
fn told(task: &Task, clause: &str) -> bool {
    let examples = task.spec.examples.iter().map(|e| format!("@example {}", e.code));
    let raises = task.spec.raises.iter().map(|r| format!("@raises {} {}", r.exception, r.call).trim_end().to_owned());
    examples.chain(raises).any(|said| said == clause)
}

pub fn passed() -> Vec<LayerReport> {
    let report = |layer: Layer| match layer {
        Layer::Performance => LayerReport::new(layer, Verdict::NotApplicable, "no @budget"),
        _ => LayerReport { evidence: 1, ..LayerReport::new(layer, Verdict::Passed, "ok") },
    };
    Layer::ALL.map(report).to_vec()
}

pub fn report(task: &Task, tally: Vec<ClassVotes>) -> RunReport {
    let step =
        StepReport { name: task.signature.name.clone(), samples: 6, tally, margin: 3, k: 3, ..StepReport::default() };
    RunReport {
        id: "run-1".into(),
        file: task.file.display().to_string(),
        function: task.signature.name.clone(),
        outcome: RunOutcome::Verified,
        reason: "decided and verified".into(),
        steps: vec![step],
        layers: passed(),
        edits: Vec::new(),
        certificate: None,
        elapsed_ms: 1500,
    }
}

/// Finds functions by looking at lines; good for what the tests write.
struct Finder<'a> {
    path: &'a Path,
    source: &'a Arc<str>,
    /// Start and text of each line, terminator included.
    lines: Vec<(usize, &'a str)>,
    /// Finds functions without a spec instead, and gives them this intent.
    without_spec: Option<String>,
}

impl<'a> Finder<'a> {
    fn new(path: &'a Path, source: &'a Arc<str>) -> Self {
        let mut at = 0;
        let lines = source.split_inclusive('\n').map(|line| {
            at += line.len();
            (at - line.len(), line)
        });
        Self { path, source, lines: lines.collect(), without_spec: None }
    }

    fn find(&self) -> FileAnalysis {
        let mut out = FileAnalysis::default();
        // All of it is in a string.
        if self.source.contains("'''") {
            return out;
        }
        let mut class = None;
        for (n, (_, line)) in self.lines.iter().enumerate() {
            if let Some(name) = line.strip_prefix("class ") {
                class = name.split([':', '(']).next().map(|c| c.trim().to_owned());
            }
            if line.trim_start().starts_with("def ") {
                let class = class.clone().filter(|_| line.starts_with(' '));
                out.tasks.extend(self.task(n, class, &mut out.diagnostics));
            }
        }
        out
    }

    fn task(&self, def: usize, class: Option<String>, faults: &mut Vec<SpecDiagnostic>) -> Option<Task> {
        let is_comment = |n: usize| self.lines[n].1.trim_start().starts_with('#');
        let first = (0..def).rev().take_while(|n| is_comment(*n)).last();
        let (spec, spec_range) = match (&self.without_spec, first) {
            (Some(intent), _) => (
                Spec { intent: intent.clone(), ..Spec::default() },
                TextRange::new(self.lines[def].0, self.lines[def].0),
            ),
            (None, Some(first)) if self.lines[first..def].iter().any(|(_, l)| l.contains("@spec")) => {
                self.spec(first, def, faults)
            }
            _ => return None,
        };
        let (start, line) = self.lines[def];
        let indent = line.len() - line.trim_start().len();
        let inside = |l: &str| l.trim().is_empty() || l.len() - l.trim_start().len() > indent;
        let last = (def + 1..self.lines.len())
            .take_while(|n| inside(self.lines[*n].1))
            .filter(|n| !self.lines[*n].1.trim().is_empty())
            .last();
        let last = last.unwrap_or(def);
        let header = line.trim().trim_end_matches(" ...").to_owned();
        let body_start = if last == def {
            start + line.find(": ").map_or(line.trim_end().len(), |n| n + 2)
        } else {
            self.content(def + 1).start
        };
        let end = self.content(last).end;
        let body_range = TextRange::new(body_start, end);
        let name = header.trim_start_matches("def ").split('(').next()?.to_owned();
        Some(Task {
            file: self.path.to_owned(),
            language: LanguageId::Python,
            source: self.source.clone(),
            signature: Signature { name, params: params(&header), returns: None, is_async: false, header },
            spec,
            spec_range,
            function_range: TextRange::new(start + indent, end),
            body_range,
            class,
            is_stub: matches!(body_range.slice(self.source), "..." | "pass"),
        })
    }

    fn content(&self, n: usize) -> TextRange {
        let (start, line) = self.lines[n];
        TextRange::new(start + line.len() - line.trim_start().len(), start + line.trim_end().len())
    }

    fn spec(&self, first: usize, def: usize, faults: &mut Vec<SpecDiagnostic>) -> (Spec, TextRange) {
        let mut spec = Spec::default();
        for n in first..def {
            let content = self.content(n);
            let text = content.slice(self.source).trim_start_matches(['#', ' ']);
            let Some((tag, rest)) = text.strip_prefix('@').map(|t| t.split_once(' ').unwrap_or((t, ""))) else {
                continue;
            };
            let at = content.end - text.len();
            let range = TextRange::new(at + tag.len() + 2, content.end);
            let clause = Clause { text: rest.into(), range };
            match tag {
                "spec" => spec.intent = rest.into(),
                "requires" => spec.requires.push(clause),
                "ensures" => spec.ensures.push(clause),
                "example" => spec.examples.push(Example {
                    code: rest.into(),
                    claim: ExampleClaim::Holds,
                    equation: None,
                    origin: ExampleOrigin::Tag,
                    range,
                }),
                "raises" => spec.raises.push(Raises { exception: rest.into(), call: String::new(), range }),
                "property" => spec.properties.push(clause),
                // What the real parser makes of it, hint and fix included.
                guess if guess.ends_with('?') => {
                    let (guessed, hints) = parser::parse_block(&[parser::BlockLine { text, start: at }]);
                    spec.guesses.extend(guessed.guesses);
                    faults.extend(hints);
                }
                unknown => faults.push(SpecDiagnostic {
                    code: "spec.unknown-tag".into(),
                    message: format!("unknown tag `@{unknown}`"),
                    range: TextRange::new(at, at + tag.len() + 1),
                    severity: Severity::Error,
                    fix: Some(("Change to `@example`".into(), "@example".into())),
                    related: None,
                }),
            }
        }
        (spec, TextRange::new(self.content(first).start, self.content(def - 1).end))
    }
}

fn params(header: &str) -> Vec<Param> {
    let inside = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    let param = |text: &str| {
        let (name, annotation) = text.split_once(':').map_or((text, None), |(n, a)| (n, Some(a.trim().to_owned())));
        Param { name: name.trim().into(), annotation, default: None, kind: ParamKind::Plain }
    };
    inside.split(',').filter(|p| !p.trim().is_empty()).map(param).collect()
}
