//! The forms in which TypeScript and JavaScript write a function down, and who holds it.

use std::path::Path;

use tree_sitter::Node;

use super::expressions::is_global;
use super::functions::Function;
use super::tree::{around, has_word, nodes, parts, text, unwrapped};

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
    /// `exports.f = function () {}`, `api.f = () => {}`.
    Assigned,
    /// `A.prototype.f = function () {}`, and a member of what is assigned to `A.prototype`.
    Prototype,
    /// `export default function () {}`, `module.exports = () => {}`, `export = () => {}`.
    Default,
}

/// Objects in objects are followed so far.
const MAX_DEPTH: usize = 8;
/// What a default export is reached by, and what CommonJS exports as a whole.
pub(super) const DEFAULT: &str = "default";
const WHOLE: &str = "module.exports";
const PROTOTYPE: &str = ".prototype";

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
        "export_statement" => {
            field("declaration").or_else(|| field("value")).or_else(|| exported_whole(statement)).map(unwrapped)?
        }
        _ => statement,
    };
    let name_of = |node: Node<'t>| node.child_by_field_name("name");
    let mut class = None;
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
            let value = assignment.child_by_field_name("right").map(unwrapped).filter(|v| is_function(*v))?;
            let target = assignment.child_by_field_name("left")?;
            let (holder, form) = assigned(target, source)?;
            class = holder;
            match form {
                Form::Default => (value, value, name_of(value), form),
                _ => (value, target, target.child_by_field_name("property"), form),
            }
        }
        _ if inner != statement && is_function(inner) => (inner, inner, name_of(inner), Form::Default),
        _ => return None,
    };
    let top_level = is_at_top_level(statement);
    Some(Function { node, named, name_node, given: None, outer: statement, above: Vec::new(), class, form, top_level })
}

/// Who holds what is assigned there, for whom it has to be said, and the form that it is written in. What the
/// file does not have itself is nobody's: a method that it adds to `String` would be one of every string.
fn assigned(target: Node<'_>, source: &str) -> Option<(Option<String>, Form)> {
    let path = path_of(target, source)?;
    if path == WHOLE {
        return Some((None, Form::Default));
    }
    let (holder, _) = path.rsplit_once('.')?;
    Some(match holder.strip_suffix(PROTOTYPE) {
        Some(class) => (Some(class.to_owned()), Form::Prototype),
        None if is_export(target, source) => (None, Form::Assigned),
        None => (Some(holder.to_owned()), Form::Assigned),
    })
}

/// `a.b.c` as it is written, when its first name is no global of the language.
fn path_of<'s>(target: Node<'_>, source: &'s str) -> Option<&'s str> {
    let whole = text(target, source);
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    };
    let root = whole.split('.').next().filter(|root| !matches!(*root, "this" | "super" | "self" | "window"))?;
    let is_ours = matches!(root, "module" | "exports") || !is_global(root);
    (target.kind() == "member_expression" && is_ours && whole.split('.').all(is_name)).then_some(whole)
}

/// The value of `export = value`.
fn exported_whole(statement: Node<'_>) -> Option<Node<'_>> {
    has_word(statement, "=").then(|| parts(statement).into_iter().next()).flatten()
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
    Some(match path.strip_suffix(PROTOTYPE) {
        Some(class) => part_of(class.to_owned(), member, name, node, Form::Prototype, top_level),
        None => part_of(path, member, name, node, Form::Member, top_level),
    })
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
                holder.child_by_field_name("left").filter(|n| path_of(*n, source).is_some())?
            }
            // It gives back the object that it was given.
            "arguments" if is_frozen(holder, source) => {
                at = holder.parent()?;
                continue;
            }
            "export_statement" => {
                let root = if is_it("value") { DEFAULT } else { exported_whole(holder).map(|_| WHOLE)? };
                return Some((joined(root, keys), holder));
            }
            "pair" if is_it("value") => {
                let key = holder.child_by_field_name("key").filter(|n| n.kind() == "property_identifier")?;
                keys.push(text(key, source));
                at = holder.parent()?;
                continue;
            }
            _ => return None,
        };
        return Some((joined(text(root, source), keys), holder.parent()?));
    }
    None
}

/// Whether these are the arguments of a call that only forbids changes.
fn is_frozen(arguments: Node<'_>, source: &str) -> bool {
    const FREEZING: &[&str] = &["Object.freeze", "Object.seal", "Object.preventExtensions"];
    let callee = arguments.parent().and_then(|call| call.child_by_field_name("function"));
    parts(arguments).len() == 1 && callee.is_some_and(|n| FREEZING.contains(&text(n, source)))
}

/// The path from a name through keys, of which the innermost comes first.
fn joined(root: &str, keys: Vec<&str>) -> String {
    std::iter::once(root).chain(keys.into_iter().rev()).collect::<Vec<_>>().join(".")
}

/// Why nothing leads to the function that starts there, as far as the way in which it is written says.
pub(super) fn out_of_reach(root: Node<'_>, source: &str, start: usize) -> Option<String> {
    let is_list = |n: Node<'_>| matches!(n.kind(), "program" | "statement_block" | "class_body" | "object");
    let first = root.named_descendant_for_byte_range(start, start)?;
    let all = || std::iter::successors(Some(first), |n| n.parent());
    let item = all().find(|n| n.parent().is_some_and(is_list))?;
    let list = item.parent()?;
    let handed = |n: Node<'_>| {
        let call = around(n, |a| matches!(a.kind(), "arguments" | "program"))?.parent()?;
        let callee = call.child_by_field_name("function").or_else(|| call.child_by_field_name("constructor"))?;
        Some(format!(
            "the function below this spec is handed to `{}`, and what that makes of it is not known; declare it by a name of its own and hand that over",
            text(callee, source)
        ))
    };
    match list.kind() {
        "class_body" => of_member(item, list, source),
        "object" if !is_function_member(item) => None,
        "object" if name_of_member(item).is_some_and(|n| n.kind() == "property_identifier") => handed(list),
        "object" => Some("the name of the function below this spec is no plain word; give it one that is".to_owned()),
        _ => of_statement(item, source).or_else(|| {
            let function = nodes(item).into_iter().find(|n| is_function(*n))?;
            let inside = |n: &Node<'_>| n.start_byte() >= item.start_byte();
            around(function, |n| n.kind() == "arguments").filter(inside).and_then(|_| handed(function))
        }),
    }
}

fn is_function_member(member: Node<'_>) -> bool {
    member.kind() == "method_definition" || member.child_by_field_name("value").is_some_and(is_function)
}

fn name_of_member(member: Node<'_>) -> Option<Node<'_>> {
    member.child_by_field_name("name").or_else(|| member.child_by_field_name("key"))
}

fn of_member(member: Node<'_>, body: Node<'_>, source: &str) -> Option<String> {
    let name = name_of_member(member).filter(|_| member.child_by_field_name("parameters").is_some())?;
    let why = if text(name, source) == "constructor" {
        "a constructor gives nothing that a spec could speak of; move the spec to a method, or to a function that makes the object"
    } else if !matches!(name.kind(), "property_identifier" | "private_property_identifier") {
        "the name of the function below this spec is no plain word; give it one that is"
    } else if class_name(body, source).is_none() {
        "the class of the function below this spec has no name, so that no spec can make an object of it; give it one"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn of_statement(statement: Node<'_>, source: &str) -> Option<String> {
    let declared = statement.child_by_field_name("declaration").unwrap_or(statement);
    if matches!(declared.kind(), "lexical_declaration" | "variable_declaration") && parts(declared).len() > 1 {
        return Some(
            "the statement below this spec declares several things; declare the function by itself".to_owned(),
        );
    }
    let assignment = parts(statement).into_iter().next().filter(|n| n.kind() == "assignment_expression")?;
    assignment.child_by_field_name("right").map(unwrapped).filter(|v| is_function(*v))?;
    let target = assignment.child_by_field_name("left")?;
    let root = text(target, source).split(['.', '[']).next().unwrap_or("");
    is_global(root).then(|| {
        format!("`{root}` is not this file's own, and what is added to it is not verified; declare the function by a name, or in an object or class of the file")
    })
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
