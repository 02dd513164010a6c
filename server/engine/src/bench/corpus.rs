//! Reference solutions through all eight layers: an objection to one of them is a false alarm. Then
//! small faults put into them: what lets one pass has missed it.
//!
//! The spec is what a user would have written: imports, signature and docstring. The hidden test only
//! says which mutants are wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{Candidate, Task, TextRange};
use zeroerr_core::verdict::{Layer, StackReport, Verdict};
use zeroerr_verification::languages::CheckError;
use zeroerr_verification::languages::python::{Python, mutants};
use zeroerr_verification::verification_stack::{VerificationStack, subject_for_edit};

use super::observe;
use super::records::{Records, TaskRecord};
use super::replay::ReplayError;

/// How to go about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Mutants of each function; 0 for false alarms alone.
    pub mutants: usize,
    /// Chooses the mutants.
    pub seed: u64,
    /// Tasks at the same time.
    pub jobs: usize,
    /// The tasks, by id; all when empty.
    pub only: Vec<String>,
}

/// Everything that came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Functions that were checked.
    pub functions: usize,
    /// Those that no layer objects to.
    pub passed: usize,
    /// Those that some layer objects to.
    pub objected: usize,
    /// Those that no layer objects to, and that some layer could not check.
    pub not_checked: usize,
    /// Functions whose docstring has an example or another claim that could be read.
    pub with_evidence: usize,
    /// How often each layer gave which verdict.
    pub verdicts: BTreeMap<Layer, BTreeMap<&'static str, usize>>,
    /// What was said against reference solutions.
    pub objections: Vec<Objection>,
    /// Tasks that took no part.
    pub left_out: Vec<LeftOut>,
    /// What became of the mutants, when there were any.
    pub mutants: Option<Mutants>,
}

/// One thing said against a function that is right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Objection {
    /// The task.
    pub task_id: String,
    /// `<layer>.<rule>`; `<layer>.unavailable` and `<layer>.timed_out` when there is no finding.
    pub code: String,
    /// What it says.
    pub message: String,
    /// 1-based line.
    pub line: usize,
    /// The line's text.
    pub text: String,
}

/// A task without part, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub task_id: String,
    /// A clause.
    pub why: String,
}

/// What became of the mutants.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Mutants {
    /// All that were made.
    pub made: usize,
    /// Those that the hidden test accepts; they are not counted below.
    pub accepted_by_hidden_test: usize,
    /// Those that are wrong by the hidden test.
    pub wrong: usize,
    /// Of the wrong ones, those that some layer objects to.
    pub killed: usize,
    /// Of the wrong ones, those that no layer objects to and some layer could not check: not offered.
    pub not_offered: usize,
    /// Of the wrong ones, those that would be called verified.
    pub through: usize,
    /// Those that would be called verified of functions with a claim that could be read.
    pub through_with_evidence: usize,
    /// Wrong ones of functions with a claim that could be read.
    pub wrong_with_evidence: usize,
    /// Wrong mutants that each layer objects to.
    pub kills: BTreeMap<Layer, usize>,
    /// Wrong mutants that only this layer objects to.
    pub alone: BTreeMap<Layer, usize>,
    /// Per operator: wrong ones, killed ones.
    pub operators: BTreeMap<&'static str, (usize, usize)>,
    /// The wrong ones that got through.
    pub survivors: Vec<Survivor>,
}

/// A wrong function that nothing objects to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Survivor {
    /// The task.
    pub task_id: String,
    /// What was changed.
    pub change: String,
    /// Whether its docstring has a claim that could be read.
    pub with_evidence: bool,
}

/// Checks all functions, then their mutants.
///
/// # Errors
/// See [`ReplayError`].
pub async fn corpus(
    stack: &VerificationStack,
    tasks: &Records<TaskRecord>,
    options: &Options,
    progress: &(dyn Fn(usize, usize) + Sync),
    cancel: &CancellationToken,
) -> Result<Report, ReplayError> {
    let wanted = |id: &String| options.only.is_empty() || options.only.contains(id);
    let chosen: Vec<TaskRecord> = tasks.by_id.values().filter(|t| wanted(&t.task_id)).cloned().collect();
    if let Some(missing) = options.only.iter().find(|id| !tasks.by_id.contains_key(*id)) {
        return Err(ReplayError::Usage(format!("the file has no task `{missing}`")));
    }
    let total = chosen.len();
    let runs = chosen.into_iter().map(|record| async move {
        let seen = one(stack, &record, options).await;
        (record.task_id, seen)
    });
    let mut running = futures::stream::iter(runs).buffer_unordered(options.jobs.max(1));
    let (mut all, mut left_out) = (BTreeMap::new(), Vec::new());
    loop {
        let next = tokio::select! {
            () = cancel.cancelled() => return Err(ReplayError::Cancelled),
            next = running.next() => next,
        };
        let Some((task_id, seen)) = next else { break };
        match seen {
            Ok(Ok(seen)) => drop(all.insert(task_id, seen)),
            Ok(Err(why)) => left_out.push(LeftOut { task_id, why }),
            Err(error) => return Err(ReplayError::Machine(error.0)),
        }
        progress(all.len() + left_out.len(), total);
    }
    left_out.sort();
    Ok(report(&all, left_out, options))
}

/// What was seen of one task.
struct Seen {
    has_evidence: bool,
    source: Arc<str>,
    reference: StackReport,
    mutants: Vec<(mutants::Mutant, String, Fate)>,
}

/// What became of a mutant.
enum Fate {
    AcceptedByHiddenTest,
    Wrong(StackReport),
}

async fn one(
    stack: &VerificationStack,
    record: &TaskRecord,
    options: &Options,
) -> Result<Result<Seen, String>, CheckError> {
    let task = match task_of(record) {
        Ok(task) => task,
        Err(why) => return Ok(Err(why)),
    };
    let solution = &record.canonical_solution;
    // A prompt may have statements of its own below the header, which the solution goes on from.
    let texts = [format!("{}\n{solution}", task.signature.header), format!("{}{solution}", record.prompt)];
    let mut found = None;
    for text in texts {
        let Ok(reference) = Python.extract(&text, &task) else { continue };
        if observe::oracle(stack, record, &task, std::slice::from_ref(&reference)).await? == [true] {
            found = Some((text, reference));
            break;
        }
    }
    let Some((text, reference)) = found else {
        return Ok(Err("its reference solution does not pass its own hidden test here".into()));
    };
    let Some((source, said)) = verified(stack, &task, &reference).await else {
        return Ok(Err("its reference solution does not fit its prompt".into()));
    };
    let mutants = mutated(stack, record, &task, &text, options).await?;
    Ok(Ok(Seen { has_evidence: task.spec.has_evidence(), source, reference: said, mutants }))
}

/// The task as a user would have it in the editor, with or without anything that could show a
/// candidate to be wrong.
fn task_of(record: &TaskRecord) -> Result<Task, String> {
    let entry = record.entry_point.as_deref().ok_or("it does not name its function (`entry_point`)")?;
    let source: Arc<str> = format!("{}\n    ...\n", record.prompt.trim_end()).into();
    let file = PathBuf::from("/recorded").join(format!("{}.py", entry.to_lowercase()));
    let analysis = Python.analyse(&file, &source);
    let own = analysis.tasks.iter().rev().find(|t| t.signature.name == entry);
    let is_usable = |t: &&Task| analysis.spec_error(t).is_none();
    if let Some(task) = own.filter(is_usable) {
        return Ok(task.clone());
    }
    let at = source.rfind(&format!("def {entry}")).ok_or("its prompt has no such function")?;
    Python.task_for_selection(&file, &source, TextRange::new(at, at), "Do what the docstring says.")
}

async fn verified(stack: &VerificationStack, task: &Task, candidate: &Candidate) -> Option<(Arc<str>, StackReport)> {
    let edits = Python.splice(task, candidate).ok()?;
    let subject = subject_for_edit(task, &edits).ok()?;
    let report = stack.verify_all(&subject, &|_| {}).await;
    Some((subject.task.source.clone(), report))
}

async fn mutated(
    stack: &VerificationStack,
    record: &TaskRecord,
    task: &Task,
    whole: &str,
    options: &Options,
) -> Result<Vec<(mutants::Mutant, String, Fate)>, CheckError> {
    if options.mutants == 0 {
        return Ok(Vec::new());
    }
    let usable = |m: &mutants::Mutant| Python.extract(&m.applied(whole), task).ok();
    let made: Vec<(mutants::Mutant, Candidate)> = chosen(whole, &record.task_id, options.seed)
        .into_iter()
        .filter_map(|m| usable(&m).map(|c| (m, c)))
        .take(options.mutants)
        .collect();
    let candidates: Vec<Candidate> = made.iter().map(|(_, c)| c.clone()).collect();
    let right = observe::oracle(stack, record, task, &candidates).await?;
    let mut out = Vec::with_capacity(made.len());
    for ((mutant, candidate), right) in made.into_iter().zip(right) {
        let change = mutant.change(whole);
        if right {
            out.push((mutant, change, Fate::AcceptedByHiddenTest));
        } else if let Some((_, said)) = verified(stack, task, &candidate).await {
            out.push((mutant, change, Fate::Wrong(said)));
        }
    }
    Ok(out)
}

/// The mutants of a text in a shuffled order in which no operator comes twice before each came once.
fn chosen(source: &str, task_id: &str, seed: u64) -> Vec<mutants::Mutant> {
    let hash = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(task_id).finalize();
    let mut random = ChaCha8Rng::from_seed(hash.into());
    let mut kinds: BTreeMap<mutants::Operator, Vec<mutants::Mutant>> = BTreeMap::new();
    for mutant in mutants::mutants(source) {
        kinds.entry(mutant.operator).or_default().push(mutant);
    }
    let mut kinds: Vec<Vec<mutants::Mutant>> = kinds.into_values().collect();
    kinds.iter_mut().for_each(|k| k.shuffle(&mut random));
    kinds.shuffle(&mut random);
    let longest = kinds.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|i| kinds.iter().filter_map(|k| k.get(i).cloned()).collect::<Vec<_>>()).collect()
}

fn report(all: &BTreeMap<String, Seen>, left_out: Vec<LeftOut>, options: &Options) -> Report {
    let mut verdicts: BTreeMap<Layer, BTreeMap<&'static str, usize>> = BTreeMap::new();
    let mut objections = Vec::new();
    let (mut passed, mut objected) = (0, 0);
    for (task_id, seen) in all {
        for layer in &seen.reference.layers {
            *verdicts.entry(layer.layer).or_default().entry(layer.verdict.name()).or_default() += 1;
        }
        objections.extend(objections_to(task_id, seen));
        passed += usize::from(seen.reference.layers.iter().all(|l| is_good(&l.verdict)));
        objected += usize::from(seen.reference.layers.iter().any(|l| l.verdict == Verdict::Failed));
    }
    let mut counted = Mutants::default();
    for (task_id, seen) in all {
        seen.mutants.iter().for_each(|(mutant, change, fate)| counted.add(task_id, seen, mutant, change, fate));
    }
    Report {
        functions: all.len(),
        passed,
        objected,
        not_checked: all.len() - passed - objected,
        with_evidence: all.values().filter(|s| s.has_evidence).count(),
        verdicts,
        objections,
        left_out,
        mutants: (options.mutants > 0).then_some(counted),
    }
}

fn is_good(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Passed | Verdict::NotApplicable)
}

fn objections_to(task_id: &str, seen: &Seen) -> Vec<Objection> {
    let line_text = |line: usize| seen.source.lines().nth(line.saturating_sub(1)).unwrap_or("").trim().to_owned();
    let make = |code: String, message: &str, line: usize| Objection {
        task_id: task_id.to_owned(),
        code,
        message: message.to_owned(),
        line,
        text: line_text(line),
    };
    let mut out = Vec::new();
    for layer in seen.reference.layers.iter().filter(|l| !is_good(&l.verdict)) {
        if layer.findings.is_empty() {
            out.push(make(format!("{}.{}", layer.layer, layer.verdict.name()), &layer.detail, 0));
        }
        out.extend(layer.findings.iter().map(|f| make(f.code.clone(), &f.message, f.line)));
    }
    out
}

impl Mutants {
    fn add(&mut self, task_id: &str, seen: &Seen, mutant: &mutants::Mutant, change: &str, fate: &Fate) {
        self.made += 1;
        let Fate::Wrong(said) = fate else {
            self.accepted_by_hidden_test += 1;
            return;
        };
        self.wrong += 1;
        self.wrong_with_evidence += usize::from(seen.has_evidence);
        let against: BTreeSet<Layer> =
            said.layers.iter().filter(|l| l.verdict == Verdict::Failed).map(|l| l.layer).collect();
        let (wrong, killed) = self.operators.entry(mutant.operator.name()).or_default();
        *wrong += 1;
        *killed += usize::from(!against.is_empty());
        for layer in &against {
            *self.kills.entry(*layer).or_default() += 1;
        }
        if let (Some(layer), 1) = (against.first(), against.len()) {
            *self.alone.entry(*layer).or_default() += 1;
        }
        if !against.is_empty() {
            self.killed += 1;
        } else if !said.layers.iter().all(|l| is_good(&l.verdict)) {
            self.not_offered += 1;
        } else {
            self.through += 1;
            self.through_with_evidence += usize::from(seen.has_evidence);
            let (task_id, change) = (task_id.to_owned(), format!("{} in {change}", mutant.operator.name()));
            self.survivors.push(Survivor { task_id, change, with_evidence: seen.has_evidence });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "def f(a, b):\n    c = a + b\n    if c < 1 and a:\n        c += 1\n    return c[a]\n";

    #[test]
    fn the_same_seed_chooses_the_same_mutants_of_many_kinds() {
        let first = chosen(SOURCE, "t/0", 7);
        assert_eq!(first, chosen(SOURCE, "t/0", 7));
        assert_ne!(first, chosen(SOURCE, "t/0", 8));
        assert_ne!(first, chosen(SOURCE, "t/1", 7));
        assert_eq!(first.len(), mutants::mutants(SOURCE).len());
        let kinds: BTreeSet<_> = first.iter().take(5).map(|m| m.operator).collect();
        assert_eq!(kinds.len(), 5, "{first:?}");
    }

    fn said(failed: &[Layer], unavailable: &[Layer]) -> Fate {
        let verdict = |l: Layer| match (failed.contains(&l), unavailable.contains(&l)) {
            (true, _) => Verdict::Failed,
            (_, true) => Verdict::Unavailable,
            _ => Verdict::Passed,
        };
        let layers = Layer::ALL.map(|l| zeroerr_core::verdict::LayerReport::new(l, verdict(l), "said"));
        Fate::Wrong(StackReport { layers: layers.to_vec() })
    }

    #[test]
    fn mutants_are_counted_by_what_was_said_of_them() {
        let mutant = mutants::mutants(SOURCE).remove(0);
        let fates = [
            Fate::AcceptedByHiddenTest,
            said(&[Layer::Types], &[]),
            said(&[Layer::Types, Layer::Tests], &[Layer::Security]),
            said(&[], &[Layer::Tests]),
            said(&[], &[]),
        ];
        let reference = StackReport { layers: Vec::new() };
        let mutants = fates.into_iter().map(|f| (mutant.clone(), "`a` -> `b`".to_owned(), f)).collect();
        let seen = Seen { has_evidence: true, source: "".into(), reference, mutants };
        let options = Options { mutants: 5, seed: 0, jobs: 1, only: Vec::new() };
        let counted = report(&[("t/0".to_owned(), seen)].into(), Vec::new(), &options).mutants.unwrap();
        assert_eq!(
            (counted.made, counted.accepted_by_hidden_test, counted.wrong, counted.killed, counted.not_offered),
            (5, 1, 4, 2, 1)
        );
        assert_eq!((counted.through, counted.survivors.len()), (1, 1));
        assert_eq!((counted.kills[&Layer::Types], counted.kills[&Layer::Tests]), (2, 1));
        assert_eq!((counted.alone[&Layer::Types], counted.alone.get(&Layer::Tests)), (1, None));
    }
}
