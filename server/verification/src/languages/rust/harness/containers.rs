//! Values of the standard library's containers, references and tuples.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use crate::depth;
use crate::source::Source;
use crate::values::{Arb, Shape};

/// The rows of boundary elements that make up boundary lists.
fn small_lists<T: Arb>() -> Vec<Vec<T>> {
    if depth::is_last() {
        return vec![Vec::new()];
    }
    let elements = T::small();
    let pick = |places: &[usize]| -> Vec<T> { places.iter().map(|p| elements[p % elements.len()].clone()).collect() };
    let rows: [&[usize]; 16] = [
        &[], &[0], &[1], &[0, 1], &[1, 0], &[1, 1], &[0, 1, 2], &[2, 1, 0], &[2, 0, 1], &[1, 2, 1], &[3], &[3, 1, 4, 1, 5],
        &[0, 0, 0], &[2, 2, 1, 1], &[0, 1, 2, 3, 4, 5, 6, 7], &[9, 8, 7, 6, 5, 4, 3, 2, 1],
    ];
    rows.into_iter().map(pick).collect()
}

fn listed<T: Arb>(items: &[T]) -> String {
    items.iter().map(Arb::source).collect::<Vec<_>>().join(", ")
}

fn large<T: Arb>(n: usize, shape: Shape) -> Vec<T> {
    (0..n).map(|i| T::nth(i, n, shape)).collect()
}

impl<T: Arb> Arb for Vec<T> {
    fn small() -> Vec<Self> {
        small_lists()
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        let length = if depth::is_last() { 0 } else { source.below(size + 2) };
        (0..length).map(|_| T::draw(source, (size / 2).max(2))).collect()
    }
    fn shrink(&self) -> Vec<Self> {
        let n = self.len();
        let mut out: Vec<Self> = Vec::new();
        if n == 0 {
            return out;
        }
        out.push(Vec::new());
        let mut part = n / 2;
        while part > 0 {
            for start in (0..n).step_by(part).take(32) {
                let rest = self.iter().enumerate().filter(|(i, _)| *i < start || *i >= start + part);
                let rest: Self = rest.map(|(_, x)| x.clone()).collect();
                if !rest.is_empty() {
                    out.push(rest);
                }
            }
            part /= 2;
        }
        for (i, x) in self.iter().enumerate().take(32) {
            for simpler in x.shrink() {
                let mut copy = self.clone();
                copy[i] = simpler;
                out.push(copy);
            }
        }
        out
    }
    fn source(&self) -> String {
        format!("vec![{}]", listed(self))
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        let length = if depth::is_last() { 0 } else { 3 };
        (0..length).map(|k| T::nth(i + k, n, shape)).collect()
    }
    fn sized(n: usize, shape: Shape) -> Self {
        large(n, shape)
    }
    fn grows() -> u8 {
        2
    }
}

/// A type that is made from another one and written around it.
macro_rules! through {
    ($(<$($g:ident $(: $b:ident $(+ $more:ident)*)?),*> $t:ty, $inner:ty, $make:expr, $back:expr, $text:expr;)*) => {$(
        impl<$($g: Arb $(+ $b $(+ $more)*)?),*> Arb for $t {
            fn small() -> Vec<Self> {
                <$inner>::small().into_iter().map($make).collect()
            }
            fn draw(source: &mut Source, size: usize) -> Self {
                ($make)(<$inner>::draw(source, size))
            }
            fn kin(&self, source: &mut Source) -> Self {
                let inner: $inner = ($back)(self);
                ($make)(inner.kin(source))
            }
            fn shrink(&self) -> Vec<Self> {
                let inner: $inner = ($back)(self);
                inner.shrink().into_iter().map($make).collect()
            }
            fn source(&self) -> String {
                let inner: $inner = ($back)(self);
                ($text)(&inner)
            }
            fn nth(i: usize, n: usize, shape: Shape) -> Self {
                ($make)(<$inner>::nth(i, n, shape))
            }
            fn sized(n: usize, shape: Shape) -> Self {
                ($make)(<$inner>::sized(n, shape))
            }
            fn grows() -> u8 {
                <$inner>::grows()
            }
        }
    )*};
}

pub(crate) use through;

fn named<T: Arb>(name: &'static str) -> impl Fn(&Vec<T>) -> String {
    move |items| format!("{name}::from([{}])", listed(items))
}

/// In one order, so that shrinking and printing do not depend on the hasher.
fn ordered<T: Arb>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut keyed: Vec<(String, T)> = items.map(|x| (x.source(), x)).collect();
    keyed.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
    keyed.into_iter().map(|(_, x)| x).collect()
}

through! {
    <T> &'static [T], Vec<T>, |v: Vec<T>| -> &'static [T] { v.leak() }, |s: &Self| s.to_vec(), |v: &Vec<T>| format!("&[{}]", listed(v));
    <T> &'static Vec<T>, Vec<T>, |v: Vec<T>| -> &'static Vec<T> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &Vec<T>| format!("&{}", v.source());
    <T> VecDeque<T>, Vec<T>, VecDeque::from, |s: &Self| s.iter().cloned().collect(), named("std::collections::VecDeque");
    <T: Ord> BinaryHeap<T>, Vec<T>, BinaryHeap::from, |s: &Self| s.clone().into_sorted_vec(), named("std::collections::BinaryHeap");
    <T: Ord> BTreeSet<T>, Vec<T>, BTreeSet::from_iter, |s: &Self| s.iter().cloned().collect(), named("std::collections::BTreeSet");
    <T: Eq + Hash> HashSet<T>, Vec<T>, HashSet::from_iter, |s: &Self| ordered(s.iter().cloned()), named("std::collections::HashSet");
    <K: Ord, V> BTreeMap<K, V>, Vec<(K, V)>, BTreeMap::from_iter, |s: &Self| s.iter().map(|(k, v)| (k.clone(), v.clone())).collect(), named("std::collections::BTreeMap");
    <K: Eq + Hash, V> HashMap<K, V>, Vec<(K, V)>, HashMap::from_iter, |s: &Self| ordered(s.iter().map(|(k, v)| (k.clone(), v.clone()))), named("std::collections::HashMap");
    <T> Box<T>, T, Box::new, |s: &Self| (**s).clone(), |v: &T| format!("Box::new({})", v.source());
    <T> Rc<T>, T, Rc::new, |s: &Self| (**s).clone(), |v: &T| format!("std::rc::Rc::new({})", v.source());
    <T> Arc<T>, T, Arc::new, |s: &Self| (**s).clone(), |v: &T| format!("std::sync::Arc::new({})", v.source());
    <T> Box<[T]>, Vec<T>, Vec::into_boxed_slice, |s: &Self| s.to_vec(), |v: &Vec<T>| format!("vec![{}].into_boxed_slice()", listed(v));
    <K: Eq + Hash, V> &'static HashMap<K, V>, HashMap<K, V>, |v: HashMap<K, V>| -> &'static HashMap<K, V> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &HashMap<K, V>| format!("&{}", v.source());
    <T: Eq + Hash> &'static HashSet<T>, HashSet<T>, |v: HashSet<T>| -> &'static HashSet<T> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &HashSet<T>| format!("&{}", v.source());
    <K: Ord, V> &'static BTreeMap<K, V>, BTreeMap<K, V>, |v: BTreeMap<K, V>| -> &'static BTreeMap<K, V> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &BTreeMap<K, V>| format!("&{}", v.source());
    <T: Ord> &'static BTreeSet<T>, BTreeSet<T>, |v: BTreeSet<T>| -> &'static BTreeSet<T> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &BTreeSet<T>| format!("&{}", v.source());
    <T> &'static Option<T>, Option<T>, |v: Option<T>| -> &'static Option<T> { Box::leak(Box::new(v)) }, |s: &Self| (*s).clone(), |v: &Option<T>| format!("&{}", v.source());
}

/// References to single values.
macro_rules! referenced {
    ($($t:ty),*) => {
        through! { $(<> &'static $t, $t, |v: $t| -> &'static $t { Box::leak(Box::new(v)) }, |s: &Self| (**s).clone(), |v: &$t| format!("&{}", v.source());)* }
    };
}

referenced!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64, bool, char, String, &'static str);

impl<T: Arb, const N: usize> Arb for [T; N] {
    fn small() -> Vec<Self> {
        let rows = small_lists::<T>().into_iter().filter(|r| !r.is_empty());
        rows.map(|r| std::array::from_fn(|i| r[i % r.len()].clone())).take(if N == 0 { 1 } else { 16 }).collect()
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        std::array::from_fn(|_| T::draw(source, size))
    }
    fn shrink(&self) -> Vec<Self> {
        let mut out = Vec::new();
        for (i, x) in self.iter().enumerate().take(32) {
            for simpler in x.shrink() {
                let mut copy = self.clone();
                copy[i] = simpler;
                out.push(copy);
            }
        }
        out
    }
    fn source(&self) -> String {
        format!("[{}]", listed(self))
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        std::array::from_fn(|k| T::nth(i + k, n, shape))
    }
}

impl<T: Arb> Arb for Option<T> {
    fn small() -> Vec<Self> {
        let some = if depth::is_last() { Vec::new() } else { T::small() };
        std::iter::once(None).chain(some.into_iter().map(Some)).collect()
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        if depth::is_last() || source.below(4) == 0 { None } else { Some(T::draw(source, size)) }
    }
    fn shrink(&self) -> Vec<Self> {
        let inner = self.iter().flat_map(|x| x.shrink().into_iter().map(Some));
        self.iter().map(|_| None).chain(inner).collect()
    }
    fn source(&self) -> String {
        self.as_ref().map_or("None".to_owned(), |x| format!("Some({})", x.source()))
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        if depth::is_last() { None } else { Some(T::nth(i, n, shape)) }
    }
    fn sized(n: usize, shape: Shape) -> Self {
        Some(T::sized(n, shape))
    }
    fn grows() -> u8 {
        T::grows()
    }
}

impl<T: Arb, E: Arb> Arb for Result<T, E> {
    fn small() -> Vec<Self> {
        if depth::is_last() {
            return E::small().into_iter().map(Err).collect();
        }
        let mut out: Vec<Self> = T::small().into_iter().map(Ok).collect();
        out.splice(1..1, E::small().into_iter().take(3).map(Err));
        out
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        if depth::is_last() || source.below(3) == 0 { Err(E::draw(source, size)) } else { Ok(T::draw(source, size)) }
    }
    fn shrink(&self) -> Vec<Self> {
        match self {
            Ok(x) => x.shrink().into_iter().map(Ok).collect(),
            Err(e) => e.shrink().into_iter().map(Err).collect(),
        }
    }
    fn source(&self) -> String {
        match self {
            Ok(x) => format!("Ok({})", x.source()),
            Err(e) => format!("Err({})", e.source()),
        }
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        Ok(T::nth(i, n, shape))
    }
}

macro_rules! tuples {
    ($($($t:ident $n:tt),+;)*) => {$(
        impl<$($t: Arb),+> Arb for ($($t,)+) {
            fn small() -> Vec<Self> {
                let lists = ($($t::small(),)+);
                let longest = [$(lists.$n.len()),+].into_iter().max().unwrap_or(1);
                let alone = [$($n),+].len() == 1;
                (0..(longest * 3).min(60)).map(|turn| ($({
                    let stride = 1 + $n * turn / longest;
                    lists.$n[(turn * stride + $n * turn) % lists.$n.len()].clone()
                },)+)).chain((0..if alone { 0 } else { (longest * 2).min(60) }).map(|turn| ($({
                    // Those of one type are equal, or related.
                    let value = &lists.$n[turn % lists.$n.len()];
                    if $n == 0 { value.clone() } else { value.kin(&mut Source::new(turn as u64)) }
                },)+))).collect()
            }
            fn draw(source: &mut Source, size: usize) -> Self {
                if [$($n),+].len() == 1 || source.below(4) != 0 {
                    return ($($t::draw(source, size),)+);
                }
                // From the same numbers: those of one type are equal, or related.
                let twin = source.clone();
                source.next();
                ($({
                    let value = $t::draw(&mut twin.clone(), size);
                    if $n == 0 { value } else { value.kin(source) }
                },)+)
            }
            fn shrink(&self) -> Vec<Self> {
                let mut out = Vec::new();
                $(for simpler in self.$n.shrink() {
                    let mut copy = self.clone();
                    copy.$n = simpler;
                    out.push(copy);
                })+
                out
            }
            fn source(&self) -> String {
                let parts = [$(self.$n.source()),+];
                if parts.len() == 1 { format!("({},)", parts[0]) } else { format!("({})", parts.join(", ")) }
            }
            fn nth(i: usize, n: usize, shape: Shape) -> Self {
                ($($t::nth(i + $n, n, shape),)+)
            }
            fn sized(n: usize, shape: Shape) -> Self {
                // Numbers beside a container point into its middle; without one they are the size.
                let most = Self::grows();
                ($(if $t::grows() == most { $t::sized(n, shape) } else { $t::sized(n / 2, shape) },)+)
            }
            fn grows() -> u8 {
                [$($t::grows()),+].into_iter().max().unwrap_or(0)
            }
        }
    )*};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}
