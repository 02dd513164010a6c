//! Docstrings: their lines with exact places, and the doctests in them.

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::BlockLine;

use super::tree::{children, parse, text};

/// A string literal that stands first in a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Docstring<'t> {
    /// The statement.
    pub node: Node<'t>,
    /// Between the quotes; empty for a literal that is not one plain string.
    pub content: TextRange,
}

/// The string literal that a statement is, if it is nothing else.
pub(super) fn docstring(statement: Node<'_>) -> Option<Docstring<'_>> {
    let literal =
        statement.child(0).filter(|_| statement.kind() == "expression_statement" && statement.child_count() == 1)?;
    if literal.kind() == "concatenated_string" {
        let end = literal.end_byte();
        return Some(Docstring { node: statement, content: TextRange::new(end, end) });
    }
    let parts = if literal.kind() == "string" { children(literal) } else { return None };
    let (open, close) = (parts.first()?, parts.last()?);
    let whole = open.kind() == "string_start" && close.kind() == "string_end";
    whole.then(|| Docstring { node: statement, content: TextRange::new(open.end_byte(), close.start_byte()) })
}

/// The letters before the quotes.
fn prefix_of<'s>(docstring: &Docstring<'_>, source: &'s str) -> &'s str {
    let literal = text(docstring.node, source);
    literal.get(..literal.find(['"', '\'']).unwrap_or(0)).unwrap_or("")
}

/// Whether backslashes of the literal stand for themselves.
pub(super) fn is_raw(docstring: &Docstring<'_>, source: &str) -> bool {
    prefix_of(docstring, source).contains(['r', 'R'])
}

/// The lines of a docstring's text, with their places.
pub(super) fn lines<'s>(docstring: &Docstring<'_>, source: &'s str) -> Vec<BlockLine<'s>> {
    // Python itself takes neither f-strings nor bytes for a docstring.
    if prefix_of(docstring, source).contains(['f', 'F', 'b', 'B', 't', 'T']) {
        return Vec::new();
    }
    let mut at = docstring.content.start;
    let content = docstring.content.slice(source);
    let whole = content.split_inclusive('\n').map(|line| {
        let start = at;
        at += line.len();
        BlockLine { text: line.trim_end_matches(['\n', '\r']), start }
    });
    whole.collect()
}

/// One example of a docstring, as the doctest module would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doctest {
    /// The statement, continuation lines included.
    pub code: String,
    /// What must be printed; empty when nothing is expected.
    pub want: String,
    /// From `>>>` to the end of what is expected.
    pub range: TextRange,
    /// Whether it says that it must not be run.
    pub is_skipped: bool,
}

/// Takes the doctests out of a docstring's lines; what remains is prose and tags, with an empty
/// line where a doctest stood.
pub(super) fn take_doctests<'s>(all: &[BlockLine<'s>], is_raw: bool) -> (Vec<Doctest>, Vec<BlockLine<'s>>) {
    let decode = |text: &str| if is_raw { text.to_owned() } else { unescape(text) };
    let (mut tests, mut prose) = (Vec::new(), Vec::new());
    let mut lines = all.iter().copied().peekable();
    while let Some(line) = lines.next() {
        let indent = line.text.len() - line.text.trim_start().len();
        let Some(first) = prompt(line.text, ">>>") else {
            prose.push(line);
            continue;
        };
        prose.push(BlockLine { text: "", start: line.start });
        let (mut code, mut want) = (vec![decode(first)], Vec::new());
        let mut end = line.start + line.text.trim_end().len();
        let mut is_source = true;
        while let Some(next) = lines.peek().copied() {
            let body = next.text.trim();
            if body.is_empty() || body.starts_with(">>>") || (body.starts_with('@') && is_tag(body)) {
                break;
            }
            let more = prompt(next.text, "...").filter(|_| is_source && body.starts_with("..."));
            match more {
                Some(more) => code.push(decode(more)),
                None => {
                    is_source = false;
                    let dedented = next.text.get(indent..).filter(|_| next.text.is_char_boundary(indent));
                    want.push(decode(
                        dedented.filter(|_| next.text.len() - next.text.trim_start().len() >= indent).unwrap_or(body),
                    ));
                }
            }
            end = next.start + next.text.trim_end().len();
            lines.next();
        }
        let code = code.join("\n");
        let is_skipped = is_skipped(&code);
        let want = want
            .iter()
            .map(|l| if l.trim() == "<BLANKLINE>" { "" } else { l.trim_end() })
            .collect::<Vec<_>>()
            .join("\n");
        tests.push(Doctest { code, want, range: TextRange::new(line.start + indent, end), is_skipped });
    }
    (tests, prose)
}

fn is_tag(line: &str) -> bool {
    let word = line.trim_start_matches('@').split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    zeroerr_core::task_specification::parser::TAGS.iter().any(|t| t.name == word)
}

/// The text after a prompt, which a space or the line's end must follow.
fn prompt<'s>(line: &'s str, prompt: &str) -> Option<&'s str> {
    let rest = line.trim_start().strip_prefix(prompt)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ').map(str::trim_end) }
}

/// Whether `# doctest: +SKIP` stands in the code. Other options stay with the code for whoever runs it.
fn is_skipped(code: &str) -> bool {
    let options = |c: &str| c.trim_start_matches('#').trim_start().starts_with("doctest:") && c.contains("+SKIP");
    let tree = parse(code).filter(|_| code.contains("+SKIP"));
    tree.is_some_and(|t| {
        super::tree::nodes(t.root_node()).iter().any(|n| n.kind() == "comment" && options(text(*n, code)))
    })
}

/// The exception that an expected traceback names.
pub(super) fn raised(want: &str) -> Option<String> {
    let mut lines = want.lines();
    let head = lines.next()?.trim();
    if !(head.starts_with("Traceback (most recent call last)") || head.starts_with("Traceback (innermost last)")) {
        return None;
    }
    let last = lines.find(|l| l.starts_with(|c: char| c.is_alphabetic() || c == '_'))?;
    let name = last.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).next().unwrap_or("");
    (!name.is_empty()).then(|| name.to_owned())
}

/// The escapes that real docstrings use; an unknown one stands for itself, as in Python.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some(quoted @ ('\\' | '\'' | '"')) => out.push(quoted),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, expected: Expect) {
        let tree = parse(source).unwrap();
        let docstring = docstring(tree.root_node().child(0).unwrap()).unwrap();
        let (tests, prose) = take_doctests(&lines(&docstring, source), false);
        let mut out = String::new();
        for t in tests {
            let raised = raised(&t.want).map(|e| format!(" raises {e}")).unwrap_or_default();
            out += &format!("{:?} => {:?}{raised} {:?}\n", t.code, t.want, t.is_skipped);
            assert!(t.range.slice(source).starts_with(">>>"));
        }
        out += &prose.iter().map(|l| l.text.trim()).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" | ");
        expected.assert_eq(&out);
    }

    #[test]
    fn doctests_as_the_doctest_module_sees_them() {
        check(
            r#""""Sum.

    >>> total([1, 2])
    3
    >>> for x in [1]:
    ...     print(total([x]))
    ...
    1
    >>> print("a\\n\\nb")
    a
    <BLANKLINE>
    b
    >>> total(None)
    Traceback (most recent call last):
      File "x", line 1, in f
    decimal.InvalidOperation: no
    >>> total([0.1])  # doctest: +ELLIPSIS
    0.1...
    >>> x = 1
    >>>not_a_prompt
    @example total([]) == 0
    """
"#,
            expect![[r#"
                "total([1, 2])" => "3" false
                "for x in [1]:\n    print(total([x]))\n" => "1" false
                "print(\"a\\n\\nb\")" => "a\n\nb" false
                "total(None)" => "Traceback (most recent call last):\n  File \"x\", line 1, in f\ndecimal.InvalidOperation: no" raises decimal.InvalidOperation false
                "total([0.1])  # doctest: +ELLIPSIS" => "0.1..." false
                "x = 1" => "" false
                Sum. | >>>not_a_prompt | @example total([]) == 0"#]],
        );
    }
}
