//! A counterexample as a clause: what an `@ensures` or `@property` says of the one call that breaks it.
//!
//! `min(xs) <= result` and `median([2, 1])` make `@example min([2, 1]) <= median([2, 1])`. Names are
//! replaced in the text of the clause, which is the same in every language; where a name could mean
//! something else there (a loop's or closure's own variable, `old.xs`), there is no such example.

use std::collections::HashMap;

use crate::code::{ParamKind, Signature};

/// The claim that a clause makes of one call, or `None` where replacing names could change its meaning.
pub fn claim_of(signature: &Signature, clause: &str, call: &str) -> Option<String> {
    if call.contains(['\n', '\r']) || clause.contains(['\n', '\r']) {
        return None;
    }
    let mut values = arguments(signature, call)?;
    values.insert("result".to_owned(), call.to_owned());
    let tokens = tokens(clause);
    if binds_one_of(&tokens, &values) {
        return None;
    }
    let mut out = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let before = tokens[..at].iter().rev().find(|t| !t.trim().is_empty()).map_or("", String::as_str);
        let after = tokens[at + 1..].iter().find(|t| !t.trim().is_empty()).map_or("", String::as_str);
        match values.get(token) {
            Some(_) if (before == "." && !is_spread(&tokens[..at])) || before == "::" => out.push_str(token),
            // `f(xs=1)` names a parameter of its own, `{ xs: 1 }` and `{ xs }` a field.
            Some(_) if after == "=" || (before == "{" && matches!(after, ":" | "," | "}")) => return None,
            Some(_) if before == "," && after == ":" => return None,
            Some(value) => out.push_str(&alone(value)),
            None if matches!(token.as_str(), "old" | "new" | "self" | "this") && before != "." => return None,
            None => out.push_str(token),
        }
    }
    Some(out)
}

/// Whether what was read ends in `...`, which takes a list apart, and not in the `.` of a member.
fn is_spread(tokens: &[String]) -> bool {
    let mut last = tokens.iter().rev().filter(|t| !t.trim().is_empty());
    last.by_ref().take(3).filter(|t| *t == ".").count() == 3
}

/// A value as it can stand in any expression.
fn alone(value: &str) -> String {
    let starts_well =
        value.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | '(' | '{' | '"' | '\''));
    let (mut depth, mut spaced) = (0_i32, false);
    for token in tokens(value) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            t => {
                spaced |= depth == 0
                    && !t.starts_with(['"', '\''])
                    && t.chars().any(|c| !is_word(c) && c != '.' && c != ':' && c != '!')
            }
        }
    }
    if starts_well && !spaced { value.to_owned() } else { format!("({value})") }
}

/// The arguments of a call by the names of the parameters.
fn arguments(signature: &Signature, call: &str) -> Option<HashMap<String, String>> {
    let open = call.find(&format!("{}(", signature.name))? + signature.name.len();
    let inner = call.get(open + 1..)?.strip_suffix(')')?;
    let mut out = HashMap::new();
    let parts = split(inner)?;
    let plain: Vec<&str> =
        signature.params.iter().filter(|p| p.kind == ParamKind::Plain).map(|p| p.name.as_str()).collect();
    for (at, part) in parts.iter().enumerate() {
        let named = part
            .split_once('=')
            .filter(|(name, rest)| !rest.starts_with('=') && signature.params.iter().any(|p| p.name == name.trim()));
        let (name, value) = match named {
            Some((name, value)) => (name.trim(), value),
            None => (*plain.get(at)?, part.as_str()),
        };
        out.insert(name.to_owned(), value.trim().to_owned());
    }
    // A parameter that keeps its default has no value here.
    let left = signature.params.iter().find(|p| !out.contains_key(&p.name));
    left.is_none_or(|p| p.default.is_some()).then_some(out)
}

/// The parts between commas that stand in no bracket and no text; `None` when brackets do not match.
fn split(inner: &str) -> Option<Vec<String>> {
    let (mut parts, mut open, mut depth) = (Vec::new(), String::new(), 0_i32);
    for token in tokens(inner) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "," if depth == 0 => {
                parts.push(std::mem::take(&mut open));
                continue;
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
        open.push_str(&token);
    }
    if !open.trim().is_empty() {
        parts.push(open);
    }
    (depth == 0).then_some(parts)
}

/// Whether the clause has variables of its own under one of the names.
fn binds_one_of(tokens: &[String], names: &HashMap<String, String>) -> bool {
    let mut binding: Option<&str> = None;
    for (at, token) in tokens.iter().enumerate() {
        match (binding, token.as_str()) {
            (None, "for") => binding = Some("in"),
            (None, "lambda") => binding = Some(":"),
            // `|x|`, but not `a || b` or `a | b`: a closure stands where a value begins.
            (None, "|") => {
                let before = tokens[..at].iter().rev().find(|t| !t.trim().is_empty()).map_or("(", String::as_str);
                binding = matches!(before, "(" | "," | "=" | "move" | "&").then_some("|");
            }
            (_, "let") => return true,
            (_, "=>") if arrow_binds(&tokens[..at], names) => return true,
            (Some(end), word) if word == end => binding = None,
            (Some(_), word) if names.contains_key(word) => return true,
            _ => {}
        }
    }
    false
}

/// Whether what stands before an `=>` is more than a few parameters of other names.
fn arrow_binds(before: &[String], names: &HashMap<String, String>) -> bool {
    let mut last = before.iter().rev().map(String::as_str).filter(|t| !t.trim().is_empty());
    match last.next() {
        Some(")") => last.take_while(|t| *t != "(").any(|t| t == ")" || names.contains_key(t)),
        // `x => x + 1`, but no pattern of a `match`.
        Some(word) if word.chars().all(is_word) => names.contains_key(word) || last.next() == Some("|"),
        _ => true,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words, texts in quotes, `::`, `=>`, `==` and its kind, and single characters.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&c) = chars.get(at) {
        let start = at;
        at += 1;
        if is_word(c) {
            while chars.get(at).is_some_and(|c| is_word(*c)) {
                at += 1;
            }
        } else if c == '"' || (c == '\'' && chars[at..].iter().take(12).any(|c| *c == '\'')) {
            while chars.get(at).is_some_and(|n| *n != c) {
                at += if chars.get(at) == Some(&'\\') { 2 } else { 1 };
            }
            at += 1;
        } else if matches!(c, ':' | '=' | '<' | '>' | '!' | '|')
            && chars
                .get(at)
                .is_some_and(|n| *n == '=' || (*n == c && c != '<' && c != '>' && c != '!') || (c == '=' && *n == '>'))
        {
            at += 1;
        }
        at = at.min(chars.len());
        out.push(chars[start..at].iter().collect());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Param;

    fn signature(name: &str, params: &[(&str, Option<&str>)]) -> Signature {
        let param = |(name, default): &(&str, Option<&str>)| Param {
            name: (*name).to_owned(),
            annotation: None,
            default: default.map(str::to_owned),
            kind: ParamKind::Plain,
        };
        Signature {
            name: name.into(),
            params: params.iter().map(param).collect(),
            returns: None,
            is_async: false,
            header: String::new(),
        }
    }

    fn check(params: &[(&str, Option<&str>)], clause: &str, call: &str, wanted: Option<&str>) {
        let claim = claim_of(&signature("f", params), clause, call);
        assert_eq!(claim.as_deref(), wanted, "{clause} of {call}");
    }

    #[test]
    fn names_of_parameters_and_the_result_are_replaced() {
        let xs = [("xs", None)];
        check(&xs, "min(xs) <= result <= max(xs)", "f([2, 1])", Some("min([2, 1]) <= f([2, 1]) <= max([2, 1])"));
        check(&xs, "f(xs) == f(sorted(xs))", "f([2, 1])", Some("f([2, 1]) == f(sorted([2, 1]))"));
        check(&xs, "result.xs == \"xs\" and m::xs", "f(-1)", Some("f(-1).xs == \"xs\" and m::xs"));
        check(&xs, "xs.len() >= result", "f(&[1, 2])", Some("(&[1, 2]).len() >= f(&[1, 2])"));
        check(&xs, "result == xs ** 2", "f(-1)", Some("f(-1) == (-1) ** 2"));
        check(
            &[("a", None), ("b", None)],
            "result == a * b",
            "f('a,b', b=1 + 1)",
            Some("f('a,b', b=1 + 1) == 'a,b' * (1 + 1)"),
        );
        check(&[("a", None), ("b", Some("1"))], "result > a", "f(2)", Some("f(2) > 2"));
        check(&xs, "all(x in xs for x in result)", "f([1])", Some("all(x in [1] for x in f([1]))"));
        check(&xs, "xs.iter().all(|x| *x < result)", "f(&[1])", Some("(&[1]).iter().all(|x| *x < f(&[1]))"));
        check(&xs, "result || xs.is_empty()", "f(vec![1])", Some("f(vec![1]) || vec![1].is_empty()"));
        check(&xs, "result === Math.max(...xs)", "f([1])", Some("f([1]) === Math.max(...[1])"));
        check(&xs, "result.xs === [...xs].length", "f([1])", Some("f([1]).xs === [...[1]].length"));
        check(&xs, "xs.every((x) => x <= result)", "f([1])", Some("[1].every((x) => x <= f([1]))"));
        check(&xs, "xs.every((x, i) => x <= result)", "f([1])", Some("[1].every((x, i) => x <= f([1]))"));
        check(&xs, "xs.every(x => x <= result)", "f([1])", Some("[1].every(x => x <= f([1]))"));
    }

    #[test]
    fn where_a_name_could_mean_something_else_there_is_none() {
        let xs = [("xs", None)];
        check(&xs, "all(xs for xs in result)", "f([1])", None);
        check(&xs, "result.iter().all(|xs| *xs > 0)", "f([1])", None);
        check(&xs, "(lambda xs: xs)(result)", "f([1])", None);
        check(&xs, "result == old.xs", "f([1])", None);
        check(&xs, "g(xs=1) == result", "f([1])", None);
        check(&xs, "result.every((xs) => xs > 0)", "f([1])", None);
        check(&xs, "result.every(xs => xs > 0)", "f([1])", None);
        check(&xs, "result.every(({ xs }) => xs > 0)", "f([1])", None);
        check(&xs, "match result { Some(xs) => xs, None => 0 } > 0", "f([1])", None);
        check(&xs, "match result { 1 | xs => xs } > 0", "f([1])", None);
        check(&xs, "result === { xs: 1 }", "f([1])", None);
        check(&xs, "result === { xs }", "f([1])", None);
        check(&xs, "result === { a: 1, xs: 1 }", "f([1])", None);
        check(&xs, "result > 0", "g([1])", None);
        check(&xs, "result > 0", "f([1)", None);
        check(&xs, "result > 0", "f()", None);
        check(&xs, "result > 0", "f(1, 2)", None);
    }
}
