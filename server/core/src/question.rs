//! A disagreement of candidates as a question: one call, the answers to it with their votes, and
//! the clause that each answer would be in the spec.

use serde::{Deserialize, Serialize};

/// A call on which candidates differ, as small as it could be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The call, as source code.
    pub input: String,
    /// What the candidates answer, most votes first.
    pub answers: Vec<Answer>,
}

/// One of the answers to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// As a developer reads it: `0`, `raises ValueError`, `does not end in its time`.
    pub text: String,
    /// Votes of the behaviours that answer so.
    pub votes: u32,
    /// The line of the spec that chooses it: `@example f([]) == 0`, `@raises ValueError f([])`. `None` for
    /// what nobody can want (a time-out, a crash) or cannot be written down (a NaN, an object without a
    /// constructor).
    pub clause: Option<String>,
}

/// A clause as a guess: `@example? f([]) == 0`.
pub fn guess(clause: &str) -> Option<String> {
    let marked =
        ["@example ", "@raises "].into_iter().find_map(|tag| Some((tag.trim_end(), clause.strip_prefix(tag)?)));
    marked.map(|(tag, rest)| format!("{tag}? {rest}"))
}

const RAISES: &str = "raises ";

impl Question {
    /// `f([])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes); as Markdown.
    pub fn summary(&self) -> String {
        let answers: Vec<String> =
            self.answers.iter().map(|a| format!("{} ({})", a.marked_up(), counted(a.votes))).collect();
        format!("`{}`: {}", self.input, answers.join(", "))
    }

    /// The answers that can be chosen.
    pub fn choices(&self) -> impl Iterator<Item = (&Answer, &str)> {
        self.answers.iter().filter_map(|a| Some((a, a.clause.as_deref()?)))
    }

    /// The clause for an answer in the user's own words: a value as source code, or `raises ERROR`.
    /// `None` when it is empty or has more than one line.
    pub fn clause_of(&self, words: &str) -> Option<String> {
        let words = words.trim();
        if words.is_empty() || words.contains(['\n', '\r']) {
            return None;
        }
        match words.strip_prefix(RAISES.trim_end()).filter(|r| r.is_empty() || r.starts_with(' ')).map(str::trim) {
            Some("") => None,
            Some(exception) => Some(format!("@raises {exception} {}", self.input)),
            None => Some(format!("@example {} == {words}", self.input)),
        }
    }
}

impl Answer {
    /// "`f([])` should be `0` (5 votes)", "`f([])` should raise `ValueError` (2 votes)".
    pub fn title(&self, input: &str) -> String {
        let votes = counted(self.votes);
        match self.text.strip_prefix(RAISES) {
            Some(exception) => format!("`{input}` should raise `{exception}` ({votes})"),
            None => format!("`{input}` should be `{}` ({votes})", self.text),
        }
    }

    fn marked_up(&self) -> String {
        match self.text.strip_prefix(RAISES) {
            Some(exception) => format!("raises `{exception}`"),
            None if self.clause.is_some() => format!("`{}`", self.text),
            None => self.text.clone(),
        }
    }
}

/// "1 vote", "5 votes".
fn counted(votes: u32) -> String {
    format!("{votes} {}", if votes == 1 { "vote" } else { "votes" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        let answer = |text: &str, votes, clause: Option<&str>| Answer {
            text: text.into(),
            votes,
            clause: clause.map(str::to_owned),
        };
        Question {
            input: "f([])".into(),
            answers: vec![
                answer("0", 5, Some("@example f([]) == 0")),
                answer("raises ValueError", 2, Some("@raises ValueError f([])")),
                answer("does not end in its time", 1, None),
            ],
        }
    }

    #[test]
    fn a_question_is_told_with_votes() {
        let q = question();
        assert_eq!(
            q.summary(),
            "`f([])`: `0` (5 votes), raises `ValueError` (2 votes), does not end in its time (1 vote)"
        );
        let titles: Vec<String> = q.choices().map(|(a, _)| a.title(&q.input)).collect();
        assert_eq!(titles, ["`f([])` should be `0` (5 votes)", "`f([])` should raise `ValueError` (2 votes)"]);
    }

    #[test]
    fn own_words_become_a_clause() {
        let q = question();
        assert_eq!(q.clause_of(" [1, 2] ").as_deref(), Some("@example f([]) == [1, 2]"));
        assert_eq!(q.clause_of("raises KeyError").as_deref(), Some("@raises KeyError f([])"));
        for nothing in ["", "  ", "raises ", "1\n2"] {
            assert_eq!(q.clause_of(nothing), None, "{nothing:?}");
        }
    }
}
