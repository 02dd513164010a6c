//! What critics and discriminators are worth: how often they object to code that is right and to code that
//! is wrong, and what their word changes in a run.

use serde::Serialize;
use zeroerr_core::advice::Said;
use zeroerr_core::voting_engine::sequential::wilson;

use super::figures::round;
use super::policy::Case;
use super::reviews::{self, Pair, Review, Told};

/// So many of so many, with Wilson's interval at 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// So many; a sum of shares over tasks where orders were replayed.
    pub some: f64,
    /// Of so many.
    pub of: f64,
    /// The interval.
    pub share_95: [f64; 2],
}

impl Share {
    fn of(some: f64, of: f64) -> Self {
        let (low, high) = wilson(if of > 0.0 { some / of } else { 0.0 }, of);
        Self { some: round(some), of: round(of), share_95: [round(low), round(high)] }
    }

    fn count(all: impl IntoIterator<Item = bool>) -> Self {
        let (mut some, mut of) = (0u32, 0u32);
        for one in all {
            some += u32::from(one);
            of += 1;
        }
        Self::of(f64::from(some), f64::from(of))
    }
}

/// A critic before a right and a wrong candidate of each task, both of which the layers accept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriticFigures {
    /// Objections to right candidates.
    pub right: Share,
    /// Objections to wrong candidates.
    pub wrong: Share,
    /// Tasks in which it objected to the wrong one alone.
    pub wrong_alone: u32,
    /// Tasks in which it objected to the right one alone.
    pub right_alone: u32,
    /// How likely so uneven a split is of a critic who knows nothing (sign test, two-sided).
    pub chance: f64,
}

impl CriticFigures {
    /// Over the tasks that had both.
    pub fn of(pairs: &[(&Case, Pair)]) -> Self {
        let objects = |case: &Case, n| matches!(case.heard.reviews.said(Review::Critique(n)), Some(Said::Objection(_)));
        let said: Vec<[bool; 2]> =
            pairs.iter().map(|(case, pair)| [objects(case, pair.right), objects(case, pair.wrong)]).collect();
        let right_alone = said.iter().filter(|[right, wrong]| *right && !wrong).count() as u32;
        let wrong_alone = said.iter().filter(|[right, wrong]| *wrong && !right).count() as u32;
        Self {
            right: Share::count(said.iter().map(|[right, _]| *right)),
            wrong: Share::count(said.iter().map(|[_, wrong]| *wrong)),
            wrong_alone,
            right_alone,
            chance: round(sign_test(wrong_alone, right_alone)),
        }
    }
}

/// A discriminator that was shown a right and a wrong candidate which do not do the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiscriminatorFigures {
    /// Answers with an input that could be read.
    pub usable: Share,
    /// Inputs, and those that look like the examples': only they may split a behaviour.
    pub inside: Share,
    /// Answers that told the right one from the wrong one; their fingerprints do so already.
    pub pair: Share,
    /// Behaviours that right and wrong candidates share, in which it told one from another.
    pub wrong: Share,
    /// Behaviours of several right candidates alone, which it split.
    pub right: Share,
}

impl DiscriminatorFigures {
    /// Over the tasks that had both.
    pub fn of(pairs: &[(&Case, Pair)]) -> Self {
        let answer = |(case, pair): &(&Case, Pair)| match case.heard.reviews.said(pair.inputs())? {
            Said::Claims(claims) => Some(reviews::told(case, &case.heard.reviews, claims, *pair)),
            _ => Some(reviews::told(case, &case.heard.reviews, &[], *pair)),
        };
        let told: Vec<Told> = pairs.iter().filter_map(answer).collect();
        let sum = |count: fn(&Told) -> usize| told.iter().map(count).sum::<usize>() as f64;
        Self {
            usable: Share::count(told.iter().map(|t| t.inputs > 0)),
            inside: Share::of(sum(|t| t.inside), sum(|t| t.inputs)),
            pair: Share::count(told.iter().map(|t| t.pair)),
            wrong: Share::of(sum(|t| t.mixed_split), sum(|t| t.mixed)),
            right: Share::of(sum(|t| t.right_split), sum(|t| t.right)),
        }
    }
}

/// What an agent changed in the replays of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Change {
    replays: u32,
    wrong: u32,
    stopped: u32,
    right: u32,
    lost: u32,
    newly_right: u32,
    newly_wrong: u32,
}

impl Change {
    /// Adds one replay: whether the winner was right without and with the agent; `None` without a winner.
    pub fn add(&mut self, before: Option<bool>, after: Option<bool>) {
        let (right, wrong) = (Some(true), Some(false));
        self.replays += 1;
        self.wrong += u32::from(before == wrong);
        self.stopped += u32::from(before == wrong && after != wrong);
        self.right += u32::from(before == right);
        self.lost += u32::from(before == right && after != right);
        self.newly_right += u32::from(before != right && after == right);
        self.newly_wrong += u32::from(before != wrong && after == wrong);
    }
}

/// What an agent changes in a run, for one policy and lead. Numbers are tasks; a task of which half the orders
/// end so counts half.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeRow {
    /// The policy.
    pub name: &'static str,
    /// Its lead.
    pub k: u32,
    /// Wrong winners that win no more, of those there were.
    pub wrong_stopped: Share,
    /// Right winners that win no more, of those there were.
    pub right_lost: Share,
    /// Right winners that would not have won.
    pub newly_right: f64,
    /// Wrong winners that would not have won.
    pub newly_wrong: f64,
}

impl ChangeRow {
    /// From the changes of every task.
    pub fn of(name: &'static str, k: u32, tasks: &[Change]) -> Self {
        let sum = |count: fn(&Change) -> u32| {
            tasks.iter().map(|t| f64::from(count(t)) / f64::from(t.replays.max(1))).sum::<f64>()
        };
        Self {
            name,
            k,
            wrong_stopped: Share::of(sum(|t| t.stopped), sum(|t| t.wrong)),
            right_lost: Share::of(sum(|t| t.lost), sum(|t| t.right)),
            newly_right: round(sum(|t| t.newly_right)),
            newly_wrong: round(sum(|t| t.newly_wrong)),
        }
    }
}

/// How likely a fair coin is to fall as unevenly as this, or more, in either direction.
fn sign_test(heads: u32, tails: u32) -> f64 {
    let n = heads + tails;
    let mut ways = 0.5f64.powi(n as i32);
    let mut tail = 0.0;
    for k in 0..=heads.min(tails) {
        tail += ways;
        ways *= f64::from(n - k) / f64::from(k + 1);
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_that_falls_evenly_says_nothing() {
        let rounded = |heads, tails| round(sign_test(heads, tails));
        assert_eq!([rounded(0, 0), rounded(3, 3), rounded(1, 0)], [1.0, 1.0, 1.0]);
        assert_eq!([rounded(8, 1), rounded(1, 8), rounded(10, 0)], [0.0391, 0.0391, 0.002], "a table of the binomial");
    }

    #[test]
    fn a_change_is_seen_from_both_sides() {
        let mut change = Change::default();
        let (right, wrong) = (Some(true), Some(false));
        for (before, after) in [(wrong, None), (wrong, right), (right, right), (right, None), (None, wrong)] {
            change.add(before, after);
        }
        let row = ChangeRow::of("ours", 2, &[change, Change::default()]);
        assert_eq!((row.wrong_stopped.some, row.wrong_stopped.of), (0.4, 0.4));
        assert_eq!((row.right_lost.some, row.right_lost.of), (0.2, 0.4));
        assert_eq!((row.newly_right, row.newly_wrong), (0.2, 0.2));
    }
}
