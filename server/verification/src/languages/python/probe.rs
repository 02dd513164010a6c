//! Gate and fingerprint of a Python candidate: one sandbox job, one start of Python (and a second
//! interpreter beside it, which repeats the calls with another hash seed).

use serde_json::json;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::Spec;

use super::harness::{self, Mode, Trouble};
use super::load::hindered;
use crate::fingerprint::{self, Facts};
use crate::languages::{CheckError, Judgement, Observation, Probe, Subject};
use crate::toolchain::{REMEDY, Toolchain};

/// Candidates in one job: few enough that one which brings it down costs little.
const BATCH: usize = 25;

/// Judges the candidate that stands in `subject`; `seed` chooses the inputs.
///
/// # Errors
/// When the check cannot be made: no sandbox, no Python, a spec that contradicts itself, a module
/// that the file imports and the private environment does not have.
pub async fn judge(tools: &Toolchain, subject: &Subject, seed: u64) -> Result<Judgement, CheckError> {
    let extra = json!({"examples": harness::gate_examples(subject), "seed": seed});
    let facts = match harness::ask(tools, subject, Mode::Judge, extra).await {
        Ok(facts) => facts,
        Err(Trouble::Unavailable(why)) => return Err(CheckError(why)),
        Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => return Ok(Judgement::GateRejected(why)),
    };
    let facts: Facts = read(facts)?;
    if let Some(error) = hindered(subject, facts.broken.as_ref()) {
        return Err(error);
    }
    let spec: &Spec = &subject.task.spec;
    fingerprint::judge(spec, facts)
}

/// Gate and behaviour of many candidates of one task, in few jobs. Each is asked exactly what
/// [`judge`] asks; they share a job's scratch folder, so this is for recorded samples.
///
/// # Errors
/// Per candidate, as [`judge`].
pub async fn observe(tools: &Toolchain, subjects: &[Subject], how: Probe) -> Vec<Result<Observation, CheckError>> {
    let mut all = Vec::with_capacity(subjects.len());
    for chunk in subjects.chunks(BATCH) {
        match batch(tools, chunk, how).await {
            Ok(observed) => all.extend(observed),
            // A candidate has brought the job down: each gets its own, and only that one falls.
            Err(Trouble::BroughtDown(_) | Trouble::TimedOut(_)) => {
                for one in chunk {
                    match batch(tools, std::slice::from_ref(one), how).await {
                        Ok(observed) => all.extend(observed),
                        Err(Trouble::Unavailable(why)) => all.push(Err(CheckError(why))),
                        Err(Trouble::BroughtDown(why) | Trouble::TimedOut(why)) => {
                            all.push(Ok(Observation::rejected(why)));
                        }
                    }
                }
            }
            Err(Trouble::Unavailable(why)) => {
                all.extend(chunk.iter().map(|_| Err(CheckError(why.clone()))));
            }
        }
    }
    all
}

async fn batch(
    tools: &Toolchain,
    subjects: &[Subject],
    how: Probe,
) -> Result<Vec<Result<Observation, CheckError>>, Trouble> {
    let Some(first) = subjects.first() else { return Ok(Vec::new()) };
    let candidates: Vec<_> = subjects
        .iter()
        .map(|s| json!({"source": &*s.task.source, "line": line_of(&s.task.source, s.task.body_range.start)}))
        .collect();
    let mut extra = json!({"examples": harness::gate_examples(first), "seed": how.seed, "candidates": candidates});
    if let (Some(inputs), Some(extra)) = (how.inputs, extra.as_object_mut()) {
        extra.insert("inputs".into(), json!(inputs));
    }
    if let (Some(seconds), Some(extra)) = (how.seconds, extra.as_object_mut()) {
        extra.insert("call_seconds".into(), json!(seconds));
    }
    let mut answer = harness::ask(tools, first, Mode::Batch, extra).await?;
    let facts: Vec<Facts> = read(answer["candidates"].take())?;
    if facts.len() != subjects.len() {
        return Err(Trouble::Unavailable(format!("the Python harness left candidates out; {REMEDY}")));
    }
    let observed = subjects.iter().zip(facts).map(|(subject, facts)| {
        if let Some(error) = hindered(subject, facts.broken.as_ref()) {
            return Err(error);
        }
        fingerprint::observe(&subject.task.spec, facts)
    });
    Ok(observed.collect())
}

/// Takes facts out of the harness's answer.
///
/// # Errors
/// When they have another shape, which is a fault of ours.
pub fn read<T: serde::de::DeserializeOwned>(facts: serde_json::Value) -> Result<T, CheckError> {
    serde_json::from_value(facts)
        .map_err(|e| CheckError(format!("the Python harness answered something else than asked ({e}); {REMEDY}")))
}
