//! A whole replay: observe every task, replay every policy, ask the layers about the winners, count.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::verification_stack::VerificationStack;

use super::advice::{self, Advice, Panel};
use super::cache::{Cache, Known, StackWord};
use super::count::{count, report, says};
use super::figures::{LeftOut, Report};
use super::observe::{self, Observed};
use super::policy::{Case, Voter};
use super::records::{Records, Samples, TaskRecord};
use super::reviews::{self, Pair, Review};
use super::subject;
use crate::counting;

/// Candidates of a task that the layers are asked about, until one that they accept is found for a critic.
const MOST_TRIED: usize = 5;

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
    /// Tasks at most; which, a hash of their ids decides.
    pub limit: Option<usize>,
    /// Agents that advise, for two policies more each.
    pub panel: Option<Panel>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Tasks whose samples were run, of how many.
    Observed(usize, usize),
    /// Tasks that the testers have answered for, of how many.
    Advised(usize, usize),
    /// Things that critics and discriminators were asked, of how many.
    Reviewed(usize, usize),
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
pub(super) struct Work {
    pub case: Case,
    observed: Observed,
    pub known: Known,
    key: String,
    record: TaskRecord,
    /// What critic and discriminator are put before, where they are asked.
    pub pair: Option<Pair>,
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
            let none = match left_out.len() {
                1 => "its one task cannot".to_owned(),
                many => format!("none of its {many} tasks can"),
            };
            format!("{none} be replayed ({}: {})", l.task_id, l.why)
        });
        return Err(ReplayError::Usage(format!("nothing to replay: {why}")));
    }
    let bench = Bench { stack, options, cache: &cache, progress, cancel };
    if let Some(panel) = &options.panel {
        bench.advise(&mut works, panel).await?;
        bench.choose_pairs(&mut works, panel).await?;
    }
    // Layers and reviewers are asked about what a replay comes to only, and their word leads to other winners.
    let counts = loop {
        let (counts, open) = count(&works, options);
        if open.is_empty() {
            break counts;
        }
        bench.verify(&mut works, &open.layers).await?;
        if let Some(panel) = &options.panel {
            bench.review(&mut works, panel, &open.reviews).await?;
        }
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
    let mut chosen: Vec<&Samples> = samples.by_id.values().filter(|s| options.split.holds(&s.task_id)).collect();
    if let Some(limit) = options.limit {
        chosen.sort_by_cached_key(|s| Sha256::new().chain_update(b"limit").chain_update(&s.task_id).finalize());
        chosen.truncate(limit);
    }
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
            is_unfit: seen.is_unfit || seen.objection.is_none() && seen.behaviour.is_none(),
            behaviour: seen.behaviour.clone(),
            is_right: *right,
        });
    let reference = known.reference.as_ref().and_then(|r| r.behaviour.as_ref());
    let id = record.task_id.clone();
    let case = Case::new(id, evidence, observed.samples.clone(), voters.collect(), reference);
    Ok(Ok(Work { case, observed, known, key, record: record.clone(), pair: None }))
}

/// What a replay asks with.
struct Bench<'a> {
    stack: &'a Arc<VerificationStack>,
    options: &'a Options,
    cache: &'a Cache,
    progress: &'a (dyn Fn(Progress) + Sync),
    cancel: &'a CancellationToken,
}

impl Bench<'_> {
    /// The outcomes of jobs as they come, until all are there, one fails, or the user stops it.
    async fn gather<T>(
        &self,
        jobs: Vec<impl Future<Output = Result<T, ReplayError>>>,
        told: fn(usize, usize) -> Progress,
    ) -> Result<Vec<T>, ReplayError> {
        let (total, mut done) = (jobs.len(), Vec::new());
        let mut running = futures::stream::iter(jobs).buffer_unordered(self.options.jobs.max(1));
        loop {
            let next = tokio::select! {
                () = self.cancel.cancelled() => return Err(ReplayError::Cancelled),
                next = running.next() => next,
            };
            let Some(ended) = next else { return Ok(done) };
            done.push(ended?);
            (self.progress)(told(done.len(), total));
        }
    }

    /// Asks the testers about every task, and tries the candidates on what they say.
    async fn advise(&self, works: &mut [Work], panel: &Panel) -> Result<(), ReplayError> {
        works.iter_mut().for_each(|work| work.case.heard.rules = panel.rules);
        if panel.rules.testers > 0 {
            let jobs =
                works.iter().enumerate().map(|(n, work)| async move { Ok((n, self.advice(work, panel).await?)) });
            for (n, advice) in self.gather(jobs.collect(), Progress::Advised).await? {
                works[n].case.heard.tests = Some(advice);
            }
        }
        Ok(())
    }

    async fn advice(&self, work: &Work, panel: &Panel) -> Result<Advice, ReplayError> {
        let (observed, known) = (&work.observed, &work.known);
        let key = advice::key(&work.key, panel, observed);
        if let Some(advice) = self.cache.get(&key) {
            return Ok(advice);
        }
        let solution = self.stack.language(observed.task.language).ok();
        let solution = solution.and_then(|l| subject::reference(&work.record, &observed.task, l));
        let asked = advice::all(self.stack, panel, observed, known, solution, self.options.seed).await;
        let advice = asked.map_err(|e| ReplayError::Machine(e.0))?;
        self.cache.put(&key, &advice).map_err(ReplayError::Usage)?;
        Ok(advice)
    }

    /// Puts a right and a wrong candidate of each task before critic and discriminator: the most frequent ones
    /// that no layer refuses, as these agents see no others in a run.
    async fn choose_pairs(&self, works: &mut [Work], panel: &Panel) -> Result<(), ReplayError> {
        if !panel.rules.critic && panel.rules.discriminators == 0 {
            return Ok(());
        }
        for work in works.iter_mut() {
            let known = self.cache.get(&reviews::key(&work.key, panel, &work.observed));
            work.case.heard.reviews = known.unwrap_or_default();
        }
        let mut open = BTreeSet::new();
        for place in 0..works.len() {
            let right = self.first_offered(works, place, true).await?;
            let wrong = self.first_offered(works, place, false).await?;
            let Some((right, wrong)) = right.zip(wrong) else { continue };
            let (pair, work) = (Pair { right, wrong }, &mut works[place]);
            work.pair = Some(pair);
            let new = |review: &Review| work.case.heard.reviews.said(*review).is_none();
            open.extend(pair.reviews(&work.case, panel).into_iter().filter(new).map(|review| (place, review)));
        }
        self.review(works, panel, &open).await
    }

    async fn first_offered(
        &self,
        works: &mut [Work],
        place: usize,
        is_right: bool,
    ) -> Result<Option<usize>, ReplayError> {
        for candidate in reviews::by_frequency(&works[place].case, is_right).into_iter().take(MOST_TRIED) {
            if says(&works[place], candidate).is_none() {
                self.verify(works, &BTreeSet::from([(place, candidate)])).await?;
            }
            if says(&works[place], candidate) == Some(true) {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    /// Asks critics and discriminators. Each answer is kept as it comes: they take minutes.
    async fn review(
        &self,
        works: &mut [Work],
        panel: &Panel,
        open: &BTreeSet<(usize, Review)>,
    ) -> Result<(), ReplayError> {
        let known = works.iter().map(|work| Mutex::new(work.case.heard.reviews.clone())).collect::<Vec<_>>();
        let ask = async |place: usize, review: Review| {
            let Work { observed, known: seen, key, .. } = &works[place];
            let answer = reviews::ask(self.stack, panel, observed, seen, review, self.options.seed).await;
            let answer = answer.map_err(|e| ReplayError::Machine(e.0))?;
            let mut reviews = known[place].lock().unwrap_or_else(PoisonError::into_inner);
            reviews.take(review, answer);
            self.cache.put(&reviews::key(key, panel, observed), &*reviews).map_err(ReplayError::Usage)
        };
        let jobs = open.iter().map(|(place, review)| ask(*place, *review)).collect();
        self.gather(jobs, Progress::Reviewed).await?;
        let known = known.into_iter().map(|k| k.into_inner().unwrap_or_else(PoisonError::into_inner));
        for (work, reviews) in works.iter_mut().zip(known.collect::<Vec<_>>()) {
            work.case.heard.reviews = reviews;
        }
        Ok(())
    }

    /// Asks the layers. What they have said until the user stops it is kept.
    async fn verify(&self, works: &mut [Work], open: &BTreeSet<(usize, usize)>) -> Result<(), ReplayError> {
        let found = Mutex::new(Vec::new());
        let ask = async |place: usize, candidate: usize| {
            let word = observe::ask_layers(self.stack, &works[place].observed, candidate).await;
            found.lock().unwrap_or_else(PoisonError::into_inner).push((place, candidate, word));
            Ok(())
        };
        let jobs = open.iter().map(|(place, candidate)| ask(*place, *candidate)).collect();
        let asked = self.gather(jobs, Progress::Verified).await;
        let found: Vec<(usize, usize, StackWord)> = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let changed: BTreeSet<usize> = found.iter().map(|(place, _, _)| *place).collect();
        for (place, candidate, word) in found {
            works[place].known.stack.insert(candidate, word);
        }
        for work in changed.into_iter().map(|place| &works[place]) {
            self.cache.put(&work.key, &work.known).map_err(ReplayError::Usage)?;
        }
        asked.map(drop)
    }
}
