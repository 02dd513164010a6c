//! What stands where in a spec block: tags, and behind them names, numbers and texts.
//!
//! A block is read line by line, in any language and whether it is made of line comments, a doc
//! comment or a docstring. What is no clause has no token: words stay words.

use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::task_specification::{TAGS, TagInfo};

/// What a piece of a spec is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// `@example`, `>>>`
    Tag,
    /// A parameter of the function.
    Parameter,
    /// A function that is called, or written by a step.
    Function,
    /// A type or an exception.
    Type,
    /// A module.
    Module,
    /// A word of the language.
    Keyword,
    /// Any other name, `result` included.
    Variable,
    /// A number, with its unit.
    Number,
    /// A text in quotes.
    Text,
}

/// What begins a comment line in one of our languages, the longer before the shorter.
pub(crate) const MARKERS: [&str; 8] = ["///", "//!", "//", "#", "/**", "*", "\"\"\"", "'''"];

/// Words of our languages that expressions are made of.
const KEYWORDS: [&str; 20] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "for",
    "lambda",
    "await",
    "True",
    "False",
    "None",
    "true",
    "false",
    "null",
    "undefined",
    "typeof",
    "new",
    "as",
];

/// The line behind its comment marker, and where that begins in the line.
pub(crate) fn behind_marker(line: &str) -> (usize, &str) {
    let text = line.trim_start();
    let text = MARKERS.iter().find_map(|m| text.strip_prefix(m)).unwrap_or(text).trim_start();
    (line.len() - text.len(), text)
}

/// The tag that a line begins with, when it is one of ours, and the length of `@tag`.
pub(crate) fn tag_of(text: &str) -> Option<(&'static TagInfo, usize)> {
    let after = text.strip_prefix('@')?;
    let length = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(after.len());
    let guess = usize::from(after.get(length..).is_some_and(|tail| tail.starts_with('?')));
    let (word, tail) = after.split_at(length + guess);
    let tail = tail.strip_prefix(':').unwrap_or(tail);
    let separated = tail.chars().next().is_none_or(char::is_whitespace);
    TAGS.iter().find(|t| separated && t.name == word).map(|t| (t, 1 + word.len()))
}

/// The pieces of a task's spec, in file order.
pub(crate) fn pieces(task: &Task) -> Vec<(TextRange, Piece)> {
    let mut reader = Reader { task, out: Vec::new() };
    let mut at = task.spec_range.start;
    // The tag whose clause the lines belong to.
    let mut open: Option<&'static str> = None;
    for line in task.spec_range.slice(&task.source).split_inclusive('\n') {
        let (indent, text) = behind_marker(line.trim_end());
        let start = at + indent;
        at += line.len();
        if text.is_empty() {
            open = None;
        } else if let Some((tag, length)) = tag_of(text) {
            open = Some(tag.name);
            reader.push(start, length, Piece::Tag);
            let rest = text.get(length..).unwrap_or_default();
            reader.clause(tag.name, rest, start + length);
        } else if let Some(rest) = text.strip_prefix(">>>").or_else(|| text.strip_prefix("... ")) {
            open = None;
            reader.push(start, 3, Piece::Tag);
            reader.expression(rest, start + text.len() - rest.len(), Piece::Variable);
        } else if let Some(tag) = open {
            reader.clause(tag, text, start);
        }
    }
    reader.out
}

struct Reader<'a> {
    task: &'a Task,
    out: Vec<(TextRange, Piece)>,
}

impl Reader<'_> {
    fn push(&mut self, start: usize, length: usize, piece: Piece) {
        self.out.push((TextRange::new(start, start + length), piece));
    }

    /// The text of a clause, or of a line that continues it.
    fn clause(&mut self, tag: &str, text: &str, at: usize) {
        match tag.trim_end_matches('?') {
            "requires" | "ensures" | "example" | "property" | "budget" | "complexity" => {
                self.expression(text, at, Piece::Variable);
            }
            "raises" => {
                let head = text.len() - text.trim_start().len();
                let word = text.get(head..).unwrap_or_default();
                let length = word.find(char::is_whitespace).unwrap_or(word.len());
                self.push(at + head, length, Piece::Type);
                self.expression(word.get(length..).unwrap_or_default(), at + head + length, Piece::Variable);
            }
            "uses" => self.expression(text, at, Piece::Module),
            "forbid" => self.expression(text, at, Piece::Keyword),
            "step" => self.step(text, at),
            _ => {}
        }
    }

    /// `name(parameters) -> type: words`: the words are words.
    fn step(&mut self, text: &str, at: usize) {
        let mut depth = 0_i32;
        let end = text.char_indices().find(|(_, c)| {
            depth += i32::from(matches!(c, '(' | '[' | '<')) - i32::from(matches!(c, ')' | ']'));
            *c == ':' && depth <= 0
        });
        let signature = end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
        let begun = self.out.len();
        self.expression(signature, at, Piece::Type);
        // A name before a colon is a parameter's.
        for (range, piece) in self.out.iter_mut().skip(begun) {
            let is_named = signature.get(range.end - at..).is_some_and(|rest| rest.trim_start().starts_with(':'));
            if *piece == Piece::Type && is_named {
                *piece = Piece::Parameter;
            }
        }
    }

    /// Names, numbers and texts; `other` is what a name is when nothing else is known of it.
    fn expression(&mut self, text: &str, at: usize, other: Piece) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let here = at + (text.len() - rest.len());
            let length = match c {
                '"' | '\'' | '`' => text_length(rest, c),
                c if c.is_ascii_digit() => length_while(rest, |c| c.is_alphanumeric() || c == '_' || c == '.'),
                c if c.is_alphabetic() || c == '_' => length_while(rest, |c| c.is_alphanumeric() || c == '_'),
                c => c.len_utf8(),
            };
            let (token, behind) = rest.split_at(length);
            match c {
                '"' | '\'' | '`' if length > 1 => self.push(here, length, Piece::Text),
                c if c.is_ascii_digit() => self.push(here, length, Piece::Number),
                c if c.is_alphabetic() || c == '_' => {
                    let piece = self.name(token, behind, other);
                    self.push(here, length, piece);
                }
                _ => {}
            }
            rest = behind;
        }
    }

    fn name(&self, name: &str, behind: &str, other: Piece) -> Piece {
        if other == Piece::Variable && self.task.signature.params.iter().any(|p| p.name == name) {
            Piece::Parameter
        } else if behind.starts_with('(') {
            Piece::Function
        } else if KEYWORDS.contains(&name) {
            Piece::Keyword
        } else {
            other
        }
    }
}

fn length_while(text: &str, inside: impl Fn(char) -> bool) -> usize {
    text.find(|c| !inside(c)).unwrap_or(text.len())
}

/// The length of a text in quotes; without a closing quote, the quote alone: it may be an apostrophe.
fn text_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    quote.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::sync::Arc;
    use zeroerr_core::code::{LanguageId, Param, ParamKind, Signature};
    use zeroerr_core::task_specification::Spec;

    fn task(spec: &str) -> Task {
        let source: Arc<str> = Arc::from(format!("é = 1\n{spec}\ndef f(xs): ...\n"));
        let start = source.find(spec).unwrap();
        let param = Param { name: "xs".into(), annotation: None, default: None, kind: ParamKind::Plain };
        Task {
            file: "a.py".into(),
            language: LanguageId::Python,
            source,
            signature: Signature {
                name: "f".into(),
                params: vec![param],
                returns: None,
                is_async: false,
                header: "def f(xs):".into(),
            },
            spec: Spec::default(),
            spec_range: TextRange::new(start, start + spec.len()),
            function_range: TextRange::default(),
            body_range: TextRange::default(),
            class: None,
            is_stub: true,
        }
    }

    fn check(spec: &str, expected: Expect) {
        let task = task(spec);
        let all: String = pieces(&task).iter().map(|(r, p)| format!("{p:?} {}\n", r.slice(&task.source))).collect();
        expected.assert_eq(&all);
    }

    #[test]
    fn clauses_are_read_and_words_are_not() {
        check(
            "# @spec Return the sum of xs, don't fail.\n# @ensures result >= 0 and\n#    f(xs) == 'é' + len(xs)\n\n# more",
            expect![[r#"
                Tag @spec
                Tag @ensures
                Variable result
                Number 0
                Keyword and
                Function f
                Parameter xs
                Text 'é'
                Function len
                Parameter xs
            "#]],
        );
    }

    #[test]
    fn every_tag_has_its_own_grammar() {
        check(
            "// @step half(n: int, m: list[str]) -> int: half of n\n// @raises ValueError f([])\n// @uses math, os.path\n// @forbid recursion\n// @budget 20ms f([1])\n// @complexity O(n log n)",
            expect![[r#"
                Tag @step
                Function half
                Parameter n
                Type int
                Parameter m
                Type list
                Type str
                Type int
                Tag @raises
                Type ValueError
                Function f
                Tag @uses
                Module math
                Module os
                Module path
                Tag @forbid
                Keyword recursion
                Tag @budget
                Number 20ms
                Function f
                Number 1
                Tag @complexity
                Function O
                Variable n
                Variable log
                Variable n
            "#]],
        );
    }

    #[test]
    fn docstrings_have_tags_and_doctests() {
        check(
            "\"\"\"Sum. @author me\n\n    @example f([1]) == 1\n    >>> f([])\n    0\n    \"\"\"",
            expect![[r#"
                Tag @example
                Function f
                Number 1
                Number 1
                Tag >>>
                Function f
            "#]],
        );
    }

    proptest::proptest! {
        #[test]
        fn pieces_are_in_order_on_characters_and_within_one_line(spec in "[#@a-z é😀\\r\\n'\"()>:.0-9\\\\]{0,80}") {
            let task = task(&spec);
            let mut end = task.spec_range.start;
            for (range, _) in pieces(&task) {
                proptest::prop_assert!(range.start >= end && range.end <= task.spec_range.end);
                let text = task.source.get(range.start..range.end).expect("on characters");
                proptest::prop_assert!(!text.is_empty() && !text.contains('\n'));
                end = range.end;
            }
        }
    }
}
