//! What stands above a function: the lines of its `//` comments and of its documentation.

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::BlockLine;

use super::functions::Function;
use super::tree::{line_start, starts_line, text, without_cr};

/// Lines of one kind, and the range from the first to the last of them.
#[derive(Default)]
pub(super) struct Lines<'s> {
    /// The lines without their markers.
    pub lines: Vec<BlockLine<'s>>,
    /// From the first marker to the end of the last line.
    pub range: Option<TextRange>,
}

impl<'s> Lines<'s> {
    fn add(&mut self, node: Node<'_>, source: &'s str, lines: impl IntoIterator<Item = BlockLine<'s>>) {
        self.lines.extend(lines);
        let end = node.start_byte() + text(node, source).trim_end_matches(['\r', '\n']).len();
        let start = self.range.map_or(node.start_byte(), |r| r.start);
        self.range = Some(TextRange::new(start, end));
    }
}

/// What stands above a function.
#[derive(Default)]
pub(super) struct Above<'s> {
    /// `//` comments.
    pub comments: Lines<'s>,
    /// `///` and `/** */`.
    pub docs: Lines<'s>,
}

impl<'s> Above<'s> {
    /// Reads what stands directly above a function.
    pub fn of(function: &Function<'_>, source: &'s str) -> Self {
        let mut out = Self::default();
        for node in &function.above {
            if is_plain(*node, source) && starts_line(source, node.start_byte()) {
                out.comments.add(*node, source, [comment_line(*node, source)]);
            } else if is_documentation(*node) {
                out.docs.add(*node, source, doc_lines(*node, source));
            }
        }
        out
    }
}

/// `// words`, and not documentation.
pub(super) fn is_plain(node: Node<'_>, source: &str) -> bool {
    let is_inner = node.child_by_field_name("inner").is_some() || text(node, source).starts_with("//!");
    node.kind() == "line_comment" && !is_documentation(node) && !is_inner
}

fn is_documentation(node: Node<'_>) -> bool {
    matches!(node.kind(), "line_comment" | "block_comment") && node.child_by_field_name("outer").is_some()
}

/// The line of a `//` comment without its slashes.
pub(super) fn comment_line<'s>(node: Node<'_>, source: &'s str) -> BlockLine<'s> {
    let whole = text(node, source).trim_end_matches(['\r', '\n']);
    let inner = whole.trim_start_matches('/');
    BlockLine { text: inner, start: node.start_byte() + (whole.len() - inner.len()) }
}

fn doc_lines<'s>(node: Node<'_>, source: &'s str) -> Vec<BlockLine<'s>> {
    if node.kind() == "line_comment" {
        let start = node.start_byte() + 3;
        let end = without_cr(source, node.end_byte());
        let whole = source.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n']);
        return vec![BlockLine { text: whole, start }];
    }
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
pub(super) struct Run<'s> {
    /// Its lines.
    pub lines: Vec<BlockLine<'s>>,
    /// Its first byte.
    pub first: usize,
    /// One past its last byte.
    pub last: usize,
}

/// The runs of `//` lines on lines of their own, without those in `taken` (by first byte).
pub(super) fn other_runs<'s>(
    comments: &[Node<'_>],
    taken: &std::collections::HashSet<usize>,
    source: &'s str,
) -> Vec<Run<'s>> {
    let mut out: Vec<(Run<'s>, usize, usize)> = Vec::new();
    let loose = comments.iter().filter(|c| is_plain(**c, source) && !taken.contains(&c.start_byte()));
    for comment in loose.filter(|c| starts_line(source, c.start_byte())) {
        let (row, start) = (comment.start_position().row, comment.start_byte());
        let column = start - line_start(source, start);
        let (line, end) = (comment_line(*comment, source), without_cr(source, comment.end_byte()));
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
