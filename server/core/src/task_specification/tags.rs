//! The tags of the spec language, as a table: the parser, completion, hover and the docs read it.

use serde::Serialize;

/// What a user can be told of one tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct TagInfo {
    /// The tag without its `@`.
    pub name: &'static str,
    /// What may follow it.
    pub syntax: &'static str,
    /// What it means, one sentence.
    pub summary: &'static str,
    /// A whole line, as one would write it.
    pub example: &'static str,
}

const fn tag(name: &'static str, syntax: &'static str, summary: &'static str, example: &'static str) -> TagInfo {
    TagInfo { name, syntax, summary, example }
}

/// Every tag, in the order in which a spec usually has them.
pub const TAGS: &[TagInfo] = &[
    tag("spec", "@spec WORDS", "What the function must do, in words.", "@spec Return the median of xs."),
    tag(
        "requires",
        "@requires EXPRESSION",
        "A precondition over the parameters; inputs that break it are never tried.",
        "@requires len(xs) > 0",
    ),
    tag(
        "ensures",
        "@ensures EXPRESSION",
        "A postcondition over the parameters and `result`.",
        "@ensures min(xs) <= result <= max(xs)",
    ),
    tag(
        "example",
        "@example EXPRESSION",
        "A call and what it must give; an expression that must be true.",
        "@example median([3, 1, 2]) == 2",
    ),
    tag(
        "example?",
        "@example? EXPRESSION",
        "A guess at an example, made of what the candidates do: it counts for nothing until you take the `?` away.",
        "@example? median([3, 1, 2]) == 2",
    ),
    tag("raises", "@raises EXCEPTION CALL", "A call that must raise this exception.", "@raises ValueError median([])"),
    tag(
        "raises?",
        "@raises? EXCEPTION CALL",
        "A guess at a call that must raise: it counts for nothing until you take the `?` away.",
        "@raises? ValueError median([])",
    ),
    tag(
        "property",
        "@property EXPRESSION",
        "A law that holds for every valid input.",
        "@property median(xs) == median(sorted(xs))",
    ),
    tag(
        "complexity",
        "@complexity O(...)",
        "How the running time may grow, measured at growing sizes.",
        "@complexity O(n log n)",
    ),
    tag(
        "budget",
        "@budget TIME CALL",
        "How long a call may take (us, ms or s).",
        "@budget 20ms median(list(range(100_000)))",
    ),
    tag("uses", "@uses MODULE, ...", "The modules that the code may import; without it any may.", "@uses statistics"),
    tag(
        "forbid",
        "@forbid NAME, ...",
        "What the code must not use: `recursion`, `loops`, `imports`, or any name.",
        "@forbid recursion",
    ),
    tag(
        "step",
        "@step NAME(PARAMETERS) -> TYPE: WORDS",
        "A helper function to be written first.",
        "@step halve(n: int) -> int: half of n",
    ),
];

/// The known tag that a word was probably meant to be: at most a third of its letters differ.
pub fn closest_tag(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let allowed = word.chars().count() / 3;
    TAGS.iter()
        .map(|t| (strsim::osa_distance(&word, t.name), t.name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_tag_and_another_word_does_not() {
        let cases = [
            ("exmaple", "example"),
            ("require", "requires"),
            ("raise", "raises"),
            ("use", "uses"),
            ("Spec", "spec"),
            ("properties", "property"),
        ];
        for (typed, meant) in cases {
            assert_eq!(closest_tag(typed), Some(meant), "{typed}");
        }
        for foreign in ["param", "return", "returns", "see", "todo", "author", "type", "x", "", "app"] {
            assert_eq!(closest_tag(foreign), None, "{foreign}");
        }
    }
}
