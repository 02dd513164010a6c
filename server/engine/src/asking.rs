//! From classes that differ to questions for the user.

use zeroerr_agents::orchestrator::StepMachine;
use zeroerr_core::code::Candidate;
use zeroerr_core::question::Question;
use zeroerr_core::voting_engine::Fingerprint;

use crate::executor::StepContext;

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

/// Whether the second class is no stray vote: at least two votes, and a third of the first's.
pub(crate) fn has_strong_minority(machine: &StepMachine) -> bool {
    match machine.standing().as_slice() {
        [first, second, ..] => second.votes >= 2 && second.votes * 3 >= first.votes,
        _ => false,
    }
}
