//! Samples that failed examples, and what they say about those that pass.
//!
//! How many wrong programs fail no example is extrapolated from how many fail exactly one and how many fail
//! more, as ecologists extrapolate from species seen once and twice to those never seen (Chao 1984).
//!
//! And each sample that failed says how likely it was to: a program that does as the winner on a share `a` of
//! the inputs like the examples passes `m` such examples with a chance of `aᵐ`. So for each one that was
//! caught `aᵐ / (1 - aᵐ)` are to be expected that were not (Horvitz and Thompson 1952).

use super::Fingerprint;
use super::consensus::SHARE;

/// A gate of so many examples, which so many samples failed by far and hardly any by one example, is worth
/// a vote of its own.
pub(super) const STRICT_EXAMPLES: u32 = 3;
/// How many samples have to fail before anything is concluded from them.
const ENOUGH: usize = 8;
/// How many that fail by far there must be for each near miss then.
const STRICT_RATIO: u32 = 10;

/// Votes that it is worth when nobody passes by luck.
pub(super) const NO_LUCK: u32 = 2;
/// Fewer wrong programs than this must be expected to pass then: a vote counts as much as [`SHARE`] to one.
const LUCK: f64 = 1.0 / (SHARE * SHARE) as f64;

/// The samples that failed, so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Misses {
    /// Examples that a candidate passes before it votes.
    examples: u32,
    /// Samples that failed exactly one example.
    near: u32,
    /// Samples that failed more.
    far: u32,
    /// What those do whose behaviour is known.
    known: Vec<Known>,
    /// Near misses whose behaviour is not known: each could be the winner's twin.
    dark: u32,
}

/// What one of them does.
#[derive(Debug, Clone)]
struct Known {
    behaviour: Fingerprint,
    /// Its answers as numbers, in the order of the votes' inputs; `None` on inputs that do not count or that it was
    /// not asked.
    says: Vec<Option<u32>>,
}

impl Misses {
    /// None yet, of candidates that so many examples are put to.
    pub fn of(examples: u32) -> Self {
        Self { examples, ..Self::default() }
    }

    /// One more; with what it does where that is known.
    pub fn add(&mut self, is_near: bool, behaviour: Option<Fingerprint>) {
        match is_near {
            true => self.near += 1,
            false => self.far += 1,
        }
        match behaviour {
            Some(behaviour) => self.known.push(Known { behaviour, says: Vec::new() }),
            None => self.dark += u32::from(is_near),
        }
    }

    /// Puts what is known in the order of `inputs`, each with whether it is beyond the examples; `number` is what an
    /// outcome's answer is called.
    pub fn line_up(&mut self, inputs: &[(String, bool)], mut number: impl FnMut(&str) -> u32) {
        for known in self.known.iter_mut().filter(|k| k.says.is_empty()) {
            let mut next = known.behaviour.outcomes.iter().peekable();
            for (input, is_beyond) in inputs {
                // As a rule both have one order; else an input has to be looked for.
                let found = next.next_if(|(own, _)| own == input);
                let found = found.or_else(|| known.behaviour.outcomes.iter().find(|(own, _)| own == input));
                known.says.push(found.filter(|_| !is_beyond).map(|(_, outcome)| number(outcome)));
            }
        }
    }

    /// The order of the inputs is no longer the one that was lined up for.
    pub fn forget_order(&mut self) {
        self.known.iter_mut().for_each(|k| k.says.clear());
    }

    /// Wrong programs among those that pass: n1²/2(n2+1) when n1 fail by one example and n2 by more, and no more
    /// than n1. A single example tells no near miss from any other; a fourth of them is what we take.
    pub fn unseen(&self) -> u32 {
        let (near, far) = (u64::from(self.near), u64::from(self.far));
        let unseen = if self.examples < 2 { near.div_ceil(4) } else { (near * near).div_ceil(2 * (far + 1)).min(near) };
        u32::try_from(unseen).unwrap_or(u32::MAX)
    }

    /// Whether many fail by far, and hardly any narrowly.
    pub fn are_far(&self) -> bool {
        self.examples >= STRICT_EXAMPLES
            && self.far as usize >= ENOUGH
            && self.near.saturating_mul(STRICT_RATIO) <= self.far
    }

    /// Examples that a candidate passes before it votes.
    pub fn examples(&self) -> u32 {
        self.examples
    }

    /// Whether those to come could show what [`are_unlike`](Self::are_unlike) asks for. While nothing is known of
    /// any, so many would have to fail that no sample is left to vote.
    pub fn may_be_unlike(&self) -> bool {
        !self.known.is_empty() && self.dark == 0 && self.examples > 0
    }

    /// Whether enough failed that do so little as the winner that none like them passes by luck. `winner` has its
    /// answers in the order of the inputs.
    pub fn are_unlike(&self, winner: &[u32]) -> bool {
        if self.known.len() < ENOUGH || !self.may_be_unlike() {
            return false;
        }
        let lucky: f64 = self.known.iter().map(|known| known.lucky(winner, self.examples)).sum();
        lucky <= LUCK
    }
}

impl Known {
    /// How many like it are to be expected that passed.
    fn lucky(&self, winner: &[u32], examples: u32) -> f64 {
        let asked = || self.says.iter().zip(winner).filter_map(|(own, theirs)| Some((own.as_ref()?, theirs)));
        if asked().next().is_none() {
            return f64::INFINITY;
        }
        let alike = asked().filter(|(own, theirs)| own == theirs).count() as f64;
        // Half an input more, and half of it alike: few inputs show little.
        let share = (alike + 0.5) / (asked().count() as f64 + 1.0);
        let chance = share.powf(f64::from(examples));
        chance / (1.0 - chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs `f(0)`, `f(1)`, …; each of `failed` gives one answer per input, a blank where it was not asked.
    fn misses(examples: u32, inputs: usize, failed: &[&str]) -> Misses {
        let mut misses = Misses::of(examples);
        for answers in failed {
            let outcomes = answers.chars().enumerate().filter(|(_, c)| *c != ' ');
            let outcomes = outcomes.map(|(n, c)| (format!("f({n})"), c.to_string())).collect();
            misses.add(false, Some(Fingerprint { outcomes }));
        }
        let inputs: Vec<(String, bool)> = (0..inputs).map(|n| (format!("f({n})"), false)).collect();
        misses.line_up(&inputs, |answer| answer.parse().unwrap());
        misses
    }

    /// The winner answers 1 everywhere.
    fn are_unlike(examples: u32, failed: &[&str]) -> bool {
        misses(examples, 10, failed).are_unlike(&[1; 10])
    }

    #[test]
    fn what_does_nothing_as_the_winner_does_not_pass_by_luck() {
        assert!(are_unlike(2, &["2222222222"; 8]), "8 · (1/22)² is 0.017");
        assert!(!are_unlike(2, &["2222222222"; 7]), "seven are too few to conclude anything from");
        assert!(!are_unlike(1, &["2222222222"; 8]), "8 · 1/22 is more than 1/16: one example is passed sooner");
        assert!(!are_unlike(0, &["2222222222"; 8]), "without examples nothing was failed");
        assert!(!are_unlike(2, &["2222"; 8]), "8 · (1/10)² is 0.08: four inputs show less than ten");
        assert!(!are_unlike(20, &["          "; 8]), "and none show nothing");
    }

    #[test]
    fn one_that_does_much_as_the_winner_is_enough_to_doubt() {
        let mut failed = vec!["2222222222"; 12];
        assert!(are_unlike(3, &failed));
        failed.push("1111112222");
        assert!(!are_unlike(3, &failed), "(6.5/11)³ is 0.2");
        assert!(are_unlike(9, &failed), "nine examples are another matter");
    }

    #[test]
    fn a_near_miss_of_unknown_behaviour_could_be_a_twin() {
        let mut misses = misses(3, 10, &["2222222222"; 9]);
        misses.add(false, None);
        assert!(misses.are_unlike(&[1; 10]), "what cannot even be run passes nothing");
        misses.add(true, None);
        assert!(!misses.are_unlike(&[1; 10]));
    }

    #[test]
    fn inputs_beyond_the_examples_do_not_count() {
        let mut misses = misses(2, 10, &["1111122222"; 8]);
        misses.forget_order();
        let inputs: Vec<(String, bool)> = (0..10).map(|n| (format!("f({n})"), n < 5)).collect();
        misses.line_up(&inputs, |answer| answer.parse().unwrap());
        assert!(misses.are_unlike(&[1; 10]), "the five that are like the winner's; 8 · (0.5/6)² is 0.056");
    }

    #[test]
    fn inputs_in_another_order_are_found() {
        let mut misses = misses(2, 10, &["1111122222"; 8]);
        assert!(!misses.are_unlike(&[1; 10]));
        misses.forget_order();
        let inputs: Vec<(String, bool)> = (0..10).rev().map(|n| (format!("f({n})"), false)).collect();
        misses.line_up(&inputs, |answer| answer.parse().unwrap());
        assert!(!misses.are_unlike(&[2, 2, 2, 2, 2, 1, 1, 1, 1, 1]), "the same answers");
        assert!(misses.are_unlike(&[1, 1, 1, 1, 1, 2, 2, 2, 2, 2]), "none of them");
    }
}
