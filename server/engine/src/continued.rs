//! Going on with the samples already drawn, after an example was added to the spec
//! (docs/decisions/0005-answers-continue-a-run.md).
//!
//! A run takes up the newest earlier run of the same function whose spec says the same but for fewer
//! examples. Its samples keep their order and are judged again under the new spec: one that
//! contradicts the new example is rejected by the gate, the others vote on the new inputs. Only when they
//! do not decide are more drawn.

use std::collections::BTreeSet;

use zeroerr_core::code::{FileAnalysis, Task};
use zeroerr_core::report::RunReport;
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::task_specification::{Example, ExampleClaim, Spec};

use crate::journal::{Journal, JournalError, Origin};

/// Runs that are looked back on.
const FAR: u32 = 30;

/// A sample that an earlier run has drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EarlierSample {
    /// Who drew it.
    pub model: String,
    /// What became of it then.
    pub fate: SampleFate,
}

/// The run whose samples a run of `task` can take up. `origin` is what the new run begins from;
/// `analyse` finds the specs of the file as it was.
pub(crate) fn earlier_run(
    journal: &Journal,
    task: &Task,
    origin: &Origin,
    analyse: &dyn Fn(&str) -> FileAnalysis,
) -> Option<String> {
    let claims = claims(&task.spec);
    let file = task.file.display().to_string();
    // What a decided run has drawn does not change any more, so that a killed run finds it again as it was.
    let runs = journal.decided(&file, &origin.function, FAR).unwrap_or_else(|error| {
        tracing::warn!(%error, "no earlier run is taken up");
        Vec::new()
    });
    let fits = |earlier: &Origin| {
        let known = self::claims(&earlier.spec);
        known.len() < claims.len()
            && known.is_subset(&claims)
            && is_drawn_alike(earlier, origin)
            && without_claims(&earlier.spec) == without_claims(&task.spec)
            && header(earlier, analyse).is_some_and(|header| header == task.signature.header)
    };
    runs.into_iter().find(|(_, earlier)| fits(earlier)).map(|(id, _)| id)
}

/// Whether the same models would have drawn the same samples.
fn is_drawn_alike(a: &Origin, b: &Origin) -> bool {
    let (x, y) = (&a.options, &b.options);
    a.class == b.class
        && a.language == b.language
        && a.models == b.models
        && (x.seed, x.first_temperature, x.temperature, x.top_p)
            == (y.seed, y.first_temperature, y.temperature, y.top_p)
}

/// What a spec says by example.
fn claims(spec: &Spec) -> BTreeSet<String> {
    let examples = spec.examples.iter().map(claim);
    examples.chain(spec.raises.iter().map(|r| format!("{} raises {}", r.call, r.exception))).collect()
}

/// What an example says, however it is written: an answer turns the examples in a docstring's words into doctests.
fn claim(example: &Example) -> String {
    let code = &example.code;
    match &example.claim {
        ExampleClaim::Prints(text) if text.trim() == "True" && code.contains(" == ") => format!("{code} holds"),
        ExampleClaim::Prints(text) => format!("{code} == {} holds", text.trim()),
        ExampleClaim::Holds => format!("{code} holds"),
        ExampleClaim::Raises(exception) => format!("{code} raises {exception}"),
    }
}

/// How many questions of an earlier run with the spec `before` were answered by what `now` says more. An example that
/// somebody added without being asked is no answer: nothing says that candidates are split on it.
pub(crate) fn answers(before: &Spec, now: &Spec, earlier: &RunReport) -> u32 {
    let known: BTreeSet<&str> = codes(before).collect();
    let new: Vec<&str> = codes(now).filter(|code| !known.contains(code)).collect();
    let asked: BTreeSet<&str> =
        earlier.steps.iter().flat_map(|s| &s.questions).map(|question| question.input.as_str()).collect();
    asked.into_iter().filter(|input| new.iter().any(|code| code.contains(input))).count() as u32
}

/// The code of each claim.
fn codes(spec: &Spec) -> impl Iterator<Item = &str> {
    spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str()))
}

/// The hash of everything else.
fn without_claims(spec: &Spec) -> String {
    Spec { examples: Vec::new(), raises: Vec::new(), ..spec.clone() }.hash()
}

/// The header of the function that an earlier run was about.
fn header(origin: &Origin, analyse: &dyn Fn(&str) -> FileAnalysis) -> Option<String> {
    let tasks = analyse(&origin.source).tasks;
    tasks.into_iter().find(|t| t.function_range == origin.function_range).map(|t| t.signature.header)
}

/// The samples of a step in the order of their numbers, with what became of them last. A sample that
/// the run took up itself and did not need counts, too.
///
/// # Errors
/// When the store fails or holds records of another version.
pub(crate) fn samples_of(journal: &Journal, run: &str, step: &str) -> Result<Vec<EarlierSample>, JournalError> {
    // Oldest first; a chain is as long as the questions that were answered in a row.
    let mut chain = vec![run.to_owned()];
    while let Some(before) = chain.last().map(|id| journal.origin(id)).transpose()?.flatten().and_then(|o| o.continues)
    {
        if chain.contains(&before) || chain.len() > FAR as usize {
            break;
        }
        chain.push(before);
    }
    let mut samples: Vec<EarlierSample> = Vec::new();
    for id in chain.iter().rev() {
        let taken_up = samples.len() as u64;
        let mut drawn: Vec<(u64, EarlierSample)> = Vec::new();
        for record in journal.records_of_step(id, step)? {
            let Record::Sample { id, model, fate, .. } = record else { continue };
            match samples.get_mut(id as usize).filter(|_| id < taken_up) {
                Some(sample) => sample.fate = fate,
                None if drawn.iter().any(|(known, _)| *known == id) => {}
                None => drawn.push((id, EarlierSample { model, fate })),
            }
        }
        drawn.sort_by_key(|(id, _)| *id);
        // No answer from the model is no sample.
        samples.extend(drawn.into_iter().map(|(_, s)| s).filter(|s| !matches!(s.fate, SampleFate::Failed(_))));
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_core::code::TextRange;
    use zeroerr_core::question::Question;
    use zeroerr_core::report::{RunOutcome, StepReport};
    use zeroerr_core::task_specification::{ExampleOrigin, Raises};

    fn spec(examples: &[&str], raises: &[&str]) -> Spec {
        let range = TextRange::default();
        let example = |code: &&str| Example {
            code: (*code).into(),
            claim: ExampleClaim::Holds,
            equation: None,
            origin: ExampleOrigin::Tag,
            range,
        };
        let raises = raises.iter().map(|call| Raises { exception: "ValueError".into(), call: (*call).into(), range });
        Spec { examples: examples.iter().map(example).collect(), raises: raises.collect(), ..Spec::default() }
    }

    fn report(asked: &[&str]) -> RunReport {
        let questions = asked.iter().map(|input| Question { input: (*input).into(), answers: Vec::new() }).collect();
        RunReport {
            id: "1".into(),
            file: "a.py".into(),
            function: "f".into(),
            outcome: RunOutcome::Abstained,
            reason: String::new(),
            steps: vec![StepReport { questions, ..StepReport::default() }],
            layers: Vec::new(),
            edits: Vec::new(),
            certificate: None,
            elapsed_ms: 0,
        }
    }

    #[test]
    fn only_what_was_asked_is_answered() {
        let before = spec(&["f(1) == 1"], &[]);
        let answered = |now: &Spec| answers(&before, now, &report(&["f(0)", "f(-1)", "f(1)"]));
        assert_eq!(answered(&spec(&["f(1) == 1", "f(2) == 2"], &[])), 0, "an example that nobody asked for");
        assert_eq!(answered(&spec(&["f(1) == 1", "f(0) == 7"], &[])), 1, "in the user's own words, too");
        assert_eq!(answered(&spec(&["f(1) == 1", "f(2) == 2"], &["f(-1)"])), 1);
        assert_eq!(answered(&spec(&["f(1) == 1", "abs(f(0) - 0.3) <= 1e-9"], &["f(-1)"])), 2, "two in one edit");
        assert_eq!(answers(&before, &spec(&["f(1) == 1", "f(0) == 7"], &[]), &report(&[])), 0);
    }
}
