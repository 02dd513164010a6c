//! CodeT's agreement score (arXiv 2207.10397): candidates that pass the same generated tests form a set,
//! and a set is worth its candidates times its tests. Candidates vouch for tests and tests for
//! candidates, so false tests, which few candidates pass, weigh little.

use std::collections::{BTreeMap, BTreeSet};

use super::tally::VoteId;

/// One set of candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The samples whose candidates pass exactly these tests.
    pub voters: BTreeSet<VoteId>,
    /// The tests.
    pub tests: BTreeSet<usize>,
}

impl Agreement {
    /// Candidates times tests.
    pub fn score(&self) -> u64 {
        self.voters.len() as u64 * self.tests.len() as u64
    }
}

/// The sets, highest score first; ties go to more voters, then to the set of the earliest sample.
pub fn agreement(passed: &BTreeMap<VoteId, BTreeSet<usize>>) -> Vec<Agreement> {
    let mut sets: BTreeMap<&BTreeSet<usize>, BTreeSet<VoteId>> = BTreeMap::new();
    for (voter, tests) in passed {
        sets.entry(tests).or_default().insert(*voter);
    }
    let mut all: Vec<Agreement> =
        sets.into_iter().map(|(tests, voters)| Agreement { voters, tests: tests.clone() }).collect();
    all.sort_by(|a, b| {
        let first = |s: &Agreement| s.voters.first().copied();
        b.score().cmp(&a.score()).then(b.voters.len().cmp(&a.voters.len())).then(first(a).cmp(&first(b)))
    });
    all
}

/// Whether a set without any of `voters` has a higher score than every set with one of them. Without such
/// a set, or without tests, there is nothing to object.
pub fn speaks_against(sets: &[Agreement], voters: &BTreeSet<VoteId>) -> bool {
    let best = |own: bool| {
        let matching = sets.iter().filter(|s| s.voters.is_disjoint(voters) != own);
        matching.map(Agreement::score).max().unwrap_or(0)
    };
    best(false) > best(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sets(passed: &[&[usize]]) -> Vec<Agreement> {
        let passed = passed.iter().enumerate().map(|(id, tests)| (id as u64, tests.iter().copied().collect()));
        agreement(&passed.collect())
    }

    #[test]
    fn a_set_is_worth_its_candidates_times_its_tests() {
        // Two candidates that pass three tests outweigh three that pass one, false test or not.
        let found = sets(&[&[0], &[1, 2, 3], &[0], &[1, 2, 3], &[0], &[]]);
        let scores: Vec<(u64, usize, usize)> =
            found.iter().map(|s| (s.score(), s.voters.len(), s.tests.len())).collect();
        assert_eq!(scores, [(6, 2, 3), (3, 3, 1), (0, 1, 0)]);
        assert!(speaks_against(&found, &BTreeSet::from([0, 2, 4])));
        assert!(!speaks_against(&found, &BTreeSet::from([1, 3])));
        assert!(speaks_against(&found, &BTreeSet::from([5])));
    }

    #[test]
    fn a_tie_and_no_tests_object_to_nothing() {
        let tie = sets(&[&[0], &[1]]);
        assert!(!speaks_against(&tie, &BTreeSet::from([0])) && !speaks_against(&tie, &BTreeSet::from([1])));
        let nothing = sets(&[&[], &[]]);
        assert!(!speaks_against(&nothing, &BTreeSet::from([0])));
        assert!(!speaks_against(&[], &BTreeSet::new()));
    }

    proptest! {
        #[test]
        fn every_voter_is_in_one_set_and_the_best_comes_first(passed in prop::collection::btree_map(0u64..30, prop::collection::btree_set(0usize..5, 0..5), 0..20)) {
            let found = agreement(&passed);
            let members: usize = found.iter().map(|s| s.voters.len()).sum();
            prop_assert_eq!(members, passed.len());
            for set in &found {
                prop_assert!(set.score() <= found[0].score());
                for voter in &set.voters {
                    prop_assert_eq!(&passed[voter], &set.tests);
                }
            }
            if let Some(best) = found.first() {
                prop_assert!(!speaks_against(&found, &best.voters), "the best set is spoken for");
            }
        }
    }
}
