//! Every policy on every task, in every order, and what that comes to.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use zeroerr_agents::orchestrator::StepRules;
use zeroerr_core::voting_engine::sequential::wilson;

use super::advice::Panel;
use super::cache::StackWord;
use super::figures::{Figures, GuessRow, LeftOut, PolicyRow, QuestionRow, Report, Sums, TesterFigures, round};
use super::policy::{Adviser, Policy, Replayed};
use super::replay::{Options, Work};
use super::review_figures::{Change, ChangeRow, CriticFigures, DiscriminatorFigures};
use super::reviews::Review;

/// Sums per row and task.
#[derive(Default)]
pub(super) struct Counts {
    pub policies: BTreeMap<(Policy, u32), Vec<(Sums, Sums)>>,
    /// What agents that advise change, for the winners that the layers accept.
    pub changes: BTreeMap<(Policy, u32), Vec<Change>>,
    pub questions: BTreeMap<(u32, usize), Vec<Sums>>,
    pub guesses: BTreeMap<(bool, usize), Vec<Sums>>,
    /// Winners that pass the examples, as (task, candidate).
    pub winners: BTreeSet<(usize, usize)>,
}

/// What has to be asked before the counts can be relied on, each with the task's place.
#[derive(Default)]
pub(super) struct Open {
    /// Winners that the layers have to be asked about.
    pub layers: BTreeSet<(usize, usize)>,
    /// What critics and discriminators have to be asked.
    pub reviews: BTreeSet<(usize, Review)>,
}

impl Open {
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty() && self.reviews.is_empty()
    }
}

/// Replays everything.
pub(super) fn count(works: &[Work], options: &Options) -> (Counts, Open) {
    let (mut counts, mut open) = (Counts::default(), Open::default());
    for (place, work) in works.iter().enumerate() {
        let says = |candidate: usize| says(work, candidate);
        let mut winners = BTreeSet::new();
        let mut note = |replayed: &Replayed| winners.extend(replayed.winner.into_iter().chain(replayed.unverified));
        for order in orders(work, options) {
            let mut accepted_alone = BTreeMap::new();
            for (policy, k) in rows(options) {
                let rules = StepRules { k, max_attempts: options.max_samples, in_flight: 1 };
                let replayed = work.case.replay(policy, rules, &order, &[], &says);
                if policy.asks_layers() {
                    note(&replayed);
                }
                open.reviews.extend(replayed.unheard.map(|review| (place, review)));
                let accepted = right(work, replayed.winner.filter(|w| says(*w) != Some(false)));
                let sums = counts.policies.entry((policy, k)).or_insert_with(|| vec![<_>::default(); works.len()]);
                if let Some((plain, stacked)) = sums.get_mut(place) {
                    plain.add(right(work, replayed.winner), replayed.samples, 0);
                    stacked.add(accepted, replayed.samples, 0);
                }
                if policy.adviser().is_none() {
                    accepted_alone.insert((policy, k), accepted);
                } else if let Some(before) = accepted_alone.get(&(policy.alone(), k)) {
                    let changes = counts.changes.entry((policy, k));
                    let changes = changes.or_insert_with(|| vec![<_>::default(); works.len()]);
                    changes.iter_mut().skip(place).take(1).for_each(|c| c.add(*before, accepted));
                }
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
        open.layers.extend(winners.iter().filter(|w| says(**w).is_none()).map(|w| (place, *w)));
        counts.winners.extend(winners.into_iter().map(|w| (place, w)));
    }
    (counts, open)
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
    let asked = options.panel.as_ref().map_or_else(Vec::new, Panel::advisers);
    // Those alone come first: what an adviser changes is seen beside them.
    let policies = Policy::ALL.into_iter().chain(asked.into_iter().flat_map(Policy::advised));
    let ks = |policy: Policy| if policy.has_k() { options.ks.clone() } else { vec![1] };
    policies.flat_map(|p| ks(p).into_iter().map(move |k| (p, k))).collect()
}

/// The layers' word; one that fails an example need not be asked about, the tests layer runs the same.
pub(super) fn says(work: &Work, candidate: usize) -> Option<bool> {
    if !work.case.voters.get(candidate)?.passes {
        return Some(false);
    }
    work.known.stack.get(&candidate).map(|word| word.refused_by.is_none())
}

pub(super) fn right(work: &Work, winner: Option<usize>) -> Option<bool> {
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

pub(super) fn report(works: &[Work], counts: &Counts, options: &Options, left_out: Vec<LeftOut>) -> Report {
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
    let asks = |adviser| options.panel.as_ref().is_some_and(|panel| panel.advisers().contains(&adviser));
    let paired = || works.iter().filter_map(|w| Some((&w.case, w.pair?))).collect::<Vec<_>>();
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
        testers: asks(Adviser::Testers)
            .then(|| TesterFigures::of(works.iter().filter_map(|w| w.case.heard.tests.as_ref()))),
        critic: asks(Adviser::Critic).then(|| CriticFigures::of(&paired())),
        discriminators: asks(Adviser::Discriminators).then(|| DiscriminatorFigures::of(&paired())),
        changes: counts.changes.iter().map(|((policy, k), tasks)| ChangeRow::of(policy.name(), *k, tasks)).collect(),
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
