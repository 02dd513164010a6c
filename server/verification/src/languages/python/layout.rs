//! Indentation: which lines carry it, and how a body moves to another depth or another unit.
//! Lines inside string literals carry none and are never touched.

use tree_sitter::Node;
use zeroerr_core::code::TextRange;

use super::tree::{Visit, line_start, starts_line, text, walk};

/// How a body is to be laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    /// What every line of the body starts with.
    pub base: &'a str,
    /// One level more.
    pub unit: &'a str,
    /// The line break.
    pub newline: &'a str,
}

/// What a line's leading white space means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing stands there.
    Blank,
    /// A statement starts here.
    Statement,
    /// A comment stands here alone.
    Comment,
    /// A statement goes on, in brackets or after a backslash.
    Continued,
    /// The line starts inside a string.
    InString,
}

/// The lines of `range` in a new layout, without a line break at the end.
pub(super) fn relayout(root: Node<'_>, source: &str, range: TextRange, style: Style<'_>) -> String {
    let kinds = line_kinds(root, source);
    let body = range.slice(source);
    let first_row = source.as_bytes().iter().take(range.start).filter(|b| **b == b'\n').count();
    let first_width = if starts_line(source, range.start) {
        width(source.get(line_start(source, range.start)..range.start).unwrap_or(""))
    } else {
        0
    };
    let mut levels: Vec<usize> = Vec::new();
    let (mut depth, mut statement_width) = (0, 0);
    let mut out: Vec<String> = Vec::new();
    for (at, line) in body.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches([' ', '\t', '\x0c']);
        let kind = kinds.get(first_row + at).copied().unwrap_or(Line::Blank);
        let own_width = if at == 0 { first_width } else { width(line.get(..line.len() - content.len()).unwrap_or("")) };
        let kind = if at == 0 && kind != Line::Comment { Line::Statement } else { kind };
        let indented = |depth: usize, extra: usize| {
            format!("{}{}{}{content}", style.base, style.unit.repeat(depth), " ".repeat(extra))
        };
        out.push(match kind {
            Line::InString => line.to_owned(),
            Line::Blank => String::new(),
            Line::Comment => indented(comment_depth(&levels, own_width), 0),
            Line::Continued => indented(depth, own_width.saturating_sub(statement_width)),
            Line::Statement => {
                levels.retain(|level| *level <= own_width);
                if levels.last().is_none_or(|level| *level < own_width) {
                    levels.push(own_width);
                }
                (depth, statement_width) = (levels.len() - 1, own_width);
                indented(depth, 0)
            }
        });
    }
    out.join(style.newline)
}

/// A comment may stand one level deeper than the statement above it: it heads the block below.
fn comment_depth(levels: &[usize], own_width: usize) -> usize {
    match levels.last() {
        None => 0,
        Some(last) if own_width > *last => levels.len(),
        Some(_) => levels.iter().filter(|level| **level <= own_width).count().saturating_sub(1),
    }
}

/// The column that white space leads to; a tab goes to the next multiple of eight, as in Python.
fn width(white_space: &str) -> usize {
    white_space.chars().fold(0, |column, c| if c == '\t' { (column / 8 + 1) * 8 } else { column + 1 })
}

fn line_kinds(root: Node<'_>, source: &str) -> Vec<Line> {
    let mut kinds = vec![Line::Blank; source.split('\n').count()];
    let mut depth = 0usize;
    let mut set = |row: usize, kind: Line| {
        if let Some(slot) = kinds.get_mut(row).filter(|slot| **slot == Line::Blank) {
            *slot = kind;
        }
    };
    walk(root, |node, visit| {
        let is_string = node.kind() == "string";
        if visit == Visit::Leave || !(is_string || node.child_count() == 0) || node.byte_range().is_empty() {
            return visit == Visit::Enter && !is_string;
        }
        let (first, last) = (node.start_position().row, node.end_position().row);
        let closes = matches!(node.kind(), ")" | "]" | "}");
        let kind = match node.kind() {
            _ if depth > 0 || after_backslash(source, node.start_byte()) => Line::Continued,
            "comment" => Line::Comment,
            _ => Line::Statement,
        };
        set(first, kind);
        ((first + 1)..=last).filter(|_| is_string).for_each(|row| set(row, Line::InString));
        depth =
            if closes { depth.saturating_sub(1) } else { depth + usize::from(matches!(node.kind(), "(" | "[" | "{")) };
        !is_string
    });
    kinds
}

fn after_backslash(source: &str, at: usize) -> bool {
    let start = line_start(source, at);
    let before = source.get(..start.saturating_sub(1)).unwrap_or("");
    start > 0 && starts_line(source, at) && before.trim_end_matches('\r').ends_with('\\')
}

/// The text of a header that stood at some depth, as it would stand at top level.
pub(super) fn dedented_header(header: &str, indent: &str) -> String {
    let lines = header.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
    lines
        .enumerate()
        .map(|(i, l)| if i == 0 { l } else { l.strip_prefix(indent).unwrap_or(l) })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The unit that a block adds to its owner's indentation, if it stands on lines of its own.
pub(super) fn unit_of<'s>(owner: Node<'_>, source: &'s str) -> Option<&'s str> {
    let block = owner.child_by_field_name("body")?;
    let inside = text(block, source);
    if inside.is_empty() || !starts_line(source, block.start_byte()) {
        return None;
    }
    let outer = super::tree::indent_at(source, owner.start_byte());
    super::tree::indent_at(source, block.start_byte()).strip_prefix(outer).filter(|unit| !unit.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse;
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, style: Style<'_>, expected: Expect) {
        let tree = parse(source).unwrap();
        let end = source.trim_end().len();
        expected.assert_eq(&relayout(tree.root_node(), source, TextRange::new(0, end), style));
    }

    #[test]
    fn levels_move_and_strings_stay() {
        let source = "if x:\n  # head\n  y = [\n      1,\n  ]\n\n  s = '''a\n  b\n'''.strip(\n    )\n  if y:\n     z = 1 + \\\n         2\n# tail\nelse:\n  pass\n";
        check(
            source,
            Style { base: "\t", unit: "\t", newline: "\n" },
            expect![[r#"
                	if x:
                		# head
                		y = [
                		    1,
                		]

                		s = '''a
                  b
                '''.strip(
                		  )
                		if y:
                			z = 1 + \
                			    2
                	# tail
                	else:
                		pass"#]],
        );
    }
}
