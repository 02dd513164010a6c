//! A disagreement of the candidates, answered: one more example in the spec.

use lsp_types::{TextEdit as LspEdit, Uri, WorkspaceEdit};
use zeroerr_core::code::{Task, TextRange};

use crate::client::ClientProfile;
use crate::document::Snapshot;
use crate::position::range_of;

/// What the user says a call does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It returns this.
    Returns(String),
    /// It raises this.
    Raises(String),
}

impl Answer {
    /// Reads an answer as fingerprints write it (`= 3`, `! ValueError`); time-outs are none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(exception) = text.strip_prefix('!').or_else(|| text.strip_prefix("raises ")) {
            return Some(Self::Raises(exception.split([':', '(']).next().unwrap_or_default().trim().to_owned()));
        }
        let value = text.strip_prefix("= ").unwrap_or(text).trim();
        (!value.is_empty() && !value.starts_with("time")).then(|| Self::Returns(value.to_owned()))
    }

    /// "`f([])` should be `0`".
    pub(crate) fn title(&self, call: &str) -> String {
        match self {
            Self::Returns(value) => format!("`{call}` should be `{value}`"),
            Self::Raises(exception) => format!("`{call}` should raise `{exception}`"),
        }
    }

    fn clause(&self, call: &str) -> String {
        match self {
            Self::Returns(value) => format!("@example {call} == {value}"),
            Self::Raises(exception) => format!("@raises {exception} {call}"),
        }
    }

    fn doctest(&self, call: &str) -> String {
        match self {
            Self::Returns(value) => format!(">>> {call}\n{value}\n"),
            Self::Raises(exception) => {
                format!(">>> {call}\nTraceback (most recent call last):\n    ...\n{exception}\n")
            }
        }
    }
}

/// The edit that puts an answer into a task's spec.
pub(crate) fn edit(
    profile: &ClientProfile,
    uri: &Uri,
    snapshot: &Snapshot,
    task: &Task,
    call: &str,
    answer: &Answer,
) -> Option<WorkspaceEdit> {
    let (at, new_text) = insertion(&snapshot.text, task.spec_range, call, answer)?;
    let new_text = if snapshot.text.contains("\r\n") { new_text.replace('\n', "\r\n") } else { new_text };
    let range = range_of(&snapshot.rope, TextRange::new(at, at), profile.encoding);
    Some(crate::apply::workspace_edit(profile, uri, snapshot.version, vec![LspEdit { range, new_text }]))
}

/// Where the clause goes and how it is written there: after the last tag line of a block of
/// comments, or as a doctest before the end of a docstring.
fn insertion(text: &str, spec: TextRange, call: &str, answer: &Answer) -> Option<(usize, String)> {
    let block = spec.slice(text);
    let line_start = text.get(..spec.start)?.rfind('\n').map_or(0, |n| n + 1);
    if let Some(quotes) = ["\"\"\"", "'''"].into_iter().find(|q| block.trim_end().ends_with(q)) {
        let indent: String = text.get(line_start..spec.start)?.chars().take_while(|c| c.is_whitespace()).collect();
        let at = spec.start + block.rfind(quotes)?;
        // The closing quotes get a line of their own if they have none.
        let before = text.get(..at)?;
        let own_line = before.trim_end_matches([' ', '\t']).ends_with('\n');
        let (at, lead) = if own_line { (before.trim_end_matches([' ', '\t']).len(), "") } else { (at, "\n") };
        let lines: String = answer.doctest(call).lines().map(|l| format!("{indent}{l}\n")).collect();
        let tail = if own_line { String::new() } else { indent };
        return Some((at, format!("{lead}{lines}{tail}")));
    }
    let lines: Vec<&str> = text.get(line_start..spec.end)?.lines().collect();
    let tagged = lines.iter().rfind(|l| l.contains('@'))?;
    let marker = tagged.split('@').next()?;
    let at = spec.start + block.trim_end().len();
    Some((at, format!("\n{marker}{}", answer.clause(call))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, spec: &str, answer: &str, expected: &str) {
        let start = text.find(spec).unwrap();
        let (at, new) =
            insertion(text, TextRange::new(start, start + spec.len()), "f([])", &Answer::parse(answer).unwrap())
                .unwrap();
        assert_eq!(format!("{}{new}{}", &text[..at], &text[at..]), expected);
    }

    #[test]
    fn an_answer_becomes_a_clause_in_the_blocks_own_syntax() {
        let block = "# @spec Sum.\n    # @example f([1]) == 1";
        check(
            &format!("class A:\n    {block}\n    def f(xs): ...\n"),
            block,
            "= 0",
            "class A:\n    # @spec Sum.\n    # @example f([1]) == 1\n    # @example f([]) == 0\n    def f(xs): ...\n",
        );
        check(
            "/// @spec Sum.\nfn f() {}\n",
            "/// @spec Sum.\n",
            "! ValueError: empty",
            "/// @spec Sum.\n/// @raises ValueError f([])\nfn f() {}\n",
        );
    }

    #[test]
    fn in_a_docstring_it_becomes_a_doctest() {
        check(
            "def f(xs):\n    \"\"\"Sum.\n\n    >>> f([1])\n    1\n    \"\"\"\n",
            "\"\"\"Sum.\n\n    >>> f([1])\n    1\n    \"\"\"",
            "= 0",
            "def f(xs):\n    \"\"\"Sum.\n\n    >>> f([1])\n    1\n    >>> f([])\n    0\n    \"\"\"\n",
        );
        check(
            "def f(xs):\n    \"\"\"Sum.\"\"\"\n",
            "\"\"\"Sum.\"\"\"",
            "! E",
            "def f(xs):\n    \"\"\"Sum.\n    >>> f([])\n    Traceback (most recent call last):\n        ...\n    E\n    \"\"\"\n",
        );
    }

    #[test]
    fn a_time_out_is_no_answer() {
        assert_eq!(Answer::parse("timeout"), None);
        assert_eq!(Answer::parse("= 'timeout'"), Some(Answer::Returns("'timeout'".into())));
    }
}
