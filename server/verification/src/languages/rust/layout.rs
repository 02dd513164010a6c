//! Indentation: how a body moves to another depth or another unit. Lines that start inside a string
//! or a block comment are never touched.

use std::collections::HashSet;

use tree_sitter::Node;

use super::tree::{indent_at, is_comment, is_text_literal, parts, starts_line, text, walk};

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

/// What stands between the braces of a block, in a new layout: no line break at either end.
pub(super) fn inside_of(block: Node<'_>, source: &str, style: Style<'_>) -> String {
    let whole = text(block, source);
    let inner = whole.strip_prefix('{').and_then(|w| w.strip_suffix('}')).unwrap_or(whole);
    let first_row = block.start_position().row;
    let fixed = fixed_rows(block, source);
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
            () if at == 0 => format!("{}{}", style.base, content.trim_end()),
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

/// The rows that start inside a string or a block comment.
fn fixed_rows(block: Node<'_>, source: &str) -> HashSet<usize> {
    let mut rows = HashSet::new();
    walk(block, |node, visit| {
        let whole = is_text_literal(node) || node.kind() == "block_comment";
        if visit == super::tree::Visit::Enter && whole {
            let last = node.end_position().row;
            rows.extend(node.start_position().row + 1..=last);
        }
        !whole && !is_comment(node) && !source.is_empty()
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
pub(super) fn unit_of<'s>(function: Node<'_>, source: &'s str) -> Option<&'s str> {
    let block = function.child_by_field_name("body")?;
    let first = parts(block).into_iter().next()?;
    if !starts_line(source, first.start_byte()) {
        return None;
    }
    let outer = indent_at(source, function.start_byte());
    indent_at(source, first.start_byte()).strip_prefix(outer).filter(|unit| !unit.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tree::{nodes, parse};
    use super::*;

    fn laid_out(source: &str, style: Style<'_>) -> String {
        let tree = parse(source).unwrap();
        let block = nodes(tree.root_node()).into_iter().find(|n| n.kind() == "block").unwrap();
        inside_of(block, source, style)
    }

    #[test]
    fn levels_move_and_strings_stay() {
        assert_eq!(
            laid_out(
                "fn f() { // head\n  let s = \"a\n  b\";\n  /* x\n y */\n  if s.is_empty() {\n    g()\n      .h()\n  }\n\n  s\n}",
                Style { base: "\t", unit: "\t", newline: "\n" },
            ),
            "\t// head\n\tlet s = \"a\n  b\";\n\t/* x\n y */\n\tif s.is_empty() {\n\t\tg()\n\t\t\t.h()\n\t}\n\n\ts"
        );
        let style = Style { base: "    ", unit: "    ", newline: "\r\n" };
        assert_eq!(laid_out("fn f() -> i32 { 1 + 1 }", style), "    1 + 1");
    }
}
