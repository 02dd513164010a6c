//! Which inputs a spec's examples speak of.
//!
//! Examples show what arguments look like: integers above zero, lists that are not empty, two lists of
//! one length. On inputs of that kind programs that do the same task must agree. Beyond it the spec is
//! silent, and right programs differ (measured on recorded samples: of the inputs that set right
//! programs apart, nearly all have a sign, an emptiness or a length that no example has). Read from
//! calls as text, in the literals that Python, Rust and TypeScript share; what cannot be read is taken
//! as shown, so that nothing is excused by not being understood.

use std::collections::{BTreeMap, BTreeSet};

/// How far beyond the examples' sizes an input may go.
const FACTOR: f64 = 2.0;
/// Deepest nesting that is read.
const DEPTH: usize = 12;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Domain {
    function: String,
    /// What the values at each place look like; a place is the way down from the arguments.
    places: BTreeMap<String, Looks>,
    /// Pairs of arguments that have one length in every example.
    equal_lengths: BTreeSet<(usize, usize)>,
}

/// What values at one place have in common.
#[derive(Debug, Clone, Default, PartialEq)]
struct Looks {
    kinds: BTreeSet<String>,
    largest: f64,
    lengths: Option<(usize, usize)>,
    letters: BTreeSet<char>,
}

/// A literal, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number {
        value: f64,
        fractional: bool,
    },
    Text(String),
    Group(String, Vec<Value>),
    /// A name, an operator expression: what it is, is not known.
    Word(String),
}

impl Domain {
    /// The domain that the calls of `function` in these pieces of code show.
    pub fn of<'a>(function: &str, code: impl IntoIterator<Item = &'a str>) -> Self {
        let mut domain = Self { function: function.to_owned(), ..Self::default() };
        let calls: Vec<Vec<Value>> = code.into_iter().flat_map(|c| domain.calls(c)).collect();
        for (n, arguments) in calls.iter().enumerate() {
            for (place, argument) in arguments.iter().enumerate() {
                domain.learn(&place.to_string(), argument, 0);
            }
            let equal = equal_lengths(arguments);
            domain.equal_lengths =
                if n == 0 { equal } else { domain.equal_lengths.intersection(&equal).copied().collect() };
        }
        domain
    }

    /// Whether an input looks like those of the examples; without examples every input does.
    pub fn holds(&self, call: &str) -> bool {
        if self.places.is_empty() {
            return true;
        }
        let Some(arguments) = self.calls(call).into_iter().next() else { return true };
        let alike = arguments.iter().enumerate().all(|(place, value)| self.is_alike(&place.to_string(), value, 0));
        alike && equal_lengths(&arguments).is_superset(&self.equal_lengths)
    }

    /// The arguments of every call of the function in a piece of code.
    fn calls(&self, code: &str) -> Vec<Vec<Value>> {
        let mut found = Vec::new();
        for (at, _) in code.match_indices(&self.function).filter(|_| !self.function.is_empty()) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            if let Some(rest) = code[at + self.function.len()..].strip_prefix('(') {
                let mut reader = Reader { rest, depth: 0 };
                found.extend(reader.items(')'));
            }
        }
        found
    }

    fn learn(&mut self, place: &str, value: &Value, depth: usize) {
        let looks = self.places.entry(place.to_owned()).or_default();
        looks.kinds.extend(kinds(value));
        match value {
            Value::Number { value, .. } => looks.largest = looks.largest.max(value.abs()),
            Value::Text(text) => {
                let n = text.chars().count();
                looks.lengths = Some(looks.lengths.map_or((n, n), |(a, b)| (a.min(n), b.max(n))));
                looks.letters.extend(text.chars().map(letter));
            }
            Value::Group(_, items) => {
                let n = items.len();
                looks.lengths = Some(looks.lengths.map_or((n, n), |(a, b)| (a.min(n), b.max(n))));
                for item in items.iter().filter(|_| depth < DEPTH) {
                    self.learn(&format!("{place}.*"), item, depth + 1);
                }
            }
            Value::Word(_) => {}
        }
    }

    fn is_alike(&self, place: &str, value: &Value, depth: usize) -> bool {
        let Some(looks) = self.places.get(place) else { return false };
        if !kinds(value).iter().all(|k| looks.kinds.contains(k)) {
            return false;
        }
        let fits = |n: usize| {
            looks.lengths.is_none_or(|(least, most)| {
                (n > 0 || least == 0) && n as f64 <= FACTOR * most as f64 && FACTOR * n as f64 >= least as f64
            })
        };
        match value {
            Value::Number { value, .. } => value.abs() <= FACTOR * looks.largest,
            Value::Text(text) => fits(text.chars().count()) && text.chars().all(|c| looks.letters.contains(&letter(c))),
            Value::Group(_, items) => {
                let inner = format!("{place}.*");
                fits(items.len()) && items.iter().all(|i| depth >= DEPTH || self.is_alike(&inner, i, depth + 1))
            }
            Value::Word(_) => true,
        }
    }
}

/// Everything about a value that is not a matter of degree.
fn kinds(value: &Value) -> Vec<String> {
    match value {
        Value::Number { value, fractional } => {
            let sign = match value {
                v if *v < 0.0 => "negative",
                v if *v > 0.0 => "positive",
                _ => "zero",
            };
            let mut all = vec![sign.to_owned(), if *fractional { "with a point" } else { "whole" }.to_owned()];
            if value.fract() != 0.0 {
                all.push("broken".to_owned());
            }
            all
        }
        Value::Text(_) => vec!["text".to_owned()],
        Value::Group(name, _) => vec![format!("group {name}")],
        Value::Word(word) => vec![format!("word {word}")],
    }
}

/// Letters of one sort look alike; any other sign stands for itself.
fn letter(c: char) -> char {
    match c {
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '0'..='9' => '0',
        other => other,
    }
}

fn equal_lengths(arguments: &[Value]) -> BTreeSet<(usize, usize)> {
    let length = |v: &Value| match v {
        Value::Text(text) => Some(text.chars().count()),
        Value::Group(_, items) => Some(items.len()),
        _ => None,
    };
    let mut equal = BTreeSet::new();
    for (b, second) in arguments.iter().enumerate() {
        for (a, first) in arguments[..b].iter().enumerate() {
            if length(first).is_some() && length(first) == length(second) {
                equal.insert((a, b));
            }
        }
    }
    equal
}

/// Reads literals; anything else up to the next separator is a word.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    /// Items up to a closing bracket, which is taken too; `None` when it is missing. Keys and names
    /// of arguments are items or nothing, which is all the same here.
    fn items(&mut self, close: char) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',' || c == ':');
            if let Some(rest) = self.rest.strip_prefix(close) {
                self.rest = rest;
                return Some(items);
            }
            // The wrong bracket: nothing here is to be understood.
            if self.rest.is_empty() || self.rest.starts_with([')', ']', '}']) {
                return None;
            }
            items.push(self.item()?);
        }
    }

    fn item(&mut self) -> Option<Value> {
        let first = self.rest.chars().next()?;
        let value = match first {
            '"' | '\'' => Value::Text(self.text(first)?),
            '[' | '(' | '{' => self.group(String::new())?,
            _ => self.word()?,
        };
        self.rest = self.rest.trim_start();
        let ends = self.rest.starts_with([',', ')', ']', '}', ':']) || self.rest.is_empty();
        if ends { Some(value) } else { self.skipped() }
    }

    /// The rest of an expression that is no literal.
    fn skipped(&mut self) -> Option<Value> {
        while let Some(c) = self.rest.chars().next().filter(|c| !matches!(c, ',' | ')' | ']' | '}' | ':')) {
            match c {
                '"' | '\'' => drop(self.text(c)?),
                '[' | '(' | '{' => drop(self.group(String::new())?),
                _ => self.rest = &self.rest[c.len_utf8()..],
            }
        }
        Some(Value::Word(String::new()))
    }

    fn group(&mut self, name: String) -> Option<Value> {
        let open = self.rest.chars().next()?;
        let close = match open {
            '[' => ']',
            '(' => ')',
            _ => '}',
        };
        self.depth += 1;
        if self.depth > DEPTH * 4 {
            return None;
        }
        self.rest = &self.rest[1..];
        let items = self.items(close)?;
        self.depth -= 1;
        Some(Value::Group(format!("{name}{open}"), items))
    }

    fn text(&mut self, quote: char) -> Option<String> {
        let mut out = String::new();
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            if c == quote && !escaped {
                self.rest = &self.rest[at + 1..];
                return Some(out);
            }
            escaped = c == '\\' && !escaped;
            if !escaped {
                out.push(c);
            }
        }
        None
    }

    /// A number, a name, `name=` before an argument, or a name in front of a bracket.
    fn word(&mut self) -> Option<Value> {
        let stop = |c: char| {
            c.is_whitespace() || matches!(c, ',' | ':' | '=' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'')
        };
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.rest = &self.rest[end..];
        if self.rest.starts_with('=') && !self.rest.starts_with("==") {
            self.rest = self.rest[1..].trim_start();
            return self.item();
        }
        if self.rest.starts_with(['(', '[', '{']) {
            return self.group(word.to_owned());
        }
        if word.is_empty() {
            return self.skipped();
        }
        let plain = word.replace('_', "");
        Some(match plain.parse::<f64>() {
            Ok(value) if plain.contains(|c: char| c.is_ascii_digit()) => {
                Value::Number { value, fractional: plain.contains(['.', 'e', 'E']) }
            }
            _ => Value::Word(word.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(examples: &[&str], inside: &[&str], beyond: &[&str]) {
        let domain = Domain::of("f", examples.iter().copied());
        for call in inside {
            assert!(domain.holds(call), "{call} looks like {examples:?}");
        }
        for call in beyond {
            assert!(!domain.holds(call), "{call} does not look like {examples:?}");
        }
    }

    #[test]
    fn signs_sizes_and_kinds() {
        check(&["f(5) == 3", "f(8)"], &["f(1)", "f(16)"], &["f(0)", "f(-1)", "f(17)", "f(1.5)", "f('1')", "f(None)"]);
        check(&["f(2.5)"], &["f(0.1)", "f(1.0)"], &["f(1)", "f(-2.5)"]);
        check(
            &["f([1, 2, 3], k=2)"],
            &["f([1, 1, 1], k=4)", "f([2, 3], 1)"],
            &["f([], 1)", "f([1], 1)", "f([0, 1], 1)"],
        );
        check(&["f([])", "f([3, -1])"], &["f([])", "f([-6])"], &["f([0])", "f((3, 1))", "f([[3]])"]);
        check(&["f({'a': 1})"], &["f({'b': 2})"], &["f({})", "f({'B': 1})"]);
    }

    #[test]
    fn texts_have_letters_and_lengths() {
        check(
            &["f('Hello')", "f(\"it's\")"],
            &["f('abCd')", "f(\"tis'\")"],
            &["f('')", "f('a b')", "f('abc1')", "f('x')"],
        );
    }

    #[test]
    fn lengths_that_always_agree() {
        check(&["f([1, 2], [3, 4])", "f([1], [2])"], &["f([1], [1])"], &["f([1], [1, 2])"]);
        check(&["f([1, 2], [3, 4])", "f([1], [2, 2])"], &["f([1], [1, 2])"], &[]);
    }

    #[test]
    fn what_is_not_understood_excuses_nothing() {
        check(&[], &["f(1)", "f("], &[]);
        check(&["f(x + 1)"], &["f(y - 2)", "f(", "g(1)"], &["f(1)"]);
        check(
            &["f(vec![1, 2], true)"],
            &["f(vec![2], true)"],
            &["f(vec![], true)", "f([1], true)", "f(vec![1], false)"],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(examples in prop::collection::vec("f\\([\\PC\n]{0,40}", 0..4), call in "f?\\(?[\\PC\n]{0,60}") {
            let domain = Domain::of("f", examples.iter().map(String::as_str));
            domain.holds(&call);
        }

        #[test]
        fn the_examples_lie_inside(values in prop::collection::vec(prop::collection::vec(-9i32..9, 0..4), 1..4)) {
            let calls: Vec<String> = values.iter().map(|v| format!("f({v:?}, 'x{}')", v.len())).collect();
            let domain = Domain::of("f", calls.iter().map(String::as_str));
            prop_assert!(calls.iter().all(|c| domain.holds(c)));
        }
    }
}
