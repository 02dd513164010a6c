//! The file with functions in it that do nothing: a project test that passes with each of them would pass whatever the
//! function does.

use tree_sitter::Node;

use super::functions::FileIndex;
use super::tree::{children, parse, parts, text};
use crate::languages::Subject;

/// Deepest type that is read.
const DEEPEST: usize = 16;

/// The texts: two functions that give the same for all arguments, and one that gives what the arguments say, so that a
/// test which compares two calls is not taken for one that says nothing. Empty where no such value can be written.
pub(super) fn texts(subject: &Subject) -> Vec<String> {
    let (task, source) = (&subject.task, &*subject.task.source);
    let Some(tree) = parse(source) else { return Vec::new() };
    let index = FileIndex::new(tree.root_node(), source);
    let Some(function) = index.function_of(task).map(|f| f.node) else { return Vec::new() };
    let gives = function.child_by_field_name("return_type");
    let (Some(head), Some(tail)) = (source.get(..task.body_range.start), source.get(task.body_range.end..)) else {
        return Vec::new();
    };
    let body = |value: String| format!("{head}{{ {value} }}{tail}");
    let Some(gives) = gives else { return vec![body(String::new())] };
    let names: Vec<String> =
        task.signature.params.iter().map(|p| p.name.trim_start_matches("mut ").to_owned()).collect();
    let is_plain = names.iter().all(|n| n.chars().all(|c| c.is_alphanumeric() || c == '_') && n != "_");
    let seed = format!(
        "(::std::format!(\"{{:?}}\", ({})).bytes().fold(7u8, |s, b| s.wrapping_mul(31).wrapping_add(b)) % 89)",
        names.iter().map(|n| format!("&{n},")).collect::<String>()
    );
    let mut seeds = vec!["87u8", "0u8"];
    seeds.extend((is_plain && !names.is_empty()).then_some(seed.as_str()));
    seeds.into_iter().filter_map(|seed| value(gives, source, seed, 0).map(body)).collect()
}

/// A value of a type, as an expression; `seed` is a small number.
fn value(node: Node<'_>, source: &str, seed: &str, depth: usize) -> Option<String> {
    if depth > DEEPEST {
        return None;
    }
    let inner = |n: Node<'_>| value(n, source, seed, depth + 1);
    let is_none = seed == "0u8";
    match node.kind() {
        "primitive_type" => Some(match text(node, source) {
            "bool" => format!("{seed} % 2 == 1"),
            "char" => format!("char::from({seed})"),
            number if number != "str" => format!("({seed} as {number})"),
            _ => return None,
        }),
        "unit_type" => Some("()".to_owned()),
        "reference_type" => {
            let of = node.child_by_field_name("type")?;
            let written = text(of, source);
            match written {
                "str" => Some(format!("::std::string::String::leak({seed}.to_string())")),
                _ => Some(format!("::std::boxed::Box::leak(::std::boxed::Box::new({}))", inner(of)?)),
            }
        }
        "tuple_type" => {
            let all = parts(node).into_iter().map(inner).collect::<Option<Vec<_>>>()?;
            Some(format!("({},)", all.join(", ")))
        }
        "array_type" => {
            let element = inner(node.child_by_field_name("element")?)?;
            Some(format!("::std::array::from_fn(|_| {element})"))
        }
        "type_identifier" if text(node, source) == "String" => Some(format!("{seed}.to_string()")),
        "generic_type" => {
            let arguments = parts(node.child_by_field_name("type_arguments")?);
            let first = || inner(*arguments.first()?);
            match text(node.child_by_field_name("type")?, source) {
                "Option" if is_none => Some("::std::option::Option::None".to_owned()),
                "Vec" if is_none => Some("::std::vec::Vec::new()".to_owned()),
                "Option" => Some(format!("::std::option::Option::Some({})", first()?)),
                "Vec" => Some(format!("::std::vec![{}]", first()?)),
                "Result" => Some(format!("::std::result::Result::Ok({})", first()?)),
                "Box" => Some(format!("::std::boxed::Box::new({})", first()?)),
                _ => Some("::std::default::Default::default()".to_owned()),
            }
        }
        _ if children(node).is_empty() => Some("::std::default::Default::default()".to_owned()),
        _ => None,
    }
}
