//! Which values the constant parameters around a function have in the check: those of its examples, or small ones.

use std::collections::HashMap;

use tree_sitter::Node;
use zeroerr_core::code::Task;

use super::super::tree::{Expression, children, nodes, parts, text};
use super::calls;

/// A constant parameter: `N`, `usize`, `3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Constant {
    /// Its name.
    pub name: String,
    /// Its type, as written.
    pub kind: String,
    /// What it is in the check.
    pub value: String,
}

/// The constants of a function, and of the `impl` block around it.
pub(super) fn constants(function: Node<'_>, around: Option<Node<'_>>, task: &Task) -> Vec<Constant> {
    let source: &str = &task.source;
    let codes: Vec<&str> = task
        .spec
        .examples
        .iter()
        .map(|e| e.code.as_str())
        .chain(task.spec.raises.iter().map(|r| r.call.as_str()))
        .collect();
    let mut shown = HashMap::new();
    for code in &codes {
        written(function, around, (source, code), &mut shown);
        lengths(function, source, code, &mut shown);
    }
    let mut found = Vec::new();
    for item in around.into_iter().chain([function]) {
        for node in listed(item).into_iter().filter(|n| n.kind() == "const_parameter") {
            let field = |name| node.child_by_field_name(name).map_or("", |n| text(n, source)).to_owned();
            let (name, kind) = (field("name"), field("type"));
            let small = match kind.as_str() {
                "bool" => "true",
                "char" => "'a'",
                _ => "3",
            };
            let value = shown.get(&name).cloned().unwrap_or_else(|| small.to_owned());
            found.push(Constant { name, kind, value });
        }
    }
    found
}

/// The parameters of an item that are no lifetimes.
pub(super) fn listed(item: Node<'_>) -> Vec<Node<'_>> {
    let list = item.child_by_field_name("type_parameters").map(parts).unwrap_or_default();
    list.into_iter().filter(|n| n.kind() != "lifetime_parameter" && n.kind() != "lifetime").collect()
}

/// The values that an example writes down: `f::<2>(x)`, `Grid::<2>::new()`.
fn written(
    function: Node<'_>,
    around: Option<Node<'_>>,
    (source, code): (&str, &str),
    shown: &mut HashMap<String, String>,
) {
    let Some(expression) = Expression::parse(code) else { return };
    let own: Vec<String> = names(function, source);
    let named = |n: Node<'_>, field: &str| {
        n.child_by_field_name(field).map(|n| expression.text(n).rsplit("::").next().unwrap_or("").to_owned())
    };
    let function_name = function.child_by_field_name("name").map(|n| text(n, source).to_owned());
    let of = around.and_then(|n| n.child_by_field_name("type"));
    let type_name = of.and_then(|n| n.child_by_field_name("type")).map(|n| text(n, source).to_owned());
    let of_type: Vec<String> = of
        .and_then(|n| n.child_by_field_name("type_arguments"))
        .map(|list| {
            parts(list).into_iter().filter(|n| n.kind() != "lifetime").map(|n| text(n, source).to_owned()).collect()
        })
        .unwrap_or_default();
    for node in nodes(expression.everything()) {
        let known = match node.kind() {
            "generic_function" if named(node, "function") == function_name => &own,
            "generic_type" | "generic_type_with_turbofish" if named(node, "type") == type_name => &of_type,
            _ => continue,
        };
        let arguments = node.child_by_field_name("type_arguments").map(parts).unwrap_or_default();
        for (name, argument) in known.iter().zip(arguments.into_iter().filter(|n| n.kind() != "lifetime")) {
            if matches!(argument.kind(), "integer_literal" | "boolean_literal" | "char_literal") {
                shown.entry(name.clone()).or_insert_with(|| expression.text(argument).to_owned());
            }
        }
    }
}

fn names(item: Node<'_>, source: &str) -> Vec<String> {
    listed(item).into_iter().map(|n| text(n.child_by_field_name("name").unwrap_or(n), source).to_owned()).collect()
}

/// The lengths of arrays that an example hands over for `[T; N]`.
fn lengths(function: Node<'_>, source: &str, code: &str, shown: &mut HashMap<String, String>) {
    let Some(name) = function.child_by_field_name("name").map(|n| text(n, source)) else { return };
    let list = function.child_by_field_name("parameters").map(children).unwrap_or_default();
    let types: Vec<Option<Node<'_>>> =
        list.into_iter().filter(|n| n.kind() == "parameter").map(|n| n.child_by_field_name("type")).collect();
    for call in calls::calls(code, name) {
        for (kind, argument) in types.iter().zip(&call.arguments) {
            let (Some(kind), Some(expression)) = (kind, Expression::parse(argument)) else { continue };
            if let Some(node) = expression.node() {
                length(*kind, source, node, &expression, shown);
            }
        }
    }
}

fn length(kind: Node<'_>, source: &str, value: Node<'_>, expression: &Expression, shown: &mut HashMap<String, String>) {
    let (mut kind, mut value) = (kind, value);
    while let Some(inner) = kind.child_by_field_name("type").filter(|_| kind.kind() == "reference_type") {
        kind = inner;
    }
    while let Some(inner) = value.child_by_field_name("value").filter(|_| value.kind() == "reference_expression") {
        value = inner;
    }
    let (Some(element), Some(name)) = (kind.child_by_field_name("element"), kind.child_by_field_name("length")) else {
        return;
    };
    if kind.kind() != "array_type" || value.kind() != "array_expression" {
        return;
    }
    let items: Vec<Node<'_>> = parts(value);
    let count = match value.child_by_field_name("length") {
        Some(repeated) => {
            Some(repeated).filter(|n| n.kind() == "integer_literal").map(|n| expression.text(n).to_owned())
        }
        None => Some(items.len().to_string()),
    };
    if let Some(count) = count {
        shown.entry(text(name, source).to_owned()).or_insert(count);
    }
    if let Some(first) = items.first() {
        length(element, source, *first, expression, shown);
    }
}
