//! A circuit breaker: after repeated failures a model or tool is left alone for a while.
//!
//! Pure: time is an argument, in milliseconds of any monotonic clock.

use serde::{Deserialize, Serialize};

/// When the breaker opens and how long it stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerConfig {
    /// Failures in a row that open it.
    pub failure_threshold: u32,
    /// How long it stays open before one probe is let through, in milliseconds.
    pub cool_down_ms: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failure_threshold: 5, cool_down_ms: 30_000 }
    }
}

/// The state that users see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Calls are refused until the given time.
    Open {
        /// When a probe may pass.
        until_ms: u64,
    },
    /// One probe is under way; all else is refused.
    HalfOpen,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitBreaker {
    config: BreakerConfig,
    failures: u32,
    state: BreakerState,
}

impl CircuitBreaker {
    /// A closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        Self { config, failures: 0, state: BreakerState::Closed }
    }

    /// The state, for `status`.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether a call may be made now. The first call after the cool-down is the probe.
    pub fn try_acquire(&mut self, now_ms: u64) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::HalfOpen => false,
            BreakerState::Open { until_ms } if now_ms >= until_ms => {
                self.state = BreakerState::HalfOpen;
                true
            }
            BreakerState::Open { .. } => false,
        }
    }

    /// A call that was let through has ended.
    pub fn record(&mut self, success: bool, now_ms: u64) {
        if success {
            self.failures = 0;
            self.state = BreakerState::Closed;
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.state == BreakerState::HalfOpen || self.failures >= self.config.failure_threshold {
            self.state = BreakerState::Open { until_ms: now_ms.saturating_add(self.config.cool_down_ms) };
        }
    }

    /// A call that was let through was cancelled: it says nothing about the callee, but a
    /// cancelled probe must let the next one try.
    pub fn release(&mut self, now_ms: u64) {
        if self.state == BreakerState::HalfOpen {
            self.state = BreakerState::Open { until_ms: now_ms };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_failures_in_a_row_and_probes_once() {
        let mut b = CircuitBreaker::new(BreakerConfig { failure_threshold: 2, cool_down_ms: 100 });
        b.record(false, 0);
        b.record(true, 0);
        b.record(false, 1);
        assert!(b.try_acquire(1), "a success in between resets the count");
        b.record(false, 2);
        assert!(!b.try_acquire(101));
        assert!(b.try_acquire(102), "the probe");
        assert!(!b.try_acquire(102), "only one probe");
        b.record(false, 103);
        assert!(!b.try_acquire(150));
        assert!(b.try_acquire(203));
        b.record(true, 204);
        assert_eq!(b.state(), BreakerState::Closed);
    }

    #[test]
    fn a_cancelled_probe_does_not_lock_the_breaker() {
        let mut b = CircuitBreaker::new(BreakerConfig { failure_threshold: 1, cool_down_ms: 10 });
        b.record(false, 0);
        assert!(b.try_acquire(10));
        b.release(11);
        assert!(b.try_acquire(11));
    }
}
