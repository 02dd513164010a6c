//! What a spec says, asked once more of the program as it is shipped. It has no overflow checks and no debug
//! assertions: a panic that only they make is not the function's own, what `debug_assert!` does on the side is
//! not done, and where arithmetic leaves the range of its type there is a value.
//!
//! A second program costs a second compilation, so it is built only where the two can differ in what is seen:
//! where a panic was claimed, where a call that was checked left the range of a type or failed an assertion, and
//! where the file speaks of what only one of them has.

use serde_json::Value;

use super::build::Built;
use super::build::Speed;
use super::session::{LAYER_SEED, Question, State, Trouble, ask, read};
use crate::fingerprint::ExampleFact;
use crate::languages::Subject;
use crate::toolchain::Toolchain;

/// Words of files whose two programs may do different things.
const DIFFERING: [&str; 6] = ["debug_assert", "overflow_checks", "catch_unwind", "set_hook", "unsafe {", "unsafe fn"];
/// Said of what does not hold there alone.
pub(super) const WHERE: &str = "in a release build";

/// Whether words of the file say that its two programs may do different things.
fn differs(subject: &Subject) -> bool {
    DIFFERING.iter().any(|word| subject.task.source.contains(word))
}

/// The answer of the program that is shipped to a question that `checked` has answered; `None` where the two
/// cannot differ in it.
///
/// # Errors
/// When it cannot be built or asked.
pub(super) async fn again(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    checked: &Built,
    answer: &Value,
    mut question: Question<'_>,
) -> Result<Option<Value>, Trouble> {
    if answer["differs"] != Value::Bool(true) && !differs(subject) {
        return Ok(None);
    }
    let built = state.built(tools, subject, Speed::Optimised).await?;
    question.options.retain(|option| !option.starts_with("doubt="));
    question.options.push(format!("shipped={}", built.program().display()));
    ask(tools, subject, checked, question, Some(&built)).await.map(Some)
}

/// Takes back what does not hold in the release build. The first of the facts is the claim `first`.
///
/// # Errors
/// When it cannot be built or asked.
pub(super) async fn confirm(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    first: usize,
    facts: &mut [ExampleFact],
) -> Result<(), Trouble> {
    let differs = differs(subject);
    let doubted = facts.iter().filter(|f| f.ok && (differs || f.got.starts_with("! panic")));
    let claims: Vec<String> = doubted.map(|f| (first + f.index).to_string()).collect();
    if claims.is_empty() {
        return Ok(());
    }
    let built = state.built(tools, subject, Speed::Optimised).await?;
    let options = vec![format!("claims={}", claims.join(" "))];
    let question = Question { mode: "claims", seed: LAYER_SEED, options, extremes: false, seconds: 60 };
    let mut answer = ask(tools, subject, &built, question, None).await?;
    let shipped: Vec<ExampleFact> = read(answer["examples"].take())?;
    for fact in facts.iter_mut().filter(|f| claims.contains(&(first + f.index).to_string())) {
        match shipped.iter().find(|s| s.index == first + fact.index) {
            Some(other) if other.ok => {}
            Some(other) => *fact = refuted(fact.index, other),
            None => *fact = ExampleFact { ok: false, got: "timeout".to_owned(), ..fact.clone() },
        }
    }
    Ok(())
}

/// What did not hold, with where it did not.
fn refuted(index: usize, shipped: &ExampleFact) -> ExampleFact {
    let mut fact = ExampleFact { index, ..shipped.clone() };
    match fact.got.as_str() {
        "timeout" => {}
        "false" => fact.calls = WHERE.to_owned(),
        _ => fact.got = format!("{} {WHERE}", fact.got),
    }
    fact
}
