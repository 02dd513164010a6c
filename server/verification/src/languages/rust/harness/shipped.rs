//! What a release build does otherwise: it has no overflow checks and no debug assertions, so a call that
//! panics here may give something there.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::judge::{Place, ask};
use crate::supervisor::{Answer, Request, Worker};

/// Whether panics are those of a call that is checked.
static WATCHED: AtomicBool = AtomicBool::new(false);
/// Whether one was seen that the release build may not have, caught by the code itself or not.
static DIFFERS: AtomicBool = AtomicBool::new(false);

/// Says in the child whether what comes now is a call that is checked.
pub fn watch(is_checked: bool) {
    WATCHED.store(is_checked, Ordering::Relaxed);
}

/// Takes note of a panic in the child.
pub fn note(text: &str) {
    if WATCHED.load(Ordering::Relaxed) && (is_overflow(text) || text.starts_with("assertion")) {
        DIFFERS.store(true, Ordering::Relaxed);
    }
}

/// Whether a call that was checked in this child may give something else in a release build.
pub fn differs() -> bool {
    DIFFERS.load(Ordering::Relaxed)
}

/// Whether a panic is one of arithmetic that leaves the range of its type.
pub fn is_overflow(text: &str) -> bool {
    text.starts_with("attempt to") && text.ends_with("overflow")
}

/// The programs that a question is asked of.
pub struct Programs<'w> {
    /// The one whose arithmetic is checked. What inputs are and which are valid is asked of it alone: a
    /// precondition that wraps around says nothing.
    pub checked: &'w mut Worker,
    /// The one that is shipped, where calls are asked of that.
    shipped: Option<Worker>,
}

impl<'w> Programs<'w> {
    /// Those of a request.
    pub fn of(request: &Request, checked: &'w mut Worker) -> Self {
        let shipped = Some(request.option("shipped")).filter(|program| !program.is_empty());
        Self { checked, shipped: shipped.map(|program| Worker::new(request, Some(program))) }
    }

    /// Whether calls are asked of the program that is shipped.
    pub fn is_shipped(&self) -> bool {
        self.shipped.is_some()
    }

    /// Asks about a call.
    pub fn call(&mut self, place: &Place, what: &str, seed: u64, more: &[&str], seconds: f64) -> Answer {
        let worker = self.shipped.as_mut().unwrap_or(self.checked);
        ask(worker, place, what, seed, more, seconds)
    }

    /// Whether a release build has to be asked, too, as JSON.
    pub fn differs(&mut self) -> bool {
        !self.is_shipped() && self.checked.describe("differs").iter().any(|word| word == "yes")
    }
}
