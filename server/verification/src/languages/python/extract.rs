//! Takes the candidate out of a model's response, or says why the sample is discarded.
//!
//! Extraction is no repair: nothing of the function is changed. What real models put around it is
//! left behind: prose around a code fence, the header's annotations and docstring (the file keeps its
//! own), imports that the body does not use, and usage *after* the function (`print(f(1))`, asserts,
//! an `if __name__` block, variables that the function does not read). Anything else beside the one
//! function is a red flag.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{Candidate, Task, TextRange};
use zeroerr_core::red_flag_detector::RedFlag;

use super::forbidden::check_forbidden;
use super::functions::body_of;
use super::imports::{is_import, parse_all, render, used_names};
use super::layout::{Style, dedented_header, relayout};
use super::signature::{is_async, parameters, parameters_of_header, same_parameters};
use super::tree::{children, indent_at, nodes, parse, text};
use crate::languages::response::fenced;

/// Takes the candidate out of a model's response.
///
/// # Errors
/// The red flag that discards the sample.
pub fn extract(response: &str, task: &Task) -> Result<Candidate, RedFlag> {
    let candidate = read(response, task)?;
    // A function in a function's place, behind a line that goes on: what reads otherwise the second time is
    // not what stands there.
    match read(&candidate.function, task) {
        Ok(again) if again.body != candidate.body => Err(RedFlag::DoesNotParse),
        _ => Ok(candidate),
    }
}

/// One reading of a response.
fn read(response: &str, task: &Task) -> Result<Candidate, RedFlag> {
    if response.trim().is_empty() {
        return Err(RedFlag::Empty);
    }
    let code = code_of(response, &task.signature.name)?;
    let tree = parse(&code).ok_or(RedFlag::DoesNotParse)?;
    let root = tree.root_node();
    if root.has_error() {
        // Words alone are a different failure from code that is broken.
        let has_function = code.lines().any(|l| starts_function(l, None));
        return Err(if has_function { RedFlag::DoesNotParse } else { RedFlag::NotOneFunction });
    }
    let parts = Parts::read(root, &code, task)?;
    check_signature(&parts, &code, task)?;
    let body = body_of(parts.function, &code);
    if body.is_stub {
        return Err(RedFlag::Placeholder);
    }
    let imports = parse_all(&parts.imports);
    let used = names_in(parts.function, &code, body.range);
    check_forbidden(&parts, &code, body.range, &imports, &used, task)?;
    let kept: Vec<_> = imports
        .into_iter()
        .filter(|i| i.module() != "__future__" && (i.is_star() || used.contains(i.binds())))
        .collect();
    let style = |base| Style { base, unit: "    ", newline: "\n" };
    let header_indent = indent_at(&task.source, task.function_range.start);
    let header = dedented_header(&task.signature.header, header_indent);
    Ok(Candidate {
        function: format!("{header}\n{}\n", relayout(root, &code, body.range, style("    "))),
        body: relayout(root, &code, body.range, style("")),
        imports: render(&kept),
    })
}

/// The names that the body uses, wherever they are bound.
fn names_in<'s>(function: Node<'_>, code: &'s str, body: TextRange) -> HashSet<&'s str> {
    let inside = function.child_by_field_name("body").map(children).unwrap_or_default();
    let statements = inside.into_iter().filter(|n| n.start_byte() >= body.start);
    statements.flat_map(|n| used_names(n, code)).collect()
}

/// The one function of a response, and the imports beside it.
pub(super) struct Parts<'t> {
    /// The `function_definition`.
    pub function: Node<'t>,
    /// Its decorators.
    decorators: Vec<Node<'t>>,
    /// The import statements at top level.
    pub imports: Vec<String>,
}

impl<'t> Parts<'t> {
    fn read(root: Node<'t>, code: &str, task: &Task) -> Result<Self, RedFlag> {
        let mut found = Found { function: None, imports: Vec::new(), trailing: Vec::new() };
        for node in top_level(root, code) {
            found.take(node, code, task)?;
        }
        let (function, decorators) = found.function.ok_or(RedFlag::NotOneFunction)?;
        let used = used_names(function, code);
        let rebinds = |node: &Node<'_>| {
            assigned(*node).is_some_and(|target| used_names(target, code).iter().any(|name| used.contains(name)))
        };
        if found.trailing.iter().any(rebinds) {
            return Err(RedFlag::NotOneFunction);
        }
        Ok(Self { function, decorators, imports: found.imports })
    }
}

struct Found<'t> {
    function: Option<(Node<'t>, Vec<Node<'t>>)>,
    imports: Vec<String>,
    trailing: Vec<Node<'t>>,
}

impl<'t> Found<'t> {
    fn take(&mut self, node: Node<'t>, code: &str, task: &Task) -> Result<(), RedFlag> {
        let inner = if node.kind() == "decorated_definition" {
            node.child_by_field_name("definition").unwrap_or(node)
        } else {
            node
        };
        let name = inner.child_by_field_name("name").map_or("", |n| text(n, code));
        match inner.kind() {
            "function_definition" if self.function.is_none() && name == task.signature.name => {
                let decorators = children(node).into_iter().filter(|n| n.kind() == "decorator").collect();
                self.function = Some((inner, decorators));
                Ok(())
            }
            // A method may come in its class, if it comes alone.
            "class_definition" if self.function.is_none() && task.class.as_deref() == Some(name) && node == inner => {
                let members = inner.child_by_field_name("body").map(children).unwrap_or_default();
                let mut members = members.into_iter().filter(|n| n.kind() != "comment" && !is_string(*n));
                match (members.next(), members.next()) {
                    (Some(only), None) if only.kind() != "class_definition" => self.take(only, code, task),
                    _ => Err(RedFlag::NotOneFunction),
                }
            }
            _ if is_import(node) => {
                self.imports.push(text(node, code).to_owned());
                Ok(())
            }
            "comment" | ";" => Ok(()),
            "expression_statement" if is_string(node) => Ok(()),
            _ if self.function.is_some() && is_usage(node, code) => {
                self.trailing.push(node);
                Ok(())
            }
            _ => Err(RedFlag::NotOneFunction),
        }
    }
}

/// The statements at top level; for a response that is indented as a whole, those of its block.
fn top_level<'t>(root: Node<'t>, code: &str) -> Vec<Node<'t>> {
    let all = children(root);
    match all.first() {
        Some(first) if code.starts_with(WRAPPER) => {
            first.child_by_field_name("consequence").map(children).unwrap_or_default()
        }
        _ => all,
    }
}

fn is_string(node: Node<'_>) -> bool {
    node.kind() == "expression_statement"
        && node.child_count() == 1
        && node.child(0).is_some_and(|n| n.kind() == "string")
}

fn is_usage(node: Node<'_>, code: &str) -> bool {
    match node.kind() {
        "expression_statement" | "assert_statement" | "print_statement" => true,
        "if_statement" => node.child_by_field_name("condition").is_some_and(|c| text(c, code).contains("__name__")),
        _ => false,
    }
}

/// The target of an assignment statement.
fn assigned(statement: Node<'_>) -> Option<Node<'_>> {
    let inner = statement.child(0).filter(|n| matches!(n.kind(), "assignment" | "augmented_assignment"))?;
    inner.child_by_field_name("left")
}

fn check_signature(parts: &Parts<'_>, code: &str, task: &Task) -> Result<(), RedFlag> {
    let asked = parameters_of_header(&dedented_header(&task.signature.header, ""));
    let given = parameters(parts.function, code);
    // The file keeps its own decorators; another one would be lost, and with it what it does.
    let head = TextRange::new(task.function_range.start, task.body_range.start).slice(&task.source);
    let own: HashSet<&str> = head.lines().map(str::trim).filter(|l| l.starts_with('@')).collect();
    let decorated = parts.decorators.iter().all(|d| own.contains(text(*d, code).trim()));
    let same = same_parameters(&asked, &given) && is_async(parts.function) == task.signature.is_async && decorated;
    if same { Ok(()) } else { Err(RedFlag::WrongSignature) }
}

/// Makes a response that is indented as a whole parse without touching its lines.
const WRAPPER: &str = "if True:\n";

/// The code in a response: the fenced block with the function, or the bare text.
fn code_of(response: &str, name: &str) -> Result<String, RedFlag> {
    let (before, blocks) = fenced(response);
    let has = |text: &str| text.lines().any(|l| starts_function(l, Some(name)));
    let code = if blocks.is_empty() || has(&before) {
        // The prompt may have opened the fence, so that the response starts with code.
        before
    } else {
        let mut with_function: Vec<String> = blocks.into_iter().filter(|b| has(b)).collect();
        with_function.dedup();
        match <[String; 1]>::try_from(with_function) {
            Ok([code]) => code,
            Err(_) => return Err(RedFlag::NotOneFunction),
        }
    };
    let first = code.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let indented = first.starts_with([' ', '\t']);
    Ok(if indented { format!("{WRAPPER}{code}\n") } else { format!("{code}\n") })
}

fn starts_function(line: &str, name: Option<&str>) -> bool {
    let line = line.trim_start();
    let rest = line.strip_prefix("async ").map_or(line, str::trim_start).strip_prefix("def ").map(str::trim_start);
    rest.is_some_and(|rest| {
        name.is_none_or(|name| rest.strip_prefix(name).is_some_and(|tail| tail.trim_start().starts_with(['(', '['])))
    })
}

/// All nodes of the body, without the docstring.
pub(super) fn body_nodes<'t>(function: Node<'t>, body: TextRange) -> Vec<Node<'t>> {
    let inside = function.child_by_field_name("body").map(children).unwrap_or_default();
    inside.into_iter().filter(|n| n.start_byte() >= body.start).flat_map(nodes).collect()
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
