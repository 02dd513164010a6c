//! Indentation of bodies in braces: how one moves to another depth or another unit. Lines that start
//! inside a string or a block comment are never touched.

use std::collections::HashSet;

use tree_sitter::Node;

use super::tree::{Visit, children, indent_at, starts_line, walk};

/// How a body is to be laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style<'a> {
    /// What every line of the body starts with.
    pub base: &'a str,
    /// One level more.
    pub unit: &'a str,
    /// The line break.
    pub newline: &'a str,
}

/// What stands between the braces of a block, in a new layout: no line break at either end.
/// `is_fixed` says which nodes keep their lines as they are.
pub(crate) fn inside_of(block: Node<'_>, source: &str, style: Style<'_>, is_fixed: fn(Node<'_>) -> bool) -> String {
    // Some grammars take a comment behind the brace into the block.
    let brace = children(block).into_iter().rfind(|n| n.kind() == "}");
    let end = brace.map_or(block.end_byte(), |n| n.end_byte());
    let whole = source.get(block.start_byte()..end).unwrap_or("");
    let inner = whole.strip_prefix('{').and_then(|w| w.strip_suffix('}')).unwrap_or(whole);
    let first_row = block.start_position().row;
    let fixed = fixed_rows(block, is_fixed);
    let lines: Vec<&str> = inner.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect();
    let is_fixed = |at: usize| fixed.contains(&(first_row + at));
    // What shares the line of the opening brace has no indentation of its own.
    let moves = |at: usize, line: &str| at > 0 && !line.trim().is_empty() && !is_fixed(at);
    let widths = lines.iter().enumerate().filter(|(at, line)| moves(*at, line)).map(|(_, line)| width(line));
    let outer = widths.min().unwrap_or(0);
    let own_unit = unit_in(&lines, outer, &moves);
    let mut out: Vec<String> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let content = line.trim_start_matches([' ', '\t']);
        out.push(match () {
            () if is_fixed(at) => (*line).to_owned(),
            () if content.is_empty() => String::new(),
            () if at == 0 => format!("{}{}", style.base, trimmed_end(content, at, &is_fixed)),
            () => {
                let extra = width(line).saturating_sub(outer);
                let (levels, rest) = (extra / own_unit, extra % own_unit);
                format!(
                    "{}{}{}{}",
                    style.base,
                    style.unit.repeat(levels),
                    " ".repeat(rest),
                    trimmed_end(content, at, &is_fixed)
                )
            }
        });
    }
    let blank = |line: &String| line.trim().is_empty();
    let start = out.iter().position(|l| !blank(l)).unwrap_or(out.len());
    let end = out.iter().rposition(|l| !blank(l)).map_or(start, |at| at + 1);
    out.get(start..end).unwrap_or(&[]).join(style.newline)
}

/// A line without white space at its end, unless a string goes on below it.
fn trimmed_end<'s>(content: &'s str, at: usize, is_fixed: &impl Fn(usize) -> bool) -> &'s str {
    if is_fixed(at + 1) { content } else { content.trim_end() }
}

/// The rows that start inside a node that keeps its lines.
fn fixed_rows(block: Node<'_>, is_fixed: fn(Node<'_>) -> bool) -> HashSet<usize> {
    let mut rows = HashSet::new();
    walk(block, |node, visit| {
        let whole = is_fixed(node);
        if visit == Visit::Enter && whole {
            rows.extend(node.start_position().row + 1..=node.end_position().row);
        }
        !whole
    });
    rows
}

/// The width of one level: the smallest step by which a line is deeper than the outermost.
fn unit_in(lines: &[&str], outer: usize, moves: &impl Fn(usize, &str) -> bool) -> usize {
    let deeper = lines.iter().enumerate().filter(|(at, l)| moves(*at, l)).map(|(_, l)| width(l).saturating_sub(outer));
    let unit = deeper.filter(|w| *w > 0).min().unwrap_or(4);
    if unit == 2 || unit == 3 || unit == 8 { unit } else { 4 }
}

/// The column that a line's white space leads to; a tab is four columns.
fn width(line: &str) -> usize {
    let white = line.chars().take_while(|c| matches!(c, ' ' | '\t'));
    white.map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

/// The unit that a block adds to its function's indentation, if it stands on lines of its own.
pub(crate) fn unit_of<'s>(function: Node<'_>, block: Node<'_>, source: &'s str) -> Option<&'s str> {
    let first = children(block).into_iter().find(|n| n.is_named() && !n.is_extra())?;
    if !starts_line(source, first.start_byte()) {
        return None;
    }
    let outer = indent_at(source, function.start_byte());
    indent_at(source, first.start_byte()).strip_prefix(outer).filter(|unit| !unit.is_empty())
}
