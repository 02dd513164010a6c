//! Drawing the next token: seeded, so that a sample can be repeated in any process.
//!
//! mistral.rs draws from one generator per engine with a constant seed, shared by all requests:
//! what one vote gets depends on what the others drew before, and every fresh process draws the
//! same. Here each request owns its generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Chooses tokens for one request.
#[derive(Debug, Clone)]
pub struct Sampler {
    temperature: f64,
    top_p: f64,
    rng: ChaCha8Rng,
}

/// Below `max - CUT * T` a token's chance is under 1e-13 of the best one's: not worth an `exp`.
const CUT: f64 = 30.0;

impl Sampler {
    /// `temperature` 0 is greedy; `top_p` of 1 (or anything outside `0..1`) switches the nucleus off.
    pub fn new(temperature: f64, top_p: f64, seed: u64) -> Self {
        Self { temperature, top_p, rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The next token's id; the last of equals when greedy, 0 for empty or unusable logits.
    ///
    /// Each call draws afresh, so choosing again from masked logits when a grammar refused the
    /// first choice gives exactly the distribution conditioned on the grammar:
    /// `p(t) + (1 - P) p(t)/P = p(t)/P`.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        let (best, top) = argmax(logits);
        if self.temperature < 1e-6 || !top.is_finite() {
            return best;
        }
        let scale = 1.0 / self.temperature;
        let floor = f64::from(top) - CUT * self.temperature;
        let mut weights: Vec<(u32, f64)> = Vec::with_capacity(256);
        for (id, &logit) in (0u32..).zip(logits) {
            if f64::from(logit) > floor {
                weights.push((id, ((f64::from(logit) - f64::from(top)) * scale).exp()));
            }
        }
        if self.top_p > 0.0 && self.top_p < 1.0 {
            keep_nucleus(&mut weights, self.top_p);
        }
        let total: f64 = weights.iter().map(|w| w.1).sum();
        let mut left = self.uniform() * total;
        for &(id, weight) in &weights {
            left -= weight;
            if left < 0.0 {
                return id;
            }
        }
        weights.last().map_or(best, |w| w.0)
    }

    /// Uniform in `[0, 1)` with 53 bits.
    fn uniform(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn argmax(logits: &[f32]) -> (u32, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (id, &logit) in (0u32..).zip(logits) {
        if logit >= best.1 {
            best = (id, logit);
        }
    }
    best
}

/// Keeps the smallest set of most likely tokens whose chances sum to at least `top_p`.
fn keep_nucleus(weights: &mut Vec<(u32, f64)>, top_p: f64) {
    weights.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let enough = top_p * weights.iter().map(|w| w.1).sum::<f64>();
    let mut sum = 0.0;
    let kept = weights.iter().take_while(|w| {
        let open = sum < enough;
        sum += w.1;
        open
    });
    let kept = kept.count();
    weights.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Share of each token in `n` draws with different seeds.
    fn shares(logits: &[f32], temperature: f64, top_p: f64, n: u64) -> Vec<f64> {
        let mut counts = vec![0.0; logits.len()];
        for seed in 0..n {
            counts[Sampler::new(temperature, top_p, seed).choose(logits) as usize] += 1.0;
        }
        counts.into_iter().map(|c| c / n as f64).collect()
    }

    fn close(got: &[f64], want: &[f64]) -> bool {
        got.iter().zip(want).all(|(g, w)| (g - w).abs() < 0.012)
    }

    #[test]
    fn draws_follow_softmax_at_any_temperature() {
        // Chances 1/2, 1/4, 1/8, 1/8.
        let logits = [0.5f32, 0.25, 0.125, 0.125].map(f32::ln);
        assert!(close(&shares(&logits, 1.0, 1.0, 20_000), &[0.5, 0.25, 0.125, 0.125]));
        // At T = 1/2 chances are squared: 16:4:1:1.
        assert!(close(&shares(&logits, 0.5, 1.0, 20_000), &[16.0 / 22.0, 4.0 / 22.0, 1.0 / 22.0, 1.0 / 22.0]));
        assert_eq!(shares(&logits, 0.0, 1.0, 50), [1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn the_nucleus_is_the_smallest_set_that_reaches_top_p() {
        let logits = [0.125f32, 0.5, 0.25, 0.125].map(f32::ln);
        assert!(close(&shares(&logits, 1.0, 0.7, 20_000), &[0.0, 2.0 / 3.0, 1.0 / 3.0, 0.0]));
        assert_eq!(shares(&logits, 1.0, 0.01, 50), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn choosing_again_after_a_refusal_keeps_the_conditional_distribution() {
        let logits = [0.5f32, 0.25, 0.125, 0.125].map(f32::ln);
        let mut masked = logits;
        masked[0] = f32::NEG_INFINITY;
        let mut counts = [0.0; 4];
        for seed in 0..20_000 {
            let mut sampler = Sampler::new(1.0, 1.0, seed);
            let first = sampler.choose(&logits);
            let token = if first == 0 { sampler.choose(&masked) } else { first };
            counts[token as usize] += 1.0 / 20_000.0;
        }
        assert!(close(&counts, &[0.0, 0.5, 0.25, 0.25]), "{counts:?}");
    }

    proptest! {
        #[test]
        fn a_seed_decides_everything_and_a_masked_token_is_never_chosen(
            mut logits in prop::collection::vec(-20f32..20.0, 2..50), seed: u64, temperature in 0f64..2.0, top_p in 0f64..1.2,
        ) {
            logits[0] = f32::NEG_INFINITY;
            let draw = || {
                let mut sampler = Sampler::new(temperature, top_p, seed);
                (0..5).map(|_| sampler.choose(&logits)).collect::<Vec<_>>()
            };
            let tokens = draw();
            prop_assert_eq!(&tokens, &draw());
            prop_assert!(tokens.iter().all(|&t| t != 0 && (t as usize) < logits.len()));
        }
    }
}
