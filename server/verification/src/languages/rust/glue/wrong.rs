//! The statement by which a function leaves at once with what a wrong one gives (`harness/wrong.rs`), when it is told to.

use tree_sitter::Node;
use zeroerr_core::code::Task;

use super::super::signature::{modifiers, parameters};
use super::super::tree::children;
use super::MODULE;

/// The statement; `None` for a function that no other can stand in for: one that is evaluated by the compiler, that
/// gives a type without a name, or that never comes back.
pub(super) fn statement(function: Node<'_>, task: &Task, source: &str) -> Option<String> {
    let gives = task.signature.returns.as_deref().unwrap_or("()");
    let nameless = ["impl ", "for<", "!"].iter().any(|part| gives.contains(part));
    if nameless || modifiers(function, source).contains(&"const") {
        return None;
    }
    let list = function.child_by_field_name("parameters")?;
    let nodes: Vec<Node<'_>> = children(list).into_iter().filter(|n| n.kind() == "parameter").collect();
    let (mut shown, mut changed) = (Vec::new(), Vec::new());
    if children(list).iter().any(|n| n.kind() == "self_parameter") {
        shown.push("self".to_owned());
    }
    for (node, parameter) in nodes.iter().zip(parameters(function, source)) {
        let name = parameter.param.name.trim_start_matches("mut ").trim().to_owned();
        if !name.chars().all(|c| c.is_alphanumeric() || c == '_') || name == "_" {
            continue;
        }
        let is_mutable = node.child_by_field_name("type").is_some_and(|t| {
            t.kind() == "reference_type" && children(t).iter().any(|n| n.kind() == "mutable_specifier")
        });
        changed.extend(is_mutable.then(|| name.clone()));
        shown.push(name);
    }
    let (gives, shown, changed) = (lasting(gives), shown.join(", "), changed.join(", "));
    Some(format!(" {MODULE}::__h::wrong!({gives}, [{shown}], [{changed}]);"))
}

/// A type with all of its references such that what is made up can stand behind them.
fn lasting(written: &str) -> String {
    let mut out = String::new();
    let mut rest = written.chars().peekable();
    while let Some(c) = rest.next() {
        let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
        match c {
            '&' => {
                out.push_str("&'static ");
                while rest.peek().is_some_and(|c| c.is_whitespace()) {
                    rest.next();
                }
                if rest.peek() == Some(&'\'') {
                    rest.next();
                    while rest.next_if(is_name).is_some() {}
                }
            }
            '\'' => {
                out.push_str("'static");
                while rest.next_if(is_name).is_some() {}
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_outlives_every_reference() {
        assert_eq!(lasting("Option<&str>"), "Option<&'static str>");
        assert_eq!(lasting("&'a [Token<'a>]"), "&'static  [Token<'static>]");
        assert_eq!(lasting("Vec<char>"), "Vec<char>");
    }
}
