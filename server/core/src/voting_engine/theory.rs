//! How sure a vote is and what it costs (MAKER, arXiv 2511.09030, sections 3.1 and 3.2).
//!
//! `p` is the chance that one sample is right, taken against one worst-case rival; `k` the lead
//! that decides; `s` the steps of a plan; `m` the steps one agent does; `v` the share of samples
//! that raise no red flag.

/// The largest lead that is an answer: with more, one step takes millions of votes.
pub const LARGEST: u32 = 1_000_000;

/// What rounding leaves of a lead that would be a whole number.
const EXACT: f64 = 1e-9;

/// Why a formula has no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TheoryError {
    /// At or below one half voting makes things worse, not better.
    #[error(
        "p must be above 0.5 and below 1 (it is {0}): at one half or below no k helps, and at 1 there is nothing to vote on"
    )]
    HopelessP(f64),
    /// No lead that anybody could wait for reaches the target.
    #[error("with p {p} the lead would have to be larger than {}: that p is too near to one half", LARGEST)]
    HopelessLead {
        /// The chance that was given.
        p: f64,
    },
    /// No finite k reaches certainty.
    #[error("the target must be above 0 and below 1 (it is {0}): no finite k gives certainty")]
    ImpossibleTarget(f64),
    /// Nothing to do.
    #[error("there must be at least one step")]
    NoSteps,
}

fn check_p(p: f64) -> Result<(), TheoryError> {
    if p > 0.5 && p < 1.0 { Ok(()) } else { Err(TheoryError::HopelessP(p)) }
}

/// P(the right class wins one step) = 1 / (1 + ((1-p)/p)^k). Defined for 0 < p < 1.
pub fn p_win(p: f64, k: u32) -> f64 {
    1.0 / (1.0 + ((1.0 - p) / p).powi(k.min(i32::MAX as u32) as i32))
}

/// P(every step of the plan is right) = (1 + ((1-p)/p)^k)^(-s/m).
pub fn p_full(p: f64, k: u32, steps: u64, steps_per_agent: u64) -> f64 {
    let ratio = ((1.0 - p) / p).powi(k.min(i32::MAX as u32) as i32);
    (-(steps as f64 / steps_per_agent.max(1) as f64) * ratio.ln_1p()).exp()
}

/// The smallest k with `p_full >= target`: ceil(ln(t^(-m/s) - 1) / ln((1-p)/p)), at least 1.
///
/// # Errors
/// When `p` is not in (0.5, 1), `target` not in (0, 1), there is no step, or the lead would be above [`LARGEST`].
pub fn k_min(p: f64, target: f64, steps: u64, steps_per_agent: u64) -> Result<u32, TheoryError> {
    check_p(p)?;
    if !(target > 0.0 && target < 1.0) {
        return Err(TheoryError::ImpossibleTarget(target));
    }
    if steps == 0 {
        return Err(TheoryError::NoSteps);
    }
    // t^(-m/s) - 1, without losing the digits when m/s is tiny.
    let slack = (-(steps_per_agent.max(1) as f64 / steps as f64) * target.ln()).exp_m1();
    // A lead that is exact but for the last digits is that lead.
    let k = (slack.ln() / ((1.0 - p) / p).ln() - EXACT).ceil();
    if k > f64::from(LARGEST) {
        return Err(TheoryError::HopelessLead { p });
    }
    Ok(if k < 1.0 { 1 } else { k as u32 })
}

/// E[votes of one step] = (2 k P(win) - k) / (2p - 1): a random walk between -k and k.
///
/// # Errors
/// When `p` is not in (0.5, 1).
pub fn expected_votes(p: f64, k: u32) -> Result<f64, TheoryError> {
    check_p(p)?;
    let k_f = f64::from(k);
    Ok((2.0 * k_f * p_win(p, k) - k_f) / (2.0 * p - 1.0))
}

/// E[samples of a plan] = s/m * votes / (v p^(m-1)), with `valid` the share v of unflagged samples. Of samples that write
/// m steps only those count that are right up to the last one: they vote for the right answer or for its rival.
///
/// # Errors
/// When `p` is not in (0.5, 1).
pub fn expected_samples(p: f64, k: u32, steps: u64, steps_per_agent: u64, valid: f64) -> Result<f64, TheoryError> {
    let m = steps_per_agent.max(1) as f64;
    let counts = valid.clamp(f64::MIN_POSITIVE, 1.0) * p.powf(m - 1.0);
    Ok(steps as f64 / m * expected_votes(p, k)? / counts)
}

/// E[steps that are written for a plan], the unit of its cost: every sample writes m of them. It grows as
/// s k / (v p^(m-1) (2p-1)) (the paper's cost), so one step per agent is the cheapest.
///
/// # Errors
/// When `p` is not in (0.5, 1).
pub fn expected_cost(p: f64, k: u32, steps: u64, steps_per_agent: u64, valid: f64) -> Result<f64, TheoryError> {
    Ok(steps_per_agent.max(1) as f64 * expected_samples(p, k, steps, steps_per_agent, valid)?)
}

/// Share of steps that are still undecided after each of the first `rounds` samples, when every
/// undecided step gets one sample a round: a random walk between -k and k that stands still at a
/// flagged sample. Lead and votes are those against one worst-case rival.
pub fn undecided_after(p: f64, k: u32, valid: f64, rounds: usize) -> Vec<f64> {
    let (p, valid, k) = (p.clamp(0.0, 1.0), valid.clamp(0.0, 1.0), k.max(1) as usize);
    // `leads[i]`: chance of a lead of i + 1 - k, all of which decide nothing.
    let mut leads = vec![0.0; 2 * k - 1];
    leads[k - 1] = 1.0;
    (0..rounds)
        .map(|_| {
            let at = |i: usize| leads.get(i).copied().unwrap_or(0.0);
            leads = (0..leads.len())
                .map(|i| {
                    let from_below = i.checked_sub(1).map_or(0.0, at);
                    at(i) * (1.0 - valid) + valid * (p * from_below + (1.0 - p) * at(i + 1))
                })
                .collect();
            leads.iter().sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounds_of_the_walk_sum_up_to_the_expected_samples() {
        for (p, k, valid) in [(0.9978, 3, 0.973), (0.8, 4, 1.0), (0.6, 2, 0.5)] {
            let rounds = undecided_after(p, k, valid, 4000);
            let few = k as usize - 1;
            assert!(rounds[..few].iter().all(|u| (u - 1.0).abs() < 1e-12), "no lead of {k} after {few} samples");
            // A step takes one sample more than the rounds that it is undecided after.
            let samples = 1.0 + rounds.iter().sum::<f64>();
            let expected = expected_samples(p, k, 1, 1, valid).unwrap();
            assert!((samples / expected - 1.0).abs() < 1e-6, "{samples} is not {expected}");
        }
        assert_eq!(undecided_after(1.0, 2, 1.0, 3), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_walk_tells_the_published_rounds() {
        // 2.7 % flagged; the paper's errors are fewer than those of its model alone.
        let rounds = undecided_after(0.9995, 3, 0.973, 4);
        close(rounds[2] * 1_048_575.0 / 81_959.0, 1.03, 1);
    }

    fn close(a: f64, b: f64, digits: i32) {
        assert!((a - b).abs() < 0.5 * 10f64.powi(-digits) + 1e-9, "{a} is not {b}");
    }

    #[test]
    fn winning_chances_and_votes_of_the_published_table() {
        let rows = [
            (2, [(0.6, 0.692, 3.85), (0.7, 0.845, 3.45), (0.8, 0.941, 2.94), (0.9, 0.988, 2.44)]),
            (3, [(0.6, 0.771, 8.14), (0.7, 0.927, 6.41), (0.8, 0.985, 4.85), (0.9, 0.9986, 3.74)]),
        ];
        for (k, cells) in rows {
            for (p, win, votes) in cells {
                close(p_win(p, k), win, 3);
                close(expected_votes(p, k).unwrap(), votes, 2);
            }
        }
    }

    #[test]
    fn smallest_k_for_ten_steps() {
        for (p, k) in [(0.6, 13), (0.7, 7), (0.8, 4), (0.9, 3), (0.95, 2)] {
            assert_eq!(k_min(p, 0.95, 10, 1), Ok(k), "p {p}");
        }
    }

    #[test]
    fn smallest_k_of_the_papers_models_for_twenty_disks() {
        let steps = (1 << 20) - 1;
        for (error, k) in [
            (0.3571, 29),
            (0.0022, 3),
            (0.0040, 4),
            (0.0018, 3),
            (0.1839, 12),
            (0.0358, 6),
            (0.2342, 15),
            (0.0569, 6),
            (0.0393, 6),
        ] {
            assert_eq!(k_min(1.0 - error, 0.95, steps, 1), Ok(k), "error {error}");
        }
    }

    #[test]
    fn samples_of_the_papers_run() {
        // 1,048,575 steps with gpt-4.1-mini, k = 3, 2.7 % flagged: about 3.10 samples a step.
        let steps = (1 << 20) - 1;
        let samples = expected_samples(1.0 - 0.0022, 3, steps, 1, 1.0 - 0.027).unwrap();
        close(samples / steps as f64, 3.10, 2);
        assert!(p_full(1.0 - 0.0022, 3, steps, 1) > 0.95);
    }

    #[test]
    fn k_min_is_the_smallest_that_reaches_the_target() {
        for p in [0.55, 0.7, 0.9, 0.99] {
            for steps in [1, 10, 1000] {
                let k = k_min(p, 0.95, steps, 1).unwrap();
                assert!(p_full(p, k, steps, 1) >= 0.95);
                assert!(k == 1 || p_full(p, k - 1, steps, 1) < 0.95, "p {p} steps {steps} k {k}");
            }
        }
    }

    #[test]
    fn cost_is_that_of_the_paper_and_least_with_one_step_per_agent() {
        let (steps, valid) = (1200, 0.97);
        let cost = |p: f64, m: u64| {
            let k = k_min(p, 0.95, steps, m).unwrap();
            expected_cost(p, k, steps, m, valid).unwrap()
        };
        for p in [0.9, 0.99, 0.999] {
            for m in [1, 2, 5, 20] {
                let k = f64::from(k_min(p, 0.95, steps, m).unwrap());
                let asymptotic = steps as f64 * k / (valid * p.powf(m as f64 - 1.0) * (2.0 * p - 1.0));
                assert!((cost(p, m) / asymptotic - 1.0).abs() < 0.01, "p {p} m {m}");
            }
        }
        assert!(cost(0.9, 1) < cost(0.9, 5) && cost(0.9, 5) < cost(0.9, 20));
        assert_eq!(
            expected_samples(0.9, 3, 12, 4, 1.0),
            Ok(expected_samples(0.9, 3, 3, 1, 1.0).unwrap() / 0.9f64.powi(3))
        );
    }

    #[test]
    fn a_lead_that_just_reaches_the_target_is_enough() {
        for p in [0.55, 0.63, 0.7, 0.85, 0.9, 0.99] {
            assert_eq!(k_min(p, p, 1, 1), Ok(1), "one vote of {p}");
            let of_three = p.powi(3) / (p.powi(3) + (1.0 - p).powi(3));
            assert_eq!(k_min(p, of_three, 1, 1), Ok(3), "a lead of three at {p}");
        }
    }

    #[test]
    fn questions_without_an_answer_say_so() {
        for p in [0.5, 0.3, 1.0, f64::NAN] {
            assert!(matches!(k_min(p, 0.95, 10, 1), Err(TheoryError::HopelessP(_))));
        }
        for t in [0.0, 1.0, f64::NAN] {
            assert!(matches!(k_min(0.9, t, 10, 1), Err(TheoryError::ImpossibleTarget(_))));
        }
        assert_eq!(k_min(0.9, 0.95, 0, 1), Err(TheoryError::NoSteps));
        assert_eq!(k_min(0.500_000_001, 0.95, 10, 1), Err(TheoryError::HopelessLead { p: 0.500_000_001 }));
        let large = k_min(0.50001, 0.95, 10, 1).unwrap();
        assert!(p_full(0.50001, large, 10, 1) >= 0.95, "{large}");
    }
}
