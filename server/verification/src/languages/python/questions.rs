//! The smallest calls on which Python candidates differ: one sandbox job for all of them, each in a
//! process of its own.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroerr_core::code::line_of;
use zeroerr_core::question::{Answer, Question};

use super::harness::{self, Mode, Trouble};
use super::probe::read;
use super::project::{Extent, Mirror};
use crate::languages::{Behaviour, CheckError, Subject};
use crate::toolchain::Toolchain;

/// Behaviours that take part, those with the most votes first; what has fewer decides nothing.
const MOST: usize = 8;

/// What the harness found.
#[derive(Debug, Deserialize)]
struct Found {
    questions: Vec<FoundQuestion>,
}

#[derive(Debug, Deserialize)]
struct FoundQuestion {
    input: String,
    answers: Vec<FoundAnswer>,
}

#[derive(Debug, Deserialize)]
struct FoundAnswer {
    text: String,
    clause: Option<String>,
    /// Which of the behaviours answer so.
    members: Vec<usize>,
}

/// Questions that tell the behaviours apart, the one that tells most votes apart first; none when they
/// differ in nothing that a user could be asked.
///
/// # Errors
/// When the candidates cannot be run at all.
pub async fn questions(tools: &Toolchain, behaviours: &[Behaviour], seed: u64) -> Result<Vec<Question>, CheckError> {
    let mut chosen: Vec<&Behaviour> = behaviours.iter().collect();
    chosen.sort_by_key(|b| std::cmp::Reverse(b.votes));
    chosen.truncate(MOST);
    let inputs = differing(&chosen);
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    ask(tools, &chosen, json!({"inputs": inputs, "seed": seed})).await
}

/// What a candidate answers to one call, in the words of a question; `None` when `@requires` forbids the
/// call or it is none.
///
/// # Errors
/// When the candidate cannot be run at all.
pub async fn answer(tools: &Toolchain, behaviour: &Behaviour, call: &str) -> Result<Option<Answer>, CheckError> {
    let found = ask(tools, &[behaviour], json!({"only": call, "inputs": []})).await?;
    Ok(found.into_iter().next().and_then(|q| q.answers.into_iter().next()))
}

/// Calls to which not all behaviours gave the same answer, shortest first.
fn differing(behaviours: &[&Behaviour]) -> Vec<String> {
    let Some((first, others)) = behaviours.split_first() else { return Vec::new() };
    let is_split = |call: &str, outcome: &str| {
        let of = |b: &&Behaviour| b.fingerprint.outcomes.iter().find(|(c, _)| c == call).map(|(_, o)| o.clone());
        others.iter().any(|b| of(b).is_some_and(|o| o != outcome))
    };
    let outcomes = first.fingerprint.outcomes.iter();
    outcomes.filter(|(call, outcome)| is_split(call, outcome)).map(|(call, _)| call.clone()).collect()
}

async fn ask(tools: &Toolchain, behaviours: &[&Behaviour], extra: Value) -> Result<Vec<Question>, CheckError> {
    let Some(first) = behaviours.first() else { return Ok(Vec::new()) };
    // Every candidate's imports count, so that none fails for a module that another has no use for.
    let sources: Vec<&str> = behaviours.iter().map(|b| &*b.subject.task.source).collect();
    let mirror = Mirror::make(tools, &first.subject, &sources.join("\n"), Extent::ImportsOnly)?;
    let mut request = harness::request(&first.subject, &mirror.root, &mirror.file, extra);
    request["subjects"] = behaviours.iter().map(|b| place(&b.subject)).collect();
    request["votes"] = behaviours.iter().map(|b| b.votes).collect();
    let found: Found = match harness::run(tools, &mirror.scratch(), Mode::Questions, request).await {
        Ok(found) => read(found)?,
        Err(Trouble::Unavailable(why)) => return Err(CheckError(why)),
        Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => {
            tracing::info!(why, "candidates that differ could not be compared");
            return Ok(Vec::new());
        }
    };
    Ok(found.questions.into_iter().map(|q| question(q, behaviours)).collect())
}

/// Where one candidate stands in its text.
pub(super) fn place(subject: &Subject) -> Value {
    let task = &subject.task;
    json!({"source": &*task.source, "line": line_of(&task.source, task.body_range.start)})
}

fn question(found: FoundQuestion, behaviours: &[&Behaviour]) -> Question {
    let votes = |members: &[usize]| members.iter().filter_map(|m| behaviours.get(*m)).map(|b| b.votes).sum();
    let mut answers: Vec<Answer> = found
        .answers
        .into_iter()
        .map(|a| Answer { votes: votes(&a.members), text: a.text, clause: a.clause })
        .collect();
    answers.sort_by(|a, b| b.votes.cmp(&a.votes).then_with(|| a.text.cmp(&b.text)));
    Question { input: found.input, answers }
}
