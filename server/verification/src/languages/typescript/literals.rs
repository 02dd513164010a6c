//! Literals of two examples compared as JavaScript would: `2.0` equals `2`, `0x10` equals `16`.

use tree_sitter::Node;

use super::tree::{is_text_literal, parts, text, unwrapped};

/// A literal value, as far as two of them can be told apart for certain.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Number(f64),
    Big(String),
    Text(String),
    Bool(bool),
    Nothing(&'static str),
    List(Vec<Literal>),
    /// Sorted by key.
    Object(Vec<(String, Literal)>),
}

/// Whether both are literals whose values differ for certain.
pub(super) fn differ(a: (Node<'_>, &str), b: (Node<'_>, &str)) -> bool {
    match (value(a.0, a.1, 0), value(b.0, b.1, 0)) {
        (Some(Literal::Number(a)), Some(Literal::Number(b))) => a != b && !(a.is_nan() && b.is_nan()),
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}

fn value(node: Node<'_>, source: &str, depth: usize) -> Option<Literal> {
    // Deeper literals are taken as unknown, so that no text can exhaust the stack.
    if depth > 64 {
        return None;
    }
    let node = unwrapped(node);
    let written = text(node, source);
    Some(match node.kind() {
        "number" => number(written)?,
        "true" | "false" => Literal::Bool(node.kind() == "true"),
        "null" => Literal::Nothing("null"),
        "undefined" => Literal::Nothing("undefined"),
        "string" | "template_string" if is_text_literal(node) && !written.contains('\\') => {
            Literal::Text(written.get(1..written.len().saturating_sub(1))?.to_owned())
        }
        "unary_expression" if written.starts_with('-') => {
            match value(parts(node).into_iter().next()?, source, depth + 1)? {
                Literal::Number(n) => Literal::Number(-n),
                Literal::Big(n) => Literal::Big(format!("-{n}")),
                _ => return None,
            }
        }
        "array" => {
            // `[, 1]` has a hole, which is no part.
            let holes = written.split(',').any(|piece| piece.trim_matches(['[', ']']).trim().is_empty());
            let items = parts(node);
            if holes && !items.is_empty() {
                return None;
            }
            Literal::List(items.into_iter().map(|n| value(n, source, depth + 1)).collect::<Option<Vec<_>>>()?)
        }
        "object" => {
            let mut pairs = Vec::new();
            for pair in parts(node) {
                let key = pair.child_by_field_name("key").filter(|_| pair.kind() == "pair")?;
                if !matches!(key.kind(), "property_identifier" | "string" | "number") {
                    return None;
                }
                let name = text(key, source).trim_matches(['"', '\'']).to_owned();
                pairs.push((name, value(pair.child_by_field_name("value")?, source, depth + 1)?));
            }
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Literal::Object(pairs)
        }
        _ => return None,
    })
}

fn number(written: &str) -> Option<Literal> {
    let digits: String = written.chars().filter(|c| *c != '_').collect::<String>().to_lowercase();
    if let Some(big) = digits.strip_suffix('n') {
        return Some(Literal::Big(big.to_owned()));
    }
    let radix = |prefix: &str, radix: u32| {
        let rest = digits.strip_prefix(prefix)?;
        u64::from_str_radix(rest, radix).ok()
    };
    let whole = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2));
    #[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers lose it as well")]
    let value = match whole {
        Some(whole) => whole as f64,
        None => digits.parse().ok()?,
    };
    Some(Literal::Number(value))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Expression;
    use super::*;

    fn differs(a: &str, b: &str) -> bool {
        let (a, b) = (Expression::parse(a).unwrap(), Expression::parse(b).unwrap());
        differ((a.node().unwrap(), a.source()), (b.node().unwrap(), b.source()))
    }

    #[test]
    fn only_what_is_certain_differs() {
        for (a, b) in [("1", "2"), ("'a'", "\"b\""), ("[1, 2]", "[2, 1]"), ("{a: 1}", "{a: 2}"), ("null", "undefined")]
        {
            assert!(differs(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("1", "1.0"),
            ("16", "0x10"),
            ("'a'", "`a`"),
            ("{a: 1, b: 2}", "{ 'b': 2, a: 1 }"),
            ("x", "2"),
            ("[, 1]", "[1]"),
            ("-0", "0"),
        ] {
            assert!(!differs(a, b), "{a} {b}");
        }
    }
}
