//! A whole replay: observe every task, replay every policy, ask the layers about the winners, count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroerr_agents::orchestrator::StepRules;
use zeroerr_core::voting_engine::sequential::wilson;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::verification_stack::VerificationStack;

use super::advice::{self, Advice, Testers};
use super::cache::{Cache, Known, StackWord};
use super::figures::{Figures, GuessRow, LeftOut, PolicyRow, QuestionRow, Report, Sums, TesterFigures, round};
use super::observe::{self, Observed};
use super::policy::{Case, Policy, Replayed, Voter};
use super::records::{Records, Samples, TaskRecord};
use super::subject;
use crate::counting;

/// Which tasks take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Those that rules and constants may be chosen on.
    Dev,
    /// The others, to be looked at once.
    HeldOut,
    /// Both.
    All,
}

impl Split {
    /// As the command line spells it.
    pub fn name(self) -> &'static str {
        match self {
            Split::Dev => "dev",
            Split::HeldOut => "held-out",
            Split::All => "all",
        }
    }

    /// Whether a task belongs to it; a hash of its id decides, so nobody chooses.
    pub fn holds(self, task_id: &str) -> bool {
        let held_out = Sha256::digest(task_id.as_bytes())[0] % 2 == 1;
        match self {
            Split::Dev => !held_out,
            Split::HeldOut => held_out,
            Split::All => true,
        }
    }
}

/// How to replay.
#[derive(Clone)]
pub struct Options {
    /// The leads.
    pub ks: Vec<u32>,
    /// Samples per task at most.
    pub max_samples: u32,
    /// Shuffled orders of the samples per task.
    pub orders: u32,
    /// Chooses orders and inputs.
    pub seed: u64,
    /// Questions per task at most.
    pub ask: usize,
    /// Tasks at the same time.
    pub jobs: usize,
    /// Tokens after which a sample is over-long.
    pub max_tokens: usize,
    /// The part of the tasks.
    pub split: Split,
    /// Where to keep what was found out.
    pub cache: Option<PathBuf>,
    /// Testers, for two policies more.
    pub testers: Option<Testers>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Tasks whose samples were run, of how many.
    Observed(usize, usize),
    /// Tasks that the testers have answered for, of how many.
    Advised(usize, usize),
    /// Winners that the layers were asked about, of how many.
    Verified(usize, usize),
}

/// An end without a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The user stopped it.
    #[error("cancelled")]
    Cancelled,
    /// The files do not fit, or the cache cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The machine lacks something.
    #[error("{0}")]
    Machine(String),
}

/// One task in work.
struct Work {
    case: Case,
    observed: Observed,
    known: Known,
    key: String,
    record: TaskRecord,
}

/// Replays recorded samples.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay(
    stack: &Arc<VerificationStack>,
    samples: &Records<Samples>,
    tasks: &Records<TaskRecord>,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &CancellationToken,
) -> Result<Report, ReplayError> {
    let cache = Cache::new(options.cache.as_deref()).map_err(ReplayError::Usage)?;
    let (mut works, left_out) = observe_all(stack, samples, tasks, options, &cache, progress, cancel).await?;
    if works.is_empty() {
        let why = left_out.first().map_or("the files have no task in common".to_owned(), |l| {
            format!("none of its {} tasks can be replayed ({}: {})", left_out.len(), l.task_id, l.why)
        });
        return Err(ReplayError::Usage(format!("nothing to replay: {why}")));
    }
    if let Some(testers) = &options.testers {
        advise(stack, &mut works, testers, options, &cache, progress, cancel).await?;
    }
    // The layers are asked about winners only, and a refused winner makes another one.
    let counts = loop {
        let (counts, unknown) = count(&works, options);
        if unknown.is_empty() {
            break counts;
        }
        verify(stack, &mut works, &unknown, options, &cache, progress, cancel).await?;
    };
    Ok(report(&works, &counts, options, left_out))
}

async fn observe_all(
    stack: &VerificationStack,
    samples: &Records<Samples>,
    tasks: &Records<TaskRecord>,
    options: &Options,
    cache: &Cache,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &CancellationToken,
) -> Result<(Vec<Work>, Vec<LeftOut>), ReplayError> {
    let chosen: Vec<&Samples> = samples.by_id.values().filter(|s| options.split.holds(&s.task_id)).collect();
    let total = chosen.len();
    let one = |recorded: &'_ Samples| {
        let (recorded, task) = (recorded.clone(), tasks.by_id.get(&recorded.task_id).cloned());
        async move {
            let left_out = |why: String| LeftOut { task_id: recorded.task_id.clone(), why };
            match task {
                None => Ok(Err(left_out("the tasks file does not have it".into()))),
                Some(task) => Ok(observe_one(stack, &recorded, &task, options, cache).await?.map_err(left_out)),
            }
        }
    };
    let mut running = futures::stream::iter(chosen.into_iter().map(one)).buffer_unordered(options.jobs.max(1));
    let (mut works, mut left_out, mut done) = (Vec::new(), Vec::new(), 0);
    loop {
        let next = tokio::select! {
            () = cancel.cancelled() => return Err(ReplayError::Cancelled),
            next = running.next() => next,
        };
        let Some(ended) = next else { break };
        match ended? {
            Ok(work) => works.push(work),
            Err(why) => left_out.push(why),
        }
        done += 1;
        progress(Progress::Observed(done, total));
    }
    works.sort_by(|a, b| a.case.id.cmp(&b.case.id));
    left_out.sort_by(|a: &LeftOut, b| a.task_id.cmp(&b.task_id));
    Ok((works, left_out))
}

/// One task up to its case, or why it takes no part.
async fn observe_one(
    stack: &VerificationStack,
    samples: &Samples,
    record: &TaskRecord,
    options: &Options,
    cache: &Cache,
) -> Result<Result<Work, String>, ReplayError> {
    let task = match subject::task(record, samples, &Python) {
        Ok(task) => task,
        Err(why) => return Ok(Err(why)),
    };
    let evidence = counting::evidence(&task.signature.name, &task.spec, 0);
    let observed = observe::extract(stack, task, samples, options.max_tokens);
    let key = observe::key(stack, record, &observed, options.seed);
    let machine = |e: zeroerr_verification::languages::CheckError| ReplayError::Machine(e.0);
    let known = match cache.get(&key) {
        Some(known) => known,
        None => {
            let known = observe::all(stack, record, &observed, options.seed).await.map_err(machine)?;
            cache.put(&key, &known).map_err(ReplayError::Usage)?;
            known
        }
    };
    if known.reference.is_none() {
        return Ok(Err("its reference solution does not pass its own hidden test here".into()));
    }
    let voters =
        observed.candidates.iter().zip(&known.seen).zip(&known.right).map(|((candidate, seen), right)| Voter {
            text: candidate.function.clone(),
            tree: seen.tree.clone(),
            passes: seen.objection.is_none() && seen.behaviour.is_some(),
            is_near: seen.is_near,
            behaviour: seen.behaviour.clone(),
            is_right: *right,
        });
    let reference = known.reference.as_ref().and_then(|r| r.behaviour.as_ref());
    let id = record.task_id.clone();
    let case = Case::new(id, evidence, observed.samples.clone(), voters.collect(), reference);
    Ok(Ok(Work { case, observed, known, key, record: record.clone() }))
}

/// Asks the testers about every task, and tries the candidates on what they say.
async fn advise(
    stack: &Arc<VerificationStack>,
    works: &mut [Work],
    testers: &Testers,
    options: &Options,
    cache: &Cache,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &CancellationToken,
) -> Result<(), ReplayError> {
    let total = works.len();
    let jobs: Vec<_> = works.iter().map(|work| advise_one(stack, work, testers, options, cache)).collect();
    let mut running = futures::stream::iter(jobs).buffered(options.jobs.max(1));
    let mut advices: Vec<Advice> = Vec::with_capacity(total);
    loop {
        let next = tokio::select! {
            () = cancel.cancelled() => return Err(ReplayError::Cancelled),
            next = running.next() => next,
        };
        let Some(advice) = next else { break };
        advices.push(advice?);
        progress(Progress::Advised(advices.len(), total));
    }
    drop(running);
    for (work, advice) in works.iter_mut().zip(advices) {
        work.case.advise(advice, testers.rules());
    }
    Ok(())
}

async fn advise_one(
    stack: &Arc<VerificationStack>,
    work: &Work,
    testers: &Testers,
    options: &Options,
    cache: &Cache,
) -> Result<Advice, ReplayError> {
    let (observed, known) = (&work.observed, &work.known);
    let key = advice::key(&work.key, testers, observed);
    if let Some(advice) = cache.get(&key) {
        return Ok(advice);
    }
    let solution = stack.language(observed.task.language).ok();
    let solution = solution.and_then(|l| subject::reference(&work.record, &observed.task, l));
    let asked = advice::all(stack, testers, observed, known, solution, options.seed).await;
    let advice = asked.map_err(|e| ReplayError::Machine(e.0))?;
    cache.put(&key, &advice).map_err(ReplayError::Usage)?;
    Ok(advice)
}

/// Sums per row and task.
#[derive(Default)]
struct Counts {
    policies: BTreeMap<(Policy, u32), Vec<(Sums, Sums)>>,
    questions: BTreeMap<(u32, usize), Vec<Sums>>,
    guesses: BTreeMap<(bool, usize), Vec<Sums>>,
    /// Winners that pass the examples, as (task, candidate).
    winners: BTreeSet<(usize, usize)>,
}

/// Replays everything; with it the winners (task, candidate) that the layers have to be asked about.
fn count(works: &[Work], options: &Options) -> (Counts, BTreeSet<(usize, usize)>) {
    let (mut counts, mut unknown) = (Counts::default(), BTreeSet::new());
    for (place, work) in works.iter().enumerate() {
        let says = |candidate: usize| says(work, candidate);
        let mut winners = BTreeSet::new();
        let mut note = |replayed: &Replayed| winners.extend(replayed.winner.into_iter().chain(replayed.unverified));
        for order in orders(work, options) {
            for (policy, k) in rows(options) {
                let rules = StepRules { k, max_attempts: options.max_samples, in_flight: 1 };
                let replayed = work.case.replay(policy, rules, &order, &[], &says);
                if policy.asks_layers() {
                    note(&replayed);
                }
                let sums = counts.policies.entry((policy, k)).or_insert_with(|| vec![<_>::default(); works.len()]);
                let Some((plain, stacked)) = sums.get_mut(place) else { continue };
                plain.add(right(work, replayed.winner), replayed.samples, 0);
                let accepted = replayed.winner.filter(|w| says(*w) != Some(false));
                stacked.add(right(work, accepted), replayed.samples, 0);
            }
            for k in options.ks.iter().filter(|_| options.ask > 0) {
                let rules = StepRules { k: *k, max_attempts: options.max_samples, in_flight: 1 };
                for (up_to, (replayed, asked)) in work.case.ask(rules, &order, options.ask, &says).iter().enumerate() {
                    note(replayed);
                    let sums = counts.questions.entry((*k, up_to)).or_insert_with(|| vec![<_>::default(); works.len()]);
                    if let Some(sums) = sums.get_mut(place) {
                        sums.add(right(work, replayed.winner), replayed.samples, *asked);
                    }
                }
            }
        }
        if options.ask > 0 {
            guess(work, place, works.len(), options, &mut counts);
        }
        winners.retain(|w| work.case.voters.get(*w).is_some_and(|v| v.passes));
        unknown.extend(winners.iter().filter(|w| says(**w).is_none()).map(|w| (place, *w)));
        counts.winners.extend(winners.into_iter().map(|w| (place, w)));
    }
    (counts, unknown)
}

/// The best guesses about one task.
fn guess(work: &Work, place: usize, tasks: usize, options: &Options, counts: &mut Counts) {
    for order in orders(work, options) {
        let drawn = &order[..order.len().min(options.max_samples as usize)];
        for examples in [true, false] {
            for (up_to, (guess, asked)) in work.case.guesses(drawn, options.ask, examples).into_iter().enumerate() {
                let sums = counts.guesses.entry((examples, up_to)).or_insert_with(|| vec![<_>::default(); tasks]);
                if let Some(sums) = sums.get_mut(place) {
                    sums.add(right(work, guess), drawn.len() as u32, asked);
                }
            }
        }
    }
}

fn rows(options: &Options) -> Vec<(Policy, u32)> {
    let tested = Policy::TESTED.into_iter().filter(|_| options.testers.is_some());
    let policies = Policy::ALL.into_iter().chain(tested);
    let ks = |policy: Policy| if policy.has_k() { options.ks.clone() } else { vec![1] };
    policies.flat_map(|p| ks(p).into_iter().map(move |k| (p, k))).collect()
}

/// The layers' word; one that fails an example need not be asked about, the tests layer runs the same.
fn says(work: &Work, candidate: usize) -> Option<bool> {
    if !work.case.voters.get(candidate)?.passes {
        return Some(false);
    }
    work.known.stack.get(&candidate).map(|word| word.refused_by.is_none())
}

fn right(work: &Work, winner: Option<usize>) -> Option<bool> {
    winner.and_then(|w| work.case.voters.get(w)).map(|v| v.is_right)
}

/// The orders in which a task's samples are drawn; the same for every policy.
fn orders(work: &Work, options: &Options) -> Vec<Vec<usize>> {
    let hash = Sha256::new().chain_update(options.seed.to_le_bytes()).chain_update(&work.case.id).finalize();
    let mut random = ChaCha8Rng::from_seed(hash.into());
    let mut order: Vec<usize> = (0..work.case.samples.len()).collect();
    let shuffled = (0..options.orders.max(1)).map(|_| {
        order.shuffle(&mut random);
        order.clone()
    });
    shuffled.collect()
}

async fn verify(
    stack: &VerificationStack,
    works: &mut [Work],
    unknown: &BTreeSet<(usize, usize)>,
    options: &Options,
    cache: &Cache,
    progress: &(dyn Fn(Progress) + Sync),
    cancel: &CancellationToken,
) -> Result<(), ReplayError> {
    let mut found: Vec<(usize, usize, StackWord)> = Vec::new();
    {
        let jobs = unknown.iter().filter_map(|(place, candidate)| {
            let observed = &works.get(*place)?.observed;
            Some(async move { (*place, *candidate, observe::ask_layers(stack, observed, *candidate).await) })
        });
        let mut running = futures::stream::iter(jobs.collect::<Vec<_>>()).buffer_unordered(options.jobs.max(1));
        loop {
            let next = tokio::select! {
                () = cancel.cancelled() => break,
                next = running.next() => next,
            };
            let Some(word) = next else { break };
            found.push(word);
            progress(Progress::Verified(found.len(), unknown.len()));
        }
    }
    let mut changed = BTreeSet::new();
    for (place, candidate, word) in found {
        if let Some(work) = works.get_mut(place) {
            work.known.stack.insert(candidate, word);
            changed.insert(place);
        }
    }
    for work in changed.into_iter().filter_map(|place| works.get(place)) {
        cache.put(&work.key, &work.known).map_err(ReplayError::Usage)?;
    }
    if cancel.is_cancelled() { Err(ReplayError::Cancelled) } else { Ok(()) }
}

fn report(works: &[Work], counts: &Counts, options: &Options, left_out: Vec<LeftOut>) -> Report {
    let only = |sums: &[(Sums, Sums)], second: bool| -> Figures {
        Figures::of(&sums.iter().map(|(plain, stacked)| if second { *stacked } else { *plain }).collect::<Vec<_>>())
    };
    let policies = counts.policies.iter().map(|((policy, k), sums)| PolicyRow {
        name: policy.name(),
        k: policy.has_k().then_some(*k),
        figures: only(sums, false),
        with_stack: policy.asks_layers().then(|| only(sums, true)),
    });
    let mut base: BTreeMap<u32, f64> = BTreeMap::new();
    let mut questions = Vec::new();
    for ((k, up_to), sums) in &counts.questions {
        let figures = Figures::of(sums);
        let before = *base.entry(*k).or_insert(figures.right);
        if is_shown(*up_to, options) {
            let (gain, asked) = (round(figures.right - before), asked(sums));
            questions.push(QuestionRow { k: *k, up_to: *up_to, asked, figures, gain });
        }
    }
    let word = |(place, candidate): &(usize, usize)| works.get(*place)?.known.stack.get(candidate);
    let words: Vec<&StackWord> = counts.winners.iter().filter_map(word).collect();
    let mut refused = BTreeMap::new();
    for layer in words.iter().filter_map(|w| w.refused_by.clone()) {
        *refused.entry(layer).or_default() += 1;
    }
    let missing: BTreeSet<String> = words.iter().flat_map(|w| w.not_checked.clone()).collect();
    let single = |work: &Work| {
        let right = |s: &Result<usize, _>| matches!(s, Ok(c) if right(work, Some(*c)) == Some(true));
        work.case.samples.iter().filter(|s| right(s)).count() as f64 / work.case.samples.len().max(1) as f64
    };
    let one_sample = works.iter().map(single).sum::<f64>() / works.len().max(1) as f64;
    Report {
        split: options.split.name(),
        tasks: works.len(),
        orders: options.orders,
        max_samples: options.max_samples,
        one_sample: round(one_sample),
        policies: policies.collect(),
        questions,
        guesses: guesses(counts, options, one_sample),
        stack_asked: words.len(),
        stack_refused: refused,
        not_checked: missing.into_iter().collect(),
        testers: options.testers.as_ref().map(|_| TesterFigures::of(works.iter().filter_map(|w| w.case.advice()))),
        left_out,
    }
}

/// The numbers of questions that are told.
fn is_shown(up_to: usize, options: &Options) -> bool {
    [0, 1, 2, 5].contains(&up_to) || up_to == options.ask
}

/// Questions per task.
fn asked(sums: &[Sums]) -> f64 {
    let asked: f64 = sums.iter().map(|s| s.questions as f64 / f64::from(s.replays.max(1))).sum();
    round(asked / sums.len().max(1) as f64)
}

fn guesses(counts: &Counts, options: &Options, one_sample: f64) -> Vec<GuessRow> {
    let shown = counts.guesses.iter().filter(|((_, up_to), _)| is_shown(*up_to, options));
    let row = |((examples, up_to), sums): (&(bool, usize), &Vec<Sums>)| {
        let right = Figures::of(sums).right;
        let (low, high) = wilson(right, sums.len() as f64);
        GuessRow {
            examples: *examples,
            up_to: *up_to,
            asked: asked(sums),
            right,
            right_95: [round(low), round(high)],
            gain: round(right - one_sample),
        }
    };
    shown.map(row).collect()
}
