//! Where the item around a place begins: a function, or the class that it is a method of.

use tree_sitter::Node;

use super::tree::line_start;

/// The start of the line where the outermost item around `at` begins, with the decorators, attributes and comments right
/// above it. `is_home` says in what nodes items stand (the file is one). `None` where another item cannot go there,
/// since something else stands on that line.
pub(super) fn outermost(root: Node<'_>, source: &str, at: usize, is_home: impl Fn(Node<'_>) -> bool) -> Option<usize> {
    let mut item = root.descendant_for_byte_range(at, at)?;
    while let Some(parent) = item.parent().filter(|p| p.id() != root.id() && !is_home(*p)) {
        item = parent;
    }
    let mut start = own_line(item, source)?;
    // Comments above the function itself are its spec's business.
    if item.start_byte() < at {
        while let Some(above) = item.prev_sibling().filter(|above| belongs(*above, item)) {
            let Some(line) = own_line(above, source) else { break };
            (item, start) = (above, line);
        }
    }
    Some(start)
}

/// Whether a node is a remark on the one below it: no empty line is between them.
fn belongs(above: Node<'_>, below: Node<'_>) -> bool {
    let is_remark = above.kind().contains("comment") || matches!(above.kind(), "attribute_item" | "decorator");
    let end = above.end_position();
    // Rust's documentation comments take their line end along.
    let last_row = if end.column == 0 { end.row.saturating_sub(1) } else { end.row };
    is_remark && below.start_position().row <= last_row + 1
}

/// The start of a node's line, when nothing else stands before it there.
fn own_line(node: Node<'_>, source: &str) -> Option<usize> {
    let start = line_start(source, node.start_byte());
    source.get(start..node.start_byte())?.trim().is_empty().then_some(start)
}
