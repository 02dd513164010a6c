//! Numbers that look random and are the same on every machine, and what the spec's examples hint at.

use std::cell::RefCell;

/// What the examples of a spec say of the values that its function is for.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The largest integer of the examples.
    pub top: i128,
    /// Integers of the examples.
    pub integers: Vec<i128>,
    /// Floats of the examples.
    pub floats: Vec<f64>,
    /// Strings of the examples.
    pub texts: Vec<String>,
    /// Characters of those strings.
    pub alphabet: Vec<char>,
    /// Integers that the code itself compares with or counts to.
    pub near: Vec<i128>,
    /// Floats that the code itself compares with.
    pub limits: Vec<f64>,
    /// Names of floats that are no plain numbers and that the spec or the code speaks of.
    pub specials: Vec<String>,
    /// Texts that the code itself looks for.
    pub words: Vec<String>,
    /// Whether the ends of the integer types belong to the values.
    pub extremes: bool,
}

thread_local! {
    static HINTS: RefCell<Hints> = RefCell::new(Hints::default());
}

/// Sets the hints of this thread.
pub fn set_hints(mut hints: Hints) {
    hints.top = hints.integers.iter().map(|n| n.saturating_abs()).chain([12]).max().unwrap_or(12).min(1 << 20);
    let letters: std::collections::BTreeSet<char> = hints.texts.iter().flat_map(|t| t.chars()).collect();
    hints.alphabet = if letters.is_empty() { "abcAB 1".chars().collect() } else { letters.into_iter().collect() };
    HINTS.with(|h| *h.borrow_mut() = hints);
}

/// Reads the hints of this thread.
pub fn hints<T>(read: impl FnOnce(&Hints) -> T) -> T {
    HINTS.with(|h| read(&h.borrow()))
}

/// xorshift64*.
#[derive(Debug, Clone)]
pub struct Source {
    state: u64,
    /// Whether every number is to be a large one: two that are seldom meet by chance.
    pub is_bold: bool,
}

impl Source {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x2545_F491_4F6C_DD1D);
        let mut source = Self { state: if state == 0 { 1 } else { state }, is_bold: false };
        source.next();
        source
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        let mut x = self.state;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.state = x;
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number in `0..count`; 0 when there is none.
    pub fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { (self.next() % count as u64) as usize }
    }

    /// One of the given values.
    pub fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}
