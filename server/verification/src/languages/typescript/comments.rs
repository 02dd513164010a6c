//! What stands above a function: the lines of its `//` comments and of its JSDoc.

use std::collections::HashSet;

use tree_sitter::Node;

use super::functions::Function;
use super::tree::{starts_line, text};
pub(super) use crate::languages::comments::{Above, Run, block_lines};
use crate::languages::comments::{comment_line, other_runs as runs_among};

/// Reads what stands directly above a function.
pub(super) fn above<'s>(function: &Function<'_>, source: &'s str) -> Above<'s> {
    let mut out = Above::default();
    for node in &function.above {
        if is_plain(*node, source) && starts_line(source, node.start_byte()) {
            out.comments.add(*node, source, [comment_line(*node, source)]);
        } else if is_jsdoc(*node, source) {
            out.docs.add(*node, source, block_lines(*node, source));
        }
    }
    out
}

/// `// words`; `/// <reference/>` speaks to the compiler.
pub(super) fn is_plain(node: Node<'_>, source: &str) -> bool {
    let whole = text(node, source);
    node.kind() == "comment" && whole.starts_with("//") && !whole.trim_start_matches('/').trim_start().starts_with('<')
}

/// `/** words */`.
pub(super) fn is_jsdoc(node: Node<'_>, source: &str) -> bool {
    let whole = text(node, source);
    node.kind() == "comment" && whole.starts_with("/**") && whole.len() > "/**/".len()
}

/// The runs of `//` lines on lines of their own, without those in `taken` (by first byte).
pub(super) fn other_runs<'s>(comments: &[Node<'_>], taken: &HashSet<usize>, source: &'s str) -> Vec<Run<'s>> {
    runs_among(comments.iter().copied().filter(|c| is_plain(*c, source)), taken, source)
}
