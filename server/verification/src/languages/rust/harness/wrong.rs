//! Functions that are wrong on purpose: the one under test gives a made up value and does nothing, or does something
//! else to what it may change. A claim that it then meets as well shows nothing of the right one.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::source::Source;
use crate::values::Arb;

/// In how many ways a function can be wrong.
pub const WAYS: [&str; 5] = ["1", "2", "3", "4", "5"];

static WAY: AtomicU64 = AtomicU64::new(0);
/// Whether the function was asked for a value that it could not make up.
static SHORT: AtomicU64 = AtomicU64::new(0);

/// In which way the function is to be wrong; 0 is in none.
pub fn way() -> u64 {
    WAY.load(Ordering::Relaxed)
}

/// Sets it.
pub fn set(way: u64) {
    WAY.store(way, Ordering::Relaxed);
    SHORT.store(0, Ordering::Relaxed);
}

/// Whether a value was asked for since that could not be made up: then the right function has answered.
pub fn was_short() -> bool {
    SHORT.load(Ordering::Relaxed) != 0
}

/// Chosen by the arguments, so that a wrong function is a function of them too; the first way is the same for all.
fn source(arguments: &[String]) -> Source {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let texts: Vec<&str> = if way() == 1 { Vec::new() } else { arguments.iter().map(String::as_str).collect() };
    for byte in texts.join("\n").bytes() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Source::new(sum ^ way())
}

fn drawn<T: Arb>(arguments: &[String]) -> T {
    let mut source = source(arguments);
    let small = T::small();
    match way() {
        1 | 2 if !small.is_empty() => source.pick(&small).clone(),
        way => T::draw(&mut source, way as usize * 2),
    }
}

/// Makes up what a function of this type gives.
pub struct Maker<T>(pub std::marker::PhantomData<T>);

/// For types whose values can be made up.
pub trait Makes<T> {
    /// A value.
    fn made(&self, arguments: &[String]) -> Option<T>;
}

impl<T: Arb> Makes<T> for &Maker<T> {
    fn made(&self, arguments: &[String]) -> Option<T> {
        Some(drawn(arguments))
    }
}

/// For results whose errors cannot.
pub trait MakesOk<T> {
    /// A value.
    fn made(&self, arguments: &[String]) -> Option<T>;
}

impl<T: Arb, E> MakesOk<Result<T, E>> for &&Maker<Result<T, E>> {
    fn made(&self, arguments: &[String]) -> Option<Result<T, E>> {
        Some(Ok(drawn(arguments)))
    }
}

/// For all others.
pub trait MakesNothing<T> {
    /// Nothing.
    fn made(&self, arguments: &[String]) -> Option<T>;
}

impl<T> MakesNothing<T> for Maker<T> {
    fn made(&self, _arguments: &[String]) -> Option<T> {
        SHORT.store(1, Ordering::Relaxed);
        None
    }
}

/// Something that a function may change.
pub struct Changes<'a, T: ?Sized>(pub &'a mut T);

/// For types whose values can be made up.
pub trait ChangesAll {
    /// Makes another of it.
    fn change(&mut self, arguments: &[String]);
}

impl<T: Arb> ChangesAll for Changes<'_, T> {
    fn change(&mut self, arguments: &[String]) {
        *self.0 = drawn(arguments);
    }
}

/// For slices of them.
pub trait ChangesItems {
    /// Makes another of it.
    fn change(&mut self, arguments: &[String]);
}

impl<T: Arb> ChangesItems for Changes<'_, [T]> {
    fn change(&mut self, arguments: &[String]) {
        self.0.reverse();
        if let Some(first) = self.0.first_mut() {
            *first = drawn(arguments);
        }
    }
}

/// For all others.
pub trait ChangesNothing {
    /// Nothing.
    fn change(&mut self, arguments: &[String]);
}

impl<T: ?Sized> ChangesNothing for &mut Changes<'_, T> {
    fn change(&mut self, _arguments: &[String]) {}
}

/// What an iterator goes over.
#[derive(Clone, Debug)]
pub enum Items<W, R> {
    /// Made up items.
    Wrong(W),
    /// The function's own.
    Right(R),
}

impl<W: Iterator, R: Iterator<Item = W::Item>> Iterator for Items<W, R> {
    type Item = W::Item;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Items::Wrong(items) => items.next(),
            Items::Right(items) => items.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Items::Wrong(items) => items.size_hint(),
            Items::Right(items) => items.size_hint(),
        }
    }
}

impl<W: DoubleEndedIterator, R: DoubleEndedIterator<Item = W::Item>> DoubleEndedIterator for Items<W, R> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Items::Wrong(items) => items.next_back(),
            Items::Right(items) => items.next_back(),
        }
    }
}

impl<W: ExactSizeIterator, R: ExactSizeIterator<Item = W::Item>> ExactSizeIterator for Items<W, R> {}
