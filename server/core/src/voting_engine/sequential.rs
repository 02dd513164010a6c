//! When to stop trying: the budget of attempts, and the leader that can no longer get there.

/// Why a step gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// All attempts are used.
    AttemptsUsed,
    /// Even if every remaining sample voted for the leader, it would not be ahead by k.
    OutOfReach,
}

/// Whether a step that `needed` more votes could decide at best, and that has `remaining` samples to come, should
/// give up.
pub fn give_up(needed: u32, remaining: u32) -> Option<GiveUp> {
    if remaining == 0 {
        return Some(GiveUp::AttemptsUsed);
    }
    (needed > remaining).then_some(GiveUp::OutOfReach)
}

/// How likely it is to be that samples drawn now decide without any more.
const LIKELY: f64 = 0.9;

/// The number of samples, at most `cap`, of which a class that is ahead by `margin` gets ahead by `lead`
/// with a chance of nine in ten, when a sample is valid with `valid` and a valid one votes for the
/// leader with `p`. In a tie whoever gets the next vote leads.
pub fn likely_needed(margin: u32, lead: u32, p: f64, valid: f64, cap: u32) -> u32 {
    let (Some(short), lead) = (lead.checked_sub(margin).filter(|m| *m > 0), lead as usize) else { return 0 };
    if short > cap {
        return cap;
    }
    // The chance of each margin that does not decide yet.
    let mut margins = vec![0.0; lead];
    margins[margin as usize] = 1.0;
    let mut decided = 0.0;
    for drawn in 1..=cap {
        let mut next = vec![0.0; lead];
        for (at, chance) in margins.iter().enumerate().filter(|(_, c)| **c > 0.0) {
            let up = if at == 0 { valid } else { valid * p };
            next[at] += chance * (1.0 - valid);
            match next.get_mut(at + 1) {
                Some(higher) => *higher += chance * up,
                None => decided += chance * up,
            }
            if at > 0 {
                next[at - 1] += chance * valid * (1.0 - p);
            }
        }
        if decided >= LIKELY {
            return drawn;
        }
        margins = next;
    }
    cap
}

/// Wilson score interval (95 %) of a mean of shares (from 0 to 1) over `n` independent trials, of which there may be
/// a broken number; `(0, 1)` without trials.
pub fn wilson(rate: f64, n: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    const Z: f64 = 1.959_963_984_540_054;
    let rate = rate.clamp(0.0, 1.0);
    let denominator = 1.0 + Z * Z / n;
    let centre = rate + Z * Z / (2.0 * n);
    let spread = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    (((centre - spread) / denominator).max(0.0), ((centre + spread) / denominator).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voting_engine::tally::Tally;

    #[test]
    fn gives_up_when_the_rest_cannot_decide() {
        let mut t = Tally::default();
        for (i, c) in ["a", "b", "a", "b"].iter().enumerate() {
            t.cast(i as u64, *c);
        }
        assert_eq!(give_up(t.votes_needed(3), 3), None);
        assert_eq!(give_up(t.votes_needed(3), 2), Some(GiveUp::OutOfReach));
        assert_eq!(give_up(t.votes_needed(3), 0), Some(GiveUp::AttemptsUsed));
    }

    #[test]
    fn enough_is_drawn_that_a_second_wave_is_rare() {
        assert_eq!(likely_needed(0, 3, 1.0, 1.0, 16), 3);
        assert_eq!(likely_needed(0, 3, 0.8, 1.0, 16), 7);
        assert_eq!(likely_needed(2, 3, 0.9, 1.0, 16), 1);
        assert_eq!(likely_needed(0, 1, 0.6, 1.0, 16), 1, "the first vote is ahead by one, whatever it says");
        assert_eq!(likely_needed(0, 1, 1.0, 0.5, 16), 4, "half of the samples are discarded");
        assert_eq!(likely_needed(0, 5, 0.5, 1.0, 16), 16, "never more than may be drawn");
        let none_missing_or_none_allowed = [likely_needed(3, 3, 0.8, 1.0, 4), likely_needed(0, 9, 0.8, 1.0, 4)];
        assert_eq!((none_missing_or_none_allowed, likely_needed(0, 1, 0.8, 1.0, 0)), ([0, 4], 0));
    }

    #[test]
    fn wilson_agrees_with_the_textbook() {
        let (low, high) = wilson(0.8, 10.0);
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3, "{low} {high}");
        assert_eq!(wilson(0.0, 0.0), (0.0, 1.0));
        assert_eq!(wilson(0.0, 5.0).0, 0.0);
    }
}
