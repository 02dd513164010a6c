//! The calls of the function in the spec's expressions: their receivers and arguments, as written.

use tree_sitter::Node;

use super::super::tree::{Expression, nodes, parts, text, unwrapped};

/// Most literals of one constant that count.
const MOST: usize = 12;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Call {
    /// What the method is called on.
    pub receiver: Option<String>,
    /// The arguments.
    pub arguments: Vec<String>,
    /// Whether the expression is this call and nothing else.
    pub is_whole: bool,
}

/// The calls of `function` in an expression whose arguments stand for themselves: nothing in the
/// expression is bound by a `let` or a closure.
pub(in super::super) fn calls(code: &str, function: &str) -> Vec<Call> {
    let Some(expression) = Expression::parse(code) else { return Vec::new() };
    let Some(root) = expression.node() else { return Vec::new() };
    let source = expression.source();
    let all = nodes(root);
    let binds = |n: &&Node<'_>| {
        matches!(n.kind(), "let_declaration" | "closure_expression" | "for_expression" | "match_expression")
    };
    if all.iter().any(|n| binds(&n)) {
        return Vec::new();
    }
    all.iter()
        .filter(|n| n.kind() == "call_expression")
        .filter_map(|n| read(*n, source, function, *n == unwrapped(root)))
        .collect()
}

fn read(call: Node<'_>, source: &str, function: &str, is_whole: bool) -> Option<Call> {
    let callee = unwrapped(call.child_by_field_name("function")?);
    let callee = if callee.kind() == "generic_function" { callee.child_by_field_name("function")? } else { callee };
    let (name, receiver) = match callee.kind() {
        "identifier" => (callee, None),
        "scoped_identifier" => (callee.child_by_field_name("name")?, None),
        "field_expression" => (callee.child_by_field_name("field")?, callee.child_by_field_name("value")),
        _ => return None,
    };
    let own = |n: Node<'_>| text(n, source).to_owned();
    let arguments = parts(call.child_by_field_name("arguments")?).into_iter().map(own).collect();
    (text(name, source) == function).then(|| Call { receiver: receiver.map(own), arguments, is_whole })
}

/// The expression behind `&`, with whether it was `&mut`; `None` for anything else.
pub(in super::super) fn referred(argument: &str) -> Option<(String, bool)> {
    let expression = Expression::parse(argument)?;
    let node = expression.node()?;
    let value = node.child_by_field_name("value").filter(|_| node.kind() == "reference_expression")?;
    let is_mutable = super::super::tree::children(node).iter().any(|n| n.kind() == "mutable_specifier");
    Some((expression.text(value).to_owned(), is_mutable))
}

/// The literals of an expression as the harness wants them: `i:12`, `f:2.5`, `t:text`.
pub(in super::super) fn hints(code: &str) -> Vec<String> {
    let Some(expression) = Expression::parse(code) else { return Vec::new() };
    let mut out = Vec::new();
    for node in nodes(expression.everything()) {
        let written = expression.text(node);
        let negative =
            node.parent().is_some_and(|p| p.kind() == "unary_expression" && expression.text(p).starts_with('-'));
        let sign = if negative { "-" } else { "" };
        let digits = || written.replace('_', "");
        match node.kind() {
            "integer_literal" => {
                out.extend(whole(&digits()).map(|value| format!("i:{sign}{value}")));
            }
            "float_literal" => {
                out.push(format!("f:{sign}{}", digits().trim_end_matches("f64").trim_end_matches("f32")))
            }
            "string_content" if !written.contains('\\') => out.push(format!("t:{written}")),
            "char_literal" if written.chars().count() == 3 => out.push(format!("t:{}", written.trim_matches('\''))),
            _ => {}
        }
    }
    out
}

/// The value of an integer literal without its `_`: `0x5400`, `12u8`.
fn whole(written: &str) -> Option<i128> {
    let (radix, rest) = match written.get(..2) {
        Some("0x") => (16, written.get(2..)?),
        Some("0o") => (8, written.get(2..)?),
        Some("0b") => (2, written.get(2..)?),
        _ => (10, written),
    };
    // The type behind the digits.
    let end = rest.find(|c: char| !c.is_digit(radix)).unwrap_or(rest.len());
    i128::from_str_radix(rest.get(..end)?, radix).ok()
}

/// The literals of the constants of a file that one of these texts names, as far as they are not a table's.
pub(in super::super) fn constants(file: &str, texts: &[&str]) -> Vec<String> {
    let Some(tree) = super::super::tree::parse(file) else { return Vec::new() };
    let is_named = |name: &str| texts.iter().any(|t| super::super::tree::words(t).any(|w| w == name));
    let items = nodes(tree.root_node()).into_iter().filter(|n| matches!(n.kind(), "const_item" | "static_item"));
    let named = items.filter(|n| n.child_by_field_name("name").is_some_and(|name| is_named(text(name, file))));
    let values = named.filter_map(|n| n.child_by_field_name("value"));
    values.flat_map(|value| hints(text(value, file)).into_iter().take(MOST)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_where_they_stand_for_themselves() {
        let all = calls("Stack::<i32>::from(vec![1]).push(2, &f(\"a, b\"))", "push");
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].receiver.as_deref(), Some("Stack::<i32>::from(vec![1])"));
        assert_eq!(all[0].arguments, ["2", "&f(\"a, b\")"]);
        assert!(all[0].is_whole);
        assert!(calls("{ let mut v = vec![1]; sort(&mut v); v == [1] }", "sort").is_empty());
        assert_eq!(calls("m::f::<u8>(1) == f(2)", "f").len(), 2);
        assert_eq!(referred("&mut vec![1]"), Some(("vec![1]".into(), true)));
        assert_eq!(referred("x"), None);
        assert_eq!(hints("f(0x54_00u16, -0b101, 1_0)"), ["i:21504", "i:-5", "i:10"]);
        let file = "const LIMIT: u32 = 7_000;\nconst OTHER: u32 = 1;\nfn f(x: u32) -> bool { x > LIMIT }";
        assert_eq!(constants(file, &["{ x > LIMIT }", "result == (x >= LIMIT)"]), ["i:7000"]);
        assert_eq!(hints("f(-12_000u32, 2.5e3f64, \"é x\", 'q')"), ["i:-12000", "f:2.5e3", "t:é x", "t:q"]);
    }
}
