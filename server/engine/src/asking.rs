//! From classes that differ to questions for the user.

use std::collections::HashSet;

use zeroerr_agents::orchestrator::StepMachine;
use zeroerr_core::code::Candidate;
use zeroerr_core::question::{Question, guess};
use zeroerr_core::voting_engine::Fingerprint;

use crate::executor::StepContext;

/// Guesses at most.
const SUGGESTIONS: usize = 3;
/// Calls that are asked for them at most.
const TRIES: usize = 8;

/// Questions that tell the classes apart, best first. That none can be found is no reason for a run to
/// fail: it says why in the log.
pub(crate) async fn questions(context: &StepContext, classes: &[(Candidate, Fingerprint, u32)]) -> Vec<Question> {
    if classes.len() < 2 {
        return Vec::new();
    }
    context.stack.questions(&context.task, classes, context.options.seed).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the candidates that differ could not be compared");
        Vec::new()
    })
}

/// Guesses at clauses that would be evidence: what the winner answers to its smallest calls, each answer once. Calls
/// that cannot be asked or whose answers cannot be written down are left out.
pub(crate) async fn suggestions(context: &StepContext, winner: &Candidate, does: &Fingerprint) -> Vec<String> {
    let mut calls: Vec<&(String, String)> = does.outcomes.iter().collect();
    calls.sort_by_key(|(call, _)| (call.len(), call.as_str()));
    let mut answers = HashSet::new();
    let mut found = Vec::new();
    for (call, _) in calls.into_iter().filter(|(_, outcome)| answers.insert(outcome.as_str())).take(TRIES) {
        let answer = context.stack.answer(&context.task, winner, call).await.ok().flatten();
        found.extend(answer.and_then(|a| guess(&a.clause?)));
        if found.len() == SUGGESTIONS {
            break;
        }
    }
    found
}

/// Whether the second class is no stray vote: at least two votes, and a third of the first's.
pub(crate) fn has_strong_minority(machine: &StepMachine) -> bool {
    match machine.standing().as_slice() {
        [first, second, ..] => second.votes >= 2 && second.votes * 3 >= first.votes,
        _ => false,
    }
}
