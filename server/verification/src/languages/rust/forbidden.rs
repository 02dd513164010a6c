//! What a spec forbids (`@forbid`) or does not allow (`@uses`), looked for in a response.

use tree_sitter::Node;
use zeroerr_core::code::Task;
use zeroerr_core::red_flag_detector::RedFlag;

use super::imports::{UseItem, parse_declaration};
use super::tree::{is_comment, is_text_literal, nodes, text};

/// Looks for what the spec forbids in the body and the imports of a response.
///
/// # Errors
/// [`RedFlag::Forbidden`].
pub(super) fn check_forbidden(block: Node<'_>, code: &str, imports: &[UseItem], task: &Task) -> Result<(), RedFlag> {
    let spec = &task.spec;
    let inside = nodes(block);
    let inner = inside.iter().filter(|n| n.kind() == "use_declaration").flat_map(|n| parse_declaration(*n, code));
    let imported: Vec<UseItem> = imports.iter().cloned().chain(inner).collect();
    let own = |item: &UseItem| matches!(item.path.first().map(String::as_str), Some("crate" | "self" | "super"));
    let allowed = |item: &UseItem| own(item) || spec.uses.iter().any(|used| within(item, &used.text));
    if !spec.uses.is_empty() && !imported.iter().all(allowed) {
        return Err(RedFlag::Forbidden);
    }
    let touches = |what: &str| match what {
        "recursion" => is_recursive(&inside, code, &task.signature.name),
        "loops" => inside.iter().any(|n| matches!(n.kind(), "for_expression" | "while_expression" | "loop_expression")),
        "imports" => !imported.is_empty(),
        name => uses_name(&inside, code, name) || imported.iter().any(|i| within(i, name) || i.binds() == name),
    };
    if spec.forbids.iter().any(|clause| touches(&clause.text)) { Err(RedFlag::Forbidden) } else { Ok(()) }
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
