//! Values of small types of the standard library that are made from numbers and texts.

use std::cmp::Ordering;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64,
    NonZeroU128, NonZeroUsize,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::containers::through;
use crate::source::Source;
use crate::values::{Arb, Shape};

through! {
    // Seconds, of which clauses speak, and now and then a part of one.
    <> Duration, (u32, u16), |(s, m): (u32, u16)| Duration::new(u64::from(s), u32::from(m % 1000) * 1_000_000), |d: &Self| (d.as_secs() as u32, d.subsec_millis() as u16), |(s, m): &(u32, u16)| format!("std::time::Duration::from_millis({})", u64::from(*s) * 1000 + u64::from(m % 1000));
    <> Ordering, i8, |n: i8| n.cmp(&0), |o: &Self| *o as i8, |n: &i8| format!("std::cmp::Ordering::{:?}", n.cmp(&0));
    <> PathBuf, String, PathBuf::from, |p: &Self| p.to_string_lossy().into_owned(), |t: &String| format!("std::path::PathBuf::from({t:?})");
    <> &'static Path, String, |t: String| -> &'static Path { Path::new(&*t.leak()) }, |p: &Self| p.to_string_lossy().into_owned(), |t: &String| format!("std::path::Path::new({t:?})");
}

/// Numbers that are never zero.
macro_rules! not_zero {
    ($($t:ident $n:ident),*) => {
        through! { $(<> $t, $n, |n: $n| $t::new(n).or($t::new(1)).expect("one is not zero"), |n: &Self| n.get(), |n: &$n| format!("std::num::{}::new({}).unwrap()", stringify!($t), n.source());)* }
    };
}

not_zero!(
    NonZeroI8 i8, NonZeroI16 i16, NonZeroI32 i32, NonZeroI64 i64, NonZeroI128 i128, NonZeroIsize isize, NonZeroU8 u8, NonZeroU16 u16,
    NonZeroU32 u32, NonZeroU64 u64, NonZeroU128 u128, NonZeroUsize usize
);
