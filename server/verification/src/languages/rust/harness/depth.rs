//! How deep a value is of a type that holds values of its own type: each level asks for more of the next, so that
//! beyond some of them only what ends may be made.

use std::cell::Cell;

/// Levels that may hold another.
const MOST: usize = 3;
/// Values of which those of the level above are made, where many are made at once.
const FEW: usize = 12;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One level, for as long as it is kept.
pub struct Level(usize);

impl Level {
    /// Goes one level deeper.
    pub fn enter() -> Self {
        Self::by(1)
    }

    /// The same where many values are made at once, of one level less.
    pub fn enter_wide() -> Self {
        Self::by(if DEPTH.with(Cell::get) == 0 { 2 } else { 1 })
    }

    fn by(levels: usize) -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + levels));
        Self(levels)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get().saturating_sub(self.0)));
    }
}

/// Whether what is made now has to end: variants without the type, and containers without items.
pub fn is_last() -> bool {
    DEPTH.with(Cell::get) > MOST
}

/// Some of the values from all over, where they are to be parts of others.
pub fn thinned<T>(values: Vec<T>) -> Vec<T> {
    if DEPTH.with(Cell::get) <= 2 {
        return values;
    }
    let step = values.len().div_ceil(FEW).max(1);
    values.into_iter().step_by(step).collect()
}
