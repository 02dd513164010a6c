//! What is added to a function so that it can be told to be wrong (`harness/wrong.rs`): a statement by which it leaves
//! at once, or, where its type has no name, another function in its place that calls it.

use std::ops::Range;

use tree_sitter::Node;
use zeroerr_core::code::{Task, line_of};

use super::super::functions::Function;
use super::super::signature::{header_end, modifiers, parameters, receiver};
use super::super::tree::{children, nodes, parts, text};
use super::types::{Substitution, element_of};
use super::{MODULE, around, is_conditional, start_of_body};

/// What the function under test is called where another stands in its place.
const RIGHT: &str = "__zeroerr_right";

/// What has to be changed in a file.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    /// The edits; none of them changes how many lines there are.
    pub edits: Vec<(Range<usize>, String)>,
    /// Lines whose errors may come of them.
    pub lines: Range<usize>,
    /// Whether an error of any other line may, too.
    pub is_felt_elsewhere: bool,
}

/// The changes; `None` for a function that no other can stand in for: one that never comes back, or that gives a type
/// without a name which is neither an iterator nor a function.
pub(super) fn of(function: &Function<'_>, task: &Task, source: &str) -> Option<Wrong> {
    let node = function.node;
    let gives = task.signature.returns.as_deref().unwrap_or("()");
    if ["for<", "!"].iter().any(|part| gives.contains(part)) {
        return None;
    }
    if gives.contains("impl ") {
        return in_its_place(function, source);
    }
    let arguments = Arguments::read(node, source)?;
    let (gives, shown, changed) = (lasting(gives), arguments.shown.join(", "), arguments.changed.join(", "));
    let at = start_of_body(node)?;
    let mut edits = vec![(at..at, format!(" {MODULE}::__h::wrong!({gives}, [{shown}], [{changed}]);"))];
    let lines = line_of(source, at)..line_of(source, at) + 1;
    // What the compiler evaluates cannot ask how it is to be; whoever needs that it does says so, somewhere.
    let words = children(node).into_iter().find(|n| n.kind() == "function_modifiers").map(children);
    let constant = words.into_iter().flatten().find(|n| n.kind() == "const");
    edits.extend(constant.map(|word| (word.byte_range(), " ".repeat(word.byte_range().len()))));
    Some(Wrong { edits, lines, is_felt_elsewhere: constant.is_some() })
}

/// The names of a function's arguments.
struct Arguments {
    /// Those that can be shown, the object among them.
    shown: Vec<String>,
    /// Those that the function may change.
    changed: Vec<String>,
    /// All that a call hands over; `None` where one of them has no name.
    passed: Option<Vec<String>>,
}

impl Arguments {
    fn read(function: Node<'_>, source: &str) -> Option<Self> {
        let list = function.child_by_field_name("parameters")?;
        let nodes: Vec<Node<'_>> = children(list).into_iter().filter(|n| n.kind() == "parameter").collect();
        let mut own = Self { shown: Vec::new(), changed: Vec::new(), passed: Some(Vec::new()) };
        own.shown.extend(receiver(function, source).map(|_| "self".to_owned()));
        for (node, parameter) in nodes.iter().zip(parameters(function, source)) {
            let name = parameter.param.name.trim_start_matches("mut ").trim().to_owned();
            if !name.chars().all(|c| c.is_alphanumeric() || c == '_') || name == "_" {
                own.passed = None;
                continue;
            }
            let is_mutable = node.child_by_field_name("type").is_some_and(|t| {
                t.kind() == "reference_type" && children(t).iter().any(|n| n.kind() == "mutable_specifier")
            });
            own.changed.extend(is_mutable.then(|| name.clone()));
            own.passed.iter_mut().for_each(|all| all.push(name.clone()));
            own.shown.push(name);
        }
        Some(own)
    }
}

/// Another function under the name, with the same header: it calls the one that was there, or gives something else.
fn in_its_place(function: &Function<'_>, source: &str) -> Option<Wrong> {
    let node = function.node;
    let around = around(node);
    let words = modifiers(node, source);
    let is_foreign = around.is_some_and(|n| n.kind() == "trait_item" || n.child_by_field_name("trait").is_some());
    if is_foreign || is_conditional(function, source) || words.iter().any(|w| !matches!(*w, "async" | "unsafe")) {
        return None;
    }
    let name = node.child_by_field_name("name")?;
    let body = node.child_by_field_name("body")?;
    let (head, tail) =
        (source.get(node.start_byte()..name.start_byte())?, source.get(name.end_byte()..header_end(node, source))?);
    let arguments = Arguments::read(node, source)?;
    let passed = arguments.passed?.join(", ");
    let way = match (receiver(node, source), around) {
        (Some(_), _) => "self.",
        (None, Some(_)) => "Self::",
        (None, None) => "",
    };
    let right = format!("{RIGHT}_{}", text(name, source));
    let call = format!("{way}{right}({passed}){}", if words.contains(&"async") { ".await" } else { "" });
    let call = if words.contains(&"unsafe") { format!("unsafe {{ {call} }}") } else { call };
    let (shown, changed) = (arguments.shown.join(", "), arguments.changed.join(", "));
    let gives =
        node.child_by_field_name("return_type").filter(|n| matches!(n.kind(), "abstract_type" | "bounded_type"))?;
    let inside = match element_of(gives, source, &Substitution::default()) {
        Some(item) => format!("{MODULE}::__h::wrong_items!({item}, [{shown}], [{changed}], {call})"),
        None => closure(gives, source, &shown, &call)?,
    };
    let other = format!("{head}{}{tail} {{ {inside} }} ", text(name, source));
    if other.contains("//") || other.contains("/*") {
        return None;
    }
    let edits =
        vec![(node.start_byte()..node.start_byte(), other.replace(['\n', '\r'], " ")), (name.byte_range(), right)];
    let lines = line_of(source, node.start_byte())..line_of(source, body.start_byte()) + 1;
    Some(Wrong { edits, lines, is_felt_elsewhere: false })
}

/// A function like the one that `call` gives, for `impl Fn(A, B) -> C`.
fn closure(gives: Node<'_>, source: &str, shown: &str, call: &str) -> Option<String> {
    let function = nodes(gives).into_iter().find(|n| n.kind() == "function_type")?;
    let result = function.child_by_field_name("return_type").map_or("()", |n| text(n, source));
    let kinds: Vec<&str> =
        parts(function.child_by_field_name("parameters")?).into_iter().map(|n| text(n, source)).collect();
    if result.contains("impl ") {
        return None;
    }
    let names: Vec<String> = (0..kinds.len()).map(|i| format!("__a{i}")).collect();
    let taken: Vec<String> = names.iter().zip(kinds).map(|(name, kind)| format!("{name}: {kind}")).collect();
    let (taken, names, result) = (taken.join(", "), names.join(", "), lasting(result));
    let texts = shown.split(", ").filter(|n| !n.is_empty()).map(|n| format!("{MODULE}::__h::show!(&{n}), "));
    let texts: String = texts.collect();
    let comma = if names.is_empty() { "" } else { ", " };
    Some(format!(
        "let __given: {MODULE}::__h::standard::vec::Vec<{MODULE}::__h::standard::string::String> = {MODULE}::__h::standard::vec![{texts}]; let mut __right = {call}; move |{taken}| {{ {MODULE}::__h::wrong!({result}, [__given{comma}{names}], []); __right({names}) }}"
    ))
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
