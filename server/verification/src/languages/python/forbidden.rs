//! What a spec forbids (`@forbid`) or does not allow (`@uses`), looked for in a response and in code as it stands.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::task_specification::Spec;

use super::extract::{Parts, body_nodes};
use super::imports::{ImportItem, is_import, parse_statement};
use super::tree::{children, parse, text};
use crate::languages::Subject;
use crate::layers::analysis;

/// Methods of lists, dictionaries, sets, deques, texts, files and generators.
const OF_CONTAINERS: [&str; 40] = [
    "add",
    "append",
    "appendleft",
    "clear",
    "close",
    "copy",
    "count",
    "decode",
    "difference",
    "discard",
    "encode",
    "extend",
    "find",
    "format",
    "get",
    "index",
    "insert",
    "items",
    "join",
    "keys",
    "lower",
    "pop",
    "popitem",
    "popleft",
    "read",
    "remove",
    "replace",
    "reverse",
    "send",
    "setdefault",
    "sort",
    "split",
    "strip",
    "throw",
    "union",
    "update",
    "upper",
    "values",
    "write",
    "__init__",
];

/// Looks for what the spec forbids in the body and the imports of a response.
///
/// # Errors
/// [`RedFlag::Forbidden`].
pub(super) fn check_forbidden(
    parts: &Parts<'_>,
    code: &str,
    body: TextRange,
    imports: &[ImportItem],
    used: &HashSet<&str>,
    task: &Task,
) -> Result<(), RedFlag> {
    let spec = &task.spec;
    let inside = body_nodes(parts.function, body);
    // `from typing import List` for the header's annotations comes to nothing: the file keeps its own.
    let counts = |item: &&ImportItem| {
        used.contains(item.binds()) || !matches!(item.module(), "typing" | "__future__" | "collections.abc")
    };
    let inner = inside.iter().filter(|n| is_import(**n)).flat_map(|n| parse_statement(*n, code));
    let imported: Vec<ImportItem> = imports.iter().filter(counts).cloned().chain(inner).collect();
    let is_out = foreign(spec, &task.source, &imported).is_some()
        || touched(&inside, &imported, &[], code, task).next().is_some();
    if is_out { Err(RedFlag::Forbidden) } else { Ok(()) }
}

/// What the function of a file does that its spec forbids, one sentence each. `@uses` is about what an edit brings
/// along, which was asked when it was a response; of code as it stands it is about what the file imports for it.
pub(super) fn offences(subject: &Subject) -> Vec<String> {
    let (task, code) = (&subject.task, &*subject.task.source);
    let place = task.body_range.start;
    let Some(tree) = parse(code) else { return Vec::new() };
    let around = tree.root_node().descendant_for_byte_range(place, place);
    let mut ancestors = std::iter::successors(around, Node::parent);
    let Some(function) = ancestors.find(|n| n.kind() == "function_definition") else { return Vec::new() };
    let inside = body_nodes(function, task.body_range);
    let inner = inside.iter().filter(|n| is_import(**n)).flat_map(|n| parse_statement(*n, code));
    let mut imported: Vec<ImportItem> = inner.collect();
    let used: HashSet<&str> = inside.iter().filter(|n| n.kind() == "identifier").map(|n| text(*n, code)).collect();
    let top = children(tree.root_node()).into_iter().filter(|n| is_import(*n));
    let around: Vec<ImportItem> =
        top.flat_map(|n| parse_statement(n, code)).filter(|i| used.contains(i.binds())).collect();
    let mut out: Vec<String> =
        touched(&inside, &imported, &around, code, task).map(|what| analysis::forbids(task, what)).collect();
    if !subject.is_edit() {
        imported.extend(around);
    }
    out.extend(foreign(&task.spec, code, &imported).map(|i| analysis::disallows(i.module())));
    out
}

/// The first import that `@uses` does not allow. A special name (`@uses __eq__`) allows something else, and so does
/// one to which the file gives a value (`@uses COUNT`).
fn foreign<'i>(spec: &Spec, code: &str, imported: &'i [ImportItem]) -> Option<&'i ImportItem> {
    let is_value = |name: &str| {
        let rests = code.lines().filter_map(|line| line.strip_prefix(name));
        rests.map(str::trim_start).any(|rest| rest.starts_with([':', '=']))
    };
    let modules = || spec.uses.iter().filter(|u| !u.text.starts_with("__") && !is_value(&u.text));
    let allowed = |item: &ImportItem| modules().any(|used| within(item, &used.text));
    imported.iter().find(|i| modules().next().is_some() && !allowed(i))
}

/// What `@forbid` names and the code does; `around` are imports of the file that it uses.
fn touched<'a>(
    inside: &'a [Node<'_>],
    imported: &'a [ImportItem],
    around: &'a [ImportItem],
    code: &'a str,
    task: &'a Task,
) -> impl Iterator<Item = &'a str> {
    let touches = move |what: &&str| match *what {
        "recursion" => is_recursive(inside, code, task),
        "loops" => inside.iter().any(|n| matches!(n.kind(), "for_statement" | "while_statement")),
        "imports" => !imported.is_empty(),
        name => {
            let mut all = imported.iter().chain(around);
            uses_name(inside, code, name) || all.any(|i| within(i, name) || i.name == name)
        }
    };
    task.spec.forbids.iter().map(|clause| clause.text.as_str()).filter(touches)
}

/// Whether an import stays inside a module: `@uses collections` covers `collections.abc`.
fn within(item: &ImportItem, module: &str) -> bool {
    let whole = match &item.from {
        Some(from) => format!("{from}.{}", item.name),
        None => item.name.clone(),
    };
    whole == module || whole.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether the function, or a helper nested in it, refers to itself. A local variable of the
/// function's name (`total = 0` in `total`) is none.
fn is_recursive(inside: &[Node<'_>], code: &str, task: &Task) -> bool {
    let function = task.signature.name.as_str();
    // A method calls itself through its object, or through another of its class. What containers of the language call
    // the same is theirs, as a rule.
    let through_any = task.class.is_some() && !OF_CONTAINERS.contains(&function);
    let attribute_of = |node: &Node<'_>, name: &str| {
        let field = |field| node.child_by_field_name(field).map_or("", |n| text(n, code));
        node.kind() == "attribute"
            && field("attribute") == name
            && (matches!(field("object"), "self" | "cls" | "super()") || (through_any && is_callee(*node)))
    };
    let bound = inside.iter().filter_map(|n| match n.kind() {
        "assignment" | "for_statement" | "for_in_clause" => n.child_by_field_name("left"),
        _ => None,
    });
    let is_local = bound.flat_map(super::tree::nodes).any(|n| n.kind() == "identifier" && text(n, code) == function);
    let keywords: HashSet<usize> = inside
        .iter()
        .filter(|n| n.kind() == "keyword_argument")
        .filter_map(|n| n.child_by_field_name("name"))
        .map(|n| n.id())
        .collect();
    let attributes: HashSet<usize> = inside
        .iter()
        .filter(|n| n.kind() == "attribute")
        .filter_map(|n| n.child_by_field_name("attribute"))
        .map(|n| n.id())
        .collect();
    let names = |node: &Node<'_>, name: &str| {
        node.kind() == "identifier"
            && text(*node, code) == name
            && !keywords.contains(&node.id())
            && !attributes.contains(&node.id())
    };
    let own = inside.iter().any(|n| attribute_of(n, function) || (!is_local && names(n, function)));
    own || inside.iter().filter(|n| n.kind() == "function_definition").any(|helper| {
        let name = helper.child_by_field_name("name").map_or("", |n| text(n, code));
        let body = helper.child_by_field_name("body").map(super::tree::nodes).unwrap_or_default();
        body.iter().any(|n| names(n, name))
    })
}

/// Whether a node is what a call calls.
fn is_callee(node: Node<'_>) -> bool {
    let called = node.parent().filter(|p| p.kind() == "call").and_then(|p| p.child_by_field_name("function"));
    called.is_some_and(|c| c.id() == node.id())
}

/// Whether a name, a dotted name or a keyword stands in the code. Strings and comments do not count.
fn uses_name(inside: &[Node<'_>], code: &str, name: &str) -> bool {
    let squeezed = |n: &Node<'_>| text(*n, code).split_whitespace().collect::<String>();
    inside.iter().any(|n| match n.kind() {
        "comment" | "string_start" | "string_content" | "string_end" => false,
        "attribute" | "dotted_name" => squeezed(n) == name,
        _ => n.child_count() == 0 && text(*n, code) == name,
    })
}
