//! Literals of two examples compared as Rust would: `2.0` equals `2.00_f64`, `0x10` equals `16`.

use tree_sitter::Node;

use super::tree::{Expression, parts, text, unwrapped};

/// A literal value, as far as two of them can be told apart for certain.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Integer(i128),
    Float(f64),
    Text(String),
    Bool(bool),
    /// `None`, `Some(1)`, `Ok("a")`.
    Tagged(String, Vec<Literal>),
    /// Arrays, slices, `vec![..]`.
    List(Vec<Literal>),
    Tuple(Vec<Literal>),
}

/// Whether both are literals whose values differ for certain.
pub(super) fn differ(a: (Node<'_>, &str), b: (Node<'_>, &str)) -> bool {
    match (value(a.0, a.1, 0), value(b.0, b.1, 0)) {
        (Some(Literal::Integer(_)), Some(Literal::Float(_))) | (Some(Literal::Float(_)), Some(Literal::Integer(_))) => {
            false
        }
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}

/// Whether an expression is a literal whose value is known.
pub(super) fn is_literal(code: &str) -> bool {
    let expression = Expression::parse(code);
    expression.is_some_and(|e| e.node().is_some_and(|n| value(n, e.source(), 0).is_some()))
}

fn value(node: Node<'_>, source: &str, depth: usize) -> Option<Literal> {
    // Deeper literals are taken as unknown, so that no text can exhaust the stack.
    if depth > 64 {
        return None;
    }
    let node = unwrapped(node);
    let all = |nodes: Vec<Node<'_>>| nodes.into_iter().map(|n| value(n, source, depth + 1)).collect::<Option<Vec<_>>>();
    Some(match node.kind() {
        "integer_literal" => Literal::Integer(integer(text(node, source))?),
        "float_literal" => Literal::Float(
            text(node, source).replace('_', "").trim_end_matches("f64").trim_end_matches("f32").parse().ok()?,
        ),
        "boolean_literal" => Literal::Bool(text(node, source) == "true"),
        "char_literal" => Literal::Text(text(node, source).to_owned()),
        "string_literal" if !text(node, source).contains('\\') && text(node, source).starts_with('"') => {
            Literal::Text(text(node, source).to_owned())
        }
        "unary_expression" if text(node, source).starts_with('-') => {
            match value(parts(node).into_iter().next()?, source, depth + 1)? {
                Literal::Integer(n) => Literal::Integer(-n),
                Literal::Float(n) => Literal::Float(-n),
                _ => return None,
            }
        }
        "reference_expression" => value(node.child_by_field_name("value")?, source, depth + 1)?,
        "identifier" if text(node, source) == "None" => Literal::Tagged("None".to_owned(), Vec::new()),
        "call_expression" => {
            let name = text(node.child_by_field_name("function")?, source);
            if !matches!(name, "Some" | "Ok" | "Err") {
                return None;
            }
            Literal::Tagged(name.to_owned(), all(parts(node.child_by_field_name("arguments")?))?)
        }
        "array_expression" if !text(node, source).contains(';') => Literal::List(all(parts(node))?),
        "tuple_expression" => Literal::Tuple(all(parts(node))?),
        _ => return None,
    })
}

fn integer(written: &str) -> Option<i128> {
    let digits: String = written.chars().filter(|c| *c != '_').collect();
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, digits.get(2..)?.to_owned()),
        Some("0o") => (8, digits.get(2..)?.to_owned()),
        Some("0b") => (2, digits.get(2..)?.to_owned()),
        _ => (10, digits),
    };
    let end = digits.find(['i', 'u']).unwrap_or(digits.len());
    i128::from_str_radix(digits.get(..end)?, radix).ok()
}
