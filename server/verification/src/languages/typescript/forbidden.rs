//! What a spec forbids (`@forbid`) or does not allow (`@uses`), looked for in a response and in code as it
//! stands, and what no response may do: silence the type checker, turn text into code.

use tree_sitter::Node;
use zeroerr_core::code::Task;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::task_specification::Spec;

use super::escapes;
use super::expressions::is_global;
use super::functions::FileIndex;
use super::imports::{Import, bare_module, declared_in, imports_of, used_names};
use super::tree::{Dialect, is_comment, is_text_literal, nodes, parse, text};
use crate::languages::Subject;
use crate::layers::analysis;

/// Methods of arrays, maps, sets, texts and promises.
const OF_CONTAINERS: [&str; 37] = [
    "add", "at", "catch", "charAt", "clear", "concat", "delete", "entries", "every", "fill", "filter", "find", "flat",
    "forEach", "get", "has", "includes", "indexOf", "join", "keys", "map", "next", "pop", "push", "reduce", "replace",
    "reverse", "set", "shift", "slice", "some", "sort", "split", "then", "toString", "trim", "values",
];

/// Looks for what the spec forbids in the body and the imports of a response.
///
/// # Errors
/// [`RedFlag::Forbidden`].
pub(super) fn check_forbidden(body: Node<'_>, code: &str, imports: &[Import], task: &Task) -> Result<(), RedFlag> {
    let inside = nodes(body);
    if !escapes::below(body, code).is_empty() || turns_text_into_code(&inside, code) {
        return Err(RedFlag::Forbidden);
    }
    let inner = inside.iter().flat_map(|n| imports_of(*n, code));
    let imported: Vec<Import> = imports.iter().cloned().chain(inner).collect();
    let is_out =
        foreign(&task.spec, &imported).is_some() || touched(&inside, &imported, &[], code, task).next().is_some();
    if is_out { Err(RedFlag::Forbidden) } else { Ok(()) }
}

/// What the function of a file does that its spec forbids, one sentence each. `@uses` is about what an edit brings
/// along, which was asked when it was a response; of code as it stands it is about what the file imports for it.
pub(super) fn offences(subject: &Subject) -> Vec<String> {
    let (task, code) = (&subject.task, &*subject.task.source);
    let Some(tree) = parse(code, Dialect::of(&task.file)) else { return Vec::new() };
    let index = FileIndex::of_file(tree.root_node(), code, &task.file);
    let Some(function) = index.function_of(task) else { return Vec::new() };
    let Some(body) = function.node.child_by_field_name("body") else { return Vec::new() };
    let (inside, used) = (nodes(body), used_names(body, code));
    let mut imported: Vec<Import> = inside.iter().flat_map(|n| imports_of(*n, code)).collect();
    let around: Vec<Import> =
        declared_in(tree.root_node(), code).into_iter().filter(|i| used.contains(i.local.as_str())).collect();
    let mut out: Vec<String> =
        touched(&inside, &imported, &around, code, task).map(|what| analysis::forbids(task, what)).collect();
    if !subject.is_edit() {
        imported.extend(around.into_iter().filter(|i| !i.is_type));
    }
    out.extend(foreign(&task.spec, &imported).map(|i| analysis::disallows(&i.module)));
    out
}

/// The first import that `@uses` does not allow.
fn foreign<'i>(spec: &Spec, imported: &'i [Import]) -> Option<&'i Import> {
    let allowed = |i: &Import| i.module.starts_with('.') || spec.uses.iter().any(|used| within(i, &used.text));
    imported.iter().find(|i| !spec.uses.is_empty() && !allowed(i))
}

/// What `@forbid` names and the code does; `around` are imports of the file that it uses.
fn touched<'a>(
    inside: &'a [Node<'_>],
    imported: &'a [Import],
    around: &'a [Import],
    code: &'a str,
    task: &'a Task,
) -> impl Iterator<Item = &'a str> {
    let touches = move |what: &&str| match *what {
        "recursion" => is_recursive(inside, code, task),
        "loops" => inside
            .iter()
            .any(|n| matches!(n.kind(), "for_statement" | "for_in_statement" | "while_statement" | "do_statement")),
        "imports" => !imported.is_empty(),
        name => {
            let mut all = imported.iter().chain(around);
            uses_name(inside, code, name) || all.any(|i| within(i, name) || i.local == name)
        }
    };
    task.spec.forbids.iter().map(|clause| clause.text.as_str()).filter(touches)
}

/// Whether an import stays inside a module: `@uses fs` covers `node:fs/promises`.
fn within(import: &Import, module: &str) -> bool {
    let module = bare_module(module);
    let inside = |whole: &str| whole == module || whole.strip_prefix(module).is_some_and(|r| r.starts_with(['/', '.']));
    inside(bare_module(&import.module)) || inside(&import.full_name())
}

/// `eval(x)`, `Function(x)`, `new Function(x)`.
fn turns_text_into_code(inside: &[Node<'_>], code: &str) -> bool {
    inside.iter().any(|n| {
        let callee = match n.kind() {
            "call_expression" => n.child_by_field_name("function"),
            "new_expression" => n.child_by_field_name("constructor"),
            _ => None,
        };
        callee.is_some_and(|c| matches!(text(c, code), "eval" | "Function" | "globalThis.eval"))
    })
}

/// Whether the function, or a helper nested in it, calls itself.
fn is_recursive(inside: &[Node<'_>], code: &str, task: &Task) -> bool {
    let function = task.signature.name.as_str();
    // A method calls itself through its object, or through another of its class. What containers of the language call
    // the same is theirs, as a rule.
    let class = task.class.as_deref().filter(|_| !OF_CONTAINERS.contains(&function));
    let calls = |all: &[Node<'_>], name: &str| {
        let called = all.iter().filter(|n| n.kind() == "call_expression");
        let callees = called.filter_map(|n| n.child_by_field_name("function"));
        callees.into_iter().any(|c| match (c.kind(), c.child_by_field_name("object")) {
            ("member_expression", Some(object)) => {
                let is_it = c.child_by_field_name("property").is_some_and(|p| text(p, code) == name);
                let may_be = |class| name == function && !is_another(object, code, task, class);
                is_it && (object.kind() == "this" || class.is_some_and(may_be))
            }
            _ => text(c, code) == name,
        })
    };
    let mut helpers = inside.iter().filter_map(|n| helper(*n, code));
    calls(inside, function) || helpers.any(|(name, body)| calls(&nodes(body), name))
}

/// Whether an object is none of a task's class, as far as the file says what it is.
fn is_another(object: Node<'_>, code: &str, task: &Task, class: &str) -> bool {
    let name = text(object, code);
    let Some(tree) = parse(&task.source, Dialect::of(&task.file)) else { return false };
    let types = match object.kind() {
        "super" => return true,
        "identifier" => {
            let is_foreign =
                is_global(name) || declared_in(tree.root_node(), &task.source).iter().any(|i| i.local == name);
            if is_foreign && name != class {
                return true;
            }
            task.signature.params.iter().find(|p| p.name == name).and_then(|p| p.annotation.clone())
        }
        "member_expression" => name.strip_prefix("this.").and_then(|field| type_of(field, tree.root_node(), task)),
        _ => None,
    };
    types.is_some_and(|t| ![class, "any", "unknown", "this"].iter().any(|word| words(&t).any(|w| w == *word)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
}

/// The type that a task's class gives one of its fields.
fn type_of(field: &str, root: Node<'_>, task: &Task) -> Option<String> {
    let source = &*task.source;
    let named = |n: &Node<'_>, what, name| n.child_by_field_name(what).is_some_and(|n| text(n, source) == name);
    let name = task.class.as_deref()?;
    let class = nodes(root).into_iter().find(|n| n.kind().contains("class") && named(n, "name", name))?;
    let declared = nodes(class).into_iter().find(|n| match n.kind() {
        "public_field_definition" => named(n, "name", field),
        "required_parameter" => {
            named(n, "pattern", field) && n.child(0).is_some_and(|m| m.kind() == "accessibility_modifier")
        }
        _ => false,
    })?;
    Some(text(declared.child_by_field_name("type")?, source).to_owned())
}

/// Name and body of a function that stands in another.
fn helper<'t, 's>(node: Node<'t>, code: &'s str) -> Option<(&'s str, Node<'t>)> {
    let (name, function) = match node.kind() {
        "function_declaration" | "function_expression" => (node.child_by_field_name("name"), Some(node)),
        "variable_declarator" => (node.child_by_field_name("name"), node.child_by_field_name("value")),
        _ => (None, None),
    };
    Some((text(name?, code), function?.child_by_field_name("body")?))
}

/// Whether a name, a member path or a keyword stands in the code. Strings and comments do not count.
fn uses_name(inside: &[Node<'_>], code: &str, name: &str) -> bool {
    let squeezed = |n: &Node<'_>| text(*n, code).split_whitespace().collect::<String>();
    inside.iter().any(|n| {
        if is_comment(*n) || is_text_literal(*n) || n.kind() == "string_fragment" {
            return false;
        }
        match n.kind() {
            "member_expression" if name.contains('.') => {
                let whole = squeezed(n);
                whole == name || whole.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
            }
            _ => n.child_count() == 0 && text(*n, code) == name,
        }
    })
}
