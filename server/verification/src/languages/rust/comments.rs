//! What stands above a function: the lines of its `//` comments and of its documentation.

use tree_sitter::Node;
use zeroerr_core::task_specification::parser::BlockLine;

use super::functions::Function;
use super::tree::{starts_line, text, without_cr};
pub(super) use crate::languages::comments::{Above, Run, comment_line};
use crate::languages::comments::{block_lines, other_runs as runs_among};

/// Reads what stands directly above a function.
pub(super) fn above<'s>(function: &Function<'_>, source: &'s str) -> Above<'s> {
    let mut out = Above::default();
    for node in &function.above {
        if is_plain(*node, source) && starts_line(source, node.start_byte()) {
            out.comments.add(*node, source, [comment_line(*node, source)]);
        } else if is_documentation(*node) {
            out.docs.add(*node, source, doc_lines(*node, source));
        }
    }
    out
}

/// `// words`, and not documentation.
pub(super) fn is_plain(node: Node<'_>, source: &str) -> bool {
    let is_inner = node.child_by_field_name("inner").is_some() || text(node, source).starts_with("//!");
    node.kind() == "line_comment" && !is_documentation(node) && !is_inner
}

fn is_documentation(node: Node<'_>) -> bool {
    matches!(node.kind(), "line_comment" | "block_comment") && node.child_by_field_name("outer").is_some()
}

fn doc_lines<'s>(node: Node<'_>, source: &'s str) -> Vec<BlockLine<'s>> {
    if node.kind() == "block_comment" {
        return block_lines(node, source);
    }
    let start = node.start_byte() + 3;
    let end = without_cr(source, node.end_byte());
    let whole = source.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n']);
    vec![BlockLine { text: whole, start }]
}

/// The runs of `//` lines on lines of their own, without those in `taken` (by first byte).
pub(super) fn other_runs<'s>(
    comments: &[Node<'_>],
    taken: &std::collections::HashSet<usize>,
    source: &'s str,
) -> Vec<Run<'s>> {
    runs_among(comments.iter().copied().filter(|c| is_plain(*c, source)), taken, source)
}
