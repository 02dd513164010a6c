//! Literals of two examples compared as Python would: `2` equals `2.0`, `'a'` equals `"a"`.

use tree_sitter::Node;

use super::tree::{children, text, unwrapped};

/// A literal value, as far as two of them can be told apart for certain.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Literal {
    Number(f64),
    /// An integer that a float cannot hold, in decimal.
    Large(String),
    Text(String),
    Bytes(String),
    None,
    List(Vec<Literal>),
    Tuple(Vec<Literal>),
    Set(Vec<Literal>),
    Dict(Vec<(Literal, Literal)>),
}

/// Whether both are literals whose values differ for certain.
pub(super) fn differ(a: (Node<'_>, &str), b: (Node<'_>, &str)) -> bool {
    match (value(a.0, a.1, 0), value(b.0, b.1, 0)) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}

/// Whether the expression is a literal whose value is understood.
pub(super) fn is_literal(node: Node<'_>, source: &str) -> bool {
    value(node, source, 0).is_some()
}

fn value(node: Node<'_>, source: &str, depth: usize) -> Option<Literal> {
    // Deeper literals are taken as unknown, so that no text can exhaust the stack.
    if depth > 64 {
        return None;
    }
    let node = unwrapped(node);
    let items = || -> Option<Vec<Literal>> {
        let inner = children(node).into_iter().filter(|n| n.is_named() && n.kind() != "comment");
        inner.map(|n| value(n, source, depth + 1)).collect()
    };
    let sorted = |mut list: Vec<Literal>| {
        list.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        list.dedup();
        list
    };
    Some(match node.kind() {
        "none" => Literal::None,
        "true" => Literal::Number(1.0),
        "false" => Literal::Number(0.0),
        "integer" => integer(text(node, source))?,
        "float" => Literal::Number(text(node, source).replace('_', "").parse().ok()?),
        "unary_operator" => {
            match (text(node.child(0)?, source), value(node.child_by_field_name("argument")?, source, depth + 1)?) {
                ("-", Literal::Number(n)) => Literal::Number(-n),
                ("-", Literal::Large(digits)) => Literal::Large(format!("-{digits}")),
                ("+", number @ (Literal::Number(_) | Literal::Large(_))) => number,
                _ => return None,
            }
        }
        "string" => string(text(node, source))?,
        "list" => Literal::List(items()?),
        "tuple" => Literal::Tuple(items()?),
        "set" => Literal::Set(sorted(items()?)),
        "dictionary" => dictionary(node, source, depth)?,
        _ => return None,
    })
}

fn dictionary(node: Node<'_>, source: &str, depth: usize) -> Option<Literal> {
    let mut pairs = Vec::new();
    for pair in children(node).into_iter().filter(|n| n.is_named() && n.kind() != "comment") {
        let side = |name| value(pair.child_by_field_name(name)?, source, depth + 1);
        pairs.push((side("key")?, side("value")?));
    }
    pairs.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    Some(Literal::Dict(pairs))
}

fn integer(written: &str) -> Option<Literal> {
    let digits = written.replace('_', "").to_lowercase();
    let radix = |prefix: &str, radix| digits.strip_prefix(prefix).map(|d| u64::from_str_radix(d, radix));
    let parsed = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2));
    let number = match parsed {
        Some(number) => number.ok()?,
        None if !digits.bytes().all(|b| b.is_ascii_digit()) => return None,
        None => match digits.parse() {
            Ok(number) => number,
            Err(_) => return Some(Literal::Large(digits.trim_start_matches('0').to_owned())),
        },
    };
    // Up to 2^53 a float holds every integer, so that `2 == 2.0` can be seen.
    Some(if number <= 1 << 53 { Literal::Number(number as f64) } else { Literal::Large(number.to_string()) })
}

fn string(written: &str) -> Option<Literal> {
    let at = written.find(['"', '\''])?;
    let (prefix, quoted) = written.split_at(at);
    let quote = if quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''")) { 3 } else { 1 };
    let body = quoted.get(quote..quoted.len().checked_sub(quote)?)?.to_owned();
    // An escape may spell any character; such strings are not compared.
    if body.contains('\\') {
        return None;
    }
    match prefix.to_lowercase().as_str() {
        "" | "u" | "r" => Some(Literal::Text(body)),
        "b" | "br" | "rb" => Some(Literal::Bytes(body)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{parse, single_expression};

    #[test]
    fn values_differ_only_when_python_says_so() {
        let differ = |a: &str, b: &str| {
            let (ta, tb) = (parse(a).unwrap(), parse(b).unwrap());
            super::differ((single_expression(&ta).unwrap(), a), (single_expression(&tb).unwrap(), b))
        };
        let same = [
            ("2", "2.0"),
            ("1_000", "0x3e8"),
            ("True", "1"),
            ("'a'", "\"a\""),
            ("'''a'''", "'a'"),
            ("[1, 2]", "[1,2,]"),
            ("{2, 1}", "{1, 2, 1}"),
            ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
            ("(1)", "1"),
            ("-0", "0"),
            ("'\\x61'", "'b'"),
            ("f(1)", "2"),
            ("f'{x}'", "'a'"),
            ("10**2", "5"),
        ];
        for (a, b) in same {
            assert!(!differ(a, b), "{a} {b}");
        }
        let other = [
            ("2", "3"),
            ("-1", "1"),
            ("'a'", "'b'"),
            ("'a'", "b'a'"),
            ("[1]", "(1,)"),
            ("[1, 2]", "[2, 1]"),
            ("None", "0"),
            ("[]", "{}"),
            ("{'a': 1}", "{'a': 2}"),
            ("123456789012345678901", "123456789012345678902"),
            ("True", "False"),
            ("[[1], 'a']", "[[2], 'a']"),
        ];
        for (a, b) in other {
            assert!(differ(a, b), "{a} {b}");
        }
    }
}
