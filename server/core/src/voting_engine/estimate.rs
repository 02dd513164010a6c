//! What the votes of a step say of p, while they come in.
//!
//! A vote stops when it is decided, so an interval for a fixed number of trials would be too narrow:
//! votes that agree by luck stop early. The interval here holds at *every* moment, whatever made the
//! vote stop: the set of all p that a bet against them has not yet refuted (Robbins' mixture with the
//! uniform prior; Howard et al., arXiv 1810.08240). It contains the true p throughout with 95 %.

use serde::{Deserialize, Serialize};

/// One minus the confidence.
const ALPHA: f64 = 0.05;

/// The share of votes that agree with the leading class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The share itself. A vote that stopped early is likely to look better than it is: plan with
    /// `low`.
    pub p: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Votes it rests on.
    pub votes: u32,
}

impl Estimate {
    /// From `agreeing` of `votes` votes; `None` without any.
    pub fn of(agreeing: u32, votes: u32) -> Option<Self> {
        if votes == 0 {
            return None;
        }
        let agreeing = agreeing.min(votes);
        let p = f64::from(agreeing) / f64::from(votes);
        let (s, f) = (f64::from(agreeing), f64::from(votes - agreeing));
        // ln of s! f! / (n + 1)!, the chance of these very votes when every p is as likely.
        let bet = ln_factorial(agreeing) + ln_factorial(votes - agreeing) - ln_factorial(votes + 1);
        let term = |count: f64, rate: f64| if count == 0.0 { 0.0 } else { count * rate.ln() };
        let stands = |q: f64| term(s, q) + term(f, 1.0 - q) > bet + ALPHA.ln();
        // Four digits, outward: more would not come back the same from a journal.
        let (low, high) = (edge(p, 0.0, stands), edge(p, 1.0, stands));
        Some(Self {
            p: (p * 1e4).round() / 1e4,
            low: (low * 1e4).floor() / 1e4,
            high: (high * 1e4).ceil() / 1e4,
            votes,
        })
    }
}

fn ln_factorial(n: u32) -> f64 {
    (2..=n).map(|i| f64::from(i).ln()).sum()
}

/// Where between `inside`, which stands, and `end` standing ends; `end` itself when that stands too.
fn edge(inside: f64, end: f64, stands: impl Fn(f64) -> bool) -> f64 {
    if stands(end) {
        return end;
    }
    let (mut good, mut bad) = (inside, end);
    for _ in 0..60 {
        let middle = f64::midpoint(good, bad);
        if stands(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in 0..1, the same in every run (splitmix64).
    fn uniform(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    #[test]
    fn more_votes_tell_more() {
        assert_eq!(Estimate::of(0, 0), None);
        let few = Estimate::of(3, 3).unwrap();
        assert!((few.p, few.high) == (1.0, 1.0) && (few.low - 0.232).abs() < 1e-3, "{few:?}");
        let many = Estimate::of(300, 300).unwrap();
        assert!(many.low > 0.97, "{many:?}");
        let split = Estimate::of(50, 100).unwrap();
        assert!(split.low < 0.5 && split.high > 0.5 && (split.low + split.high - 1.0).abs() < 1e-9, "{split:?}");
        assert_eq!(Estimate::of(9, 3).map(|e| e.p), Some(1.0), "more that agree than votes are all of them");
        let none = Estimate::of(0, 4).unwrap();
        assert!(none.low == 0.0 && none.high < 0.75, "{none:?}");
    }

    #[test]
    fn it_holds_when_the_vote_stops_as_soon_as_it_is_decided() {
        let mut state = 1;
        for p in [0.55, 0.7, 0.9] {
            let rounds = 4000;
            let mut missed = 0;
            for _ in 0..rounds {
                let (mut right, mut votes) = (0u32, 0u32);
                while (2 * i64::from(right) - i64::from(votes)).abs() < 3 {
                    right += u32::from(uniform(&mut state) < p);
                    votes += 1;
                }
                let e = Estimate::of(right, votes).unwrap();
                missed += u32::from(p < e.low || p > e.high);
            }
            assert!(f64::from(missed) <= 0.05 * f64::from(rounds), "p {p}: {missed} of {rounds} intervals miss it");
        }
    }
}
