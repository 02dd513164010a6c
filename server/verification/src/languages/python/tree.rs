//! Small tools over tree-sitter trees. Everything walks with a cursor: text of any depth and
//! length, as an editor holds it mid-edit, costs linear time and no stack.

use tree_sitter::{Node, Parser, Tree};

/// A parser for Python; `None` only if the grammar does not fit the library, which a test excludes.
pub(super) fn parser() -> Option<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    Some(parser)
}

/// Parses any text.
pub(super) fn parse(text: &str) -> Option<Tree> {
    parser()?.parse(text, None)
}

/// Whether the walk has come to a node or has finished with its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visit {
    Enter,
    Leave,
}

/// Walks a subtree in text order. On `Enter` the callback says whether to go into the children.
pub(super) fn walk<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>, Visit) -> bool) {
    let mut cursor = root.walk();
    loop {
        let enter = visit(cursor.node(), Visit::Enter);
        if enter && cursor.goto_first_child() {
            continue;
        }
        loop {
            visit(cursor.node(), Visit::Leave);
            if cursor.node() == root {
                return;
            }
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// All nodes of a subtree in text order.
pub(super) fn nodes<'t>(root: Node<'t>) -> Vec<Node<'t>> {
    let mut out = Vec::new();
    walk(root, |node, visit| {
        if visit == Visit::Enter {
            out.push(node);
        }
        true
    });
    out
}

/// The children of a node, without a quadratic `child(i)`.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

/// The node's text; `""` if it does not fit.
pub(super) fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or("")
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

/// The byte offset of the start of the line that holds `at`.
pub(super) fn line_start(source: &str, at: usize) -> usize {
    source.as_bytes().get(..at).and_then(|head| head.iter().rposition(|b| *b == b'\n')).map_or(0, |p| p + 1)
}

/// The byte offset of the end of the line that holds `at`, before its line break.
pub(super) fn line_end(source: &str, at: usize) -> usize {
    let tail = source.as_bytes().get(at..).unwrap_or(&[]);
    let end = at + tail.iter().position(|b| *b == b'\n').unwrap_or(tail.len());
    without_cr(source, end)
}

/// Moves an end offset in front of a carriage return: comments swallow the `\r` of a CRLF.
pub(super) fn without_cr(source: &str, end: usize) -> usize {
    if end > 0 && source.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}

/// The white space that a line starts with; a byte-order mark is none of it.
pub(super) fn indent_at(source: &str, at: usize) -> &str {
    let line = source.get(line_start(source, at)..).unwrap_or("");
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    line.get(..line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()).unwrap_or("")
}

/// Whether only white space stands before `at` on its line.
pub(super) fn starts_line(source: &str, at: usize) -> bool {
    let before = source.get(line_start(source, at)..at).unwrap_or("x");
    before.trim_start_matches('\u{feff}').chars().all(|c| matches!(c, ' ' | '\t' | '\x0c'))
}
