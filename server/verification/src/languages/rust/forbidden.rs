//! What a spec forbids (`@forbid`) or does not allow (`@uses`), looked for in a response and in code as it stands.

use tree_sitter::Node;
use zeroerr_core::code::Task;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::task_specification::Spec;

use super::functions::FileIndex;
use super::imports::{UseItem, declared_in, parse_declaration, used_names};
use super::tree::{is_comment, is_text_literal, nodes, parse, text};
use crate::languages::Subject;
use crate::layers::analysis;

/// Looks for what the spec forbids in the body and the imports of a response.
///
/// # Errors
/// [`RedFlag::Forbidden`].
pub(super) fn check_forbidden(block: Node<'_>, code: &str, imports: &[UseItem], task: &Task) -> Result<(), RedFlag> {
    let inside = nodes(block);
    let imported: Vec<UseItem> = imports.iter().cloned().chain(inner_imports(&inside, code)).collect();
    let is_out =
        foreign(&task.spec, &imported).is_some() || touched(&inside, &imported, &[], code, task).next().is_some();
    if is_out { Err(RedFlag::Forbidden) } else { Ok(()) }
}

/// What the function of a file does that its spec forbids, one sentence each. `@uses` is about what an edit brings
/// along, which was asked when it was a response; of code as it stands it is about what the file imports for it.
pub(super) fn offences(subject: &Subject) -> Vec<String> {
    let (task, code) = (&subject.task, &*subject.task.source);
    let Some(tree) = parse(code) else { return Vec::new() };
    let index = FileIndex::new(tree.root_node(), code);
    let Some(function) = index.function_of(task) else { return Vec::new() };
    let Some(block) = function.node.child_by_field_name("body") else { return Vec::new() };
    let (inside, used) = (nodes(block), used_names(block, code));
    let mut imported = inner_imports(&inside, code);
    let around: Vec<UseItem> =
        declared_in(function.scope, code).into_iter().filter(|i| used.contains(i.binds())).collect();
    let mut out: Vec<String> =
        touched(&inside, &imported, &around, code, task).map(|what| analysis::forbids(task, what)).collect();
    if !subject.is_edit() {
        imported.extend(around);
    }
    out.extend(foreign(&task.spec, &imported).map(|i| analysis::disallows(&i.full_name())));
    out
}

fn inner_imports(inside: &[Node<'_>], code: &str) -> Vec<UseItem> {
    inside.iter().filter(|n| n.kind() == "use_declaration").flat_map(|n| parse_declaration(*n, code)).collect()
}

/// The first import that `@uses` does not allow.
fn foreign<'i>(spec: &Spec, imported: &'i [UseItem]) -> Option<&'i UseItem> {
    let own = |item: &UseItem| matches!(item.path.first().map(String::as_str), Some("crate" | "self" | "super"));
    let allowed = |item: &UseItem| own(item) || spec.uses.iter().any(|used| within(item, &used.text));
    imported.iter().find(|i| !spec.uses.is_empty() && !allowed(i))
}

/// What `@forbid` names and the code does; `around` are imports of the file that it uses.
fn touched<'a>(
    inside: &'a [Node<'_>],
    imported: &'a [UseItem],
    around: &'a [UseItem],
    code: &'a str,
    task: &'a Task,
) -> impl Iterator<Item = &'a str> {
    let touches = move |what: &&str| match *what {
        "recursion" => is_recursive(inside, code, &task.signature.name),
        "loops" => inside.iter().any(|n| matches!(n.kind(), "for_expression" | "while_expression" | "loop_expression")),
        "imports" => !imported.is_empty(),
        name => {
            let mut all = imported.iter().chain(around);
            uses_name(inside, code, name) || all.any(|i| within(i, name) || i.binds() == name)
        }
    };
    task.spec.forbids.iter().map(|clause| clause.text.as_str()).filter(touches)
}

/// Whether an import stays inside a module: `@uses std::collections` covers `std::collections::HashMap`.
fn within(item: &UseItem, module: &str) -> bool {
    let whole = item.full_name();
    whole == module || whole.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"))
}

/// Whether the function, or a helper nested in it, calls itself. A local variable of the function's
/// name is no call.
fn is_recursive(inside: &[Node<'_>], code: &str, function: &str) -> bool {
    let calls = |all: &[Node<'_>], name: &str| {
        super::expressions::called_names_among(all).into_iter().any(|n| text(n, code) == name)
            || all.iter().any(|n| n.kind() == "token_tree" && calls_in_tokens(*n, code, name))
    };
    let helpers = inside.iter().filter(|n| n.kind() == "function_item");
    calls(inside, function)
        || helpers.into_iter().any(|helper| {
            let name = helper.child_by_field_name("name").map_or("", |n| text(n, code));
            let body = helper.child_by_field_name("body").map(nodes).unwrap_or_default();
            calls(&body, name)
        })
}

/// `f (...)` in a macro's tokens.
fn calls_in_tokens(tree: Node<'_>, code: &str, name: &str) -> bool {
    let tokens = super::tree::children(tree);
    tokens.windows(2).any(
        |pair| matches!(pair, [a, b] if a.kind() == "identifier" && text(*a, code) == name && b.kind() == "token_tree"),
    )
}

/// Whether a name, a path, a method or a keyword stands in the code. Strings and comments do not count.
fn uses_name(inside: &[Node<'_>], code: &str, name: &str) -> bool {
    let name = name.trim_end_matches('!');
    let squeezed = |n: &Node<'_>| text(*n, code).split_whitespace().collect::<String>();
    let path = name.contains("::");
    inside.iter().any(|n| {
        if is_comment(*n) || is_text_literal(*n) || n.kind() == "string_content" {
            return false;
        }
        match n.kind() {
            "scoped_identifier" | "scoped_type_identifier" if path => {
                let whole = squeezed(n);
                whole == name || whole.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"))
            }
            _ => n.child_count() == 0 && text(*n, code) == name,
        }
    })
}
