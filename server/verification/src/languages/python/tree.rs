//! What every file of this folder needs of Python's trees, beside the tools of all languages.

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
    parser()?.parse(text, None)
}

/// Parses an editor's text: the same tree, sooner when the text is much like the last one.
pub(super) fn parse_typed(text: &str) -> Option<Tree> {
    reparse::parse("python", parser()?, text)
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
