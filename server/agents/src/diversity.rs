//! Making samples differ where their errors should not be shared, and measuring whether they do.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

use crate::archetypes::CoderStyle;

/// A seed for one purpose, derived from the run's seed so that equal runs draw equal samples.
pub fn derive_seed(run_seed: u64, step: &str, sample: u64) -> u64 {
    let mut state = run_seed ^ 0x9e37_79b9_7f4a_7c15;
    for byte in step.bytes().chain(sample.to_le_bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    ChaCha8Rng::seed_from_u64(state).random()
}

/// Style and example order of a sample: the first vote sees the spec as written, later ones take
/// turns through the styles with shuffled examples.
pub fn variation(sample: u64, seed: u64) -> (CoderStyle, u64) {
    if sample == 0 {
        return (CoderStyle::Plain, 0);
    }
    let styles = CoderStyle::ALL;
    let style = styles[(sample as usize) % styles.len()];
    (style, if sample < styles.len() as u64 { 0 } else { seed | 1 })
}

/// Share of distinct behaviour classes among the votes: 1 means that no two agree. `None` without
/// votes.
pub fn distinct_share<'a>(classes: impl IntoIterator<Item = &'a str>) -> Option<f64> {
    let mut seen = BTreeSet::new();
    let mut total = 0usize;
    for class in classes {
        seen.insert(class);
        total += 1;
    }
    // Four digits: more would not come back the same from a journal.
    (total > 0).then(|| (seen.len() as f64 / total as f64 * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_by_run_step_and_sample_and_repeat_exactly() {
        let all: BTreeSet<u64> = [(1, "f", 0), (1, "f", 1), (1, "g", 0), (2, "f", 0)]
            .into_iter()
            .map(|(r, s, n)| derive_seed(r, s, n))
            .collect();
        assert_eq!(all.len(), 4);
        assert_eq!(derive_seed(7, "f", 3), derive_seed(7, "f", 3));
    }

    #[test]
    fn the_first_vote_sees_the_spec_as_written() {
        assert_eq!(variation(0, 99), (CoderStyle::Plain, 0));
        let styles: BTreeSet<_> = (0..8).map(|i| format!("{:?}", variation(i, 5).0)).collect();
        assert_eq!(styles.len(), CoderStyle::ALL.len());
    }

    #[test]
    fn diversity_is_the_share_of_distinct_classes() {
        assert_eq!(distinct_share(["a", "a", "b", "b"]), Some(0.5));
        assert_eq!(distinct_share([]), None);
    }
}
