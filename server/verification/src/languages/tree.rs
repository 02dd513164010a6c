//! Small tools over tree-sitter trees and lines of text, for every language. Everything walks with a
//! cursor: text of any depth and length, as an editor holds it mid-edit, costs linear time and no stack.

use tree_sitter::Node;

/// Whether the walk has come to a node or has finished with its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    Enter,
    Leave,
}

/// Walks a subtree in text order. On `Enter` the callback says whether to go into the children.
pub(crate) fn walk<'t>(root: Node<'t>, mut visit: impl FnMut(Node<'t>, Visit) -> bool) {
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
pub(crate) fn nodes<'t>(root: Node<'t>) -> Vec<Node<'t>> {
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
pub(crate) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    node.children(&mut node.walk()).collect()
}

/// The node's text; `""` if it does not fit.
pub(crate) fn text<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or("")
}

/// The byte offset of the start of the line that holds `at`.
pub(crate) fn line_start(source: &str, at: usize) -> usize {
    source.as_bytes().get(..at).and_then(|head| head.iter().rposition(|b| *b == b'\n')).map_or(0, |p| p + 1)
}

/// The byte offset of the end of the line that holds `at`, before its line break.
pub(crate) fn line_end(source: &str, at: usize) -> usize {
    let tail = source.as_bytes().get(at..).unwrap_or(&[]);
    let end = at + tail.iter().position(|b| *b == b'\n').unwrap_or(tail.len());
    without_cr(source, end)
}

/// Moves an end offset in front of a carriage return: comments swallow the `\r` of a CRLF.
pub(crate) fn without_cr(source: &str, end: usize) -> usize {
    if end > 0 && source.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}

/// The white space that a line starts with; a byte-order mark is none of it.
pub(crate) fn indent_at(source: &str, at: usize) -> &str {
    let line = source.get(line_start(source, at)..).unwrap_or("");
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    line.get(..line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()).unwrap_or("")
}

/// Whether only white space stands before `at` on its line.
pub(crate) fn starts_line(source: &str, at: usize) -> bool {
    let before = source.get(line_start(source, at)..at).unwrap_or("x");
    before.trim_start_matches('\u{feff}').chars().all(|c| matches!(c, ' ' | '\t' | '\x0c'))
}

/// The line break that a text uses.
pub(crate) fn newline_of(source: &str) -> &'static str {
    match source.find('\n') {
        Some(at) if at > 0 && source.as_bytes().get(at - 1) == Some(&b'\r') => "\r\n",
        _ => "\n",
    }
}
