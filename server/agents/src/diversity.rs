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

/// How often the task can be said over again in other words.
pub const PARAPHRASES: u8 = 2;

/// How one prompt differs from another of the same task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// How the coder goes about it.
    pub style: CoderStyle,
    /// Seed of the order of the examples; 0 keeps the written order.
    pub example_order: u64,
    /// In which other words the task is said over again; 0 is none.
    pub paraphrase: u8,
}

/// The variant of a sample: the first vote sees the spec as written. Then it is turned further the longer
/// agreement takes: through the styles, with shuffled examples, and said over again in other words.
pub fn variation(sample: u64, seed: u64) -> Variant {
    let styles = CoderStyle::ALL;
    let style = styles[(sample as usize) % styles.len()];
    let turn = sample / styles.len() as u64;
    let paraphrase = if turn < 2 { 0 } else { 1 + (turn % u64::from(PARAPHRASES)) as u8 };
    Variant { style, example_order: if turn == 0 { 0 } else { seed | 1 }, paraphrase }
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
        assert_eq!(variation(0, 99), Variant { style: CoderStyle::Plain, example_order: 0, paraphrase: 0 });
        let styles: BTreeSet<_> = (0..8).map(|i| format!("{:?}", variation(i, 5).style)).collect();
        assert_eq!(styles.len(), CoderStyle::ALL.len());
        let paraphrases: Vec<u8> = (0..20).step_by(4).map(|i| variation(i, 5).paraphrase).collect();
        assert_eq!(paraphrases, [0, 0, 1, 2, 1], "the longer it takes, the more is turned");
        let orders: Vec<u64> = (0..12).step_by(4).map(|i| variation(i, 5).example_order).collect();
        assert_eq!(orders, [0, 5, 5]);
    }

    #[test]
    fn diversity_is_the_share_of_distinct_classes() {
        assert_eq!(distinct_share(["a", "a", "b", "b"]), Some(0.5));
        assert_eq!(distinct_share([]), None);
    }
}
