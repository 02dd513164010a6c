//! Values of the types that specs speak of: boundary values, random ones, smaller ones, large ones,
//! and how each is written in Rust.

use crate::source::{Source, hints};

/// The order that a large input has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Looks random, no value twice.
    Distinct,
    /// Each value some sixteen times.
    Repeated,
    /// Sorted.
    Ascending,
    /// Sorted the other way.
    Descending,
    /// All alike.
    Equal,
}

/// A type whose values can be made up.
pub trait Arb: Clone + 'static {
    /// Boundary values, the simplest first.
    fn small() -> Vec<Self>;
    /// A random value; `size` is 1 for the simplest.
    fn draw(source: &mut Source, size: usize) -> Self;
    /// Simpler values, the simplest first.
    fn shrink(&self) -> Vec<Self>;
    /// A value that has something to do with this one: equal to it, a part of it, or it otherwise written.
    fn kin(&self, source: &mut Source) -> Self {
        let simpler = self.shrink();
        if simpler.is_empty() || source.below(2) == 0 { self.clone() } else { source.pick(&simpler).clone() }
    }
    /// The value in Rust.
    fn source(&self) -> String;
    /// The `i`-th element of a large container of `n`.
    fn nth(i: usize, n: usize, shape: Shape) -> Self;
    /// A value that costs as much as `n` says.
    fn sized(n: usize, _shape: Shape) -> Self {
        Self::nth(n, n, Shape::Distinct)
    }
    /// What grows with `n`: 2 a container, 1 a number, 0 nothing.
    fn grows() -> u8 {
        0
    }
}

/// Distinct for the first 2^m values of `i` modulo any 2^m: an odd multiplier permutes them.
fn scattered(i: usize, n: usize, shape: Shape) -> usize {
    let mixed = i.wrapping_mul(2_654_435_761);
    match shape {
        Shape::Distinct => mixed % (n.max(2) * 4),
        Shape::Repeated => mixed % (n / 16).max(2),
        Shape::Ascending => i,
        Shape::Descending => n - i.min(n),
        Shape::Equal => 1,
    }
}

macro_rules! integers {
    ($($t:ident $signed:literal),*) => {$(
        impl Arb for $t {
            fn small() -> Vec<Self> {
                let plain = [0i128, 1, 2, -1, 3, 5, 10, -3, 4, 7, 12, 6, -10, 8, 9, 11];
                let near = hints(|h| h.integers.iter().chain(&h.near).flat_map(|n| [*n, n.saturating_add(1), n.saturating_sub(1)]).collect::<Vec<_>>());
                let mut out: Vec<Self> = Vec::new();
                for value in plain.into_iter().chain(near).filter_map(|n| Self::try_from(n).ok()) {
                    if !out.contains(&value) {
                        out.push(value);
                    }
                }
                if hints(|h| h.extremes) {
                    // Just beyond the narrower types, which a conversion with `as` cuts off.
                    out.extend([300i128, 40_000, 70_000, -300].into_iter().filter_map(|n| Self::try_from(n).ok()));
                    out.insert(out.len().min(6), Self::MAX);
                    out.insert(out.len().min(7), Self::MIN);
                }
                out
            }
            fn draw(source: &mut Source, size: usize) -> Self {
                if hints(|h| h.extremes) && source.below(24) == 0 {
                    return if source.below(2) == 0 { Self::MAX } else { Self::MIN };
                }
                if hints(|h| h.extremes) && (source.is_bold || source.below(4) == 0) {
                    // Every order of magnitude that a loop over the number can still bear.
                    let bits = if source.is_bold { 8 + source.below(4) } else { source.below(12) };
                    let value = (source.next() & ((2 << bits) - 1)) as i128;
                    let value = if $signed && source.below(2) == 0 { -value } else { value };
                    return Self::try_from(value).unwrap_or_else(|_| (value as i16).unsigned_abs() as Self);
                }
                let near = hints(|h| (!h.near.is_empty()).then(|| *source.clone().pick(&h.near)));
                if let Some(value) = near.filter(|_| source.below(10) == 0).and_then(|n| Self::try_from(n).ok()) {
                    return value;
                }
                let reach = hints(|h| h.top).min(3 + (size * size) as i128);
                let value = (source.next() as i128 & 0xffff_ffff_ffff) % (2 * reach + 1) - if $signed { reach / 2 } else { 0 };
                Self::try_from(value).unwrap_or_else(|_| (value as i16).unsigned_abs() as Self)
            }
            fn shrink(&self) -> Vec<Self> {
                let value = *self;
                let mut out = Vec::new();
                let mut add = |v: Option<Self>| {
                    if let Some(v) = v.filter(|v| *v != value && !out.contains(v)) {
                        out.push(v);
                    }
                };
                if value != 0 {
                    add(Some(0));
                    if value < 0 {
                        add((0 as Self).checked_sub(value));
                    }
                    add(value.checked_div(2));
                    add(if value > 0 { value.checked_sub(1) } else { value.checked_add(1) });
                }
                out
            }
            fn source(&self) -> String {
                match *self {
                    Self::MAX if Self::BITS > 8 => concat!(stringify!($t), "::MAX").to_owned(),
                    Self::MIN if Self::MIN < 0 && Self::BITS > 8 => concat!(stringify!($t), "::MIN").to_owned(),
                    value => value.to_string(),
                }
            }
            fn nth(i: usize, n: usize, shape: Shape) -> Self {
                let value = scattered(i, n, shape) as u64;
                Self::try_from(value).unwrap_or((value % 127) as Self)
            }
            fn sized(n: usize, _shape: Shape) -> Self {
                Self::try_from(n).unwrap_or(Self::MAX)
            }
            fn grows() -> u8 {
                1
            }
        }
    )*};
}

integers!(i8 true, i16 true, i32 true, i64 true, i128 true, isize true, u8 false, u16 false, u32 false, u64 false, u128 false, usize false);

/// Floats that are no plain numbers.
trait Special: Sized {
    /// The one of a name.
    fn special(name: &str) -> Option<Self>;
}

macro_rules! floats {
    ($($t:ident),*) => {$(
        impl Special for $t {
            fn special(name: &str) -> Option<Self> {
                Some(match name {
                    "nan" => Self::NAN,
                    "inf" => Self::INFINITY,
                    "-inf" => Self::NEG_INFINITY,
                    "-0" => -0.0,
                    "max" => Self::MAX,
                    "least" => Self::MIN_POSITIVE,
                    _ => return None,
                })
            }
        }

        impl Arb for $t {
            fn small() -> Vec<Self> {
                let plain = [0.0, 1.0, -1.0, 0.5, 2.5, -0.25, 3.0, 10.0, 3.125, 100.0, -7.5, 1e-6, 1e6];
                let mut out: Vec<Self> = plain.to_vec();
                hints(|h| out.extend(h.floats.iter().map(|f| *f as Self).filter(|f| f.is_finite())));
                for limit in hints(|h| h.limits.clone()) {
                    // Itself, those right beside it, and those around it.
                    let (limit, near) = (limit as Self, 1.0 + Self::EPSILON);
                    for value in [limit, limit * near, limit / near, limit * 1.01, limit * 0.99, limit + 1.0, limit - 1.0] {
                        if !out.contains(&value) {
                            out.push(value);
                        }
                    }
                }
                let specials = hints(|h| h.specials.clone());
                // Among the first, of which lists are made.
                out.splice(3..3, specials.iter().filter_map(|name| Self::special(name)));
                out
            }
            fn draw(source: &mut Source, size: usize) -> Self {
                let special = hints(|h| (!h.specials.is_empty()).then(|| source.clone().pick(&h.specials).clone()));
                if let Some(value) = special.filter(|_| source.below(8) == 0).and_then(|name| Self::special(&name)) {
                    return value;
                }
                let limit = hints(|h| (!h.limits.is_empty()).then(|| *source.clone().pick(&h.limits)));
                if let Some(limit) = limit.filter(|_| source.below(10) == 0) {
                    return limit as Self;
                }
                let whole = source.below(200 * size.max(1)) as f64 - (60 * size) as f64;
                (whole / *source.pick(&[1.0, 2.0, 4.0, 8.0])) as Self
            }
            fn shrink(&self) -> Vec<Self> {
                let value = *self;
                if value == 0.0 || value.is_nan() {
                    let plain: &[Self] = if value.is_nan() { &[0.0, 1.0] } else { &[0.0] };
                    return if value.is_sign_negative() || value.is_nan() { plain.to_vec() } else { Vec::new() };
                }
                let steps = [0.0, 1.0, value.abs(), value.trunc(), (value / 2.0).trunc(), value - value.signum()];
                let simpler = |v: &Self| *v != value && (v.abs() < value.abs() || *v == value.abs());
                let mut out: Vec<Self> = Vec::new();
                for v in steps.into_iter().filter(simpler) {
                    if !out.contains(&v) {
                        out.push(v);
                    }
                }
                out
            }
            fn source(&self) -> String {
                match *self {
                    v if v.is_nan() => concat!(stringify!($t), "::NAN").to_owned(),
                    v if v.is_infinite() && v > 0.0 => concat!(stringify!($t), "::INFINITY").to_owned(),
                    v if v.is_infinite() => concat!(stringify!($t), "::NEG_INFINITY").to_owned(),
                    v if v == Self::MAX => concat!(stringify!($t), "::MAX").to_owned(),
                    v if v == Self::MIN_POSITIVE => concat!(stringify!($t), "::MIN_POSITIVE").to_owned(),
                    v => format!("{v:?}"),
                }
            }
            fn nth(i: usize, n: usize, shape: Shape) -> Self {
                scattered(i, n, shape) as Self / 4.0
            }
            fn sized(n: usize, _shape: Shape) -> Self {
                n as Self
            }
        }
    )*};
}

floats!(f32, f64);

impl Arb for bool {
    fn small() -> Vec<Self> {
        vec![false, true]
    }
    fn draw(source: &mut Source, _size: usize) -> Self {
        source.below(2) == 1
    }
    fn shrink(&self) -> Vec<Self> {
        if *self { vec![false] } else { Vec::new() }
    }
    fn source(&self) -> String {
        self.to_string()
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        scattered(i, n, shape) % 2 == 1
    }
}

impl Arb for () {
    fn small() -> Vec<Self> {
        vec![()]
    }
    fn draw(_source: &mut Source, _size: usize) -> Self {}
    fn shrink(&self) -> Vec<Self> {
        Vec::new()
    }
    fn source(&self) -> String {
        "()".to_owned()
    }
    fn nth(_i: usize, _n: usize, _shape: Shape) -> Self {}
}

impl Arb for char {
    fn small() -> Vec<Self> {
        let mut out = vec!['a', 'b', 'A', 'Z', '0', '9', ' ', '-', 'z', 'é', '日', '\n', '\t', '5', 'm', '_'];
        hints(|h| out.splice(2..2, h.alphabet.iter().copied().take(8)).count());
        out.dedup();
        out
    }
    fn draw(source: &mut Source, _size: usize) -> Self {
        match source.below(8) {
            0 => *source.pick(&['a', 'Z', '5', ' ', '\t', 'é', 'ß', '🙂']),
            1 => char::from(b' ' + source.below(95) as u8),
            _ => hints(|h| *source.pick(&h.alphabet)),
        }
    }
    fn shrink(&self) -> Vec<Self> {
        ['a', 'b', 'A', '0', ' '].into_iter().take_while(|c| c != self).collect()
    }
    fn source(&self) -> String {
        format!("{self:?}")
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        char::from(b'a' + (scattered(i, n, shape) % 26) as u8)
    }
}

/// Texts that trip up programs.
const WORDS: &[&str] = &[
    "", "a", "ab", "aa", "Ab", "hello", "racecar", "Hello World", "a b  c", " x ", "123", "-1", "a,b", "été", "Été", "日本",
    "A man, a plan", "🙂", "a\nb", "\ta\r\n", "0123456789", "abcdefghijklmnopqrstuvwxyz", "AZaz09", "\t", "a\tb", "z", "9",
];

impl Arb for String {
    fn small() -> Vec<Self> {
        let mut out: Vec<Self> = WORDS.iter().map(|w| (*w).to_owned()).collect();
        hints(|h| {
            let own = h.alphabet.iter().take(6).flat_map(|c| [c.to_string(), c.to_string().repeat(2)]);
            if !h.texts.is_empty() {
                out.splice(3..3, own);
            }
            out.extend(h.texts.iter().chain(&h.words).cloned());
        });
        let mut seen = std::collections::HashSet::new();
        out.retain(|t| seen.insert(t.clone()));
        out
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        let length = source.below(size + 2);
        (0..length).map(|_| char::draw(source, size)).collect()
    }
    fn shrink(&self) -> Vec<Self> {
        let chars: Vec<char> = self.chars().collect();
        chars.shrink().into_iter().map(|c| c.into_iter().collect()).collect()
    }
    fn kin(&self, source: &mut Source) -> Self {
        match source.below(5) {
            0 => self.to_uppercase(),
            1 => self.to_lowercase(),
            2 => self.chars().rev().collect(),
            _ => self.chars().collect::<Vec<char>>().kin(source).into_iter().collect(),
        }
    }
    fn source(&self) -> String {
        format!("{self:?}.to_string()")
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        format!("w{:08}", scattered(i, n, shape))
    }
    fn sized(n: usize, shape: Shape) -> Self {
        let letter = |i: usize| hints(|h| h.alphabet[i % h.alphabet.len()]);
        let mut chars: Vec<char> = match shape {
            Shape::Equal => vec![letter(0); n],
            _ => (0..n).map(|i| letter(i.wrapping_mul(2_654_435_761) >> 7)).collect(),
        };
        match shape {
            Shape::Ascending => chars.sort_unstable(),
            Shape::Descending => chars.sort_unstable_by(|a, b| b.cmp(a)),
            _ => {}
        }
        chars.into_iter().collect()
    }
    fn grows() -> u8 {
        2
    }
}

impl Arb for &'static str {
    fn small() -> Vec<Self> {
        String::small().into_iter().map(|s| &*s.leak()).collect()
    }
    fn draw(source: &mut Source, size: usize) -> Self {
        String::draw(source, size).leak()
    }
    fn shrink(&self) -> Vec<Self> {
        (*self).to_owned().shrink().into_iter().map(|s| &*s.leak()).collect()
    }
    fn kin(&self, source: &mut Source) -> Self {
        (*self).to_owned().kin(source).leak()
    }
    fn source(&self) -> String {
        format!("{self:?}")
    }
    fn nth(i: usize, n: usize, shape: Shape) -> Self {
        String::nth(i, n, shape).leak()
    }
    fn sized(n: usize, shape: Shape) -> Self {
        String::sized(n, shape).leak()
    }
    fn grows() -> u8 {
        2
    }
}
