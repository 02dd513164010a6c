//! The verified edit as a unified diff.

use similar::{ChangeTag, TextDiff};

use super::{BAD, FAINT, GOOD};

/// A unified diff with three lines of context; empty when nothing changes.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    // A diff of line ends would mark every line of a CRLF file that a terminal shows as equal.
    let (old, new) = (old.replace("\r\n", "\n"), new.replace("\r\n", "\n"));
    let diff = TextDiff::from_lines(&old, &new);
    let mut out = String::new();
    for (i, hunk) in diff.unified_diff().context_radius(3).iter_hunks().enumerate() {
        if i == 0 {
            out.push_str(&format!("{FAINT}--- {path}\n+++ {path}{FAINT:#}\n"));
        }
        out.push_str(&format!("{FAINT}{}{FAINT:#}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches('\n');
            out.push_str(&match change.tag() {
                ChangeTag::Delete => format!("{BAD}-{text}{BAD:#}\n"),
                ChangeTag::Insert => format!("{GOOD}+{text}{GOOD:#}\n"),
                ChangeTag::Equal => format!(" {text}\n"),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn only_changed_lines_are_marked() {
        let text = unified("a.py", "def f():\r\n    ...\r\nx = 1\r\n", "def f():\r\n    return 1\r\nx = 1\r\n");
        expect![[r#"
            --- a.py
            +++ a.py
            @@ -1,3 +1,3 @@
             def f():
            -    ...
            +    return 1
             x = 1
        "#]]
        .assert_eq(&anstream::adapter::strip_str(&text).to_string());
        assert_eq!(unified("a.py", "x\n", "x\n"), "");
    }
}
