//! Gate and fingerprint of a TypeScript candidate: one sandbox job, in which the judge starts one process for
//! the candidate and one that repeats its calls.

use serde_json::json;

use super::harness::{self, Mode, Trouble};
use super::imports::specifiers;
use super::tree::Dialect;
use crate::fingerprint::{self, Facts};
use crate::languages::{CheckError, Judgement, Observation, Probe, Subject};
use crate::toolchain::{REMEDY, Toolchain};

/// Candidates in one job: few enough that one which brings it down costs little.
const BATCH: usize = 25;

/// Judges the candidate that stands in `subject`; `seed` chooses the inputs.
///
/// # Errors
/// When the check cannot be made: no sandbox, no Node, a spec that contradicts itself, a package that
/// the file imports and the project does not have.
pub(super) async fn judge(tools: &Toolchain, subject: &Subject, seed: u64) -> Result<Judgement, CheckError> {
    let extra = json!({"examples": harness::examples_and_raises(subject), "seed": seed});
    let facts = match harness::ask(tools, subject, Mode::Judge, extra).await {
        Ok(facts) => facts,
        Err(Trouble::Unavailable(why)) => return Err(CheckError(why)),
        Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => return Ok(Judgement::GateRejected(why)),
    };
    let facts: Facts = read(facts)?;
    if let Some(error) = missing_import(subject, facts.broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error);
    }
    fingerprint::judge(&subject.task.spec, facts)
}

/// Gate and behaviour of many candidates of one task, in few jobs. Each is asked exactly what [`judge`]
/// asks, in processes of its own; they share a job's scratch folder, so this is for recorded samples.
///
/// # Errors
/// Per candidate, as [`judge`].
pub(super) async fn observe(
    tools: &Toolchain,
    subjects: &[Subject],
    how: Probe,
) -> Vec<Result<Observation, CheckError>> {
    let mut all = Vec::with_capacity(subjects.len());
    for chunk in subjects.chunks(BATCH) {
        match batch(tools, chunk, how).await {
            Ok(observed) => all.extend(observed),
            Err(Trouble::Unavailable(why)) => all.extend(chunk.iter().map(|_| Err(CheckError(why.clone())))),
            // A candidate has brought the job down: each gets its own, and only that one falls.
            Err(Trouble::BroughtDown(_) | Trouble::TimedOut(_)) => {
                for one in chunk {
                    all.extend(alone(tools, one, how).await);
                }
            }
        }
    }
    all
}

async fn alone(tools: &Toolchain, subject: &Subject, how: Probe) -> Vec<Result<Observation, CheckError>> {
    match batch(tools, std::slice::from_ref(subject), how).await {
        Ok(observed) => observed,
        Err(Trouble::Unavailable(why)) => vec![Err(CheckError(why))],
        Err(Trouble::BroughtDown(why) | Trouble::TimedOut(why)) => {
            vec![Ok(Observation::rejected(why))]
        }
    }
}

async fn batch(
    tools: &Toolchain,
    subjects: &[Subject],
    how: Probe,
) -> Result<Vec<Result<Observation, CheckError>>, Trouble> {
    let Some(first) = subjects.first() else { return Ok(Vec::new()) };
    let candidates: Vec<_> = subjects.iter().map(|s| json!({"source": &*s.task.source})).collect();
    let mut extra =
        json!({"examples": harness::examples_and_raises(first), "seed": how.seed, "candidates": candidates});
    if let Some(inputs) = how.inputs {
        extra["inputs"] = json!(inputs);
    }
    if let Some(seconds) = how.seconds {
        extra["call_seconds"] = json!(seconds);
    }
    let mut answer = harness::ask(tools, first, Mode::Batch, extra).await?;
    let facts: Vec<Facts> = read(answer["candidates"].take())?;
    if facts.len() != subjects.len() {
        return Err(Trouble::Unavailable(format!("the TypeScript harness left candidates out; {REMEDY}")));
    }
    let observed = subjects.iter().zip(facts).map(|(subject, facts)| {
        match missing_import(subject, facts.broken.as_ref().map_or("", |b| &b.3)) {
            Some(error) => Err(error),
            None => fingerprint::observe(&subject.task.spec, facts),
        }
    });
    Ok(observed.collect())
}

/// Takes facts out of the harness's answer.
///
/// # Errors
/// When they have another shape, which is a fault of ours.
pub(super) fn read<T: serde::de::DeserializeOwned>(facts: serde_json::Value) -> Result<T, CheckError> {
    serde_json::from_value(facts)
        .map_err(|e| CheckError(format!("the TypeScript harness answered something else than asked ({e}); {REMEDY}")))
}

/// The complaint about a module that the file needed before the edit already: not the candidate's fault.
/// `None` when nothing is missing, or when the candidate brought the import.
pub(super) fn missing_import(subject: &Subject, module: &str) -> Option<CheckError> {
    if module.is_empty() {
        return None;
    }
    let before = specifiers(&subject.previous, Dialect::of(&subject.task.file));
    let names = |s: &String| s == module || s.strip_prefix(module).is_some_and(|rest| rest.starts_with('/'));
    let file = subject.task.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let why = if module.starts_with(['.', '/']) {
        "where no file of the project is; mend the path, or move the function to a file without it"
    } else {
        "which is neither in the project nor in its node_modules; install it, or move the function to a file without it"
    };
    before.iter().any(names).then(|| CheckError(format!("{file} imports `{module}`, {why}")))
}
