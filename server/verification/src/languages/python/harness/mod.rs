//! The way from a [`Subject`] to the Python harness in the sandbox and back.
//!
//! The harness is the Python beside this file, built in. [`ask`] puts the file and the project's
//! modules that it imports into a scratch folder, runs one mode and returns its facts. What facts
//! mean is decided in [`crate::fingerprint`] and [`crate::layers`].

mod install;

pub(super) use install::installed;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin};
use zeroerr_sandbox::{Exit, Job, LimitKind, Limits, Output};

use super::options::of_doctests;
use super::place::{module_name, search_paths};
use super::project::{Extent, Mirror};
use super::tree::{parse, text};
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::toolchain::{Loaded, REMEDY, Toolchain};

/// The harness, file by file.
const FILES: [(&str, &str); 38] = [
    ("__main__.py", include_str!("__main__.py")),
    ("annotations.py", include_str!("annotations.py")),
    ("answers.py", include_str!("answers.py")),
    ("apart.py", include_str!("apart.py")),
    ("batch.py", include_str!("batch.py")),
    ("blame.py", include_str!("blame.py")),
    ("channel.py", include_str!("channel.py")),
    ("checker.py", include_str!("checker.py")),
    ("common.py", include_str!("common.py")),
    ("configured.py", include_str!("configured.py")),
    ("contracts.py", include_str!("contracts.py")),
    ("doubts.py", include_str!("doubts.py")),
    ("examine.py", include_str!("examine.py")),
    ("far.py", include_str!("far.py")),
    ("gate.py", include_str!("gate.py")),
    ("inputs.py", include_str!("inputs.py")),
    ("judge.py", include_str!("judge.py")),
    ("kinds.py", include_str!("kinds.py")),
    ("lacking.py", include_str!("lacking.py")),
    ("laws.py", include_str!("laws.py")),
    ("library.py", include_str!("library.py")),
    ("mutation.py", include_str!("mutation.py")),
    ("nested.py", include_str!("nested.py")),
    ("project.py", include_str!("project.py")),
    ("questions.py", include_str!("questions.py")),
    ("rests.py", include_str!("rests.py")),
    ("said.py", include_str!("said.py")),
    ("shrink.py", include_str!("shrink.py")),
    ("state.py", include_str!("state.py")),
    ("subject.py", include_str!("subject.py")),
    ("symbolic.py", include_str!("symbolic.py")),
    ("timing.py", include_str!("timing.py")),
    ("values.py", include_str!("values.py")),
    ("walls.py", include_str!("walls.py")),
    ("waiting.py", include_str!("waiting.py")),
    ("worker.py", include_str!("worker.py")),
    ("wrong.py", include_str!("wrong.py")),
    ("zygote.py", include_str!("zygote.py")),
];

/// A hash of the harness: what it found out about a candidate is no news while this stays the same.
pub fn sources_hash() -> String {
    use sha2::Digest;
    let mut hasher = sha2::Sha256::new();
    FILES.iter().for_each(|(_, text)| hasher.update(text));
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Seed of the layers' inputs; the gate is given its own by the run.
pub const LAYER_SEED: u64 = 0x5eed;

/// What the harness is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Examples, then outcomes on generated inputs.
    Judge,
    /// The smallest calls on which candidates differ.
    Questions,
    /// What candidates make of claims that nobody vouches for.
    Examine,
    /// The same for many candidates.
    Batch,
    /// `@requires`, `@ensures`, `@raises` on many inputs.
    Contracts,
    /// CrossHair.
    Symbolic,
    /// Examples and the project's tests.
    Tests,
    /// Hypothesis.
    Properties,
    /// Timings.
    Performance,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Judge | Mode::Batch => "judge",
            Mode::Questions => "questions",
            Mode::Examine => "examine",
            Mode::Contracts => "contracts",
            Mode::Symbolic => "symbolic",
            Mode::Tests => "tests",
            Mode::Properties => "properties",
            Mode::Performance => "performance",
        }
    }

    /// Wall time of the whole job in seconds; the harness ends by itself well before.
    fn seconds(self) -> u64 {
        match self {
            Mode::Judge | Mode::Questions => 20,
            Mode::Batch => 600,
            Mode::Examine | Mode::Contracts => 30,
            Mode::Properties | Mode::Performance | Mode::Symbolic => 60,
            Mode::Tests => 180,
        }
    }

    /// What the harness imports by itself when it is asked for this, before any candidate is loaded.
    fn modules(self) -> &'static [&'static str] {
        match self {
            Mode::Judge => &["gate", "worker"],
            Mode::Batch => &["gate", "worker", "batch"],
            Mode::Questions => &["questions", "worker"],
            Mode::Examine => &["examine", "worker"],
            Mode::Contracts => &["contracts", "worker"],
            Mode::Symbolic => &["symbolic", "worker", "crosshair.core_and_libs"],
            Mode::Tests => &["project", "worker"],
            Mode::Properties => &["laws", "worker", "hypothesis"],
            Mode::Performance => &["timing", "worker"],
        }
    }

    /// Bytes that the harness may answer.
    fn output(self) -> usize {
        if self == Mode::Batch { 128 << 20 } else { 8 << 20 }
    }
}

/// Why the harness gave no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Something the check needs is missing or broken.
    Unavailable(String),
    /// The whole job ran out of time.
    TimedOut(String),
    /// The candidate used up what the sandbox grants, or ended the harness: a fault of the code.
    BroughtDown(String),
}

impl From<CheckError> for Trouble {
    fn from(error: CheckError) -> Self {
        Trouble::Unavailable(error.0)
    }
}

impl From<Trouble> for Failure {
    /// For a layer, code that ends its own check is a check that could not be made: never a pass.
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unavailable(why) | Trouble::BroughtDown(why) => Failure::Unavailable(why),
            Trouble::TimedOut(why) => Failure::TimedOut(why),
        }
    }
}

/// Runs one mode on the subject with the modules that it imports.
///
/// # Errors
/// [`Trouble`].
pub async fn ask(tools: &Toolchain, subject: &Subject, mode: Mode, extra: Value) -> Result<Value, Trouble> {
    let mirror = Mirror::make(tools, subject, &subject.task.source, Extent::ImportsOnly)?;
    let request = request(subject, &mirror.root, &mirror.file, extra);
    run(tools, &mirror.scratch(), mode, request).await
}

/// Runs one mode on a request that [`request`] made, in a scratch folder of the caller.
///
/// # Errors
/// [`Trouble`].
pub async fn run(tools: &Toolchain, scratch: &Path, mode: Mode, mut request: Value) -> Result<Value, Trouble> {
    let environment = tools.python()?;
    let folder = install::installed(tools, &environment, scratch).await?;
    let nonce = nonce(scratch);
    request["mode"] = json!(mode.name());
    request["nonce"] = json!(nonce);
    let time = Duration::from_secs(mode.seconds());
    let job = Job {
        program: environment.interpreter,
        args: vec!["-s".into(), "-B".into(), folder.clone().into()],
        env: [("PYTHONHASHSEED", "0"), ("PYTHONIOENCODING", "utf-8"), ("PYTHONDONTWRITEBYTECODE", "1")]
            .map(|(k, v)| (k.into(), v.into()))
            .to_vec(),
        stdin: request.to_string().into_bytes(),
        readable: environment.readable,
        scratch: scratch.to_path_buf(),
        limits: Limits { wall: time, cpu: time * 2, memory: 2 << 30, output: mode.output(), ..Limits::default() },
    };
    let loaded = Loaded { harness: &folder, flags: 2, modules: mode.modules() };
    let output = tools.run_loaded("python", job, loaded, fault).await?;
    if let Some(why) = fault(&output) {
        return Err(Trouble::Unavailable(format!("{why}; {REMEDY}")));
    }
    match output.exit {
        Exit::Code(_) => serde_json::from_slice::<Value>(&output.stdout)
            .ok()
            .filter(|facts| facts["nonce"] == json!(nonce))
            .ok_or_else(|| Trouble::BroughtDown("the code under test ended its own check".into())),
        Exit::Limit(LimitKind::Wall | LimitKind::Cpu) => {
            Err(Trouble::TimedOut(format!("did not end within {} s", mode.seconds())))
        }
        Exit::Limit(kind) => Err(Trouble::BroughtDown(
            format!("the code under test reached the sandbox's limit of {kind:?}").to_lowercase(),
        )),
        Exit::Signal(signal) => {
            Err(Trouble::BroughtDown(format!("the code under test ended its own check by signal {signal}")))
        }
    }
}

/// Whether the harness itself has failed: code under test ends it by a signal or at a limit, or with a
/// report that is none.
fn fault(output: &Output) -> Option<String> {
    let Exit::Code(code) = output.exit else { return None };
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last_words: String = stderr.lines().last().unwrap_or_default().chars().take(300).collect();
    (code != 0).then(|| format!("the Python harness failed with exit code {code}: {last_words}"))
}

/// A text that a stray write to stdout will not contain: the random name of the scratch folder.
fn nonce(scratch: &Path) -> String {
    scratch.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// Everything the harness needs to know of a subject; `extra` is laid over it.
pub fn request(subject: &Subject, root: &Path, file: &Path, extra: Value) -> Value {
    let task = &subject.task;
    let spec = &task.spec;
    let texts = |clauses: &[zeroerr_core::task_specification::Clause]| {
        clauses.iter().map(|c| c.text.clone()).collect::<Vec<_>>()
    };
    let (module, _) = module_name(root, file, &task.source);
    let returns = task.signature.returns.as_deref().unwrap_or("");
    let mut request = json!({
        "source": &*task.source,
        "path": file,
        "module": module,
        "paths": search_paths(root, file, &task.source),
        "function": task.signature.name,
        "class": task.class.as_ref().map(|name| class_path(&task.source, task.body_range.start, name)),
        "line": line_of(&task.source, task.body_range.start),
        "requires": texts(&spec.requires),
        "ensures": texts(&spec.ensures),
        "properties": texts(&spec.properties),
        "uses": texts(&spec.uses),
        "examples": examples(subject),
        "example_code": example_code(subject),
        "numbers": if returns.contains("float") || returns.contains("complex") { "float" } else { "exact" },
        "seed": LAYER_SEED,
    });
    if let (Value::Object(request), Value::Object(extra)) = (&mut request, extra) {
        request.extend(extra);
    }
    request
}

/// The classes around an offset with dots between them; `name` is the innermost one.
fn class_path(source: &str, offset: usize, name: &str) -> String {
    let tree = parse(source);
    let start = tree.as_ref().and_then(|t| t.root_node().descendant_for_byte_range(offset, offset));
    let around = std::iter::successors(start, tree_sitter::Node::parent);
    let classes = around.filter(|n| n.kind() == "class_definition");
    let mut path: Vec<&str> = classes.filter_map(|n| n.child_by_field_name("name").map(|n| text(n, source))).collect();
    path.reverse();
    if path.last() == Some(&name) { path.join(".") } else { name.to_owned() }
}

/// The examples and the calls that must raise, in the order in which the gate checks them.
pub fn gate_examples(subject: &Subject) -> Vec<Value> {
    examples(subject).into_iter().chain(raises(subject)).collect()
}

/// The examples; doctests with the options that the project gives them.
fn examples(subject: &Subject) -> Vec<Value> {
    let examples = &subject.task.spec.examples;
    let is_told = examples.iter().any(|e| e.origin == ExampleOrigin::Doctest);
    let options = if is_told { of_doctests(subject) } else { Vec::new() };
    let with_options = |e: &Example| {
        let mut words = example(e);
        if e.origin == ExampleOrigin::Doctest && !options.is_empty() {
            words["options"] = json!(options);
        }
        words
    };
    examples.iter().map(with_options).collect()
}

/// The calls of `@raises`, in the harness's words.
pub fn raises(subject: &Subject) -> Vec<Value> {
    let raises = subject.task.spec.raises.iter();
    raises.map(|r| json!({"kind": "raises", "code": r.call, "expected": r.exception, "origin": "tag"})).collect()
}

/// One example in the harness's words.
fn example(example: &Example) -> Value {
    let origin = if example.origin == ExampleOrigin::Doctest { "doctest" } else { "tag" };
    let mut words = match (&example.claim, &example.equation) {
        (ExampleClaim::Holds, Some((left, right))) => {
            json!({"kind": "equation", "code": example.code, "left": left, "right": right})
        }
        (ExampleClaim::Holds, None) => json!({"kind": "holds", "code": example.code}),
        (ExampleClaim::Prints(text), _) => json!({"kind": "prints", "code": example.code, "expected": text}),
        (ExampleClaim::Raises(exception), _) => {
            json!({"kind": "raises", "code": example.code, "expected": exception, "origin": origin})
        }
    };
    if example.origin == ExampleOrigin::Step {
        words["on_step"] = true.into();
    }
    words
}

/// Code whose calls of the function show what its arguments look like.
fn example_code(subject: &Subject) -> Vec<&str> {
    let spec = &subject.task.spec;
    spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str())).collect()
}
