//! One expression of a Rust spec: does it parse, which names does it use, whom does it call.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::Node;

use super::tree::{Expression, nodes, parts, text, unwrapped};
use crate::languages::brackets;
use crate::languages::faults::Fault;

/// Parses a text that must be one expression.
pub(super) fn parse_expression(code: &str) -> Result<Expression, Fault> {
    let whole = || Fault { at: 0..code.len(), message: "this is no Rust expression".to_owned(), fix: None };
    if let Some(fault) = unbalanced(code) {
        return Err(fault);
    }
    let expression = Expression::parse(code).ok_or_else(whole)?;
    let Some(node) = expression.node() else { return Err(fault_of(&expression, code)) };
    if let Some(fault) = meant_otherwise(&expression, node) {
        return Err(fault);
    }
    Ok(expression)
}

/// The text without a comment at its end.
pub(super) fn without_comment(code: &str) -> &str {
    let Some(expression) = Expression::parse(code).filter(|_| code.contains("//")) else { return code };
    let comment = nodes(expression.everything()).into_iter().find(|n| n.kind() == "line_comment");
    comment.and_then(|c| code.get(..expression.place(c).start)).map_or(code, str::trim_end)
}

/// What parses and cannot be meant: `=` for `==`, and chained comparisons.
fn meant_otherwise(expression: &Expression, node: Node<'_>) -> Option<Fault> {
    if unwrapped(node).kind() == "assignment_expression" {
        let operator = super::tree::children(unwrapped(node)).into_iter().find(|n| n.kind() == "=")?;
        let fix = Some(("Change to `==`".to_owned(), "==".to_owned()));
        return Some(Fault {
            at: expression.place(operator),
            message: "`=` assigns; did you mean `==`?".to_owned(),
            fix,
        });
    }
    let compares = |n: &Node<'_>| {
        n.kind() == "binary_expression"
            && n.child_by_field_name("operator")
                .is_some_and(|o| matches!(o.kind(), "<" | "<=" | ">" | ">=" | "==" | "!="))
    };
    let chain = nodes(node)
        .into_iter()
        .filter(compares)
        .find(|n| n.child_by_field_name("left").as_ref().is_some_and(compares))?;
    let (left, right) = (chain.child_by_field_name("left")?, chain.child_by_field_name("right")?);
    let middle = left.child_by_field_name("right")?;
    let operator = expression.text(chain.child_by_field_name("operator")?);
    let spelled =
        format!("{} && {} {operator} {}", expression.text(left), expression.text(middle), expression.text(right));
    Some(Fault {
        at: expression.place(chain),
        message: "Rust does not chain comparisons; join two of them with `&&`".to_owned(),
        fix: Some((format!("Change to `{spelled}`"), spelled)),
    })
}

fn fault_of(expression: &Expression, code: &str) -> Fault {
    let all = nodes(expression.everything());
    let end = code.trim_end().len();
    let visible = |at: Range<usize>| if at.is_empty() && at.start > 0 { at.start - 1..at.start } else { at };
    let safe = |at: Range<usize>| {
        let start = (0..=at.start.min(code.len())).rev().find(|i| code.is_char_boundary(*i)).unwrap_or(0);
        let end = (at.end.min(code.len())..=code.len()).find(|i| code.is_char_boundary(*i)).unwrap_or(code.len());
        start..end
    };
    if let Some(fault) = foreign_word(code) {
        return fault;
    }
    let stray = |node: &Node<'_>| {
        let word: String = expression.text(*node).trim().chars().take(30).collect();
        Fault { at: safe(visible(expression.place(*node))), message: format!("`{word}` does not fit here"), fix: None }
    };
    if let Some(missing) = all.iter().find(|n| n.is_missing() && expression.place(**n).start < end) {
        let at = safe(visible(expression.place(*missing)));
        return Fault { at, message: format!("`{}` is missing here", missing.kind()), fix: None };
    }
    let inside = |n: &&Node<'_>| n.is_error() && !expression.place(**n).is_empty();
    if let Some(error) = all.iter().rfind(inside) {
        let leaf = nodes(*error).into_iter().find(|n| n.child_count() == 0 && !expression.place(*n).is_empty());
        if let Some(leaf) = leaf.filter(|l| expression.place(*l).len() < code.len()) {
            return stray(&leaf);
        }
    }
    let message = if end == 0 { "an expression is needed" } else { "this is not one Rust expression" };
    Fault { at: 0..code.len(), message: message.to_owned(), fix: None }
}

/// Operators of other languages.
fn foreign_word(code: &str) -> Option<Fault> {
    const FOREIGN: &[(&str, &str)] =
        &[(" and ", " && "), (" or ", " || "), ("===", "=="), ("!==", "!="), (" not ", " !")];
    let (wrong, right) = FOREIGN.iter().find(|(wrong, _)| code.contains(wrong))?;
    let at = code.find(wrong)?;
    let (word, meant) = (wrong.trim(), right.trim());
    let start = at + (wrong.len() - wrong.trim_start().len());
    Some(Fault {
        at: start..start + word.len(),
        message: format!("Rust has no `{word}`; did you mean `{meant}`?"),
        fix: Some((format!("Change to `{meant}`"), meant.to_owned())),
    })
}

/// A bracket without its partner.
fn unbalanced(code: &str) -> Option<Fault> {
    let (at, message) = brackets::unbalanced(code, &['"'], "//", literal_end)?;
    Some(Fault { at: at..at + 1, message, fix: None })
}

/// The offset after a string or character literal that starts at `at`; `None` where none does.
fn literal_end(code: &str, at: usize) -> Option<usize> {
    let rest = code.get(at..)?;
    let before = code.get(..at)?.chars().next_back();
    if let Some(tail) = rest.strip_prefix('r').filter(|_| !before.is_some_and(|c| c.is_alphanumeric() || c == '_')) {
        let hashes = tail.len() - tail.trim_start_matches('#').len();
        let body = tail.get(hashes..)?.strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(at + 1 + hashes + 1 + body.find(&close)? + close.len());
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            // `'a` is a lifetime, `'a'` a character.
            return (quote == '"' || rest.get(1..offset)?.chars().count() == 1 || rest.get(1..)?.starts_with('\\'))
                .then_some(at + offset + 1);
        }
        if quote == '\'' && offset > 12 {
            return None;
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Names that an expression reads, in order, without those it binds itself. Types, paths, fields,
/// and what stands in macros are not looked at.
pub(super) fn free_names<'t>(root: Node<'t>, source: &str) -> Vec<Node<'t>> {
    let mut bound: HashSet<&str> = HashSet::new();
    let mut out = Vec::new();
    for node in nodes(root) {
        match node.kind() {
            "closure_parameters" | "let_declaration" | "let_condition" | "match_pattern" | "for_expression"
            | "parameters" => {
                let pattern = node.child_by_field_name("pattern").unwrap_or(node);
                bound.extend(nodes(pattern).iter().filter(|n| n.kind() == "identifier").map(|n| text(*n, source)));
            }
            "function_item" | "const_item" | "static_item" | "mod_item" => {
                bound.extend(node.child_by_field_name("name").map(|n| text(n, source)));
            }
            "identifier" => {
                let apart = |kind: &str| {
                    matches!(
                        kind,
                        "scoped_identifier"
                            | "token_tree"
                            | "macro_invocation"
                            | "lifetime"
                            | "field_initializer"
                            | "label"
                    )
                };
                if !node.parent().is_some_and(|p| apart(p.kind())) {
                    out.push(node);
                }
            }
            _ => {}
        }
    }
    out.retain(|n| !bound.contains(text(*n, source)));
    out
}

/// The names in call position: `f` of `f(1)`, `m` of `a.m(1)`, `g` of `A::g(1)`.
pub(super) fn called_names<'t>(root: Node<'t>) -> Vec<Node<'t>> {
    nodes(root).into_iter().filter(|n| n.kind() == "call_expression").filter_map(callee).collect()
}

fn callee<'t>(call: Node<'t>) -> Option<Node<'t>> {
    let mut function = unwrapped(call.child_by_field_name("function")?);
    if function.kind() == "generic_function" {
        function = function.child_by_field_name("function")?;
    }
    match function.kind() {
        "identifier" => Some(function),
        "field_expression" => function.child_by_field_name("field"),
        "scoped_identifier" => function.child_by_field_name("name"),
        _ => None,
    }
}

/// Whether a name stands anywhere in the code, strings excluded.
pub(super) fn mentions(root: Node<'_>, source: &str, name: &str) -> bool {
    nodes(root).iter().any(|n| matches!(n.kind(), "identifier" | "field_identifier") && text(*n, source) == name)
}

/// The two sides of `f(ARGS) == EXPECTED`, also reversed: the call first.
pub(super) fn equation<'t>(expression: Node<'t>, source: &str, function: &str) -> Option<(Node<'t>, Node<'t>)> {
    let comparison = unwrapped(expression);
    let operator = comparison.child_by_field_name("operator").map(|o| o.kind());
    if comparison.kind() != "binary_expression" || operator != Some("==") {
        return None;
    }
    let (left, right) = (comparison.child_by_field_name("left")?, comparison.child_by_field_name("right")?);
    let calls = |side: Node<'_>| {
        let side = unwrapped(side);
        let call = if side.kind() == "await_expression" {
            parts(side).into_iter().next().map_or(side, unwrapped)
        } else {
            side
        };
        call.kind() == "call_expression" && callee(call).is_some_and(|n| text(n, source) == function)
    };
    match (calls(left), calls(right)) {
        (true, false) if !mentions(right, source, function) => Some((left, right)),
        (false, true) if !mentions(left, source, function) => Some((right, left)),
        _ => None,
    }
}

/// Names that every Rust file knows without an import, and words that the grammar takes for names.
pub(super) const PRELUDE: &[&str] = &[
    "Some", "None", "Ok", "Err", "Box", "Vec", "String", "drop", "self", "Self", "crate", "super", "std", "core",
    "alloc", "_",
];

/// The names in call position among the given nodes.
pub(super) fn called_names_among<'t>(all: &[Node<'t>]) -> Vec<Node<'t>> {
    all.iter().filter(|n| n.kind() == "call_expression").filter_map(|n| callee(*n)).collect()
}
