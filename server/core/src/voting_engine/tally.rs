//! Counting votes. Every vote has an id and counts once, however often it is delivered.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::report::ClassVotes;

/// Identifies one vote of one step: the number of the sample that cast it.
pub type VoteId = u64;

/// What the votes say so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A class is ahead of every other by k.
    Decided(String),
    /// Not yet.
    Open,
}

/// Votes per behaviour class. Pure and order-independent: the same set of votes gives the same
/// counts in whatever order, and with whatever repetitions, it arrives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    votes: BTreeMap<VoteId, String>,
    /// Classes that lost in verification and may not win any more.
    barred: BTreeSet<String>,
}

impl Tally {
    /// Counts a vote; `false` when this id has voted before (the first vote stands).
    pub fn cast(&mut self, id: VoteId, class: impl Into<String>) -> bool {
        match self.votes.entry(id) {
            std::collections::btree_map::Entry::Occupied(_) => false,
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(class.into());
                true
            }
        }
    }

    /// Forbids a class to win: its winner failed verification.
    pub fn bar(&mut self, class: &str) {
        self.barred.insert(class.to_owned());
    }

    /// Classes that may not win.
    pub fn barred(&self) -> impl Iterator<Item = &str> {
        self.barred.iter().map(String::as_str)
    }

    /// Votes counted, the barred included.
    pub fn total(&self) -> usize {
        self.votes.len()
    }

    /// The class of every vote, in the order of their ids, the barred included.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.votes.values().map(String::as_str)
    }

    /// Votes per class that may still win, most first, ties by name.
    pub fn standing(&self) -> Vec<ClassVotes> {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for class in self.votes.values().filter(|c| !self.barred.contains(*c)) {
            *counts.entry(class).or_default() += 1;
        }
        let mut out: Vec<_> =
            counts.into_iter().map(|(class, votes)| ClassVotes { class: class.to_owned(), votes }).collect();
        out.sort_by(|a, b| b.votes.cmp(&a.votes).then_with(|| a.class.cmp(&b.class)));
        out
    }

    /// Lead of the first class over the second; 0 without votes.
    pub fn margin(&self) -> u32 {
        let standing = self.standing();
        match standing.as_slice() {
            [] => 0,
            [only] => only.votes,
            [first, second, ..] => first.votes - second.votes,
        }
    }

    /// Whether a class is ahead of every other by `k`; a `k` of 0 counts as 1.
    pub fn decision(&self, k: u32) -> Decision {
        let standing = self.standing();
        match standing.first() {
            Some(first) if self.margin() >= k.max(1) => Decision::Decided(first.class.clone()),
            _ => Decision::Open,
        }
    }

    /// Ids of the votes for a class, in order.
    pub fn voters(&self, class: &str) -> Vec<VoteId> {
        self.votes.iter().filter(|(_, c)| *c == class).map(|(id, _)| *id).collect()
    }

    /// How many more votes, all for one class, would decide at best.
    pub fn votes_needed(&self, k: u32) -> u32 {
        k.max(1).saturating_sub(self.margin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(votes: &[&str]) -> Tally {
        let mut t = Tally::default();
        for (i, v) in votes.iter().enumerate() {
            t.cast(i as u64, *v);
        }
        t
    }

    #[test]
    fn first_to_be_ahead_by_k() {
        assert_eq!(tally(&[]).decision(1), Decision::Open);
        assert_eq!(tally(&["a", "a"]).decision(3), Decision::Open);
        assert_eq!(tally(&["a", "a", "a"]).decision(3), Decision::Decided("a".into()));
        assert_eq!(tally(&["a", "b", "a", "a"]).decision(3), Decision::Open);
        assert_eq!(tally(&["a", "b", "a", "a", "a"]).decision(3), Decision::Decided("a".into()));
        assert_eq!(tally(&["a", "b"]).decision(0), Decision::Open, "a tie never decides");
    }

    #[test]
    fn a_barred_class_cannot_win_and_does_not_stand_in_the_way() {
        let mut t = tally(&["a", "a", "a", "b", "b"]);
        t.bar("a");
        assert_eq!(t.decision(2), Decision::Decided("b".into()));
        assert_eq!(t.votes_needed(3), 1);
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_delivery_do_not_matter(
            votes in prop::collection::vec(0u8..4, 0..40),
            order in prop::collection::vec(0usize..40, 0..200),
            k in 0u32..6,
        ) {
            let mut straight = Tally::default();
            for (i, v) in votes.iter().enumerate() { straight.cast(i as u64, v.to_string()); }
            let mut shuffled = Tally::default();
            for &i in order.iter().filter(|&&i| i < votes.len()) { shuffled.cast(i as u64, votes[i].to_string()); }
            for (i, v) in votes.iter().enumerate().rev() { shuffled.cast(i as u64, v.to_string()); }
            prop_assert_eq!(straight.decision(k), shuffled.decision(k));
            prop_assert_eq!(&straight, &shuffled);
        }

        #[test]
        fn the_winner_really_is_ahead(votes in prop::collection::vec(0u8..4, 0..40), k in 1u32..6) {
            let mut t = Tally::default();
            for (i, v) in votes.iter().enumerate() { t.cast(i as u64, v.to_string()); }
            if let Decision::Decided(winner) = t.decision(k) {
                let count = |c: &str| votes.iter().filter(|v| v.to_string() == c).count() as u32;
                for rival in (0..4u8).map(|c| c.to_string()).filter(|c| *c != winner) {
                    prop_assert!(count(&winner) >= count(&rival) + k);
                }
            }
        }
    }
}
