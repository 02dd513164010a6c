//! Layer 1: faults of a syntax tree that the edit brought in.

use tree_sitter::{Node, Tree};

use super::Remark;

/// The places a tree-sitter tree could not read: `ERROR` and `MISSING` nodes, outermost first.
pub fn faults(tree: &Tree) -> Vec<Remark> {
    let mut found = Vec::new();
    if !tree.root_node().has_error() {
        return found;
    }
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        if let Some(message) = fault(node) {
            found.push(Remark { rule: "parse".into(), message, line: node.start_position().row + 1, url: None });
        } else if node.has_error() {
            let mut cursor = node.walk();
            stack.extend(node.children(&mut cursor));
        }
    }
    found.sort_by_key(|r| r.line);
    found
}

fn fault(node: Node<'_>) -> Option<String> {
    if node.is_missing() {
        Some(format!("`{}` is missing here", node.kind()))
    } else if node.is_error() {
        Some("this cannot be parsed".to_string())
    } else {
        None
    }
}
