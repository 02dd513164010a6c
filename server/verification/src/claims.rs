//! What agents say about a function: whether it is a claim in the function's language, and what candidates
//! make of it. Nobody vouches for such a claim, so nothing here is a verdict.

use std::sync::Arc;

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, Task, TextEdit, TextRange, apply_edits};
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, insert_clause};

use crate::languages::{CheckError, Language, Subject};
use crate::verification_stack::{VerificationStack, subject_for_edit};

/// Longest claim that is read.
const LONGEST: usize = 400;

impl VerificationStack {
    /// The two sides of `CALL == VALUE`, as the language's adapter reads them in the task's spec: one call of
    /// the function, and nothing that the spec's own examples contradict. `None` for anything else.
    pub fn claim(&self, task: &Task, call: &str, value: &str) -> Option<(String, String)> {
        let text = format!("{call} == {value}");
        if text.len() > LONGEST || text.contains(['\n', '\r']) {
            return None;
        }
        let language = self.language(task.language).ok()?;
        let clause = format!("@example {text}");
        let places = [insert_clause(task, &clause), Some(in_front(task, &clause))];
        let read = places.into_iter().flatten().find_map(|edit| read(language, task, edit));
        read.filter(|(left, _)| is_one_call(left, call))
    }

    /// What each candidate, standing in its file, makes of each claim: per candidate one trial per claim,
    /// or none where it could not be tried.
    ///
    /// # Errors
    /// One sentence with the remedy when sandbox or tools are missing.
    pub async fn examine(
        &self,
        task: &Task,
        candidates: &[Candidate],
        claims: &[Claim],
    ) -> Result<Vec<Vec<Trial>>, CheckError> {
        let language = self.language(task.language)?;
        let place = |c: &Candidate| {
            let edits = language.splice(task, c).ok()?;
            subject_for_edit(task, &edits).ok()
        };
        let placed: Vec<Option<Subject>> = candidates.iter().map(place).collect();
        let subjects: Vec<Subject> = placed.iter().flatten().cloned().collect();
        let _running = self.running().await;
        let mut tried = language.examine(self.toolchain(), &subjects, claims).await?.into_iter();
        let each = placed.iter().map(|p| if p.is_some() { tried.next().unwrap_or_default() } else { Vec::new() });
        Ok(each.map(|t| if t.len() == claims.len() { t } else { Vec::new() }).collect())
    }
}

/// A line above the function, for a task whose spec stands nowhere, or takes no line.
fn in_front(task: &Task, clause: &str) -> TextEdit {
    let marker = if task.language == zeroerr_core::code::LanguageId::Python { "#" } else { "//" };
    let at = task.function_range.start;
    let line = task.source.get(..at).and_then(|s| s.rfind('\n')).map_or(0, |n| n + 1);
    let indent: String = task.source.get(line..at).unwrap_or("").chars().take_while(|c| c.is_whitespace()).collect();
    TextEdit { range: TextRange::new(at, at), new_text: format!("{marker} {clause}\n{indent}") }
}

/// The equation that a spec has more than before, when nothing is wrong with it.
fn read(language: &dyn Language, task: &Task, edit: TextEdit) -> Option<(String, String)> {
    let place = edit.range.start;
    let grown = edit.new_text.len();
    let source: Arc<str> = apply_edits(&task.source, &[edit])?.into();
    let analysis = language.analyse(&task.file, &source);
    let is_faulty = |range: TextRange| range.start >= place && range.start < place + grown;
    if analysis.diagnostics.iter().any(|d| is_faulty(d.range) && d.severity != Severity::Hint) {
        return None;
    }
    let same = |t: &&Task| t.signature.name == task.signature.name && t.class == task.class;
    let named = analysis.tasks.iter().filter(same).find(|t| t.function_range.start >= task.function_range.start)?;
    let new = |e: &&Example| e.range.start >= place && e.range.start < place + grown;
    // Examples in the words of a docstring are written out before it.
    named.spec.examples.iter().rfind(new)?.equation.clone()
}

/// Whether the left side is the call alone: `f(1)`, and not `f(1) + f(2)`.
fn is_one_call(left: &str, call: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    plain(left) == plain(call)
}

/// The claim as an example; without an expected value the call is compared with itself.
pub(crate) fn as_example(claim: &Claim) -> Example {
    let expected = claim.expected.clone().unwrap_or_else(|| claim.call.clone());
    Example {
        code: format!("{} == {expected}", claim.call),
        claim: ExampleClaim::Holds,
        equation: Some((claim.call.clone(), expected)),
        origin: ExampleOrigin::Tag,
        range: TextRange::default(),
    }
}
