//! Integers so large that a call may take any time or memory. Where neither the spec nor its examples speak of any such,
//! a call that does not end, or asks for more memory than there is, says nothing.

use crate::supervisor::Request;

/// The largest integer that every function has to bear.
const BORNE: u128 = 4096;
/// How many calls with such integers may say nothing before the rest of them is not made: each may cost its whole time.
pub const PATIENCE: usize = 3;

/// The largest integer that calls are judged by, whatever they cost.
#[derive(Debug, Clone, Copy)]
pub struct Bound(u128);

impl Bound {
    /// That of a request, which says the largest one that its spec names.
    pub fn of(request: &Request) -> Self {
        Self(request.option("named").parse().unwrap_or(0).max(BORNE))
    }

    /// Whether a call, as it is written, has an integer beyond it.
    pub fn is_exceeded_by(self, call: &str) -> bool {
        integers(call).into_iter().any(|n| n > self.0)
    }
}

/// Whether a panic is one of memory that nobody has.
pub fn is_capacity(panic: &str) -> bool {
    panic.to_ascii_lowercase().ends_with("capacity overflow")
}

/// The integers of a call without their signs; the end of a type is beyond all others.
fn integers(call: &str) -> Vec<u128> {
    let chars: Vec<char> = call.chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    let mut before = String::new();
    while at < chars.len() {
        let start = at;
        match chars[at] {
            '"' | '\'' => {
                at += 1;
                while at < chars.len() && chars[at] != chars[start] {
                    at += 1 + usize::from(chars[at] == '\\');
                }
                at += 1;
            }
            c if c.is_alphanumeric() || c == '_' => {
                while at < chars.len() && (chars[at].is_alphanumeric() || chars[at] == '_') {
                    at += 1;
                }
                let word: String = chars[start..at].iter().collect();
                // Digits of a float, on either side of its point.
                let is_float = chars.get(at) == Some(&'.') || start.checked_sub(1).is_some_and(|i| chars[i] == '.');
                if matches!(word.as_str(), "MAX" | "MIN") && !before.starts_with('f') {
                    out.push(u128::MAX);
                } else if !is_float {
                    out.extend(word.parse::<u128>().ok());
                }
                before = word;
            }
            _ => at += 1,
        }
    }
    out
}
