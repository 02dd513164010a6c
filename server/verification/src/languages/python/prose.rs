//! Examples that stand in the words of a docstring, the way people write them: `f([1, 2]) == 3`,
//! `f(5) => [2, 3]`, `f('Hi') returns 'Hi'`, `For n = 150 the output should be "110"`, `Input: [4, 2]`
//! above `Output: 2`.
//!
//! Only literals on both sides count: what would have to be guessed is prose. Each becomes the
//! equation that an `@example` with the same values would be.

use std::collections::HashSet;

use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::BlockLine;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin};

use super::docstring::unescape;
use super::literals::is_literal;
use super::tree::{children, parse, single_expression, text};

/// What may stand between a call and what it gives; longer ones first.
const GIVES: &[&str] = &[
    "should be equal to",
    "should return",
    "should equal",
    "must return",
    "should be",
    "evaluates to",
    "will return",
    "returns",
    "return",
    "equals",
    "gives",
    "yields",
    "===>",
    "==>",
    "-->",
    "# =>",
    "#=>",
    "=>",
    "->",
    "➞",
    "→",
    "➜",
    "⇒",
    "==",
    "=",
    "is",
];
/// What may stand before the value after `For x = 1, `.
const RESULTS: &[&str] = &["output", "result", "answer", "return value", "returned value", "function should return"];
/// Longest way from the last argument to the word for the result, in bytes.
const NEAR: usize = 120;
/// Most examples taken from one docstring.
const MOST: usize = 60;

/// Takes the examples out of the prose of a docstring. `params` are the names of the parameters,
/// without a receiver.
pub(super) fn examples(prose: &[BlockLine<'_>], is_raw: bool, function: &str, params: &[&str]) -> Vec<Example> {
    let text = Text::new(prose);
    let mut found = Vec::new();
    found.extend(calls(&text.joined, function));
    found.extend(named(&text.joined, function, params));
    found.extend(blocks(&text.joined, function, params.len()));
    found.sort_by_key(|f| f.at);
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for one in found {
        let decode = |text: &str| if is_raw { text.to_owned() } else { unescape(text) };
        let (call, value) = (decode(&one.call), pythonic(&decode(&one.value)));
        if out.len() < MOST
            && is_value(&value)
            && literal_arguments(&call)
            && seen.insert((call.clone(), value.clone()))
        {
            out.push(Example {
                code: format!("{call} == {value}"),
                claim: ExampleClaim::Holds,
                equation: Some((call, value)),
                origin: ExampleOrigin::Prose,
                range: TextRange::new(text.place(one.at), text.place(one.end.max(one.at + 1) - 1) + 1),
            });
        }
    }
    out
}

/// Whether a line of a docstring is worth reading closely.
pub(super) fn may_be_example(line: &str) -> bool {
    let is_result = |line: &str| ["utput", "result", "answer", "return"].iter().any(|w| line.contains(w));
    line.split_once(')').is_some_and(|(_, rest)| GIVES.iter().any(|g| rest.contains(g))) || is_result(line)
}

/// One find: bytes of the joined text.
struct Found {
    at: usize,
    end: usize,
    call: String,
    value: String,
}

/// Lines joined, with the way back to the file.
struct Text {
    joined: String,
    starts: Vec<(usize, usize)>,
}

impl Text {
    fn new(lines: &[BlockLine<'_>]) -> Self {
        let (mut joined, mut starts) = (String::new(), Vec::with_capacity(lines.len()));
        for line in lines {
            starts.push((joined.len(), line.start));
            joined.push_str(line.text);
            joined.push('\n');
        }
        Self { joined, starts }
    }

    fn place(&self, at: usize) -> usize {
        let line = self.starts.iter().rev().find(|(joined, _)| *joined <= at);
        line.map_or(at, |(joined, file)| file + (at - joined))
    }
}

/// `f(ARGS) GIVES VALUE`.
fn calls(text: &str, function: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(function).filter(|_| !function.is_empty()) {
        let before = text[..at].chars().next_back();
        let open = at + function.len();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.') || !text[open..].starts_with('(') {
            continue;
        }
        let Some(close) = balanced(&text[open..]) else { continue };
        let (call, rest) = (&text[at..open + close], &text[open + close..]);
        let Some(after) = after_gives(rest) else { continue };
        if let Some((value, length)) = value(after) {
            let end = text.len() - after.len() + length;
            found.push(Found { at, end, call: call.to_owned(), value });
        }
    }
    found
}

fn after_gives(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches([' ', '\t', '`']);
    let word = GIVES.iter().find(|g| {
        let next = rest.strip_prefix(**g).and_then(|r| r.chars().next());
        next.is_some_and(|c| !g.ends_with(char::is_alphabetic) || !c.is_alphanumeric())
    })?;
    Some(rest[word.len()..].trim_start_matches([' ', '\t', ':', '`']))
}

/// `For x = 1, y = [2], the output should be 3`: all parameters by name, then the result's word.
fn named(text: &str, function: &str, params: &[&str]) -> Vec<Found> {
    let Some(first) = params.first() else { return Vec::new() };
    let mut found = Vec::new();
    for (at, _) in text.match_indices(first) {
        let Some((values, end)) = assignments(text, at, params) else { continue };
        let Some(after) = after_result(&text[end..]) else { continue };
        if let Some((value, length)) = value(after) {
            let end = text.len() - after.len() + length;
            found.push(Found { at, end, call: format!("{function}({})", values.join(", ")), value });
        }
    }
    found
}

/// The values of `a = 1, b = 2` at a place, in the order of the parameters, and where they end.
fn assignments(text: &str, at: usize, params: &[&str]) -> Option<(Vec<String>, usize)> {
    if text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let (mut values, mut rest) = (Vec::new(), &text[at..]);
    for param in params {
        rest = rest.trim_start_matches([' ', '\t', ',', ';']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
        rest = rest.strip_prefix(param)?.trim_start_matches([' ', '\t']).strip_prefix('=')?;
        rest = rest.trim_start_matches([' ', '\t']);
        let (value, length) = literal(rest)?;
        values.push(value);
        rest = &rest[length..];
    }
    Some((values, text.len() - rest.len()))
}

/// The text after `… the output should be`, or after `=>`, which must come soon.
fn after_result(text: &str) -> Option<&str> {
    let trimmed = text.trim_start_matches([' ', '\t', ',', ';']);
    let line_end = text.find('\n').unwrap_or(text.len());
    if let Some(arrow) = GIVES.iter().filter(|g| !g.ends_with(char::is_alphabetic)).find(|g| trimmed.starts_with(**g)) {
        return Some(trimmed[arrow.len()..].trim_start_matches([' ', '\t']));
    }
    // The value may stand on the next line, as in `Input: n = 3` above `Output: 4`.
    let next = text[line_end..].trim_start();
    let reach = if next.to_lowercase().starts_with("output") { text.len() } else { line_end };
    let near = text.char_indices().map(|(i, _)| i).take_while(|i| *i <= NEAR.min(reach)).last().unwrap_or(0);
    // ASCII only, so that places in the lower-cased text are places in the text.
    let lower = text[..near].to_ascii_lowercase();
    let word = RESULTS.iter().filter_map(|w| lower.find(w).map(|i| i + w.len())).min()?;
    let rest = text[word..].trim_start_matches([' ', '\t', ':']);
    for verb in ["should be", "must be", "will be", "is", "=", "->", "=>"] {
        if let Some(rest) = rest.strip_prefix(verb) {
            return Some(rest.trim_start_matches([' ', '\t', ':']));
        }
    }
    Some(rest)
}

/// `Input: 1, [2]` and `Output: 3` on lines of their own; the values come in the parameters' order.
fn blocks(text: &str, function: &str, params: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("nput:").filter(|_| params > 0) {
        let mut rest = text[at + "nput:".len()..].trim_start_matches([' ', '\t']);
        let mut values = Vec::new();
        while let Some((value, length)) = literal(rest) {
            values.push(value);
            rest = rest[length..].trim_start_matches([' ', '\t']);
            match rest.strip_prefix(',') {
                Some(more) => rest = more.trim_start_matches([' ', '\t']),
                None => break,
            }
        }
        let Some(output) = rest.trim_start().strip_prefix("Output:").filter(|_| values.len() == params) else {
            continue;
        };
        let output = output.trim_start_matches([' ', '\t']);
        if let Some((value, length)) = value(output) {
            let end = text.len() - output.len() + length;
            found.push(Found { at, end, call: format!("{function}({})", values.join(", ")), value });
        }
    }
    found
}

/// A literal that nothing continues: its text and its length.
fn value(text: &str) -> Option<(String, usize)> {
    let (value, length) = literal(text)?;
    if text[length..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let rest = text[length..].trim_start_matches([' ', '\t', '`']);
    let line = rest.lines().next().unwrap_or("");
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let word = words.next().unwrap_or("");
    let goes_on = line
        .starts_with(['+', '-', '*', '/', '%', '<', '>', '=', '!', '&', '|', '^', '@', '[', '{', '"', '\''])
        && !line.starts_with("//");
    let conditional = ["if", "else", "and", "or", "in", "not", "for", "when", "unless", "is"].contains(&word);
    let fraction = line.starts_with('.') && line[1..].starts_with(|c: char| c.is_alphanumeric());
    (!goes_on && !conditional && !fraction).then_some((value, length))
}

/// One literal at the start of a text: its text and its length.
fn literal(text: &str) -> Option<(String, usize)> {
    let first = text.chars().next()?;
    let length = match first {
        '[' | '(' | '{' => balanced(text)?,
        '"' | '\'' => quoted(text)?,
        '-' | '+' | '.' | '0'..='9' => number(text)?,
        _ => {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
            ["True", "False", "None", "true", "false", "null"].contains(&&text[..end]).then_some(end)?
        }
    };
    let taken = &text[..length];
    is_value(&pythonic(taken)).then(|| (pythonic(taken), length))
}

/// The words of other languages for truth and nothing.
fn pythonic(value: &str) -> String {
    match value {
        "true" => "True".to_owned(),
        "false" => "False".to_owned(),
        "null" => "None".to_owned(),
        other => other.to_owned(),
    }
}

/// The length of a number; a full stop after it ends the sentence.
fn number(text: &str) -> Option<usize> {
    let sign = usize::from(text.starts_with(['-', '+']));
    let body = text[sign..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
    let mut end = body.map_or(text.len(), |b| b + sign);
    if text[..end].ends_with(['e', 'E']) && text[end..].starts_with(['-', '+']) {
        let digits = text[end + 1..].find(|c: char| !c.is_ascii_digit());
        end = digits.map_or(text.len(), |d| d + end + 1);
    }
    while text[..end].ends_with('.') && text[end..].starts_with(|c: char| c.is_whitespace())
        || text[..end].ends_with("..")
    {
        end -= 1;
    }
    (end > sign).then_some(end)
}

/// The length of a string literal on one line.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// The length of a bracket with all that is in it; strings inside are skipped.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            '"' | '\'' => {
                at += quoted(&text[at..])?;
                continue;
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

fn is_value(text: &str) -> bool {
    parse(text).is_some_and(|tree| single_expression(&tree).is_some_and(|node| is_literal(node, text)))
}

/// Whether every argument of a call is a literal.
fn literal_arguments(call: &str) -> bool {
    let Some(tree) = parse(call) else { return false };
    let arguments = single_expression(&tree)
        .filter(|e| e.kind() == "call")
        .and_then(|e| e.child_by_field_name("arguments"))
        .filter(|a| a.kind() == "argument_list");
    arguments.is_some_and(|list| {
        children(list).into_iter().filter(|n| n.is_named()).all(|n| {
            let value = n.child_by_field_name("value").filter(|_| n.kind() == "keyword_argument");
            is_literal(value.unwrap_or(n), call) && !text(n, call).contains('\n')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(doc: &str, function: &str, params: &[&str], expected: Expect) {
        let mut at = 0;
        let lines: Vec<BlockLine<'_>> = doc
            .split_inclusive('\n')
            .map(|line| {
                at += line.len();
                BlockLine { text: line.trim_end_matches('\n'), start: at - line.len() }
            })
            .collect();
        let mut out = String::new();
        for e in examples(&lines, false, function, params) {
            out += &format!("{}    [{}]\n", e.code, e.range.slice(doc));
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn calls_and_what_they_give() {
        let doc = "Write total(xs) such that total(xs) = sum.\n\
            total([1, 2]) == 3\n* total([]) => 0.\n  total([4.5]) ➞ 4.5 # alone\n\
            total([1], start=2) returns 3, because it adds\nFor example, total([-1]) = -1.\n\
            total({'a': None}) -> true\ntotal([1,\n2]) == 3\ntotal([9]) == \"nine (9)\" // text\n";
        check(
            doc,
            "total",
            &["xs"],
            expect![[r#"
                total([1, 2]) == 3    [total([1, 2]) == 3]
                total([]) == 0    [total([]) => 0]
                total([4.5]) == 4.5    [total([4.5]) ➞ 4.5]
                total([1], start=2) == 3    [total([1], start=2) returns 3]
                total([-1]) == -1    [total([-1]) = -1]
                total({'a': None}) == True    [total({'a': None}) -> true]
                total([9]) == "nine (9)"    [total([9]) == "nine (9)"]
            "#]],
        );
    }

    #[test]
    fn what_would_have_to_be_guessed_is_prose() {
        let doc = "f(n) = 1 + n / 2\nf(2) = 1 + (2 / 2) = 2\nf(a) => False\nf(1) == 2 if x\nsubf(1) == 2\n\
            f(1) is nice\nf(3) == g(3)\nf(4) == [1, x]\nf(1) == \"\"open\nf(1) <= 2\nf(0\nf(2) and f(3)\nreturn f(5)\n";
        check(doc, "f", &["n"], expect![""]);
    }

    #[test]
    fn arguments_by_name_and_in_blocks() {
        let doc = "For s = \"ab\", k = 1 the result should be ('b', False)\nFor s = \"ab\" the output is 3\n\
            For s = 'x', k = 2, the sum will be 7 the output should be \"1\".\n\
            Example 1:\n    Input: s = 'q', k = 3\n    Output: [1]\n    Explanation: one\n\
            Input: 'z', 4\nOutput: 5 # five\nInput: 'z'\nOutput: 6\n";
        check(
            doc,
            "f",
            &["s", "k"],
            expect![[r#"
                f("ab", 1) == ('b', False)    [s = "ab", k = 1 the result should be ('b', False)]
                f('x', 2) == "1"    [s = 'x', k = 2, the sum will be 7 the output should be "1"]
                f('q', 3) == [1]    [s = 'q', k = 3
                    Output: [1]]
                f('z', 4) == 5    [nput: 'z', 4
                Output: 5]
            "#]],
        );
    }
}
