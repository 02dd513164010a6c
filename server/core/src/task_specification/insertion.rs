//! Where one more clause goes in a spec block, and how it is written there.

use super::parser::TAGS;
use crate::code::{Task, TextEdit, TextRange};

/// The edit that puts a clause (`@example f([]) == 0`) into a task's spec block: after the last line of
/// a block of line comments, before the end of a block comment or docstring. A docstring without
/// tags gets a doctest. `None` when the block cannot take it.
pub fn insert_clause(task: &Task, clause: &str) -> Option<TextEdit> {
    if clause.contains(['\n', '\r']) {
        return None;
    }
    let (at, new_text) = insertion(&task.source, task.spec_range, clause)?;
    let new_text = if task.source.contains("\r\n") { new_text.replace('\n', "\r\n") } else { new_text };
    Some(TextEdit { range: TextRange::new(at, at), new_text })
}

fn insertion(text: &str, spec: TextRange, clause: &str) -> Option<(usize, String)> {
    let block = spec.slice(text);
    let end = block.trim_end();
    let line_start = text.get(..spec.start)?.rfind('\n').map_or(0, |n| n + 1);
    let indent: String = text.get(line_start..spec.start)?.chars().take_while(|c| c.is_whitespace()).collect();
    if let Some(quotes) = ["\"\"\"", "'''"].into_iter().find(|q| end.ends_with(q)) {
        let lines = in_docstring(block, quotes, clause)?;
        return Some(before_end(text, spec.start + block.rfind(quotes)?, &indent, &lines));
    }
    if end.ends_with("*/") {
        return Some(before_end(text, spec.start + block.rfind("*/")?, &format!("{indent} * "), &[clause.to_owned()]));
    }
    let tagged = text.get(line_start..spec.end)?.lines().rfind(|l| l.contains('@'))?;
    let marker = tagged.split('@').next()?;
    Some((spec.start + end.len(), format!("\n{marker}{clause}")))
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

/// The clause as lines of a docstring: as a tag where the docstring has tags, else as a doctest.
fn in_docstring(block: &str, quotes: &str, clause: &str) -> Option<Vec<String>> {
    if clause.contains(quotes) {
        return None;
    }
    let prefix = block.split(['"', '\'']).next().unwrap_or("");
    let escaped = |line: String| if prefix.contains(['r', 'R']) { line } else { line.replace('\\', "\\\\") };
    let is_tag = |line: &str| {
        let word = line.trim_start_matches(['"', '\'', ' ', '\t']).strip_prefix('@');
        word.is_some_and(|w| TAGS.iter().any(|t| w.strip_prefix(t.name).is_some_and(|rest| rest.starts_with(' '))))
    };
    // A doctest would be believed at once.
    if clause.starts_with("@example? ") || clause.starts_with("@raises? ") || block.lines().any(is_tag) {
        return Some(vec![clause.to_owned()]);
    }
    Some(doctest(clause)?.into_iter().map(escaped).collect())
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
        let (at, new) = insertion(text, TextRange::new(start, start + spec.len()), clause).unwrap();
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
        let lines = |block: &str, clause: &str| in_docstring(block, "\"\"\"", clause);
        let clause = "@example f('a\\n') == 1";
        assert_eq!(lines("\"\"\"x\"\"\"", clause).unwrap(), [">>> f('a\\\\n')", "1"]);
        assert_eq!(lines("r\"\"\"x\"\"\"", clause).unwrap(), [">>> f('a\\n')", "1"]);
        assert_eq!(lines("\"\"\"x\"\"\"", "@example f('\"\"\"') == 1"), None);
    }
}
