//! The forms in which TypeScript and JavaScript write a function down, and who holds it.

use std::path::Path;

use tree_sitter::Node;

use super::functions::Function;
use super::tree::{around, parts, text, unwrapped};

/// How a function is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `function f() {}`, or its signature alone.
    Declaration,
    /// `const f = () => {}`, `const f = function () {}`.
    Variable,
    /// `f() {}` in a class.
    Method,
    /// `f = () => {}` in a class.
    Field,
    /// `f() {}` and `f: () => {}` in an object that has a name.
    Member,
    /// `exports.f = function () {}`.
    Assigned,
    /// `export default function () {}`, `module.exports = () => {}`.
    Default,
}

/// Objects in objects are followed so far.
const MAX_DEPTH: usize = 8;

/// The function that a child of a list is.
pub(super) fn function_in<'t>(child: Node<'t>, list: Node<'t>, source: &str) -> Option<Function<'t>> {
    match list.kind() {
        "class_body" => in_class(child, list, source),
        "object" => in_object(child, list, source),
        _ => statement(child, source),
    }
}

/// The function that a statement is.
fn statement<'t>(statement: Node<'t>, source: &str) -> Option<Function<'t>> {
    let field = |name| statement.child_by_field_name(name);
    let inner = match statement.kind() {
        "export_statement" => field("declaration").or_else(|| field("value"))?,
        _ => statement,
    };
    let name_of = |node: Node<'t>| node.child_by_field_name("name");
    let (node, named, name_node, form) = match inner.kind() {
        "function_declaration" | "generator_function_declaration" | "function_signature" => {
            (inner, inner, name_of(inner), Form::Declaration)
        }
        "lexical_declaration" | "variable_declaration" => {
            let declarators: Vec<Node<'t>> = parts(inner);
            let [declarator] = declarators.as_slice() else { return None };
            let value = declarator.child_by_field_name("value").filter(|v| is_function(*v))?;
            let name = name_of(*declarator).filter(|n| n.kind() == "identifier")?;
            (value, *declarator, Some(name), Form::Variable)
        }
        "expression_statement" => {
            let assignment = parts(inner).into_iter().next().filter(|n| n.kind() == "assignment_expression")?;
            let value = assignment.child_by_field_name("right").filter(|v| is_function(*v))?;
            let target = assignment.child_by_field_name("left").filter(|n| is_export(*n, source))?;
            match text(target, source) {
                "module.exports" => (value, value, name_of(value), Form::Default),
                _ => (value, target, target.child_by_field_name("property"), Form::Assigned),
            }
        }
        _ if inner != statement && is_function(inner) => (inner, inner, name_of(inner), Form::Default),
        _ => return None,
    };
    let top_level = is_at_top_level(statement);
    Some(Function {
        node,
        named,
        name_node,
        given: None,
        outer: statement,
        above: Vec::new(),
        class: None,
        form,
        top_level,
    })
}

/// The method, or the field that is a function.
fn in_class<'t>(member: Node<'t>, body: Node<'t>, source: &str) -> Option<Function<'t>> {
    let (node, form) = match member.kind() {
        "method_definition" | "method_signature" => (member, Form::Method),
        "public_field_definition" => (member.child_by_field_name("value").filter(|v| is_function(*v))?, Form::Field),
        _ => return None,
    };
    let name = member.child_by_field_name("name")?;
    let is_plain = matches!(name.kind(), "property_identifier" | "private_property_identifier");
    if !is_plain || text(name, source) == "constructor" {
        return None;
    }
    let class = class_name(body, source)?;
    let top_level = body.parent().map(declaration_of_class).is_some_and(is_at_top_level);
    Some(part_of(class, member, name, node, form, top_level))
}

/// The member of an object that is a function, when something names the object.
fn in_object<'t>(member: Node<'t>, object: Node<'t>, source: &str) -> Option<Function<'t>> {
    let (node, name) = match member.kind() {
        "method_definition" => (member, member.child_by_field_name("name")?),
        "pair" => {
            let value = member.child_by_field_name("value").filter(|v| is_function(*v))?;
            (value, member.child_by_field_name("key")?)
        }
        _ => return None,
    };
    if name.kind() != "property_identifier" || text(name, source) == "constructor" {
        return None;
    }
    let (path, statement) = owner(object, source)?;
    let top_level = is_at_top_level(statement);
    Some(part_of(path, member, name, node, Form::Member, top_level))
}

/// A member of the class or object of this name.
fn part_of<'t>(
    owner: String,
    member: Node<'t>,
    name: Node<'t>,
    node: Node<'t>,
    form: Form,
    top_level: bool,
) -> Function<'t> {
    Function {
        node,
        named: member,
        name_node: Some(name),
        given: None,
        outer: member,
        above: Vec::new(),
        class: Some(owner),
        form,
        top_level,
    }
}

fn is_function(value: Node<'_>) -> bool {
    matches!(value.kind(), "arrow_function" | "function_expression" | "generator_function")
}

/// Whether an assignment to it exports something: `exports.f`, `module.exports`, `module.exports.f`.
fn is_export(target: Node<'_>, source: &str) -> bool {
    let whole = text(target, source);
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    let below =
        whole.strip_prefix("module.exports").or_else(|| whole.strip_prefix("exports").filter(|b| !b.is_empty()));
    target.kind() == "member_expression"
        && below.is_some_and(|b| b.is_empty() || b.strip_prefix('.').is_some_and(|names| names.split('.').all(is_name)))
}

/// What an object is reached by in its file, and the statement that says so.
fn owner<'t>(object: Node<'t>, source: &str) -> Option<(String, Node<'t>)> {
    let mut keys: Vec<&str> = Vec::new();
    let mut at = object;
    for _ in 0..MAX_DEPTH {
        let holder = around(at, |n| unwrapped(n) != at)?;
        let is_it = |field| holder.child_by_field_name(field).is_some_and(|n| unwrapped(n) == at);
        let root = match holder.kind() {
            "variable_declarator" if is_it("value") => {
                holder.child_by_field_name("name").filter(|n| n.kind() == "identifier")?
            }
            "assignment_expression" if is_it("right") => {
                holder.child_by_field_name("left").filter(|n| is_export(*n, source))?
            }
            "pair" if is_it("value") => {
                let key = holder.child_by_field_name("key").filter(|n| n.kind() == "property_identifier")?;
                keys.push(text(key, source));
                at = holder.parent()?;
                continue;
            }
            _ => return None,
        };
        let path = std::iter::once(text(root, source)).chain(keys.into_iter().rev()).collect::<Vec<_>>().join(".");
        return Some((path, holder.parent()?));
    }
    None
}

/// The statement that declares a class; `const C = class {}` declares one as well.
fn declaration_of_class(class: Node<'_>) -> Node<'_> {
    let declarator = class.parent().filter(|p| class.kind() == "class" && p.kind() == "variable_declarator");
    declarator.and_then(|d| d.parent()).unwrap_or(class)
}

/// Whether a declaration stands in the module itself, exported or not.
fn is_at_top_level(declaration: Node<'_>) -> bool {
    let in_module = |n: Option<Node<'_>>| n.is_some_and(|p| p.kind() == "program");
    let parent = declaration.parent();
    in_module(parent) || parent.is_some_and(|p| p.kind() == "export_statement" && in_module(p.parent()))
}

/// The name of the class that a class body belongs to, its own or that of its variable.
fn class_name(body: Node<'_>, source: &str) -> Option<String> {
    let class = body.parent()?;
    let own = class.child_by_field_name("name");
    let name =
        own.or_else(|| class.parent().filter(|p| p.kind() == "variable_declarator")?.child_by_field_name("name"));
    name.map(|n| text(n, source).to_owned()).filter(|n| !n.is_empty())
}

/// What a file's export without a name is called by those who import it: `toSlug` in `to-slug.ts`, and the
/// name of the folder in `index.ts`.
pub(super) fn default_name(file: &Path) -> Option<String> {
    const RESERVED: &[&str] = &[
        "arguments",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "eval",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "let",
        "new",
        "null",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
        "with",
        "yield",
    ];
    let stem =
        |path: &Path| path.file_name().and_then(|n| n.to_str()).map(|n| n.split('.').next().unwrap_or(n).to_owned());
    let own = stem(file)?;
    let words = if own == "index" { stem(file.parent()?)? } else { own };
    let mut name = String::new();
    let mut starts_word = false;
    for c in words.chars() {
        if !(c.is_alphanumeric() || c == '_' || c == '$') {
            starts_word = !name.is_empty();
        } else if std::mem::take(&mut starts_word) {
            name.extend(c.to_uppercase());
        } else {
            name.push(c);
        }
    }
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    (is_name && !RESERVED.contains(&name.as_str())).then_some(name)
}
