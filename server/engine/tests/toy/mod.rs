//! A machine for tests of the engine itself: the real engine, journal, prompts and Python syntax, with
//! a model that says what its request's hash chooses, and layers that know what a multiplication gives.
//! No tool, no sandbox, no model is needed, and equal requests get equal answers.

#![allow(dead_code, reason = "each user of this module uses its part of it")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, FileAnalysis, LanguageId, Task, TextEdit, TextRange};
use zeroerr_core::ports::{BoxFuture, FinishReason, Model, ModelError, SampleRequest, SampleResponse};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Policy, Verdict};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_engine::Workbench as _;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::local::{LocalWorkbench, Parts};
use zeroerr_engine::options::RunOptions;
use zeroerr_sandbox::SandboxUnavailable;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::languages::{CheckError, Judgement, Language, Subject};
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::VerificationStack;

/// The file of every run.
pub const FILE: &str =
    "# @spec Twice x.\n# @example double(2) == 4\n# @ensures result == x + x\ndef double(x: int) -> int:\n    ...\n";

/// A function of two helpers, and which of them it calls is up to the candidate.
pub const PLAN: &str = "# @spec Twice x.\n# @step one(x: int) -> int: two times x\n# @step two(x: int) -> int: x and x\n# @example double(2) == 4\ndef double(x: int) -> int:\n    ...\n";

/// Multiplies: a candidate is `return x * N`, or `return one(x) * N` with another function of the file. N of 0 fails
/// an example; as `double` only 2 stands the layers.
pub struct Multiplying {
    /// How long a judgement and a layer take at most.
    pub pace: Duration,
}

impl Multiplying {
    async fn work(&self, on: &str) {
        if !self.pace.is_zero() {
            tokio::time::sleep(self.pace.mul_f64((hash(&on) % 100) as f64 / 100.0)).await;
        }
    }
}

/// What a subject multiplies by, with what it calls.
fn factor(subject: &Subject) -> i64 {
    let source = &subject.task.source;
    factor_of(subject.task.body_range.slice(source), source)
}

fn factor_of(body: &str, source: &str) -> i64 {
    let own: i64 = body.trim().rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
    let called = body.trim().strip_prefix("return ").and_then(|rest| rest.split_once('('));
    own * called.map_or(1, |(name, _)| {
        let body = source.split_once(&format!("def {name}(")).and_then(|(_, rest)| rest.lines().nth(1));
        body.map_or(0, |body| factor_of(body, source))
    })
}

fn hash(value: &impl Hash) -> u64 {
    // Without keys: the same in every process.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Language for Multiplying {
    fn id(&self) -> LanguageId {
        LanguageId::Python
    }
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        Python.analyse(path, source)
    }
    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        Python.task_for_selection(path, source, selection, instruction)
    }
    fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        Python.extract(response, task)
    }
    fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        Python.splice(task, candidate)
    }
    fn judge<'a>(
        &'a self,
        _: &'a Toolchain,
        subject: &'a Subject,
        _: u64,
    ) -> BoxFuture<'a, Result<Judgement, CheckError>> {
        Box::pin(async move {
            let n = factor(subject);
            self.work(&format!("judge {n}")).await;
            if n == 0 {
                return Ok(Judgement::GateRejected("double(2) == 4 failed: it gives 0".into()));
            }
            let outcomes = (-2..3).map(|x| (format!("double({x})"), (x * n).to_string())).collect();
            Ok(Judgement::Votes(Fingerprint { outcomes }))
        })
    }
    fn examine<'a>(
        &'a self,
        _: &'a Toolchain,
        subjects: &'a [Subject],
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Vec<Trial>>, CheckError>> {
        Box::pin(async move {
            self.work(&format!("examine {}", claims.len())).await;
            let tried = |subject: &Subject, claim: &Claim| {
                let digits = claim.call.trim_start_matches("double(").trim_end_matches(')');
                let outcome = digits.parse::<i64>().ok().map(|x| (x * factor(subject)).to_string());
                let holds = claim.expected.is_some() && claim.expected == outcome;
                Trial { outcome: outcome.map(|o| format!("= {o}")), holds }
            };
            Ok(subjects.iter().map(|s| claims.iter().map(|c| tried(s, c)).collect()).collect())
        })
    }
    fn check<'a>(&'a self, _: &'a Toolchain, subject: &'a Subject, layer: Layer) -> BoxFuture<'a, LayerReport> {
        Box::pin(async move {
            let n = factor(subject);
            self.work(&format!("{layer} {n}")).await;
            let mut report = LayerReport { evidence: 1, ..LayerReport::new(layer, Verdict::Passed, "as it should") };
            if n != 2 && layer == Layer::Tests && subject.task.signature.name == "double" {
                report.verdict = Verdict::Failed;
                report.findings = vec![Finding {
                    code: "tests.example".into(),
                    message: format!("double(1) gives {n}"),
                    line: 4,
                    counterexample: None,
                    spec_line: None,
                    url: None,
                }];
            }
            report
        })
    }
}

/// Says one of `says` by the hash of the whole request, its prompt and its seed.
pub struct Hashing {
    /// What it may say.
    pub says: Vec<String>,
    /// How long it takes at most.
    pub pace: Duration,
}

/// A response with this body.
pub fn said(body: &str) -> String {
    format!("```python\ndef double(x: int) -> int:\n    {body}\n```")
}

impl Model for Hashing {
    fn name(&self) -> &str {
        "hashing"
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(async move {
            let prompt: Vec<&str> = request.messages.iter().map(|m| m.content.as_str()).collect();
            let hash = hash(&(request.seed, prompt));
            if !self.pace.is_zero() {
                tokio::time::sleep(self.pace.mul_f64((hash % 100) as f64 / 100.0)).await;
            }
            let index = (hash / 100 % self.says.len().max(1) as u64) as usize;
            let text = self.says.get(index).cloned().unwrap_or_default();
            let completion_tokens = text.len().div_ceil(4);
            let model = self.name().to_owned();
            Ok(SampleResponse { text, finish: FinishReason::Stop, prompt_tokens: 0, completion_tokens, model })
        })
    }
}

/// A coder that is also asked to test, to discriminate and to criticise, and then says one of `says`.
pub struct Versatile {
    /// Who writes functions.
    pub coder: Hashing,
    /// Who does everything else.
    pub adviser: Hashing,
}

impl Model for Versatile {
    fn name(&self) -> &str {
        self.coder.name()
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        let system = request.messages.first().map_or("", |m| m.content.as_str());
        let is_coder = system.contains("programmer");
        if is_coder { self.coder.sample(request) } else { self.adviser.sample(request) }
    }
}

/// A workbench as of a process that was just started.
pub fn workbench(
    model: Arc<dyn Model>,
    pace: Duration,
    journal: Option<Journal>,
    options: RunOptions,
) -> LocalWorkbench {
    workbench_of(vec![model], pace, journal, options)
}

/// The same with several models.
pub fn workbench_of(
    models: Vec<Arc<dyn Model>>,
    pace: Duration,
    journal: Option<Journal>,
    options: RunOptions,
) -> LocalWorkbench {
    let none = SandboxUnavailable { reason: "not needed".into(), remedy: "none".into() };
    let tools = Arc::new(Toolchain::detect(Path::new("/nowhere"), Err(none)));
    let languages: Vec<Box<dyn Language>> = vec![Box::new(Multiplying { pace })];
    let stack = VerificationStack::with_languages(tools, Policy::default(), languages);
    let status = Box::new(Vec::new);
    LocalWorkbench::new(
        Parts {
            models,
            stack: Arc::new(stack),
            journal: journal.map(Arc::new).ok_or_else(|| "no journal".into()),
            status,
        },
        options,
    )
}

/// The one task of [`FILE`].
pub fn task(workbench: &LocalWorkbench) -> Option<Task> {
    workbench.analyse(Path::new("/nowhere/double.py"), &Arc::from(FILE)).tasks.into_iter().next()
}
