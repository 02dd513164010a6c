//! Where one more clause goes in a spec block, and how it is written there.

use super::parser::TAGS;
use super::{Example, ExampleOrigin};
use crate::code::{Task, TextEdit, TextRange};

/// The edit that puts a clause (`@example f([]) == 0`) into a task's spec block: after the last line of
/// a block of line comments, before the end of a block comment or docstring. A docstring without
/// tags gets a doctest. `None` when the block cannot take it.
pub fn insert_clause(task: &Task, clause: &str) -> Option<TextEdit> {
    if clause.contains(['\n', '\r']) {
        return None;
    }
    let (at, new_text) = insertion(&task.source, task.spec_range, &task.spec.examples, clause)?;
    let new_text = if task.source.contains("\r\n") { new_text.replace('\n', "\r\n") } else { new_text };
    Some(TextEdit { range: TextRange::new(at, at), new_text })
}

fn insertion(text: &str, spec: TextRange, examples: &[Example], clause: &str) -> Option<(usize, String)> {
    let block = spec.slice(text);
    let end = block.trim_end();
    let line_start = text.get(..spec.start)?.rfind('\n').map_or(0, |n| n + 1);
    let indent: String = text.get(line_start..spec.start)?.chars().take_while(|c| c.is_whitespace()).collect();
    if let Some(quotes) = ["\"\"\"", "'''"].into_iter().find(|q| end.ends_with(q)) {
        let in_words: Vec<&Example> = examples.iter().filter(|e| e.origin == ExampleOrigin::Prose).collect();
        let lines = in_docstring(block, quotes, &in_words, clause)?;
        return Some(before_end(text, spec.start + block.rfind(quotes)?, &indent, &lines));
    }
    if end.ends_with("*/") {
        return Some(before_end(text, spec.start + block.rfind("*/")?, &format!("{indent} * "), &[clause.to_owned()]));
    }
    let marker = text.get(line_start..spec.end)?.lines().rev().find_map(marker)?;
    Some((spec.start + end.len(), format!("\n{marker}{clause}")))
}

/// What stands before the tag of a line that begins with one.
fn marker(line: &str) -> Option<&str> {
    let (marker, tag) = line.split_once('@')?;
    let is_marker = marker.chars().all(|c| c.is_whitespace() || "#/!*".contains(c));
    (is_marker && is_tag(tag)).then_some(marker)
}

/// Whether a line goes on with the name of a tag after its `@`.
fn is_tag(rest: &str) -> bool {
    TAGS.iter().any(|tag| {
        let after = rest.strip_prefix(tag.name);
        after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', ':', '?']))
    })
}

/// Lines before what ends a block; that gets a line of its own if it has none.
fn before_end(text: &str, end: usize, indent: &str, lines: &[String]) -> (usize, String) {
    let before = text.get(..end).unwrap_or("").trim_end_matches([' ', '\t']);
    let written: String = lines.iter().map(|l| format!("{indent}{l}\n")).collect();
    if before.ends_with('\n') {
        return (before.len(), written);
    }
    let tail: String = indent.chars().take_while(|c| c.is_whitespace()).collect();
    (end, format!("\n{written}{tail}"))
}

/// The clause as lines of a docstring: as a tag where the docstring has tags, else as a doctest. Beside tags and doctests
/// the examples that it gives in its words would count no more, so they are written out first.
fn in_docstring(block: &str, quotes: &str, in_words: &[&Example], clause: &str) -> Option<Vec<String>> {
    if clause.contains(quotes) {
        return None;
    }
    let prefix = block.split(['"', '\'']).next().unwrap_or("");
    let escaped = |line: String| if prefix.contains(['r', 'R']) { line } else { line.replace('\\', "\\\\") };
    let tagged = |line: &str| line.trim_start_matches(['"', '\'', ' ', '\t']).strip_prefix('@').is_some_and(is_tag);
    let mut clauses: Vec<String> = in_words.iter().map(|e| format!("@example {}", e.code)).collect();
    clauses.push(clause.to_owned());
    if clauses.iter().any(|c| c.contains(quotes)) {
        return None;
    }
    // A doctest would be believed at once.
    if clause.starts_with("@example? ") || clause.starts_with("@raises? ") || block.lines().any(tagged) {
        return Some(clauses);
    }
    let tests: Option<Vec<Vec<String>>> = clauses.iter().map(|c| doctest(c)).collect();
    Some(tests?.concat().into_iter().map(escaped).collect())
}

fn doctest(clause: &str) -> Option<Vec<String>> {
    if let Some((exception, call)) = clause.strip_prefix("@raises ").and_then(|c| c.split_once(' ')) {
        return Some(vec![
            format!(">>> {call}"),
            "Traceback (most recent call last):".into(),
            "    ...".into(),
            exception.to_owned(),
        ]);
    }
    let code = clause.strip_prefix("@example ")?;
    // The last ` == ` that a plainly printed value follows is the claim's own.
    let printed = code.rfind(" == ").and_then(|at| Some((code.get(..at)?, code.get(at + 4..)?)));
    Some(match printed.filter(|(_, value)| prints_as_written(value)) {
        Some((call, value)) => vec![format!(">>> {call}"), value.to_owned()],
        None => vec![format!(">>> {code}"), "True".into()],
    })
}

/// Whether a REPL prints the value exactly so: whole numbers, truth values, texts, and lists and
/// tuples of them. The order of a set, the digits of a float and `None` are another matter.
fn prints_as_written(value: &str) -> bool {
    let mut rest = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        if c != '\'' && c != '"' {
            rest.push(c);
            continue;
        }
        // A text: skipped to its end.
        loop {
            match chars.next() {
                None => return false,
                Some('\\') => drop(chars.next()),
                Some(end) if end == c => break,
                Some(_) => {}
            }
        }
    }
    let rest = rest.replace("True", "").replace("False", "");
    rest.chars().all(|c| c.is_ascii_digit() || "-[](), ".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, spec: &str, clause: &str, expected: &str) {
        let start = text.find(spec).unwrap();
        let (at, new) = insertion(text, TextRange::new(start, start + spec.len()), &[], clause).unwrap();
        assert_eq!(format!("{}{new}{}", &text[..at], &text[at..]), expected);
    }

    #[test]
    fn a_clause_follows_the_block_in_its_own_syntax() {
        let block = "# @spec Sum.\n    # @example f([1]) == 1";
        check(
            &format!("class A:\n    {block}\n    def f(xs): ...\n"),
            block,
            "@example f([]) == 0",
            "class A:\n    # @spec Sum.\n    # @example f([1]) == 1\n    # @example f([]) == 0\n    def f(xs): ...\n",
        );
        check(
            "/// @spec Sum.\nfn f() {}\n",
            "/// @spec Sum.\n",
            "@raises ValueError f([])",
            "/// @spec Sum.\n/// @raises ValueError f([])\nfn f() {}\n",
        );
        check(
            "/**\n * @spec Sum.\n */\nfunction f() {}\n",
            "/**\n * @spec Sum.\n */",
            "@example f([]) == 0",
            "/**\n * @spec Sum.\n * @example f([]) == 0\n */\nfunction f() {}\n",
        );
        check(
            "  /** @spec S. */\n",
            "/** @spec S. */",
            "@example f() == 0",
            "  /** @spec S. \n   * @example f() == 0\n   */\n",
        );
    }

    #[test]
    fn in_a_docstring_it_becomes_a_doctest() {
        check(
            "def f(xs):\n    \"\"\"Sum.\n\n    >>> f([1])\n    1\n    \"\"\"\n",
            "\"\"\"Sum.\n\n    >>> f([1])\n    1\n    \"\"\"",
            "@example f([]) == 0",
            "def f(xs):\n    \"\"\"Sum.\n\n    >>> f([1])\n    1\n    >>> f([])\n    0\n    \"\"\"\n",
        );
        check(
            "def f(xs):\n    \"\"\"Sum.\"\"\"\n",
            "\"\"\"Sum.\"\"\"",
            "@raises E f([])",
            "def f(xs):\n    \"\"\"Sum.\n    >>> f([])\n    Traceback (most recent call last):\n        ...\n    E\n    \"\"\"\n",
        );
        check(
            "def f(xs):\n    '''\n    @spec Sum.\n    '''\n",
            "'''\n    @spec Sum.\n    '''",
            "@example f([]) == 0",
            "def f(xs):\n    '''\n    @spec Sum.\n    @example f([]) == 0\n    '''\n",
        );
    }

    #[test]
    fn a_line_is_marked_as_one_that_begins_with_a_tag() {
        let block = "#  @spec The \"me\" of\n#   me@x.org, or a @ b.";
        let expected = format!("{block}\n#  @example f(1) == 1\ndef f(x): ...\n");
        check(&format!("{block}\ndef f(x): ...\n"), block, "@example f(1) == 1", &expected);
    }

    #[test]
    fn examples_in_the_words_of_a_docstring_go_on_to_count() {
        let doc = "\"\"\"Twice x.\n\n    f(2) == 4\n    \"\"\"";
        let text = format!("def f(x):\n    {doc}\n");
        let example = Example {
            code: "f(2) == 4".into(),
            claim: crate::task_specification::ExampleClaim::Holds,
            equation: None,
            origin: ExampleOrigin::Prose,
            range: TextRange::default(),
        };
        let start = text.find(doc).unwrap();
        let lines = |clause: &str| {
            insertion(&text, TextRange::new(start, start + doc.len()), std::slice::from_ref(&example), clause)
                .unwrap()
                .1
        };
        assert_eq!(lines("@example f(0) == 0"), "    >>> f(2)\n    4\n    >>> f(0)\n    0\n");
        assert_eq!(lines("@example? f(0) == 0"), "    @example f(2) == 4\n    @example? f(0) == 0\n");
    }

    #[test]
    fn a_doctest_prints_what_the_value_prints() {
        let two = |clause: &str| doctest(clause).unwrap().join(" | ");
        assert_eq!(two("@example f([]) == [1, 'a {b}', True]"), ">>> f([]) | [1, 'a {b}', True]");
        assert_eq!(two("@example f('==') == 'a == b'"), ">>> f('==') == 'a == b' | True");
        for unprinted in ["None", "2.0", "{1, 2}", "{'a': 1}", "float('inf')"] {
            assert_eq!(two(&format!("@example f() == {unprinted}")), format!(">>> f() == {unprinted} | True"));
        }
        assert_eq!(two("@example abs(f(1) - 0.5) <= 1e-9"), ">>> abs(f(1) - 0.5) <= 1e-9 | True");
    }

    #[test]
    fn what_a_docstring_would_read_otherwise_is_escaped_or_refused() {
        let lines = |block: &str, clause: &str| in_docstring(block, "\"\"\"", &[], clause);
        let clause = "@example f('a\\n') == 1";
        assert_eq!(lines("\"\"\"x\"\"\"", clause).unwrap(), [">>> f('a\\\\n')", "1"]);
        assert_eq!(lines("r\"\"\"x\"\"\"", clause).unwrap(), [">>> f('a\\n')", "1"]);
        assert_eq!(lines("\"\"\"x\"\"\"", "@example f('\"\"\"') == 1"), None);
    }
}
