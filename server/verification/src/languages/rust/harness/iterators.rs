//! What an iterator gives, as far as it is read: some never end.

use std::sync::atomic::{AtomicBool, Ordering};

/// Most items that are read.
const MOST: usize = 100_000;

/// Whether there were more.
static CUT: AtomicBool = AtomicBool::new(false);

/// The items.
pub fn gathered<I: IntoIterator>(items: I) -> Vec<I::Item> {
    let mut items = items.into_iter();
    let out: Vec<I::Item> = items.by_ref().take(MOST).collect();
    if out.len() == MOST && items.next().is_some() {
        CUT.store(true, Ordering::Relaxed);
    }
    out
}

/// Whether some were left out since this was asked last.
pub fn were_cut() -> bool {
    CUT.swap(false, Ordering::Relaxed)
}
