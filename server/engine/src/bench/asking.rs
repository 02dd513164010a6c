//! Questions to the reference solution, and the best guess with or without its answers.

use std::collections::BTreeMap;

use zeroerr_agents::orchestrator::StepRules;
use zeroerr_core::voting_engine::consensus::Evidence;

use super::policy::{Case, NOTHING, Policy, Replayed, StackSays};

/// What a sample counts when a question is chosen: those that pass the examples decide the vote, but what
/// those that nearly do would answer is worth telling apart from it, too.
const PASSING: u32 = 10;
const NEAR: u32 = 3;
const FAR: u32 = 1;
/// What a split is worth on an input that no example looks like: there right programs differ, too.
const BEYOND: f64 = 0.3;

impl Case {
    /// The replays of [`Policy::Ours`] after 0, 1, … `budget` answered questions, each with how many
    /// were asked; when nothing is left to ask, the last one stays as it is.
    pub fn ask(
        &self,
        rules: StepRules,
        order: &[usize],
        budget: usize,
        stack: StackSays<'_>,
    ) -> Vec<(Replayed, usize)> {
        let mut asked = Vec::new();
        let mut all = Vec::with_capacity(budget + 1);
        loop {
            let replayed = self.replay(Policy::Ours, rules, order, &asked, stack);
            all.push((replayed, asked.len()));
            if all.len() > budget {
                return all;
            }
            let seen = &order[..order.len().min(replayed.samples as usize)];
            let Some(input) = self.question(seen, &asked, true) else {
                all.resize(budget + 1, (replayed, asked.len()));
                return all;
            };
            asked.push(input);
        }
    }

    /// The candidate that one would take when one had to take one, after 0, 1, … `budget` answered
    /// questions, each with how many were asked. Without examples it is as if the docstring had none.
    pub fn guesses(&self, order: &[usize], budget: usize, examples: bool) -> Vec<(Option<usize>, usize)> {
        let mut asked = Vec::new();
        let mut all = Vec::with_capacity(budget + 1);
        for _ in 0..=budget {
            all.push((self.guess(order, &asked, examples), asked.len()));
            asked.extend(self.question(order, &asked, examples));
        }
        all
    }

    /// The leader among those that pass; when none does, the most frequent behaviour of those that fail
    /// least.
    fn guess(&self, seen: &[usize], asked: &[usize], examples: bool) -> Option<usize> {
        let drawn = seen.iter().filter_map(|s| self.samples.get(*s)?.as_ref().ok().copied());
        let able = drawn.filter(|c| self.voters.get(*c).is_some_and(|v| v.behaviour.is_some()));
        let able: Vec<usize> = able.filter(|c| self.agrees(*c, asked)).collect();
        let weight = |candidate: &usize| if examples { self.weight(*candidate) } else { FAR };
        let most = able.iter().map(weight).max()?;
        let best: Vec<usize> = able.into_iter().filter(|c| weight(c) == most).collect();
        if examples && most == PASSING {
            let mut evidence: Evidence = self.evidence(0);
            for (id, candidate) in best.iter().enumerate() {
                if let Some(behaviour) = self.voters.get(*candidate).and_then(|v| v.behaviour.as_ref()) {
                    evidence.cast(id as u64, behaviour);
                }
            }
            return evidence.leader().and_then(|l| best.get(usize::try_from(l.id).ok()?).copied());
        }
        let mut votes: BTreeMap<&[u32], (u32, usize)> = BTreeMap::new();
        for (place, candidate) in best.iter().enumerate() {
            let row = self.answers.get(*candidate)?.as_deref()?;
            votes.entry(row).or_insert((0, place)).0 += 1;
        }
        let (_, first) = votes.into_values().max_by_key(|(n, first)| (*n, std::cmp::Reverse(*first)))?;
        best.get(first).copied()
    }

    fn weight(&self, candidate: usize) -> u32 {
        match self.voters.get(candidate) {
            Some(voter) if voter.passes => PASSING,
            Some(voter) if voter.is_near => NEAR,
            _ => FAR,
        }
    }

    /// The input that splits the candidates among these samples best, the shortest call of equals; `None`
    /// when they agree everywhere.
    fn question(&self, seen: &[usize], asked: &[usize], examples: bool) -> Option<usize> {
        self.truth.as_ref()?;
        let mut votes: BTreeMap<usize, u32> = BTreeMap::new();
        for candidate in seen.iter().filter_map(|s| self.samples.get(*s)?.as_ref().ok()) {
            let is_able = self.answers.get(*candidate).is_some_and(Option::is_some);
            if is_able && self.agrees(*candidate, asked) {
                *votes.entry(*candidate).or_default() += if examples { self.weight(*candidate) } else { FAR };
            }
        }
        let mut best: Option<(f64, &str, usize)> = None;
        for (place, input) in self.inputs.iter().enumerate().filter(|(place, _)| !asked.contains(place)) {
            let mut tally: BTreeMap<u32, u32> = BTreeMap::new();
            for (candidate, n) in &votes {
                let said = self.answers.get(*candidate).and_then(Option::as_ref).and_then(|row| row.get(place));
                *tally.entry(said.copied().unwrap_or(NOTHING)).or_default() += n;
            }
            let is_usual = !examples || self.is_usual.get(place).copied().unwrap_or(true);
            let split = entropy(tally.values().copied()) * if is_usual { 1.0 } else { BEYOND };
            let is_shorter = |other: &str| (input.len(), input.as_str()) < (other.len(), other);
            let is_better = best.is_none_or(|(s, other, _)| split > s + 1e-9 || split > s - 1e-9 && is_shorter(other));
            if tally.len() > 1 && is_better {
                best = Some((split, input, place));
            }
        }
        best.map(|(_, _, place)| place)
    }
}

fn entropy(counts: impl Iterator<Item = u32> + Clone) -> f64 {
    let total: u32 = counts.clone().sum();
    counts.map(|n| f64::from(n) / f64::from(total.max(1))).map(|p| -p * p.ln()).sum()
}
