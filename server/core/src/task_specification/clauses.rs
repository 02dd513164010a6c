//! The clauses that have a form of their own: `@raises`, `@budget`, `@complexity`, `@step`, lists.

use super::parser::ClauseSource;
use super::{Budget, Clause, Complexity, ComplexityClause, Raises, Severity, SpecDiagnostic, StepDecl};

/// A clause, or what is wrong with it.
pub(super) type Found<T> = Result<T, Box<SpecDiagnostic>>;

/// A fault on bytes `start..end` of the clause's text.
fn fault<T>(source: &ClauseSource, code: &str, message: String, (start, end): (usize, usize)) -> Found<T> {
    let range = source.file_range(start, end);
    Err(Box::new(SpecDiagnostic {
        code: code.to_owned(),
        message,
        range,
        severity: Severity::Error,
        fix: None,
        related: None,
    }))
}

fn with_fix<T>(found: Found<T>, title: &str, text: String) -> Found<T> {
    found.map_err(|mut d| {
        d.fix = Some((title.to_owned(), text));
        d
    })
}

fn whole(source: &ClauseSource) -> (usize, usize) {
    (0, source.text.len())
}

/// Names separated by commas or white space, each with its own range.
pub(super) fn names(source: &ClauseSource) -> Vec<Clause> {
    let mut out = Vec::new();
    let mut at = 0;
    for part in source.text.split(|c: char| c == ',' || c.is_whitespace()) {
        if !part.is_empty() {
            out.push(Clause { text: part.to_owned(), range: source.file_range(at, at + part.len()) });
        }
        at += part.len() + source.text.get(at + part.len()..).and_then(|s| s.chars().next()).map_or(0, char::len_utf8);
    }
    out
}

/// Whether `@raises` stands in a docstring as Epydoc writes it (`@raises ValueError: when ...`).
pub(super) fn is_epydoc_raises(word: &str, tail: &str) -> bool {
    word == "raises"
        && (tail.starts_with(':') || tail.split_whitespace().next().is_some_and(|first| first.ends_with(':')))
}

/// `ValueError median([])`.
pub(super) fn raises(source: &ClauseSource) -> Found<Raises> {
    let text = source.text.as_str();
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | ':'))).unwrap_or(text.len());
    let (exception, call) = text.split_at(end);
    if exception.is_empty() || exception.starts_with(|c: char| c.is_numeric()) || call.starts_with('(') {
        return fault(
            source,
            "spec.bad-raises",
            "name the exception before the call: `@raises ValueError f(0)`".to_owned(),
            whole(source),
        );
    }
    if call.trim().is_empty() {
        let message = format!("say which call raises it: `@raises {exception} f(0)`");
        return fault(source, "spec.bad-raises", message, whole(source));
    }
    Ok(Raises { exception: exception.to_owned(), call: call.trim().to_owned(), range: source.range })
}

/// `20ms median(list(range(100_000)))`.
pub(super) fn budget(source: &ClauseSource) -> Found<Budget> {
    const CODE: &str = "spec.bad-budget";
    let text = source.text.as_str();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let value = number.replace('_', "").parse::<f64>().ok().filter(|v| v.is_finite() && *v > 0.0);
    let Some(value) = value else {
        let end = if digits == 0 { text.find(char::is_whitespace).unwrap_or(text.len()) } else { digits };
        return fault(source, CODE, "a budget starts with a time above zero: `@budget 20ms f(1)`".to_owned(), (0, end));
    };
    let unit_at = text.len() - rest.trim_start().len();
    let tail = text.get(unit_at..).unwrap_or("");
    let unit = tail.get(..tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len())).unwrap_or("");
    let call = tail.get(unit.len()..).unwrap_or("");
    // `20 median(xs)`: the word is the call's name, the unit is missing.
    if unit.is_empty() || (unit_at > digits && !call.is_empty() && !call.starts_with(char::is_whitespace)) {
        let found = fault(source, CODE, "the time has no unit; there are `us`, `ms` and `s`".to_owned(), (0, digits));
        return with_fix(found, "Take it as milliseconds", format!("{number}ms"));
    }
    let Some(factor) = milliseconds_per(unit) else {
        let found = fault(
            source,
            CODE,
            format!("`{unit}` is no unit of time here; there are `us`, `ms` and `s`"),
            (unit_at, unit_at + unit.len()),
        );
        return match meant_unit(unit) {
            Some(meant) => with_fix(found, &format!("Change to `{meant}`"), meant.to_owned()),
            None => found,
        };
    };
    if call.trim().is_empty() {
        return fault(
            source,
            CODE,
            format!("say which call must keep the budget: `@budget {number}{unit} f(1)`"),
            whole(source),
        );
    }
    Ok(Budget { milliseconds: value * factor, call: call.trim().to_owned(), range: source.range })
}

fn milliseconds_per(unit: &str) -> Option<f64> {
    match unit {
        "us" | "µs" | "μs" => Some(1e-3),
        "ms" => Some(1.0),
        "s" => Some(1e3),
        _ => None,
    }
}

fn meant_unit(unit: &str) -> Option<&'static str> {
    match unit.to_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" | "s" => Some("s"),
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" | "ms" => Some("ms"),
        "usec" | "usecs" | "micros" | "microsecond" | "microseconds" | "us" => Some("us"),
        _ => None,
    }
}

/// `O(n log n)`.
pub(super) fn complexity(source: &ClauseSource) -> Found<ComplexityClause> {
    if let Some(bound) = Complexity::parse(&source.text) {
        return Ok(ComplexityClause { bound, range: source.range });
    }
    let message =
        "not a class that can be measured; there are O(1), O(log n), O(n), O(n log n), O(n^2), O(n^3) and O(2^n)"
            .to_owned();
    let found = fault(source, "spec.bad-complexity", message, whole(source));
    let wrapped = format!("O({})", source.text);
    if Complexity::parse(&wrapped).is_some() {
        return with_fix(found, &format!("Change to `{wrapped}`"), wrapped);
    }
    found
}

/// `split(xs: list[float]) -> tuple[list[float], list[float]]: sorted halves of xs`.
pub(super) fn step(source: &ClauseSource) -> Found<StepDecl> {
    const FORM: &str = "write a step as `name(parameters) -> type: what it does`";
    let bad = |what: &str, place| fault(source, "spec.bad-step", format!("{what}; {FORM}"), place);
    let text = source.text.as_str();
    let name_end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_numeric()) {
        return bad("the step has no name", (0, text.find(char::is_whitespace).unwrap_or(text.len())));
    }
    if !rest.starts_with(['(', '<', '[']) {
        return bad("the step has no parameter list", (0, name_end));
    }
    let Some(colon) = colon_outside_brackets(rest) else {
        return bad("the step does not say what it does", whole(source));
    };
    let (signature, intent) = (rest.get(..colon).unwrap_or("").trim(), rest.get(colon + 1..).unwrap_or("").trim());
    let Some((parameters, returns)) = signature.rsplit_once("->") else {
        return bad("the step has no return type", (0, name_end + signature.len()));
    };
    if !parameters.trim_end().ends_with(')') || returns.trim().is_empty() {
        return bad("the step has no return type", (0, name_end + signature.len()));
    }
    if intent.is_empty() {
        return bad("the step does not say what it does", whole(source));
    }
    Ok(StepDecl {
        name: name.to_owned(),
        signature: signature.to_owned(),
        intent: intent.to_owned(),
        examples: Vec::new(),
        raises: Vec::new(),
        range: source.range,
    })
}

/// The first single `:` that stands in no bracket and no string literal.
fn colon_outside_brackets(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(q), _) if c == q && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if depth > 0 => quote = Some(c),
            (None, '(' | '[' | '{' | '<') => depth += 1,
            // The arrow of `-> T` closes nothing.
            (None, '>') if before == '-' || before == '=' => {}
            (None, ')' | ']' | '}' | '>') => depth = depth.saturating_sub(1),
            // A Rust path, `io::Error`, is no end of the signature.
            (None, ':') if depth == 0 && chars.next_if(|(_, next)| *next == ':').is_none() => return Some(at),
            _ => {}
        }
        before = c;
    }
    None
}
