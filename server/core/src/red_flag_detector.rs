//! Reasons to discard a sample before it can vote (MAKER, arXiv 2511.09030, section 3.3).
//!
//! A flagged sample is never repaired: a response that is wrong in form is more often wrong in
//! content, and its errors are correlated. It is counted by kind and drawn anew.

use serde::{Deserialize, Serialize};

use crate::ports::{FinishReason, SampleResponse};

/// Why a sample was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedFlag {
    /// Nothing but white space.
    Empty,
    /// Ended by the token limit.
    Truncated,
    /// Longer than the limit that marks confusion (750 tokens in the paper).
    OverLong,
    /// The same lines again and again.
    Repetition,
    /// The model refuses or apologises.
    Refusal,
    /// The code does not parse.
    DoesNotParse,
    /// No function of the asked name, or something beside it.
    NotOneFunction,
    /// The function's signature is not the asked one.
    WrongSignature,
    /// The body is still a placeholder.
    Placeholder,
    /// Touches what the spec forbids.
    Forbidden,
    /// A planner's answer is not the asked JSON.
    NotAPlan,
    /// A planner's answer is a plan that cannot be carried out: a cycle, a step that is missing, unused or
    /// no function, too many steps.
    UnusablePlan,
}

impl RedFlag {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            RedFlag::Empty => "empty",
            RedFlag::Truncated => "truncated",
            RedFlag::OverLong => "over_long",
            RedFlag::Repetition => "repetition",
            RedFlag::Refusal => "refusal",
            RedFlag::DoesNotParse => "does_not_parse",
            RedFlag::NotOneFunction => "not_one_function",
            RedFlag::WrongSignature => "wrong_signature",
            RedFlag::Placeholder => "placeholder",
            RedFlag::Forbidden => "forbidden",
            RedFlag::NotAPlan => "not_a_plan",
            RedFlag::UnusablePlan => "unusable_plan",
        }
    }
}

/// Longest response, in tokens, that is not taken as confused (the paper's value).
pub const MAX_TOKENS: usize = 750;

/// Flags that can be seen in the response alone, before any parsing.
pub fn flag_response(response: &SampleResponse, max_tokens: usize) -> Option<RedFlag> {
    if response.text.trim().is_empty() {
        return Some(RedFlag::Empty);
    }
    if response.finish == FinishReason::Length {
        return Some(RedFlag::Truncated);
    }
    if response.completion_tokens > max_tokens {
        return Some(RedFlag::OverLong);
    }
    if repeats_itself(&response.text) {
        return Some(RedFlag::Repetition);
    }
    if refuses(&response.text) {
        return Some(RedFlag::Refusal);
    }
    None
}

/// Whether one block of lines stands four times in a row. Blank lines do not count, and neither
/// do runs of lines without a letter (closing brackets).
fn repeats_itself(text: &str) -> bool {
    const TIMES: usize = 4;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| l.chars().any(char::is_alphanumeric)).collect();
    (1..=lines.len() / TIMES).any(|period| {
        let mut run = 0;
        for i in period..lines.len() {
            run = if lines[i] == lines[i - period] { run + 1 } else { 0 };
            if run >= period * (TIMES - 1) {
                return true;
            }
        }
        false
    })
}

/// Whether a response without any code says that it will not answer.
fn refuses(text: &str) -> bool {
    if text.contains("```")
        || text.lines().any(|l| {
            ["def ", "fn ", "function ", "export ", "async def "].iter().any(|k| l.trim_start().starts_with(k))
        })
    {
        return false;
    }
    let lower = text.to_lowercase();
    let ends_there = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    ["i'm sorry", "i am sorry", "i cannot", "i can't", "as an ai", "i'm unable", "i am unable"]
        .iter()
        .any(|phrase| lower.match_indices(phrase).any(|(at, _)| ends_there(&lower[at + phrase.len()..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, tokens: usize, finish: FinishReason, expected: Option<RedFlag>) {
        let response = SampleResponse {
            text: text.into(),
            finish,
            prompt_tokens: 1,
            completion_tokens: tokens,
            model: "m".into(),
        };
        assert_eq!(flag_response(&response, MAX_TOKENS), expected, "{text:?}");
    }

    #[test]
    fn each_kind_is_seen() {
        use FinishReason::{Length, Stop};
        check(" \n\t", 2, Stop, Some(RedFlag::Empty));
        check("def f(): return 1", 12, Length, Some(RedFlag::Truncated));
        check("def f(): return 1", 751, Stop, Some(RedFlag::OverLong));
        check("def f(): return 1", 750, Stop, None);
        check("I'm sorry, but I cannot help with that.", 12, Stop, Some(RedFlag::Refusal));
        check("As an AI, I write no code.", 12, Stop, Some(RedFlag::Refusal));
        check("return code  # the same as an airport's", 12, Stop, None);
        check("def f():\n    return \"I'm sorry\"", 12, Stop, None);
    }

    #[test]
    fn repetition_needs_four_in_a_row() {
        use FinishReason::Stop;
        check("a = 1\na = 1\na = 1\na = 1\n", 9, Stop, Some(RedFlag::Repetition));
        check("a = 1\na = 1\na = 1\nb = 1\n", 9, Stop, None);
        check("x\ny\nx\ny\nx\ny\nx\ny", 9, Stop, Some(RedFlag::Repetition));
        check("    )\n    )\n    )\n    )\ndef f(): pass", 9, Stop, None);
    }
}
