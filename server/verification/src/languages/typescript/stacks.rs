//! Reads of an error's `stack`. It names whoever called, and who judges calls otherwise than a program does, so it
//! tells a function when it is judged. `stack` is a good name for one's own fields too: only what is known
//! for an error counts.

use std::collections::HashSet;

use tree_sitter::Node;

use super::functions::bound_by_pattern;
use super::tree::{parts, text};

/// The names of a function that stand for errors.
#[derive(Debug, Default)]
pub(super) struct Errors(HashSet<String>);

impl Errors {
    /// Those that the nodes of a function bind or ask for, outer ones first.
    pub fn of(nodes: &[Node<'_>], source: &str) -> Self {
        let mut errors = Self::default();
        for node in nodes {
            let named = errors.named(*node, source);
            errors.0.extend(named.map(|n| bound_by_pattern(n, source)).unwrap_or_default());
        }
        errors
    }

    /// What a node says to be an error.
    fn named<'t>(&self, node: Node<'t>, source: &str) -> Option<Node<'t>> {
        let field = |name| node.child_by_field_name(name);
        let is_typed = || field("type").is_some_and(|kind| says_error(text(kind, source)));
        match node.kind() {
            "catch_clause" => field("parameter"),
            "variable_declarator" => {
                field("name").filter(|_| is_typed() || field("value").is_some_and(|v| self.is_error(v, source)))
            }
            "required_parameter" | "optional_parameter" => {
                field("pattern").or_else(|| field("name")).filter(|_| is_typed())
            }
            "binary_expression" if field("operator").is_some_and(|o| text(o, source) == "instanceof") => {
                field("left").filter(|_| field("right").is_some_and(|kind| says_error(text(kind, source))))
            }
            // `later.catch((error) => …)`.
            "arrow_function" | "function_expression" if is_handler(node, source) => {
                let listed = || field("parameters").and_then(|list| parts(list).first().copied());
                let one = field("parameter").or_else(listed)?;
                one.child_by_field_name("pattern").or(Some(one))
            }
            _ => None,
        }
        .filter(|n| matches!(n.kind(), "identifier" | "object_pattern"))
    }

    /// Whether an expression is an error, as far as it says so itself or a name does.
    pub fn is_error(&self, node: Node<'_>, source: &str) -> bool {
        let field = |name| node.child_by_field_name(name);
        match node.kind() {
            "identifier" => self.0.contains(text(node, source)),
            "new_expression" | "call_expression" => {
                field("constructor").or_else(|| field("function")).is_some_and(|made| says_error(text(made, source)))
            }
            "parenthesized_expression" | "non_null_expression" | "satisfies_expression" => {
                parts(node).first().is_some_and(|inner| self.is_error(*inner, source))
            }
            "as_expression" | "type_assertion" => {
                parts(node).iter().any(|n| self.is_error(*n, source) || says_error_type(*n, source))
            }
            _ => false,
        }
    }

    /// Whether a pattern takes the stack of an error: `const { stack } = new Error()`, `catch ({ stack })`.
    pub fn takes_stack(&self, pattern: Node<'_>, source: &str) -> bool {
        let has = parts(pattern).iter().any(|n| {
            let key = n.child_by_field_name("key").unwrap_or(*n);
            text(key, source).split('=').next().is_some_and(|key| key.trim() == "stack")
        });
        let of_error = |above: Node<'_>| {
            above.kind() == "catch_clause"
                || above.child_by_field_name("value").is_some_and(|v| self.is_error(v, source))
                || above.child_by_field_name("type").is_some_and(|kind| says_error(text(kind, source)))
        };
        has && pattern.parent().is_some_and(of_error)
    }
}

/// Whether a function is what a promise does with an error.
fn is_handler(node: Node<'_>, source: &str) -> bool {
    let callee = node.parent().and_then(|list| list.parent()).and_then(|call| call.child_by_field_name("function"));
    let member = callee.and_then(|c| c.child_by_field_name("property"));
    member.is_some_and(|name| text(name, source) == "catch")
}

fn says_error_type(node: Node<'_>, source: &str) -> bool {
    matches!(node.kind(), "type_identifier" | "nested_type_identifier" | "union_type" | "type_arguments")
        && says_error(text(node, source))
}

/// Whether a type or a constructor is one of errors, by its name.
fn says_error(written: &str) -> bool {
    let mut words = written.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.any(|word| word.ends_with("Error") || word == "ErrnoException")
}
