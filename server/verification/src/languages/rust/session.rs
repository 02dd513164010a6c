//! The way from a subject to the harness in the sandbox and back: builds the program, asks it one
//! thing, and reads its facts. What facts mean is decided in [`crate::fingerprint`] and [`crate::layers`].

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use zeroerr_core::verdict::{LayerReport, Verdict};
use zeroerr_sandbox::{Exit, Job, LimitKind, Limits};

use super::build::{Builds, Built, Speed};
use super::compiling::BuildError;
use super::glue::{Probe, constants, hints};
use super::hinted;
use super::toolchain::RustTools;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::toolchain::Toolchain;

/// Seed of the layers' inputs; the gate is given its own by the run.
pub(super) const LAYER_SEED: u64 = 0x5eed;

/// After this time a compiler that was not found is looked for again.
const ASKED_AGAIN: Duration = Duration::from_secs(10);

/// What lasts from one check to the next: where the compiler is, and what was compiled last.
#[derive(Debug, Default)]
pub(super) struct State {
    rust: OnceCell<RustTools>,
    /// Why it was not found the last time, and when that was.
    missed: Mutex<Option<(Instant, CheckError)>>,
    builds: Builds,
    pub projects: super::workspace::Workspaces,
    pub lints: super::diagnose::Diagnoses,
}

impl State {
    /// The machine's Rust; looked for again when it was not there, but not by each layer in turn: a
    /// compiler that hangs would cost each of them the whole patience.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub async fn rust(&self, tools: &Toolchain) -> Result<&RustTools, CheckError> {
        let find = || async {
            let known = self.missed.lock().ok().and_then(|m| m.clone());
            if let Some((_, why)) = known.filter(|(at, _)| at.elapsed() < ASKED_AGAIN) {
                return Err(why);
            }
            let found = RustTools::find(tools).await;
            if let (Err(why), Ok(mut missed)) = (&found, self.missed.lock()) {
                *missed = Some((Instant::now(), why.clone()));
            }
            found
        };
        self.rust.get_or_try_init(find).await
    }

    /// The program for a subject.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn built(&self, tools: &Toolchain, subject: &Subject, speed: Speed) -> Result<Arc<Built>, Trouble> {
        let rust = self.rust(tools).await?;
        Ok(self.builds.get(tools, rust, subject, &self.projects, speed).await?)
    }
}

/// Why there are no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The file does not compile: the error and its line.
    Broken(String, usize),
    /// Something the check needs is missing or broken.
    Unavailable(String),
    /// It ran out of time.
    TimedOut(String),
    /// The candidate used up what the sandbox grants, or ended the harness: a fault of the code.
    BroughtDown(String),
}

impl From<CheckError> for Trouble {
    fn from(error: CheckError) -> Self {
        Trouble::Unavailable(error.0)
    }
}

impl From<BuildError> for Trouble {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Broken(why, line) => Trouble::Broken(why, line),
            BuildError::TimedOut(why) => Trouble::TimedOut(why),
            BuildError::Unavailable(why) => Trouble::Unavailable(why),
        }
    }
}

impl From<Trouble> for Failure {
    /// For a layer, code that ends its own check is a check that could not be made: never a pass.
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Broken(why, _) => Failure::Unavailable(format!("the file does not compile: {why}")),
            Trouble::Unavailable(why) | Trouble::BroughtDown(why) => Failure::Unavailable(why),
            Trouble::TimedOut(why) => Failure::TimedOut(why),
        }
    }
}

/// The fact that stands for a file that does not compile.
pub(super) fn broken(why: &str) -> Value {
    json!(["error", why, ""])
}

/// One question for the harness.
#[derive(Debug, Clone)]
pub(super) struct Question<'a> {
    /// `judge`, `claims`, `contracts`, `laws`, `timing`.
    pub mode: &'a str,
    /// Seed of the inputs.
    pub seed: u64,
    /// `key=value`.
    pub options: Vec<String>,
    /// Whether to look for trouble: the ends of the integer types and the constants of the code itself
    /// belong to the values. What candidates are compared by must not depend on their code.
    pub extremes: bool,
    /// Wall time of the whole job in seconds; the harness ends by itself well before.
    pub seconds: u64,
}

/// Asks a program one thing; `beside` is another program that it may start.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn ask(
    tools: &Toolchain,
    subject: &Subject,
    built: &Built,
    question: Question<'_>,
    beside: Option<&Built>,
) -> Result<Value, Trouble> {
    let scratch = tools.scratch()?;
    let nonce = scratch.path().file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut parts = vec![question.mode.to_owned(), nonce.clone(), question.seed.to_string()];
    parts.extend(question.options.iter().map(|o| format!("o:{o}")));
    let spec = &subject.task.spec;
    let shown = spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str()));
    parts.extend(shown.flat_map(hints));
    if question.extremes {
        parts.push("x:".to_owned());
        let body = subject.task.body_range.slice(&subject.task.source);
        let clauses = spec.requires.iter().chain(&spec.ensures).chain(&spec.properties).map(|c| c.text.as_str());
        let clauses: Vec<&str> = clauses.collect();
        let texts: Vec<&str> = std::iter::once(body).chain(clauses.iter().copied()).collect();
        parts.extend(hinted::specials(body, &clauses).into_iter().map(|name| format!("s:{name}")));
        parts.push(format!("o:named={}", hinted::largest_named(spec, &subject.task.source)));
        let mut near: Vec<String> = texts.iter().flat_map(|text| hints(text)).collect();
        near.extend(constants(&subject.task.source, &texts));
        parts.extend(near.iter().filter_map(|hint| match hint.split_at_checked(2) {
            Some(("i:", number)) => Some(format!("n:{number}")),
            Some(("f:", number)) => Some(format!("g:{number}")),
            Some(("t:", text)) => Some(format!("w:{text}")),
            _ => None,
        }));
    }
    let mut readable = vec![built.folder().to_path_buf()];
    readable.extend(beside.map(|b| b.folder().to_path_buf()));
    let time = Duration::from_secs(question.seconds);
    let limits = Limits { wall: time, cpu: time * 2, memory: 2 << 30, output: 8 << 20, ..Limits::default() };
    let job = Job {
        program: built.program(),
        stdin: framed(&parts),
        readable,
        scratch: scratch.path().to_path_buf(),
        limits,
        ..Job::default()
    };
    let output = tools.run_tool("sandbox", job, |_| None).await?;
    match output.exit {
        Exit::Code(0) => serde_json::from_slice::<Value>(&output.stdout)
            .ok()
            .filter(|facts| facts["nonce"] == json!(nonce))
            .ok_or_else(|| Trouble::BroughtDown("the code under test ended its own check".into())),
        Exit::Limit(LimitKind::Wall | LimitKind::Cpu) => {
            Err(Trouble::TimedOut(format!("did not end within {} s", question.seconds)))
        }
        Exit::Limit(kind) => Err(Trouble::BroughtDown(
            format!("the code under test reached the sandbox's limit of {kind:?}").to_lowercase(),
        )),
        Exit::Signal(signal) => {
            Err(Trouble::BroughtDown(format!("the code under test ended its own check by signal {signal}")))
        }
        Exit::Code(code) => {
            Err(Trouble::BroughtDown(format!("the code under test ended its own check with exit code {code}")))
        }
    }
}

/// A list of texts as the harness reads it.
fn framed(parts: &[String]) -> Vec<u8> {
    let length = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let mut out = length(parts.len()).to_vec();
    for part in parts {
        out.extend(length(part.len()));
        out.extend(part.as_bytes());
    }
    out
}

/// Takes facts out of the harness's answer.
///
/// # Errors
/// When they have another shape, which is a fault of ours.
pub(super) fn read<T: serde::de::DeserializeOwned>(facts: Value) -> Result<T, CheckError> {
    serde_json::from_value(facts)
        .map_err(|e| CheckError(format!("the Rust harness answered something else than asked ({e})")))
}

/// What is wrong with the spec itself: the first clause among `wanted` that does not compile.
pub(super) fn spec_fault(subject: &Subject, built: &Built, wanted: impl Fn(Probe) -> bool) -> Option<CheckError> {
    let spec = &subject.task.spec;
    let (probe, why) = built.dropped.iter().find(|(p, _)| wanted(*p))?;
    let clause = |list: &[zeroerr_core::task_specification::Clause], at: usize| {
        list.get(at).map_or_else(String::new, |c| c.text.clone())
    };
    let (tag, text) = match *probe {
        Probe::Example(at) => ("@example", spec.examples.get(at).map_or_else(String::new, |e| e.code.clone())),
        Probe::Raises(at) => ("@raises", spec.raises.get(at).map_or_else(String::new, |r| r.call.clone())),
        Probe::Budget(at) => ("@budget", spec.budgets.get(at).map_or_else(String::new, |b| b.call.clone())),
        Probe::Requires(at) => ("@requires", clause(&spec.requires, at)),
        Probe::Ensures(at) => ("@ensures", clause(&spec.ensures, at)),
        Probe::Law(at) => ("@property", clause(&spec.properties, at)),
        Probe::Pool(_) | Probe::Type(_) | Probe::Inputs | Probe::Presence | Probe::Wrong => return None,
    };
    Some(CheckError(format!("`{tag} {}` does not compile: {why}", crate::fingerprint::one_line(&text))))
}

/// How claims that hold are doubted: of functions that are wrong on purpose too, where there are some and no claim is
/// `plain`.
pub(super) fn doubt(built: &Built, plain: bool) -> String {
    let how = match (plain, built.can_be_wrong) {
        (true, _) => "plain",
        (false, true) => "wrong",
        (false, false) => "unknown",
    };
    format!("doubt={how}")
}

/// A report that says for which constants it speaks.
pub(super) fn with_constants(report: LayerReport, built: &Built) -> LayerReport {
    let is_about_inputs = matches!(report.verdict, Verdict::Passed | Verdict::NotApplicable);
    if built.constants.is_empty() || !is_about_inputs {
        return report;
    }
    LayerReport { detail: format!("{}; where {}", report.detail, built.constants), ..report }
}

/// What keeps inputs from being made up, in words.
pub(super) fn unmade(built: &Built) -> String {
    match built.fault(Probe::Inputs) {
        Some(why) => format!("the arguments ({why})"),
        None if built.unmade.is_empty() => {
            "the arguments (a type of them has no values that can be made up)".to_owned()
        }
        None => built.unmade.clone(),
    }
}
