//! Gate and fingerprint of a Python candidate: one sandbox job, one start of Python (and a second
//! interpreter beside it, which repeats the calls with another hash seed).

use serde_json::json;
use zeroerr_core::task_specification::Spec;

use super::harness::{self, Mode, Trouble};
use crate::fingerprint::{self, Facts};
use crate::languages::{CheckError, Judgement, Subject};
use crate::toolchain::{REMEDY, Toolchain};

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
    if let Some(error) = missing_import(subject, facts.broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error);
    }
    let spec: &Spec = &subject.task.spec;
    fingerprint::judge(spec, facts)
}

/// Takes facts out of the harness's answer.
///
/// # Errors
/// When they have another shape, which is a fault of ours.
pub fn read<T: serde::de::DeserializeOwned>(facts: serde_json::Value) -> Result<T, CheckError> {
    serde_json::from_value(facts)
        .map_err(|e| CheckError(format!("the Python harness answered something else than asked ({e}); {REMEDY}")))
}

/// The complaint about a module that the file needed before the edit already: not the candidate's
/// fault. `None` when nothing is missing, or when the candidate brought the import.
pub fn missing_import(subject: &Subject, module: &str) -> Option<CheckError> {
    let root = module.split('.').next().filter(|m| !m.is_empty())?;
    let imports = |line: &str| {
        let line = line.trim_start();
        (line.starts_with("import ") || line.starts_with("from "))
            && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == root)
    };
    let file = subject.task.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    subject.previous.lines().any(imports).then(|| {
        CheckError(format!("{file} imports `{root}`, which is neither in the project nor in the environment that runs checks; move the function to a file without it"))
    })
}
