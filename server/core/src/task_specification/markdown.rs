//! A spec as Markdown, for hover.

use std::fmt::Write as _;

use super::{Complexity, Example, ExampleClaim, Spec};

/// Renders what the server understood of a spec; empty for an empty spec.
pub fn render_markdown(spec: &Spec) -> String {
    let mut out = String::new();
    if !spec.intent.is_empty() {
        let _ = writeln!(out, "{}", escape(&spec.intent).replace('\n', "\n\n"));
    }
    let texts = |list: &[super::Clause]| list.iter().map(|c| c.text.clone()).collect::<Vec<_>>();
    section(&mut out, "Requires", &texts(&spec.requires));
    section(&mut out, "Ensures", &texts(&spec.ensures));
    section(&mut out, "Examples", &spec.examples.iter().map(example).collect::<Vec<_>>());
    section(
        &mut out,
        "Raises",
        &spec.raises.iter().map(|r| format!("{} raises {}", r.call, r.exception)).collect::<Vec<_>>(),
    );
    section(&mut out, "Properties", &texts(&spec.properties));
    let complexity: Vec<String> = spec.complexity.iter().map(|c| c.bound.notation().to_owned()).collect();
    section(&mut out, "Complexity", &complexity);
    section(
        &mut out,
        "Budget",
        &spec.budgets.iter().map(|b| format!("{} within {}", b.call, duration(b.milliseconds))).collect::<Vec<_>>(),
    );
    section(&mut out, "Uses", &texts(&spec.uses));
    section(&mut out, "Forbids", &texts(&spec.forbids));
    section(
        &mut out,
        "Steps",
        &spec.steps.iter().map(|s| format!("{}{}: {}", s.name, s.signature, s.intent)).collect::<Vec<_>>(),
    );
    section(&mut out, "Guesses, which count for nothing until the `?` is taken away", &texts(&spec.guesses));
    out.trim_end().to_owned()
}

fn section(out: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "**{title}**");
    for item in items {
        let _ = writeln!(out, "- {}", code(item));
    }
}

fn example(example: &Example) -> String {
    match &example.claim {
        ExampleClaim::Holds => example.code.clone(),
        ExampleClaim::Prints(text) if text.is_empty() => format!("{} prints nothing", example.code),
        ExampleClaim::Prints(text) => format!("{} → {text}", example.code),
        ExampleClaim::Raises(exception) => format!("{} raises {exception}", example.code),
    }
}

/// An inline code span; its fence is longer than any run of backticks in the text.
fn code(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// Words that the user wrote must not become markup: no HTML, no links to images.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '<' | '>' | '*' | '_' | '[' | ']' | '\\' | '!' | '#') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

fn duration(milliseconds: f64) -> String {
    if milliseconds < 1.0 {
        format!("{} us", milliseconds * 1e3)
    } else if milliseconds < 1e3 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1e3)
    }
}

impl Complexity {
    /// The class as it is written: `O(n log n)`.
    pub fn notation(self) -> &'static str {
        match self {
            Self::Constant => "O(1)",
            Self::Logarithmic => "O(log n)",
            Self::Linear => "O(n)",
            Self::Linearithmic => "O(n log n)",
            Self::Quadratic => "O(n^2)",
            Self::Cubic => "O(n^3)",
            Self::Exponential => "O(2^n)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::{BlockLine, parse_block};
    use super::*;
    use expect_test::expect;

    #[test]
    fn hover_shows_every_clause_and_no_markup_of_the_user() {
        let text = [
            "@spec Sum of *all* xs <img src=x>.",
            "@requires len(xs) > 0",
            "@example total([1]) == 1",
            "@raises TypeError total(None)",
            "@complexity o(n)",
            "@budget 1.5s total(`x`)",
            "@uses math, statistics",
            "@step halve(n: int) -> int: half of n",
        ];
        let lines: Vec<BlockLine<'_>> = text.iter().map(|text| BlockLine { text, start: 0 }).collect();
        expect![[r#"
            Sum of \*all\* xs \<img src=x\>.

            **Requires**
            - `len(xs) > 0`

            **Examples**
            - `total([1]) == 1`

            **Raises**
            - `total(None) raises TypeError`

            **Complexity**
            - `O(n)`

            **Budget**
            - ``total(`x`) within 1.5 s``

            **Uses**
            - `math`
            - `statistics`

            **Steps**
            - `halve(n: int) -> int: half of n`"#]]
        .assert_eq(&render_markdown(&parse_block(&lines).0));
        assert_eq!(render_markdown(&Spec::default()), "");
    }
}
