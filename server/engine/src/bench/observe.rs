//! Recorded samples through red flags, gate and fingerprint: each distinct candidate once.

use std::collections::{BTreeMap, HashMap};

use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::ports::{FinishReason, SampleResponse};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{LayerReport, Verdict};
use zeroerr_verification::languages::{CheckError, Probe};
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is, subject_for_edit};

use super::cache::{self, Known, StackWord};
use super::records::{Samples, TaskRecord};
use super::subject;
use crate::executor::candidate_of;

/// Seconds that the hidden test may take for one candidate.
const ORACLE_SECONDS: u32 = 3;

/// Seconds that one example may take: thousands of candidates wait less than one does.
const EXAMPLE_SECONDS: u32 = 1;

/// One task with all its samples, read.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The task as the user's file has it.
    pub task: Task,
    /// Per sample its candidate, by number, or its red flag.
    pub samples: Vec<Result<usize, RedFlag>>,
    /// The distinct candidates.
    pub candidates: Vec<Candidate>,
}

/// Red flags and extraction for every sample; equal code is one candidate.
pub fn extract(stack: &VerificationStack, task: Task, samples: &Samples, max_tokens: usize) -> Observed {
    let mut known: HashMap<Candidate, usize> = HashMap::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut drawn = Vec::with_capacity(samples.completions.len());
    for completion in &samples.completions {
        let text = subject::response(samples, &task, completion);
        let completion_tokens = text.len().div_ceil(4);
        let response = SampleResponse {
            text,
            finish: FinishReason::Stop,
            prompt_tokens: 0,
            completion_tokens,
            model: "recorded".into(),
        };
        drawn.push(candidate_of(stack, &task, &response, max_tokens).map(|candidate| {
            *known.entry(candidate.clone()).or_insert_with(|| {
                candidates.push(candidate);
                candidates.len() - 1
            })
        }));
    }
    Observed { task, samples: drawn, candidates }
}

/// Everything about a task that takes a sandbox to find out, but for the layers.
///
/// # Errors
/// What the machine lacks.
pub async fn all(
    stack: &VerificationStack,
    record: &TaskRecord,
    observed: &Observed,
    seed: u64,
) -> Result<Known, CheckError> {
    let probe = Probe { seed, inputs: None, seconds: Some(EXAMPLE_SECONDS) };
    let seen = stack.observe(&observed.task, &observed.candidates, probe).await?;
    let right = oracle(stack, record, &observed.task, &observed.candidates).await?;
    let mut reference = None;
    let solution = subject::reference(record, &observed.task, stack.language(observed.task.language)?);
    if let Some(solution) = solution {
        let solution = std::slice::from_ref(&solution);
        if oracle(stack, record, &observed.task, solution).await? == [true] {
            reference = stack.observe(&observed.task, solution, probe).await?.pop();
        }
    }
    Ok(Known { seen, right, reference, stack: BTreeMap::new() })
}

/// What [`all`] depends on, as one word.
pub fn key(stack: &VerificationStack, record: &TaskRecord, observed: &Observed, seed: u64) -> String {
    let task = &observed.task;
    let subject = subject_as_is(task, None);
    let surroundings = stack.language(task.language).ok().and_then(|l| l.surroundings(stack.toolchain(), &subject));
    let fixed = [
        env!("CARGO_PKG_VERSION").to_owned(),
        zeroerr_verification::languages::python::harness::sources_hash(),
        surroundings.unwrap_or_default(),
        task.source.to_string(),
        record.test.clone(),
        record.canonical_solution.clone(),
        format!("{seed} {EXAMPLE_SECONDS} {ORACLE_SECONDS}"),
    ];
    let candidates = observed.candidates.iter().map(|c| format!("{:?}{}", c.imports, c.function));
    cache::key(&fixed.into_iter().chain(candidates).collect::<Vec<_>>())
}

/// What the layers say of a candidate, standing in its file; `None` when it does not fit there.
pub async fn layers(stack: &VerificationStack, observed: &Observed, candidate: usize) -> Option<Vec<LayerReport>> {
    let candidate = observed.candidates.get(candidate)?;
    let language = stack.language(observed.task.language).ok()?;
    let subject = subject_for_edit(&observed.task, &language.splice(&observed.task, candidate).ok()?).ok()?;
    Some(stack.verify(&subject, &|_| {}).await.layers)
}

/// The same in a word.
pub async fn ask_layers(stack: &VerificationStack, observed: &Observed, candidate: usize) -> StackWord {
    let mut word = StackWord { refused_by: None, not_checked: Vec::new() };
    let Some(layers) = layers(stack, observed, candidate).await else {
        word.refused_by = Some("splice".into());
        return word;
    };
    for layer in &layers {
        match layer.verdict {
            Verdict::Failed | Verdict::TimedOut => word.refused_by = Some(layer.layer.name().to_owned()),
            Verdict::Unavailable => word.not_checked.push(format!("{}: {}", layer.layer, layer.detail)),
            Verdict::Passed | Verdict::NotApplicable => {}
        }
    }
    word
}

/// Whether the hidden test accepts each candidate. The last step: nothing above reads `test`.
///
/// # Errors
/// What the machine lacks.
pub async fn oracle(
    stack: &VerificationStack,
    record: &TaskRecord,
    task: &Task,
    candidates: &[Candidate],
) -> Result<Vec<bool>, CheckError> {
    let hidden = subject::oracle(record, task);
    let probe = Probe { seed: 0, inputs: Some(0), seconds: Some(ORACLE_SECONDS) };
    let seen = stack.observe(&hidden, candidates, probe).await?;
    Ok(seen.iter().map(|s| s.objection.is_none()).collect())
}
