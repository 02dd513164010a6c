//! What Rust candidates make of claims that nobody vouches for: they are compiled in as examples are, and
//! each is asked about. One compilation and one sandbox job per candidate.

use zeroerr_core::advice::{Claim, Trial};

use super::build::Speed;
use super::glue::Probe;
use super::session::{LAYER_SEED, Question, State, Trouble, ask, read};
use crate::claims::as_example;
use crate::fingerprint::ExampleFact;
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// One trial per claim for each candidate; none for one that cannot be tried.
///
/// # Errors
/// When nothing can be compiled or run at all.
pub(super) async fn examine(
    state: &State,
    tools: &Toolchain,
    subjects: &[Subject],
    claims: &[Claim],
) -> Result<Vec<Vec<Trial>>, CheckError> {
    let mut all = Vec::with_capacity(subjects.len());
    for subject in subjects {
        all.push(match tried(state, tools, subject, claims).await {
            Ok(trials) => trials,
            Err(Trouble::Unavailable(why)) => return Err(CheckError(why)),
            Err(Trouble::Broken(why, _) | Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => {
                tracing::info!(why, "a candidate could not be tried on what agents proposed");
                Vec::new()
            }
        });
    }
    Ok(all)
}

async fn tried(state: &State, tools: &Toolchain, subject: &Subject, claims: &[Claim]) -> Result<Vec<Trial>, Trouble> {
    let mut subject = subject.clone();
    subject.task.spec.examples = claims.iter().map(as_example).collect();
    subject.task.spec.raises.clear();
    let built = state.built(tools, &subject, Speed::Checked).await?;
    let wanted: Vec<String> = (0..claims.len()).map(|i| i.to_string()).collect();
    let options = vec![format!("claims={}", wanted.join(" "))];
    let question = Question { mode: "claims", seed: LAYER_SEED, options, extremes: false, seconds: 40 };
    let mut answer = ask(tools, &subject, &built, question, None).await?;
    let facts: Vec<ExampleFact> = read(answer["examples"].take())?;
    // The last digits of a float are how it was computed, not what was computed.
    let is_float = ["f32", "f64"].iter().any(|t| subject.task.signature.returns.as_deref().unwrap_or("").contains(t));
    let trial = |(at, claim): (usize, &Claim)| {
        // A claim that does not compile was left out.
        let is_there = !built.dropped.iter().any(|(p, _)| *p == Probe::Example(at));
        let fact = facts.iter().find(|f| f.index == at && is_there).filter(|f| f.violates.is_none());
        fact.map_or_else(Trial::default, |fact| Trial {
            outcome: (!is_float).then(|| outcome(fact)),
            holds: claim.expected.is_some() && fact.ok,
        })
    };
    Ok(claims.iter().enumerate().map(trial).collect())
}

/// What the call gave, in the words of fingerprints.
fn outcome(fact: &ExampleFact) -> String {
    match fact.got.split_once([':', ' ']) {
        _ if fact.got == "timeout" => "timeout".to_owned(),
        Some(("!", _)) => "! panic".to_owned(),
        Some(("crash", _)) => "crash".to_owned(),
        _ => format!("= {}", fact.got),
    }
}
