//! The instruction that goes with a selection.
//!
//! No client has an input box that a server could open, so the instruction is text: the line
//! `# zeroerr: <instruction>` in or right above the selection, else the first comment there.

use zeroerr_core::code::TextRange;

/// The instruction for a selection, if the text has one.
pub(crate) fn instruction(text: &str, selection: TextRange) -> Option<String> {
    let selected = selection.slice(text);
    let line_start = text.get(..selection.start)?.rfind('\n').map_or(0, |n| n + 1);
    let first = text.get(line_start..selection.start)?;
    let above = text.get(..line_start)?.lines().rev().take_while(|l| comment(l).is_some());
    let mut lines: Vec<&str> = above.collect();
    lines.reverse();
    let joined = format!("{first}{selected}");
    lines.extend(joined.lines());
    let comments = || lines.iter().filter_map(|l| comment(l));
    let marked = comments().find_map(|c| c.strip_prefix("zeroerr:"));
    let chosen = marked.or_else(|| comments().find(|c| !c.is_empty() && !c.starts_with(['@', '!'])))?.trim();
    (!chosen.is_empty()).then(|| chosen.to_owned())
}

/// The text of a line that is a comment and nothing else.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim();
    ["///", "//", "#"].iter().find_map(|m| line.strip_prefix(m)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(marked: &str, expected: Option<&str>) {
        let start = marked.find('«').unwrap();
        let text = marked.replace(['«', '»'], "");
        let end = marked.replace('«', "").find('»').unwrap();
        assert_eq!(instruction(&text, TextRange::new(start, end)).as_deref(), expected, "{marked}");
    }

    #[test]
    fn the_marked_line_wins_then_the_first_comment() {
        check("# old remark\n# zeroerr: sort by length\n«def f(xs):\n    # first\n    ...»\n", Some("sort by length"));
        check("# old remark\n«def f(xs):\n    # first\n    ...»\n", Some("old remark"));
        check("x = 1\n\n«def f(xs):\n    # sum of xs\n    ...»\n", Some("sum of xs"));
        check("«# zeroerr: double it\ndef f(x): ...»", Some("double it"));
        check("# far away\n\n«def f(x): ...»", None);
        check("«def f(x):\n    return '# no comment'»", None);
        check("#!/usr/bin/python\n«def f(x): ...»", None);
    }
}
