//! Examples, documentation tests and the project's own tests of a Rust function.
//!
//! A project's tests are run one by one, each in a sandbox of its own: those whose code names the
//! function, or another test function or helper of their file that does. They are built where the
//! project is copied, with the edit applied.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use zeroerr_core::code::Task;
use zeroerr_core::task_specification::Example;
use zeroerr_core::verdict::{Layer, LayerReport};
use zeroerr_sandbox::{Exit, Job, LimitKind, Limits, Output};

use super::build::{self, Speed};
use super::compiling::BuildError;
use super::equality;
use super::functions::FileIndex;
use super::glue::{Plan, Probe};
use super::hollow;
use super::idle;
use super::literals::is_literal;
use super::performance::replaced;
use super::reaching::{self, Names, TestCase};
use super::release;
use super::session::{LAYER_SEED, Question, State, Trouble, ask, doubt, read, spec_fault};
use super::tree::parse;
use super::workspace::{Copy, complaint};
use crate::fingerprint::ExampleFact;
use crate::languages::Subject;
use crate::layers::tests::{Facts, ProjectRun, ProjectTest, judge};
use crate::layers::{Failure, TOO_LONG};
use crate::toolchain::Toolchain;

/// Most tests of a project that are run.
const MAX_TESTS: usize = 60;
/// What stands for tests that do not compile.
const UNBUILT: &str = "the tests";
/// Seconds of one test.
const SECONDS: u64 = 30;

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    match run(state, tools, subject).await {
        Ok(report) => report,
        Err(Trouble::Broken(why, line)) => broken(subject, &why, line),
        Err(trouble) => Failure::from(trouble).report(Layer::Tests),
    }
}

/// Nothing of a file that does not compile can be run: every example of it fails.
fn broken(subject: &Subject, why: &str, line: usize) -> LayerReport {
    let remark = crate::layers::Remark {
        rule: "load".into(),
        message: format!("the file does not compile: {why}"),
        line: if line == 0 { *subject.function_lines().start() } else { line },
        url: None,
    };
    crate::layers::report(Layer::Tests, vec![crate::layers::finding(Layer::Tests, remark)], "", Vec::new())
}

async fn run(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let spec = &subject.task.spec;
    let mut facts = Facts { examples: examples(state, tools, subject).await?, ..Facts::default() };
    let left;
    (facts.project, left) = project(state, tools, subject, &subject.task.source).await?;
    let failed: Vec<String> = facts
        .project
        .iter()
        .flat_map(|run| &run.tests)
        .filter(|t| t.outcome == "failed")
        .map(|t| t.id.clone())
        .collect();
    let has_failed = !failed.is_empty();
    let missed = state.projects.of(tools, subject, Speed::Checked).and_then(|project| project.missed(has_failed));
    let missed: Vec<String> = untried(left).into_iter().chain(missed).collect();
    facts.missed = (!missed.is_empty()).then(|| missed.join("; "));
    let has_passed = facts.project.iter().flat_map(|run| &run.tests).any(|t| t.outcome == "passed");
    // Where no example speaks for the function, its tests must: which of them could fail?
    if has_passed && facts.examples.iter().all(|f| f.hollow) {
        facts.hollow = weighed(state, tools, subject).await?;
    }
    // Tests of a placeholder fail, whatever they say.
    if !failed.is_empty() && replaced(subject).is_some() {
        facts.before = project(state, tools, subject, &subject.previous).await.unwrap_or_default().0;
    }
    let rust = state.rust(tools).await?;
    let mut named = Vec::new();
    if !spec.examples.is_empty() {
        named.push(rust.version.clone());
    }
    if facts.project.is_some() {
        named.push(rust.named("cargo"));
    }
    Ok(LayerReport { tools: named, ..judge(subject, &facts) })
}

async fn examples(state: &State, tools: &Toolchain, subject: &Subject) -> Result<Vec<ExampleFact>, Trouble> {
    let count = subject.task.spec.examples.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let built = state.built(tools, subject, Speed::Checked).await?;
    if let Some(fault) = spec_fault(subject, &built, |p| matches!(p, Probe::Example(_))) {
        return Err(fault.into());
    }
    let claims: Vec<String> = (0..count).map(|i| i.to_string()).collect();
    let mut options = vec![format!("claims={}", claims.join(" "))];
    options.push(doubt(&built, subject.task.spec.examples.iter().any(is_plain)));
    let question = Question { mode: "claims", seed: LAYER_SEED, options, extremes: false, seconds: 60 };
    let mut answer = ask(tools, subject, &built, question, None).await?;
    let mut facts: Vec<ExampleFact> = read(answer["examples"].take())?;
    for fact in facts.iter_mut().filter(|fact| fact.ok && fact.untested) {
        fact.hollow = subject.task.spec.examples.get(fact.index).is_some_and(|e| idle::is_idle(&e.code));
        fact.untested = !fact.hollow;
    }
    equality::doubt(subject, &mut facts);
    release::confirm(state, tools, subject, 0, &mut facts).await?;
    // An example that was not reached is one that did not hold.
    for index in 0..count {
        if !facts.iter().any(|f| f.index == index) {
            facts.push(read(json!({"index": index, "ok": false, "got": "timeout", "expected": ""}))?);
        }
    }
    Ok(facts)
}

/// Whether an example compares a bare call with a literal, which no wrong function can meet.
fn is_plain(example: &Example) -> bool {
    example.equation.as_ref().is_some_and(|(_, right)| is_literal(right))
}

/// The type whose `impl` of a trait holds the function.
fn implementor(task: &Task) -> Option<String> {
    let tree = parse(&task.source)?;
    let index = FileIndex::new(tree.root_node(), &task.source);
    index.function_of(task)?.implementor(&task.source).map(str::to_owned)
}

/// What is said of tests beyond the most that are run.
fn untried(left: usize) -> Option<String> {
    match left {
        0 => None,
        1 => Some("1 more test that reaches it was not run".to_owned()),
        n => Some(format!("{n} more tests that reach it were not run")),
    }
}

/// Runs the project's tests that reach the function, with `text` in the place of its file; and how many were too many.
async fn project(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    text: &str,
) -> Result<(Option<ProjectRun>, usize), Trouble> {
    let Some(project) = state.projects.of(tools, subject, Speed::Checked) else { return Ok((None, 0)) };
    let rust = state.rust(tools).await?;
    // Where a `cfg` could leave the function out, the tests may call another of its name.
    if Plan::read(&subject.task).is_ok_and(|plan| plan.is_conditional()) {
        state.built(tools, subject, Speed::Checked).await?;
    }
    let held = project.hold(Copy::Plain).await?;
    let place = held.place_of(tools, rust, subject).await?;
    held.put(&place.file, text)?;
    let implementor = implementor(&subject.task);
    let names = Names { function: &subject.task.signature.name, implementor: implementor.as_deref() };
    let mut cases = reaching::tests(&held.folder(), &place, names);
    if cases.is_empty() {
        return Ok((None, 0));
    }
    let mut left = cases.len().saturating_sub(MAX_TESTS);
    cases.truncate(MAX_TESTS);
    let programs = match test_programs(tools, rust, &held, &place.package, &cases).await {
        Ok(programs) => programs,
        Err(BuildError::Broken(why, _)) => {
            let tests = vec![ProjectTest {
                id: UNBUILT.into(),
                outcome: "failed".into(),
                message: format!("do not compile: {why}"),
            }];
            return Ok((Some(ProjectRun { tests, ended: "done".into(), code: 1, text: String::new() }), left));
        }
        Err(error) => return Err(error.into()),
    };
    let folder = held.folder().join(&place.folder);
    let mut readable = vec![held.folder(), held.target(), rust.sysroot.clone()];
    readable.dedup();
    let mut tests = Vec::new();
    for case in &cases {
        let Some((_, program)) = programs.iter().find(|(name, _)| *name == case.target) else { continue };
        for case in made(tools, case, program, &folder, &readable).await? {
            if tests.len() < MAX_TESTS {
                tests.push(one(tools, &case, program, &folder, readable.clone()).await?);
            } else {
                left += 1;
            }
        }
    }
    Ok((Some(ProjectRun { tests, ended: "done".into(), code: 0, text: String::new() }), left))
}

/// The same tests with functions that do nothing and give what is of no use, one after another; `None` where none
/// of them compiles.
async fn weighed(state: &State, tools: &Toolchain, subject: &Subject) -> Result<Option<ProjectRun>, Trouble> {
    let mut all = ProjectRun { ended: "done".into(), ..ProjectRun::default() };
    for text in hollow::texts(subject) {
        let Some(run) = project(state, tools, subject, &text).await?.0 else { return Ok(None) };
        if run.tests.iter().any(|t| t.id == UNBUILT) {
            return Ok(None);
        }
        all.tests.extend(run.tests);
    }
    Ok((!all.tests.is_empty()).then_some(all))
}

/// Builds the programs that hold the tests: by the name of their target.
async fn test_programs(
    tools: &Toolchain,
    rust: &super::toolchain::RustTools,
    held: &super::workspace::Held<'_>,
    package: &str,
    cases: &[TestCase],
) -> Result<Vec<(Vec<String>, PathBuf)>, BuildError> {
    let mut targets: Vec<&Vec<String>> = cases.iter().map(|c| &c.target).collect();
    targets.sort();
    targets.dedup();
    let mut out = Vec::new();
    for target in targets {
        let mut args = vec!["test", "--no-run", "-p", package, "--offline", "--message-format=json"];
        args.extend(target.iter().map(String::as_str));
        let output = held.cargo(tools, rust, "cargo", &args, 400).await?;
        if output.exit != Exit::Code(0) {
            let said = build::errors_anywhere(&output);
            return Err(match said {
                Some(error) => BuildError::Broken(error, 0),
                None => BuildError::Unavailable(format!("cargo test: {}", complaint(&output))),
            });
        }
        let executable = build::executable(held, &output.stdout);
        let executable = executable.ok_or_else(|| BuildError::Unavailable("cargo made no test program".into()))?;
        out.push((target.clone(), executable));
    }
    Ok(out)
}

/// The tests that a case stands for.
async fn made(
    tools: &Toolchain,
    case: &TestCase,
    program: &Path,
    folder: &Path,
    readable: &[PathBuf],
) -> Result<Vec<TestCase>, Trouble> {
    if !case.is_made {
        return Ok(vec![case.clone()]);
    }
    let output = run_tests(tools, &["--list", "--format=terse"], program, folder, readable.to_vec()).await?;
    Ok(reaching::expanded(case, &String::from_utf8_lossy(&output.stdout)))
}

/// Runs one test in a sandbox of its own.
async fn one(
    tools: &Toolchain,
    case: &TestCase,
    program: &Path,
    folder: &Path,
    readable: Vec<PathBuf>,
) -> Result<ProjectTest, Trouble> {
    let words = ["--exact", &case.name, "--test-threads=1", "--color=never"];
    let output = run_tests(tools, &words, program, folder, readable).await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // A test that ends the program itself has not passed: the runner's last line is missing.
    let ended_well = said.lines().any(|l| l.starts_with("test result: ok. 1 passed"));
    // Ignored, or left out of this build by a `cfg`.
    let not_run = said.lines().any(|l| l.starts_with("test result: ok. 0 passed; 0 failed"));
    let (outcome, message) = match output.exit {
        Exit::Code(0) if ended_well => ("passed", String::new()),
        Exit::Code(0) if not_run => ("skipped", String::new()),
        Exit::Limit(LimitKind::Wall | LimitKind::Cpu) => ("failed", TOO_LONG.to_owned()),
        Exit::Limit(kind) => ("failed", format!("reached the sandbox's limit of {kind:?}").to_lowercase()),
        Exit::Signal(signal) => ("failed", format!("ended by signal {signal}")),
        Exit::Code(_) => ("failed", panic_in(&said).unwrap_or_else(|| "ended without a result".to_owned())),
    };
    Ok(ProjectTest { id: case.id(), outcome: outcome.to_owned(), message })
}

/// Runs a test program with some arguments.
async fn run_tests(
    tools: &Toolchain,
    words: &[&str],
    program: &Path,
    folder: &Path,
    readable: Vec<PathBuf>,
) -> Result<Output, Trouble> {
    let scratch = tools.scratch()?;
    let time = Duration::from_secs(SECONDS);
    // Tests find their files from the package's folder, which is not the one that a job may write to.
    let script = "cd \"$1\" && shift && exec \"$@\"";
    let mut args = vec!["-c".into(), script.into(), "sh".into(), folder.into(), program.into()];
    args.extend(words.iter().map(std::ffi::OsString::from));
    let job = Job {
        program: "/bin/sh".into(),
        args,
        env: vec![("RUST_BACKTRACE".into(), "0".into()), ("CARGO_MANIFEST_DIR".into(), folder.into())],
        readable,
        scratch: scratch.path().to_path_buf(),
        limits: Limits { wall: time * 2, cpu: time, memory: 2 << 30, output: 4 << 20, ..Limits::default() },
        ..Job::default()
    };
    Ok(tools.run_tool("sandbox", job, |_| None).await?)
}

/// What a test's panic said.
fn panic_in(said: &str) -> Option<String> {
    let mut lines = said.lines().skip_while(|l| !l.contains(" panicked at "));
    let first = lines.next()?;
    let words: Vec<&str> =
        lines.take_while(|l| !l.is_empty() && !l.starts_with("note:")).map(str::trim).take(4).collect();
    Some(if words.is_empty() { first.trim().to_owned() } else { words.join(" ") })
}
