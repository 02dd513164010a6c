//! Gate and fingerprint of a Rust candidate: one compilation, one sandbox job, two children in it that
//! make the same calls with other hash seeds.

use serde_json::json;

use super::build::Speed;
use super::equality;
use super::glue::Probe;
use super::session::{Question, State, Trouble, ask, read, spec_fault};
use crate::fingerprint::{self, Facts};
use crate::languages::{CheckError, Judgement, Subject};
use crate::toolchain::Toolchain;

/// Judges the candidate that stands in `subject`; `seed` chooses the inputs.
///
/// # Errors
/// When the check cannot be made: no sandbox, no compiler, a spec that contradicts itself or does not
/// compile, a file that did not compile before either.
pub(super) async fn judge(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    seed: u64,
) -> Result<Judgement, CheckError> {
    match facts(state, tools, subject, seed).await {
        Ok(facts) => fingerprint::judge(&subject.task.spec, facts),
        Err(Trouble::Unavailable(why)) => Err(CheckError(why)),
        Err(Trouble::Broken(why, line)) => match was_broken(subject, line) {
            true => Err(CheckError(format!(
                "line {line} of the file does not compile, with or without the function: {why}"
            ))),
            false => Ok(Judgement::GateRejected(format!("the file does not compile: {why}"))),
        },
        Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => Ok(Judgement::GateRejected(why)),
    }
}

async fn facts(state: &State, tools: &Toolchain, subject: &Subject, seed: u64) -> Result<Facts, Trouble> {
    let built = state.built(tools, subject, Speed::Checked).await?;
    let is_claim = |p: Probe| matches!(p, Probe::Example(_) | Probe::Raises(_) | Probe::Requires(_));
    if let Some(fault) = spec_fault(subject, &built, is_claim) {
        return Err(fault.into());
    }
    let question = Question { mode: "judge", seed, options: Vec::new(), extremes: false, seconds: 40 };
    let mut answer = ask(tools, subject, &built, question, None).await?;
    // Told apart from the empty list of a function without parameters that can be made up.
    if answer["outcomes"].is_null() {
        answer["outcomes"] = json!([]);
    }
    let mut facts: Facts = read(answer)?;
    equality::doubt(subject, &mut facts.examples);
    Ok(facts)
}

/// Whether the line at fault is none of the edit's: it stood there before, outside of the function.
fn was_broken(subject: &Subject, line: usize) -> bool {
    if line == 0 || subject.function_lines().contains(&line) {
        return false;
    }
    let text = subject.task.source.lines().nth(line - 1).unwrap_or("").trim();
    !text.is_empty() && subject.previous.lines().any(|l| l.trim() == text)
}
