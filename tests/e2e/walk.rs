//! One file and one scripted model for every flow a user lives in.

use crate::neovim::Model;

/// The file: stubs, a function that is wrong, one without a spec.
pub const FILE: &str = include_str!("../fixtures/flows.py");

/// What of it fits on a screen: the function that candidates disagree on, and the one without a spec.
pub fn question() -> String {
    part("# @spec Return the last", "# @spec Return the first").to_owned() + part("def doubled", "\0")
}

/// Another screen: three stubs, of which one lacks evidence, and a function that is wrong.
pub fn tour() -> String {
    let stubs = part("# @spec Return the even", "# @spec Return the last");
    stubs.to_owned() + part("# @spec Return the first", "# @spec Return the larger").trim_end() + "\n"
}

/// Another screen: a stub, the function that a counterexample is found for, and one that takes long.
pub fn since() -> String {
    let evens = part("# @spec Return the even", "# @spec Return the text");
    let larger = part("# @spec Return the larger", "def doubled");
    evens.to_owned() + larger + part("# @spec Return the last", "# @spec Return the first").trim_end() + "\n"
}

fn part(from: &str, to: &str) -> &'static str {
    let start = FILE.find(from).expect("the part");
    let end = FILE[start..].find(to).map_or(FILE.len(), |n| start + n);
    &FILE[start..end]
}

/// Answers by what is asked for. On `last` three behaviours take turns, so that no vote is won.
pub fn model(delay_ms: u64) -> Model {
    let evens = "def evens(xs: list[int]) -> list[int]:\n    return [x for x in xs if x % 2 == 0]";
    let odds = "def evens(xs: list[int]) -> list[int]:\n    return [x for x in xs if x % 2 == 1]";
    let backwards = "def backwards(text: str) -> str:\n    return text[::-1]";
    let raises = "def last(xs: list[int]) -> int:\n    return xs[-1]";
    let zero = "def last(xs: list[int]) -> int:\n    return xs[-1] if xs else 0";
    let less = "def last(xs: list[int]) -> int:\n    return xs[-1] if xs else -1";
    let total = "def total(xs: list[int]) -> int:\n    return sum(xs)";
    let first = "def first_word(text: str) -> str:\n    return text.split(' ')[0]";
    let larger = "def larger(a: int, b: int) -> int:\n    return a if a > b else b";
    let doubled = "def doubled(xs: list[int]) -> list[int]:\n    return [2 * x for x in xs]";
    let said: [(&str, &[&str]); 8] = [
        ("odd numbers", &[odds]),
        ("def evens", &[evens]),
        ("def backwards", &[backwards]),
        ("def last", &[raises, zero, less]),
        ("def first_word", &[first]),
        ("def total", &[total]),
        ("def larger", &[larger]),
        ("def doubled", &[doubled]),
    ];
    let fenced = |text: &&str| format!("```python\n{text}\n```");
    let worded = said.iter().map(|(words, texts)| ((*words).to_owned(), texts.iter().map(fenced).collect()));
    Model::Worded(worded.collect(), delay_ms)
}
