//! The instruction that goes with a selection.
//!
//! No client has an input box that a server could open, so the instruction is text: the line
//! `# zeroerr: <instruction>` in or right above the selection, else the first comment there.

use zeroerr_core::code::TextRange;

/// The mark of a line that is an instruction.
const MARK: &str = "zeroerr:";

/// The instruction for a selection, if the text has one.
pub(crate) fn instruction(text: &str, selection: TextRange) -> Option<String> {
    let comments = comments(text, selection)?;
    let said = || comments.iter().find(|c| !c.is_empty() && !c.starts_with(['@', '!'])).map(String::as_str);
    let chosen = comments.iter().find_map(|c| c.strip_prefix(MARK)).or_else(said)?.trim();
    (!chosen.is_empty()).then(|| chosen.to_owned())
}

/// Whether the instruction stands there as one: then it is meant, whatever else the selection holds.
pub(crate) fn is_marked(text: &str, selection: TextRange) -> bool {
    comments(text, selection).is_some_and(|all| all.iter().any(|c| c.starts_with(MARK)))
}

/// The comments in and right above a selection.
fn comments(text: &str, selection: TextRange) -> Option<Vec<String>> {
    let selected = selection.slice(text);
    let line_start = text.get(..selection.start)?.rfind('\n').map_or(0, |n| n + 1);
    let first = text.get(line_start..selection.start)?;
    let above = text.get(..line_start)?.lines().rev().take_while(|l| comment(l).is_some());
    let mut lines: Vec<&str> = above.collect();
    lines.reverse();
    let joined = format!("{first}{selected}");
    lines.extend(joined.lines());
    Some(lines.into_iter().filter_map(comment).map(str::to_owned).collect())
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
