//! What is read out of the answers of testers, discriminators and critics, as text: whether it is a call in
//! the language at hand, its adapter says.

/// Lines of an answer that are looked at; a model that babbles is not read to its end.
const LINES: usize = 200;
/// Words that an objection must have: "wrong" is none.
const WORDS: usize = 3;

/// A call of the function in an answer, and the value that the answer says it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The call.
    pub call: String,
    /// The value, if one was given.
    pub expected: Option<String>,
}

/// The calls of `function` in an answer: `assert f(1) == 2`, `assert_eq!(f(1), 2);`, `f(1) => 2`, a
/// doctest, or `f(1)` alone. One per line, each once, at most `most`.
pub fn calls(answer: &str, function: &str, most: usize) -> Vec<Written> {
    let mut found: Vec<Written> = Vec::new();
    let mut lines = answer.lines().take(LINES).map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if found.len() >= most {
            break;
        }
        let Some((before, call, rest)) = call_in(line, function) else { continue };
        let expected = match before.strip_suffix(">>>").or_else(|| before.strip_suffix(">>> ")) {
            Some(_) if rest.is_empty() => lines.peek().filter(|l| is_value(l)).map(|l| (*l).to_owned()),
            _ => expected(before, rest),
        };
        let written = Written { call: call.to_owned(), expected };
        if !found.contains(&written) {
            found.push(written);
        }
    }
    found
}

/// A critic's objection. Everything else, praise included, is nothing.
pub fn objection(answer: &str) -> Option<String> {
    let lines = answer.lines().take(LINES).map(str::trim);
    let objection = lines.filter_map(|line| {
        let head = line.get(..9).filter(|head| head.eq_ignore_ascii_case("objection"))?;
        Some(line[head.len()..].trim_start_matches([':', ' ', '-', '*']).trim())
    });
    let text = objection.into_iter().find(|text| text.split_whitespace().count() >= WORDS)?;
    Some(text.chars().take(300).collect())
}

/// Whether a critic's answer says that there is nothing to object to, in the form that it was asked for.
pub fn approves(answer: &str) -> bool {
    let first = answer.lines().map(|l| l.trim_matches(['*', '`', '.', ' '])).find(|l| !l.is_empty());
    first.is_some_and(|l| {
        l.get(..2).is_some_and(|ok| ok.eq_ignore_ascii_case("ok")) && !l[2..].starts_with(char::is_alphanumeric)
    })
}

/// What stands before the first call of the function in a line, the call, and what stands behind it.
fn call_in<'l>(line: &'l str, function: &str) -> Option<(&'l str, &'l str, &'l str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (at, _) = line.match_indices(function).find(|(at, _)| {
        let free = !line[..*at].chars().next_back().is_some_and(is_word);
        free && line[at + function.len()..].starts_with('(')
    })?;
    // `Point.of(1)`, `point::of(1)`.
    let receiver = line[..at].chars().rev().take_while(|c| is_word(*c) || matches!(c, '.' | ':')).count();
    let start = line[..at].char_indices().rev().take(receiver).last().map_or(at, |(start, _)| start);
    let length = balanced(&line[at + function.len()..])?;
    let end = at + function.len() + length;
    let call = &line[start..end];
    // The receiver is an expression that was cut through.
    (!call.starts_with(['.', ':'])).then_some((line[..start].trim_end(), call, line[end..].trim_start()))
}

/// The value behind a call, as far as `before` says that it is one.
fn expected(before: &str, rest: &str) -> Option<String> {
    let is_macro = before.ends_with("assert_eq!(");
    let value = match rest {
        _ if is_macro => rest.strip_prefix(',')?,
        _ => ["==", "=>", "->", "→"].iter().find_map(|sign| rest.strip_prefix(sign))?,
    };
    let value = &value[..top_level(value)];
    let value = value.trim().trim_end_matches(['`', '.', ';']).trim();
    is_value(value).then(|| value.to_owned())
}

fn is_value(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(">>>") && !text.starts_with("```") && !text.starts_with("Traceback")
}

/// The length of the bracket that a text begins with, closing bracket included.
fn balanced(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (at, c) in outside_texts(text) {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return None,
            ')' | ']' | '}' if open.is_empty() => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// How far an expression goes: to a comma, a comment or a bracket that was opened before it.
fn top_level(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in outside_texts(text) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            ',' | '#' | ';' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// The characters that stand in no string. Rust's lifetimes and `'` as an apostrophe do not occur in values.
fn outside_texts(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quote, mut escaped) = (None, false);
    text.char_indices().filter(move |(_, c)| match quote {
        Some(open) => {
            if *c == open && !escaped {
                quote = None;
            }
            escaped = *c == '\\' && !escaped;
            false
        }
        None => {
            let opens = matches!(c, '"' | '\'');
            quote = opens.then_some(*c);
            !opens
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(answer: &str) -> String {
        let line = |w: Written| format!("{} | {}\n", w.call, w.expected.unwrap_or_else(|| "?".into()));
        calls(answer, "f", 20).into_iter().map(line).collect()
    }

    #[test]
    fn tests_in_many_spellings_are_read() {
        let answer = r#"
Here are tests of f:
```python
assert f(1) == 2
assert f([1, 2], k=")") == [2, 1], "no"
assert f("a, b") == 'x'  # a comment
    assert_eq!(f(&[1], 2), vec![1]);
1. f(3) => 4.
- `f(4)` is five
>>> f(0)
None
f(5)
assert (f(9) == 10)
m.f(1) -> True
g(1) == 2
xf(1) == 2
f(1
```"#;
        expect_test::expect![[r#"
            f(1) | 2
            f([1, 2], k=")") | [2, 1]
            f("a, b") | 'x'
            f(&[1], 2) | vec![1]
            f(3) | 4
            f(4) | ?
            f(0) | None
            f(5) | ?
            f(9) | 10
            m.f(1) | True
        "#]]
        .assert_eq(&shown(answer));
    }

    #[test]
    fn equal_tests_count_once_and_no_more_than_asked_for() {
        assert_eq!(calls("f(1) == 2\nf(1) == 2\nf(1) == 3\nf(2) == 1", "f", 2).len(), 2);
        assert_eq!(calls(&"babble\n".repeat(1000), "f", 9), []);
    }

    #[test]
    fn only_an_objection_is_one() {
        let objection = |text| super::objection(text);
        assert_eq!(objection("OBJECTION: f([]) raises IndexError").as_deref(), Some("f([]) raises IndexError"));
        assert_eq!(objection("Let me see.\nobjection - it adds one too much").as_deref(), Some("it adds one too much"));
        for praise in ["OK", "The code is right.", "OBJECTION", "OBJECTION: none", "No objection: it is right.", ""] {
            assert_eq!(objection(praise), None, "{praise}");
        }
    }

    #[test]
    fn an_answer_without_the_asked_form_is_no_approval() {
        for ok in ["OK", "ok.", "\n**OK**", "OK: it sorts first"] {
            assert!(approves(ok), "{ok}");
        }
        for other in ["", "The function is not implemented.", "Okra", "It is OK", "o"] {
            assert!(!approves(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_read(answer in "[\\PC\n]{0,200}", tail in "f\\([\\PC\n]{0,40}") {
            for written in calls(&format!("{answer}{tail}"), "f", 50) {
                prop_assert!(written.call.ends_with(')') && written.call.contains("f("));
            }
            objection(&answer);
            approves(&answer);
        }
    }
}
