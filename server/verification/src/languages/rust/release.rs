//! Claims asked once more of the program as it is shipped. It has no overflow checks and no debug
//! assertions: a panic that only they make is not the function's own, and what `debug_assert!` does on
//! the side is not done.
//!
//! A second program costs a second compilation, so it is built only where the two can differ in what a
//! claim sees: where a panic was claimed, and where the file speaks of what only one of them has.

use super::build::Speed;
use super::session::{LAYER_SEED, Question, State, Trouble, ask, read};
use crate::fingerprint::ExampleFact;
use crate::languages::Subject;
use crate::toolchain::Toolchain;

/// Words of files whose two programs may do different things.
const DIFFERING: [&str; 3] = ["debug_assert", "overflow_checks", "catch_unwind"];

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
    let differs = DIFFERING.iter().any(|w| subject.task.source.contains(w));
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
    const WHERE: &str = "in a release build";
    let mut fact = ExampleFact { index, ..shipped.clone() };
    match fact.got.as_str() {
        "timeout" => {}
        "false" => fact.calls = WHERE.to_owned(),
        _ => fact.got = format!("{} {WHERE}", fact.got),
    }
    fact
}
