//! Error classes and what is done about each: retry with jittered backoff, give up, or tell.
//!
//! Pure: jitter comes from the caller's random number, time never passes here.

use serde::{Deserialize, Serialize};

use crate::ports::ModelError;

/// What kind of failure it was; decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// May work next time: time-out, overload, dropped connection.
    Transient,
    /// Will not work until somebody mends the machine: model, tool or sandbox missing.
    Environment,
    /// The input is at fault: spec, file, setting.
    Input,
    /// Ours.
    Bug,
}

impl From<&ModelError> for ErrorClass {
    fn from(error: &ModelError) -> Self {
        match error {
            ModelError::Unavailable(_) | ModelError::LeftAlone { .. } => ErrorClass::Environment,
            ModelError::Transient(_) => ErrorClass::Transient,
            ModelError::Rejected(_) => ErrorClass::Input,
        }
    }
}

/// How often and how patiently a transient failure is retried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// First pause, in milliseconds; doubles each time.
    pub base_ms: u64,
    /// Longest pause, in milliseconds.
    pub cap_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 4, base_ms: 200, cap_ms: 5_000 }
    }
}

impl RetryPolicy {
    /// The pause before attempt `failed + 1`, or `None` when there is to be no other attempt.
    ///
    /// "Full jitter": uniform in `0..=min(cap, base * 2^(failed-1))`. `random` is uniform in `[0, 1)`.
    pub fn pause_ms(&self, class: ErrorClass, failed: u32, random: f64) -> Option<u64> {
        if class != ErrorClass::Transient || failed >= self.max_attempts {
            return None;
        }
        let doubled = self.base_ms.saturating_mul(1u64.checked_shl(failed.saturating_sub(1)).unwrap_or(u64::MAX));
        let ceiling = doubled.min(self.cap_ms) as f64;
        Some((ceiling * random.clamp(0.0, 1.0)).round() as u64)
    }
}

/// How many more retries a callee is worth: each costs one, each success gives a tenth back. Where most
/// calls fail, retries would only multiply the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    tenths: u32,
}

impl RetryBudget {
    /// Retries that a budget holds at most.
    pub const MOST: u32 = 10;

    /// Takes one retry out, if there is one left.
    pub fn try_spend(&mut self) -> bool {
        let left = self.tenths.checked_sub(10);
        self.tenths = left.unwrap_or(self.tenths);
        left.is_some()
    }

    /// A call has succeeded.
    pub fn deposit(&mut self) {
        self.tenths = (self.tenths + 1).min(Self::MOST * 10);
    }

    /// Retries that are left.
    pub fn left(&self) -> u32 {
        self.tenths / 10
    }
}

impl Default for RetryBudget {
    /// A full one.
    fn default() -> Self {
        Self { tenths: Self::MOST * 10 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_used_up_by_failures_and_earned_back_by_successes() {
        let mut budget = RetryBudget::default();
        assert_eq!((0..20).filter(|_| budget.try_spend()).count(), 10);
        (0..9).for_each(|_| budget.deposit());
        assert!(!budget.try_spend(), "nine successes are no retry");
        budget.deposit();
        assert_eq!((budget.left(), budget.try_spend(), budget.left()), (1, true, 0));
        (0..1000).for_each(|_| budget.deposit());
        assert_eq!(budget.left(), 10);
    }

    #[test]
    fn only_transient_failures_are_retried_and_not_for_ever() {
        let p = RetryPolicy { max_attempts: 3, base_ms: 100, cap_ms: 150 };
        assert_eq!(p.pause_ms(ErrorClass::Transient, 1, 0.5), Some(50));
        assert_eq!(p.pause_ms(ErrorClass::Transient, 2, 1.0), Some(150), "capped");
        assert_eq!(p.pause_ms(ErrorClass::Transient, 3, 0.5), None);
        for class in [ErrorClass::Environment, ErrorClass::Input, ErrorClass::Bug] {
            assert_eq!(p.pause_ms(class, 1, 0.5), None);
        }
        assert!(RetryPolicy::default().pause_ms(ErrorClass::Transient, 1, 2.0).is_some_and(|ms| ms <= 200));
    }
}
