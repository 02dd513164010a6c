//! What runs candidate code: a small JavaScript program, built in. [`ask`] puts the file and the project's
//! modules that it imports into a scratch folder, runs one mode and returns its facts. What facts mean is
//! decided in [`crate::fingerprint`] and [`crate::layers`].

mod ahead;
mod request;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroerr_sandbox::{Exit, Job, LimitKind, Limits, Output};

pub(super) use ahead::ask_with;
pub(super) use request::{examples_and_raises, hollow_texts, parsed_call, raises_of, request};

use super::project::Mirror;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::toolchain::{NodeEnv, REMEDY, Toolchain};

/// The harness, file by file.
const FILES: [(&str, &str); 44] = [
    ("answers.mjs", include_str!("answers.mjs")),
    ("bridge.mjs", include_str!("bridge.mjs")),
    ("build.mjs", include_str!("build.mjs")),
    ("channel.mjs", include_str!("channel.mjs")),
    ("clock.mjs", include_str!("clock.mjs")),
    ("compile.mjs", include_str!("compile.mjs")),
    ("contracts.mjs", include_str!("contracts.mjs")),
    ("copies.mjs", include_str!("copies.mjs")),
    ("dates.mjs", include_str!("dates.mjs")),
    ("doubts.mjs", include_str!("doubts.mjs")),
    ("far.mjs", include_str!("far.mjs")),
    ("fits.mjs", include_str!("fits.mjs")),
    ("fractions.mjs", include_str!("fractions.mjs")),
    ("gate.mjs", include_str!("gate.mjs")),
    ("hooks.mjs", include_str!("hooks.mjs")),
    ("inputs.mjs", include_str!("inputs.mjs")),
    ("jest.cjs", include_str!("jest.cjs")),
    ("judge.mjs", include_str!("judge.mjs")),
    ("kinds.mjs", include_str!("kinds.mjs")),
    ("laws.mjs", include_str!("laws.mjs")),
    ("lazy.mjs", include_str!("lazy.mjs")),
    ("lint.mjs", include_str!("lint.mjs")),
    ("literals.mjs", include_str!("literals.mjs")),
    ("main.mjs", include_str!("main.mjs")),
    ("mocha.cjs", include_str!("mocha.cjs")),
    ("places.mjs", include_str!("places.mjs")),
    ("pretence.mjs", include_str!("pretence.mjs")),
    ("project.mjs", include_str!("project.mjs")),
    ("questions.mjs", include_str!("questions.mjs")),
    ("reader.mjs", include_str!("reader.mjs")),
    ("realm.mjs", include_str!("realm.mjs")),
    ("reporter.mjs", include_str!("reporter.mjs")),
    ("reports.mjs", include_str!("reports.mjs")),
    ("resident.mjs", include_str!("resident.mjs")),
    ("script.mjs", include_str!("script.mjs")),
    ("shrink.mjs", include_str!("shrink.mjs")),
    ("steady.mjs", include_str!("steady.mjs")),
    ("subject.mjs", include_str!("subject.mjs")),
    ("tamed.mjs", include_str!("tamed.mjs")),
    ("timing.mjs", include_str!("timing.mjs")),
    ("values.mjs", include_str!("values.mjs")),
    ("vitest.mjs", include_str!("vitest.mjs")),
    ("worker.mjs", include_str!("worker.mjs")),
    ("wrong.mjs", include_str!("wrong.mjs")),
];
/// A hash of the harness: what it found out about a candidate is no news while this stays the same.
pub(super) fn sources_hash() -> String {
    let mut hasher = Sha256::new();
    for (name, text) in FILES {
        hasher.update(name);
        hasher.update(text);
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Seed of the layers' inputs; the gate is given its own by the run.
pub(super) const LAYER_SEED: u64 = 0x5eed;

/// What the harness is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Examples, then outcomes on generated inputs.
    Judge,
    /// The same for many candidates.
    Batch,
    /// The smallest calls on which candidates differ.
    Questions,
    /// `@requires`, `@ensures`, `@raises` on many inputs.
    Contracts,
    /// fast-check.
    Properties,
    /// Examples and the project's tests.
    Tests,
    /// Timings.
    Performance,
    /// eslint's security rules.
    Lint,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Judge | Mode::Batch => "judge",
            Mode::Questions => "questions",
            Mode::Contracts => "contracts",
            Mode::Properties => "properties",
            Mode::Tests => "tests",
            Mode::Performance => "performance",
            Mode::Lint => "lint",
        }
    }

    /// Wall time of the whole job in seconds; the harness ends by itself well before.
    fn seconds(self) -> u64 {
        match self {
            Mode::Judge | Mode::Questions => 30,
            Mode::Batch => 600,
            Mode::Contracts | Mode::Lint => 40,
            Mode::Properties | Mode::Performance => 60,
            Mode::Tests => 180,
        }
    }
}

/// Why the harness gave no facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
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
pub(super) async fn ask(tools: &Toolchain, subject: &Subject, mode: Mode, extra: Value) -> Result<Value, Trouble> {
    let made = |mirror: &Mirror| Ok(Some((request(tools, subject, mirror, extra.clone())?, ())));
    let answer = ask_with(tools, subject, mode, made).await?;
    Ok(answer.map_or(Value::Null, |(answer, ())| answer))
}

/// Runs one mode on a request that [`request`] made, in the copy that it was made for.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn run(tools: &Toolchain, mirror: &Mirror, mode: Mode, request: Value) -> Result<Value, Trouble> {
    let packages = mirror.packages.iter().cloned().collect();
    run_in(tools, &mirror.scratch(), packages, mode, request).await
}

/// The same in any scratch folder.
///
/// # Errors
/// [`Trouble`].
pub(super) async fn run_in(
    tools: &Toolchain,
    scratch: &Path,
    readable: Vec<PathBuf>,
    mode: Mode,
    request: Value,
) -> Result<Value, Trouble> {
    let node = tools.node()?;
    let folder = installed(&node, scratch)?;
    let stdin = told(request, mode, scratch);
    let job = Job { stdin, ..job(&node, &folder, mode, readable, scratch) };
    let output = tools.run_tool("node", job, fault).await?;
    if let Some(why) = fault(&output) {
        return Err(Trouble::Unavailable(format!("{why}; {REMEDY}")));
    }
    match output.exit {
        Exit::Code(_) => facts(&output, scratch)
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

/// The job of a mode.
fn job(node: &NodeEnv, folder: &Path, mode: Mode, mut readable: Vec<PathBuf>, scratch: &Path) -> Job {
    let time = Duration::from_secs(mode.seconds());
    readable.extend(node.readable.iter().cloned());
    let output = if mode == Mode::Batch { 128 << 20 } else { 16 << 20 };
    Job {
        program: node.node.clone(),
        args: vec!["--no-warnings".into(), folder.join("main.mjs").into()],
        env: [("TZ", "UTC"), ("LANG", "C.UTF-8")].map(|(k, v)| (k.into(), v.into())).to_vec(),
        stdin: Vec::new(),
        readable,
        scratch: scratch.to_path_buf(),
        // Every node and the tools that it starts hold a dozen threads each.
        limits: Limits { wall: time, cpu: time * 2, memory: 3 << 30, output, processes: 256, ..Limits::default() },
    }
}

/// What an answer must repeat, to be the one to this question.
fn nonce(scratch: &Path) -> Value {
    json!(scratch.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()))
}

/// The request as the harness reads it.
fn told(mut request: Value, mode: Mode, scratch: &Path) -> Vec<u8> {
    request["mode"] = json!(mode.name());
    request["nonce"] = nonce(scratch);
    request.to_string().into_bytes()
}

/// The answer in what a job wrote, when there is one.
fn facts(output: &Output, scratch: &Path) -> Option<Value> {
    let facts: Value = serde_json::from_slice(&output.stdout).ok()?;
    (facts["nonce"] == nonce(scratch)).then_some(facts)
}

/// What the program that stays answers to a question; `None` when a process of its own must be asked.
pub(super) async fn ask_resident(
    tools: &Toolchain,
    scratch: &Path,
    packages: Option<&PathBuf>,
    question: &Value,
) -> Option<Value> {
    let node = tools.node().ok()?;
    let script = installed(&node, scratch).ok()?.join("resident.mjs");
    tools.ask_resident(&node, &script, packages, question).await
}

/// Whether the harness itself has failed: code under test ends it by a signal or at a limit, or with a
/// report that is none.
fn fault(output: &Output) -> Option<String> {
    let Exit::Code(code) = output.exit else { return None };
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = stderr.lines().find(|l| l.contains("Error")).or_else(|| stderr.lines().last()).unwrap_or_default();
    let said: String = said.chars().take(300).collect();
    (code != 0).then(|| format!("the TypeScript harness failed with exit code {code}: {said}"))
}

/// The folder with the harness. It lies beside Node, where jobs can read and not write; in `scratch` when
/// that folder cannot be written.
fn installed(node: &NodeEnv, scratch: &Path) -> Result<PathBuf, CheckError> {
    if let Some(folder) = beside(node) {
        return Ok(folder);
    }
    let own = scratch.join("harness");
    let wrong =
        |e: std::io::Error| CheckError(format!("cannot write {}: {e}; free some space or set TMPDIR", own.display()));
    std::fs::create_dir_all(&own).map_err(wrong)?;
    FILES.iter().try_for_each(|(name, text)| std::fs::write(own.join(name), text)).map_err(wrong)?;
    Ok(own)
}

/// The folder with the harness beside Node; `None` when it cannot be written.
fn beside(node: &NodeEnv) -> Option<PathBuf> {
    let folder = node.root.join("harness").join(sources_hash().get(..16).unwrap_or_default());
    (folder.is_dir() || publish(&folder).is_ok()).then_some(folder)
}

/// Moves a finished copy into place in one step, so that no job ever starts half a harness.
fn publish(folder: &Path) -> std::io::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent)?;
    let copy = tempfile::tempdir_in(parent)?;
    let fresh = copy.path().join("harness");
    std::fs::create_dir(&fresh)?;
    FILES.iter().try_for_each(|(name, text)| std::fs::write(fresh.join(name), text))?;
    match std::fs::rename(&fresh, folder) {
        Err(_) if folder.is_dir() => Ok(()), // another job was faster
        done => done,
    }
}
