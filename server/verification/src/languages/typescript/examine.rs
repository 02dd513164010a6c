//! What TypeScript candidates make of claims that nobody vouches for: asked as examples are, every one of
//! them. One sandbox job per candidate.

use serde_json::json;
use zeroerr_core::advice::{Claim, Trial};

use super::harness::{self, Mode, Trouble};
use super::probe::read;
use crate::claims::as_example;
use crate::fingerprint::{ExampleFact, Facts};
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// One trial per claim for each candidate; none for one that cannot be tried.
///
/// # Errors
/// When nothing can be run at all.
pub(super) async fn examine(
    tools: &Toolchain,
    subjects: &[Subject],
    claims: &[Claim],
) -> Result<Vec<Vec<Trial>>, CheckError> {
    let mut all = Vec::with_capacity(subjects.len());
    for subject in subjects {
        all.push(match tried(tools, subject, claims).await {
            Ok(trials) => trials,
            Err(Trouble::Unavailable(why)) => return Err(CheckError(why)),
            Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => {
                tracing::info!(why, "a candidate could not be tried on what agents proposed");
                Vec::new()
            }
        });
    }
    Ok(all)
}

async fn tried(tools: &Toolchain, subject: &Subject, claims: &[Claim]) -> Result<Vec<Trial>, Trouble> {
    let mut subject = subject.clone();
    subject.task.spec.examples = claims.iter().map(as_example).collect();
    subject.task.spec.raises.clear();
    // One that fails says nothing of the next.
    let extra = json!({"examples": harness::examples_and_raises(&subject), "inputs": 0, "seed": 0, "failures": claims.len() + 1});
    let facts: Facts = read(harness::ask(tools, &subject, Mode::Judge, extra).await?)?;
    if facts.broken.is_some() {
        return Ok(Vec::new());
    }
    let trial = |(at, claim): (usize, &Claim)| {
        let fact = facts.examples.iter().find(|f| f.index == at).filter(|f| f.violates.is_none());
        fact.map_or_else(Trial::default, |fact| Trial {
            outcome: Some(outcome(fact)),
            holds: claim.expected.is_some() && fact.ok,
        })
    };
    Ok(claims.iter().enumerate().map(trial).collect())
}

/// What the call gave, in the words of fingerprints: of an exception its name.
fn outcome(fact: &ExampleFact) -> String {
    let name = |text: &str| text.split(':').next().unwrap_or(text).trim().to_owned();
    match fact.got.as_str() {
        "timeout" => "timeout".to_owned(),
        crash if crash.starts_with("crash:") => "crash".to_owned(),
        exception if exception.starts_with("! ") => name(exception),
        value => format!("= {value}"),
    }
}
