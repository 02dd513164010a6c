//! What every file of this folder needs of Python's trees, beside the tools of all languages.

use std::borrow::Cow;
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use crate::languages::reparse;

pub(super) use crate::languages::tree::{
    Visit, children, indent_at, line_end, line_start, newline_of, nodes, starts_line, text, walk, without_cr,
};

/// A parser for Python; `None` only if the grammar does not fit the library, which a test excludes.
pub(super) fn parser() -> Option<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    Some(parser)
}

/// Parses any text.
pub(super) fn parse(text: &str) -> Option<Tree> {
    parser()?.parse(&*with_short_comments(text), None)
}

/// Parses an editor's text: the same tree, sooner when the text is much like the last one.
pub(super) fn parse_typed(text: &str) -> Option<Tree> {
    reparse::parse("python", parser()?, &with_short_comments(text))
}

/// Lines of a very long comment without a tag that are read: some at its start, and those at its end, above what may be
/// a function.
const HEAD: usize = 16;
const TAIL: usize = 200;

/// The text with blanks in the middle of very long comments, byte for byte. After every line of a comment the
/// grammar's scanner reads on to the comment's end, to know how far the next statement is indented: 8,000 lines after
/// an indented block would take minutes.
fn with_short_comments(text: &str) -> Cow<'_, str> {
    // Within a string such a line is content, which may end the string or, in an f-string, be code.
    let ends_string = |line: &str| ["\"\"\"", "'''", "{"].iter().any(|mark| line.contains(mark));
    let mut continues = false;
    let mut is_comment = |line: &str| {
        let is_content = std::mem::replace(&mut continues, line.trim_end().ends_with('\\'));
        line.trim_start().starts_with('#') && !is_content && !ends_string(line)
    };
    // A comment that has a tag is a spec, however long.
    let has_tag = |line: &str| line.trim_start().trim_start_matches('#').trim_start().starts_with('@');
    let mut runs: Vec<Range<usize>> = Vec::new();
    let (mut at, mut ends, mut is_spec) = (0, Vec::new(), false);
    for line in text.split_inclusive('\n').chain([""]) {
        at += line.len();
        if is_comment(line) {
            ends.push(at);
            is_spec |= has_tag(line);
        } else {
            runs.extend(middle(&ends).filter(|_| !is_spec));
            ends.clear();
            is_spec = false;
        }
    }
    if runs.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for run in runs {
        out.push_str(text.get(from..run.start).unwrap_or_default());
        let lines = text.get(run.clone()).unwrap_or_default();
        out.extend(lines.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        from = run.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(out)
}

/// The bytes of a comment, given by where its lines end, that are not read.
fn middle(ends: &[usize]) -> Option<Range<usize>> {
    let last = ends.len().checked_sub(TAIL + 1)?;
    (last >= TAIL).then(|| ends[HEAD - 1]..ends[last])
}

/// A subtree as one line of tokens: equal for texts that differ in white space and comments only.
pub(super) fn normalised(root: Node<'_>, source: &str) -> String {
    let mut out = String::new();
    walk(root, |node, visit| {
        if visit == Visit::Leave || node.kind() == "comment" {
            return false;
        }
        let whole = node.child_count() == 0 || node.kind() == "string";
        if whole {
            let part = text(node, source);
            // A trailing comma in brackets changes nothing but a tuple of one.
            if !part.is_empty() {
                out.push_str(part);
                out.push(' ');
            }
        }
        !whole
    });
    out.trim_end().to_owned()
}

/// Parses a text that should be one expression, and nothing else.
pub(super) fn single_expression(tree: &Tree) -> Option<Node<'_>> {
    let root = tree.root_node();
    if root.has_error() {
        return None;
    }
    let mut statements = children(root).into_iter().filter(|n| n.kind() != "comment");
    let (first, second) = (statements.next()?, statements.next());
    if first.kind() != "expression_statement" || second.is_some() || first.child_count() != 1 {
        return None;
    }
    let expression = first.child(0)?;
    let statement_like = matches!(expression.kind(), "assignment" | "augmented_assignment" | "yield");
    (!statement_like).then_some(expression)
}

/// The expression inside any number of parentheses.
pub(super) fn unwrapped(mut node: Node<'_>) -> Node<'_> {
    while node.kind() == "parenthesized_expression" {
        let inner = children(node).into_iter().find(|n| n.is_named() && n.kind() != "comment");
        let Some(inner) = inner else { break };
        node = inner;
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_long_comment_is_blank_and_everything_keeps_its_place() {
        let comment = |n: usize| "    # é and more\n".repeat(n);
        let short = format!("def f():\n    pass\n{}def g():\n    pass\n", comment(2 * TAIL));
        assert!(matches!(with_short_comments(&short), Cow::Borrowed(_)));
        let quoted = format!("x = \"\"\"\n{}# \"\"\"\n", comment(300));
        let long = format!("def f():\n    pass\n{}# Gives.\ndef g():\n    pass\n{quoted}", comment(2000));
        let read = with_short_comments(&long);
        assert_eq!(read.len(), long.len());
        assert_eq!(read.matches('#').count(), HEAD + TAIL + 300 + 1);
        assert_eq!(read.find("# Gives"), long.find("# Gives"));
        let spec = format!("def f():\n    pass\n# @spec G.\n{}def g(): ...\n", "# @step\n".repeat(3 * TAIL));
        assert!(matches!(with_short_comments(&spec), Cow::Borrowed(_)));
        let tree = parse(&long).unwrap();
        assert!(!tree.root_node().has_error());
        let code = format!("x = f\"\"\"\n{}\"\"\"\n", "# {f()}\n".repeat(3 * TAIL));
        assert!(matches!(with_short_comments(&code), Cow::Borrowed(_)));
        let kinds: Vec<&str> = children(tree.root_node()).iter().map(Node::kind).collect();
        assert_eq!(kinds, ["function_definition", "comment", "function_definition", "expression_statement"]);
        let continued = format!("x = '\\\n{}'\n", "# a \\\n".repeat(2 * TAIL + 2));
        assert!(matches!(with_short_comments(&continued), Cow::Borrowed(_)));
    }
}
