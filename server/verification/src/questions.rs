//! Questions from fingerprints alone, for languages whose adapter cannot run a candidate on calls of
//! its own choosing: the call is one of the shared inputs, and not made smaller.

use zeroerr_core::question::{Answer, Question};

use crate::languages::Behaviour;

/// Questions at most; each tells behaviours apart that no earlier one does.
const QUESTIONS: usize = 3;
/// Longest answer that anybody would choose, in bytes.
const LONGEST: usize = 300;
/// Digits in a row after which a number is taken for one that was rounded.
const DIGITS: usize = 12;

/// What one call gave, in the words of [`crate::fingerprint`]; what it did to its arguments is left
/// out, since no claim about a call speaks of it.
fn told(outcome: &str) -> &str {
    outcome.split("; mutates ").next().unwrap_or(outcome).trim()
}

fn outcome<'b>(behaviour: &'b Behaviour, call: &str) -> Option<&'b str> {
    behaviour.fingerprint.outcomes.iter().find(|(c, _)| c == call).map(|(_, outcome)| told(outcome))
}

/// The answer that an outcome is.
fn answer_of(call: &str, outcome: &str, votes: u32) -> Answer {
    let (text, clause) = if let Some(value) = outcome.strip_prefix("= ") {
        (value.to_owned(), can_be_written(value).then(|| format!("@example {call} == {value}")))
    } else if let Some(error) = outcome.strip_prefix("! ") {
        (format!("raises {error}"), Some(format!("@raises {error} {call}")))
    } else if outcome == "timeout" {
        ("does not end in its time".to_owned(), None)
    } else {
        ("ends its process".to_owned(), None)
    };
    Answer { text, votes, clause }
}

/// Whether the text of a value is the whole value: not cut, not rounded, on one line.
fn can_be_written(value: &str) -> bool {
    let mut digits = 0;
    let is_round = value.chars().all(|c| {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        digits < DIGITS
    });
    let is_whole = value.len() <= LONGEST && !value.contains(['\n', '<']) && !value.contains("...");
    is_round && is_whole && value != "nan" && value != "pretender"
}

/// What two answers are worth telling apart: 2 where a user knows which is meant, 1 where neither is
/// of much interest.
fn distance(a: &str, b: &str) -> u64 {
    match (a, b) {
        _ if a == b => 0,
        _ if a.starts_with("= ") && (b.starts_with("= ") || b.starts_with("! ")) => 2,
        _ if a.starts_with("! ") && b.starts_with("= ") => 2,
        _ => 1,
    }
}

/// See [`crate::languages::Language::questions`].
pub fn from_fingerprints(behaviours: &[Behaviour]) -> Vec<Question> {
    let Some(first) = behaviours.first() else { return Vec::new() };
    let mut calls: Vec<&str> = first.fingerprint.outcomes.iter().map(|(call, _)| call.as_str()).collect();
    calls.sort_by_key(|call| (call.len(), *call));
    let mut pairs: Vec<(&Behaviour, &Behaviour)> =
        behaviours.iter().enumerate().flat_map(|(n, a)| behaviours[n + 1..].iter().map(move |b| (a, b))).collect();
    let apart = |call: &str, (a, b): (&Behaviour, &Behaviour)| {
        outcome(a, call).zip(outcome(b, call)).map_or(0, |(x, y)| distance(x, y))
    };
    let mut questions = Vec::new();
    while questions.len() < QUESTIONS {
        let worth = |call: &str| -> u64 {
            pairs.iter().map(|&(a, b)| apart(call, (a, b)) * u64::from(a.votes) * u64::from(b.votes)).sum()
        };
        let mut best: Option<(u64, &str)> = None;
        for call in &calls {
            let worth = worth(call);
            if worth > best.map_or(0, |(most, _)| most) && asked(behaviours, call).choices().next().is_some() {
                best = Some((worth, call));
            }
        }
        let Some((_, call)) = best else { break };
        questions.push(asked(behaviours, call));
        pairs.retain(|&pair| apart(call, pair) == 0);
    }
    questions
}

fn asked(behaviours: &[Behaviour], call: &str) -> Question {
    let mut answers: Vec<Answer> = Vec::new();
    for behaviour in behaviours {
        let Some(outcome) = outcome(behaviour, call) else { continue };
        let answer = answer_of(call, outcome, behaviour.votes);
        match answers.iter_mut().find(|a| a.text == answer.text) {
            Some(same) => same.votes += answer.votes,
            None => answers.push(answer),
        }
    }
    answers.sort_by(|a, b| b.votes.cmp(&a.votes).then_with(|| a.text.cmp(&b.text)));
    Question { input: call.to_owned(), answers }
}

/// See [`crate::languages::Language::answer`].
pub fn known_answer(behaviour: &Behaviour, call: &str) -> Option<Answer> {
    outcome(behaviour, call).map(|outcome| answer_of(call, outcome, behaviour.votes))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use expect_test::expect;
    use zeroerr_core::voting_engine::Fingerprint;

    use super::*;
    use crate::languages::Subject;
    use crate::languages::python::Python;

    fn behaviour(votes: u32, outcomes: &[(&str, &str)]) -> Behaviour {
        let source: Arc<str> = Arc::from("# @spec F.\n# @example f(9) == 9\ndef f(x): ...\n");
        let task = Python.analyse(Path::new("f.py"), &source).tasks.remove(0);
        let outcomes = outcomes.iter().map(|(c, o)| ((*c).to_owned(), (*o).to_owned())).collect();
        Behaviour {
            subject: Subject { task, previous: source, workspace: None },
            fingerprint: Fingerprint { outcomes },
            votes,
        }
    }

    fn shown(behaviours: &[Behaviour]) -> String {
        let line = |q: Question| {
            let clauses: Vec<&str> = q.choices().map(|(_, clause)| clause).collect();
            format!("{}\n    {}\n", q.summary(), clauses.join("\n    "))
        };
        from_fingerprints(behaviours).into_iter().map(line).collect()
    }

    #[test]
    fn the_call_that_tells_most_votes_apart_is_asked_first() {
        let behaviours = [
            behaviour(5, &[("f(1)", "= 1"), ("f([1, 2])", "= 0"), ("f(3)", "= 3")]),
            behaviour(3, &[("f(1)", "= 1"), ("f([1, 2])", "= None; mutates xs -> []"), ("f(3)", "timeout")]),
            behaviour(2, &[("f(1)", "= 1"), ("f([1, 2])", "! ValueError"), ("f(3)", "= 3")]),
        ];
        expect![[r#"
            `f([1, 2])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes)
                @example f([1, 2]) == 0
                @example f([1, 2]) == None
                @raises ValueError f([1, 2])
        "#]]
        .assert_eq(&shown(&behaviours));
    }

    #[test]
    fn what_one_call_leaves_together_the_next_one_tells_apart() {
        let behaviours = [
            behaviour(5, &[("f(1)", "= 1"), ("f(22)", "= 2")]),
            behaviour(3, &[("f(1)", "= 0"), ("f(22)", "= 2")]),
            behaviour(2, &[("f(1)", "= 1"), ("f(22)", "= 3")]),
        ];
        expect![[r#"
            `f(1)`: `1` (7 votes), `0` (3 votes)
                @example f(1) == 1
                @example f(1) == 0
            `f(22)`: `2` (8 votes), `3` (2 votes)
                @example f(22) == 2
                @example f(22) == 3
        "#]]
        .assert_eq(&shown(&behaviours));
    }

    #[test]
    fn what_no_answer_would_settle_is_not_asked() {
        let nothing = [
            [("f(1)", "timeout"), ("f(2)", "crash")],
            [("f(1)", "crash"), ("f(2)", "= nan")],
            [("f(1)", "timeout"), ("f(2)", "= 0.333333333333")],
        ];
        let behaviours: Vec<_> = nothing.iter().map(|o| behaviour(2, o)).collect();
        assert_eq!(shown(&behaviours), "");
        let mutating = [behaviour(2, &[("f(1)", "= 1")]), behaviour(2, &[("f(1)", "= 1; mutates x -> 2")])];
        assert_eq!(shown(&mutating), "");
    }
}
