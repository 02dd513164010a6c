//! A lead that follows the votes, so that a whole plan is right with a wanted chance.
//!
//! The lead begins at [`k_min`] for the assumed p and the number of steps. Votes that split more than
//! that p lets expect lower it for this step, and the lead grows; votes that agree never shrink it below
//! where it began. So a step is never less sure than under a fixed lead: a walk that must climb higher
//! ends wrong less often. That votes agree by luck at first buys nothing.

use serde::{Deserialize, Serialize};

use super::theory::{TheoryError, k_min};

/// As many imagined votes as the assumption is worth.
const WEIGHT: f64 = 10.0;
/// At one half no lead helps; what looks so bad is treated as barely better.
const WORST: f64 = 0.51;

/// What a step of a plan aims at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aim {
    /// Chance that a sample is right, as assumed before the votes.
    pub p: f64,
    /// Chance that the whole plan is to be right.
    pub target: f64,
    /// Steps of the plan.
    pub steps: u64,
}

impl Aim {
    /// The lead that decides before any vote.
    ///
    /// # Errors
    /// When p or the target is out of range, or there is no step.
    pub fn first_lead(&self) -> Result<u32, TheoryError> {
        k_min(self.p, self.target, self.steps, 1)
    }

    /// The lead that decides when `first` votes are for the leading class and `others` for any other.
    /// `None` when the aim itself has no answer.
    pub fn lead(&self, first: u32, others: u32) -> Option<u32> {
        let seen = f64::from(first) + f64::from(others);
        let p = (WEIGHT * self.p + f64::from(first)) / (WEIGHT + seen);
        k_min(p.min(self.p).max(WORST), self.target, self.steps, 1).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::theory::p_full;
    use super::*;
    use proptest::prelude::*;

    /// Numbers in 0..1, the same in every run (splitmix64).
    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    #[test]
    fn agreement_keeps_the_lead_and_a_split_raises_it() {
        let aim = Aim { p: 0.8, target: 0.95, steps: 10 };
        assert_eq!(aim.first_lead(), Ok(4));
        let leads: Vec<_> = [(4, 0), (4, 2), (6, 6), (10, 30)].iter().map(|(a, b)| aim.lead(*a, *b)).collect();
        assert_eq!(leads, [Some(4), Some(5), Some(10), Some(132)]);
        assert_eq!(Aim { steps: 1, ..aim }.first_lead(), Ok(3), "a short plan needs less");
        assert_eq!(Aim { steps: 1000, ..aim }.first_lead(), Ok(8), "and a long one more");
        assert!(Aim { p: 0.5, ..aim }.first_lead().is_err() && Aim { target: 1.0, ..aim }.first_lead().is_err());
    }

    /// Share of plans of ten steps that end right when samples are right with `p`.
    fn reliability(aim: Aim, p: f64, state: &mut u64) -> f64 {
        let plans = 3000;
        let step = |state: &mut u64| {
            let (mut right, mut wrong) = (0u32, 0u32);
            loop {
                if uniform(state) < p {
                    right += 1
                } else {
                    wrong += 1
                }
                let (first, others) = (right.max(wrong), right.min(wrong));
                if first - others >= aim.lead(first, others).unwrap() {
                    return right > wrong;
                }
            }
        };
        let right = (0..plans).filter(|_| (0..aim.steps).all(|_| step(state))).count();
        right as f64 / f64::from(plans)
    }

    #[test]
    fn a_plan_is_as_reliable_as_wanted_and_less_harmed_by_a_wrong_assumption() {
        let mut state = 7;
        let aim = Aim { p: 0.8, target: 0.95, steps: 10 };
        for p in [0.8, 0.9, 0.99] {
            let reached = reliability(aim, p, &mut state);
            assert!(reached >= 0.95, "p {p}: {reached}");
        }
        let fixed = p_full(0.7, 4, 10, 1);
        let reached = reliability(aim, 0.7, &mut state);
        assert!(reached > fixed + 0.1, "assumed .8, is .7: {reached} with a lead that follows, {fixed} with 4");
    }

    proptest! {
        #[test]
        fn never_below_where_it_began(
            p in 0.51f64..0.999, target in 0.5f64..0.999, steps in 1u64..1000, first in 0u32..500, others in 0u32..500,
        ) {
            let aim = Aim { p, target, steps };
            prop_assert!(aim.lead(first, others).unwrap() >= aim.first_lead().unwrap());
        }
    }
}
