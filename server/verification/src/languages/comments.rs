//! Comments in the syntax of C (`//`, `/** */`) as lines of a spec block, for every language that has it.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::BlockLine;

use super::tree::{line_start, starts_line, text, without_cr};

/// Lines of one kind, and the range from the first to the last of them.
#[derive(Default)]
pub(crate) struct Lines<'s> {
    /// The lines without their markers.
    pub lines: Vec<BlockLine<'s>>,
    /// From the first marker to the end of the last line.
    pub range: Option<TextRange>,
}

impl<'s> Lines<'s> {
    /// Adds the lines of a comment.
    pub fn add(&mut self, node: Node<'_>, source: &'s str, lines: impl IntoIterator<Item = BlockLine<'s>>) {
        self.lines.extend(lines);
        let end = node.start_byte() + text(node, source).trim_end_matches(['\r', '\n']).len();
        let start = self.range.map_or(node.start_byte(), |r| r.start);
        self.range = Some(TextRange::new(start, end));
    }
}

/// What stands above a function.
#[derive(Default)]
pub(crate) struct Above<'s> {
    /// `//` comments.
    pub comments: Lines<'s>,
    /// Documentation.
    pub docs: Lines<'s>,
}

/// The line of a `//` comment without its slashes.
pub(crate) fn comment_line<'s>(node: Node<'_>, source: &'s str) -> BlockLine<'s> {
    let whole = text(node, source).trim_end_matches(['\r', '\n']);
    let inner = whole.trim_start_matches('/');
    BlockLine { text: inner, start: node.start_byte() + (whole.len() - inner.len()) }
}

/// The lines of a `/** ... */` comment without the stars before them.
pub(crate) fn block_lines<'s>(node: Node<'_>, source: &'s str) -> Vec<BlockLine<'s>> {
    let mut at = node.start_byte() + 3;
    let inner = text(node, source);
    let inner = inner.get(3..inner.len().saturating_sub(2)).unwrap_or("");
    let mut out = Vec::new();
    for line in inner.split_inclusive('\n') {
        let body = line.trim_end_matches(['\r', '\n']);
        let bare = body.trim_start();
        let skipped = match bare.strip_prefix('*') {
            Some(rest) => body.len() - rest.len(),
            None => 0,
        };
        out.push(BlockLine { text: body.get(skipped..).unwrap_or(""), start: at + skipped });
        at += line.len();
    }
    out
}

/// A run of `//` lines that no function has taken.
pub(crate) struct Run<'s> {
    /// Its lines.
    pub lines: Vec<BlockLine<'s>>,
    /// Its first byte.
    pub first: usize,
    /// One past its last byte.
    pub last: usize,
}

/// The runs of `//` lines on lines of their own among plain comments, without those in `taken` (by
/// first byte).
pub(crate) fn other_runs<'t, 's>(
    plain: impl Iterator<Item = Node<'t>>,
    taken: &HashSet<usize>,
    source: &'s str,
) -> Vec<Run<'s>> {
    let mut out: Vec<(Run<'s>, usize, usize)> = Vec::new();
    let loose = plain.filter(|c| !taken.contains(&c.start_byte()));
    for comment in loose.filter(|c| starts_line(source, c.start_byte())) {
        let (row, start) = (comment.start_position().row, comment.start_byte());
        let column = start - line_start(source, start);
        let (line, end) = (comment_line(comment, source), without_cr(source, comment.end_byte()));
        match out.last_mut().filter(|(_, next, at)| *next == row && *at == column) {
            Some((run, next, _)) => {
                run.lines.push(line);
                run.last = end;
                *next = row + 1;
            }
            None => out.push((Run { lines: vec![line], first: start, last: end }, row + 1, column)),
        }
    }
    out.into_iter().map(|(run, ..)| run).collect()
}
