//! Finds what a function reaches for: every reference is resolved through the file's imports and
//! aliases, then looked up in the [table](super::capabilities).
//!
//! References count, not only calls, so `const run = eval` is seen where it stands. A name that the
//! function binds itself (`const name = ...`) is not the global.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;
use zeroerr_core::code::Task;

use super::capabilities::of_name;
use super::expressions::is_global;
use super::functions::{FileIndex, Function, bound_by_pattern};
use super::imports::{bare_module, declared_in, imports_of, parse_statement};
use super::stacks::Errors;
use super::tree::{Dialect, children, nodes, parse, parts, text, unwrapped};
use crate::layers::security::{Capability, Reach};

/// What the function of a task reaches for, in order, each target once per line; `None` when the text does
/// not have it.
pub(super) fn of_function(task: &Task) -> Option<Vec<Reach>> {
    let source: &str = &task.source;
    let tree = parse(source, Dialect::of(&task.file))?;
    let module = Module::read(tree.root_node(), source);
    let index = FileIndex::of_file(tree.root_node(), source, &task.file);
    index.function_of(task).map(|f| Walk::over(f.code(), source, &module))
}

/// What the functions of a task's name reach for in another text of its file.
pub(super) fn before(source: &str, task: &Task) -> Vec<Reach> {
    let Some(tree) = parse(source, Dialect::of(&task.file)) else { return Vec::new() };
    let module = Module::read(tree.root_node(), source);
    let index = FileIndex::of_file(tree.root_node(), source, &task.file);
    let asked = |f: &&Function<'_>| f.name(source) == task.signature.name && f.class == task.class;
    index.functions.iter().filter(asked).flat_map(|f| Walk::over(f.code(), source, &module)).collect()
}

/// What the file's imports alone reach for: modules and names that are in the table themselves.
pub(super) fn of_imports(source: &str, dialect: Dialect) -> Vec<Reach> {
    let Some(tree) = parse(source, dialect) else { return Vec::new() };
    let imports = declared_in(tree.root_node(), source).into_iter().filter(|i| !i.is_type);
    let one = |i: super::imports::Import| {
        let target = i.full_name();
        of_name(&target).map(|capability| Reach { capability, target, line: i.line })
    };
    imports.filter_map(one).collect()
}

/// What the file binds at its top level, by full name.
struct Module {
    names: HashMap<String, String>,
}

impl Module {
    fn read(root: Node<'_>, source: &str) -> Self {
        let mut names = HashMap::new();
        for statement in children(root) {
            for import in imports_of(statement, source) {
                let full = if import.is_type { String::new() } else { import.full_name() };
                names.insert(import.local, full);
            }
        }
        let mut module = Self { names };
        module.aliases(root, source);
        module
    }

    /// `const run = fs.readFileSync` at top level; other names of the file stand for nothing.
    fn aliases(&mut self, root: Node<'_>, source: &str) {
        let declared = children(root).into_iter().map(|n| match n.kind() {
            "export_statement" => n.child_by_field_name("declaration").unwrap_or(n),
            _ => n,
        });
        let nobody = HashSet::new();
        for statement in declared {
            let declarators = match statement.kind() {
                "lexical_declaration" | "variable_declaration" => parts(statement),
                "function_declaration" | "class_declaration" | "enum_declaration" => vec![statement],
                _ => continue,
            };
            for declarator in declarators {
                let value = declarator.child_by_field_name("value");
                let full = value.and_then(|v| Chain::of(v, source)).and_then(|c| self.full_name(&c, &nobody));
                for name in
                    declarator.child_by_field_name("name").map(|n| bound_by_pattern(n, source)).unwrap_or_default()
                {
                    self.names.entry(name).or_insert_with(|| full.clone().unwrap_or_default());
                }
            }
        }
    }

    /// The full name that a chain of members stands for; `None` when its first name is the function's
    /// or the file's own.
    fn full_name(&self, chain: &Chain, bound: &HashSet<String>) -> Option<String> {
        let (root, mut path) = (chain.root.as_str(), chain.path.as_slice());
        if bound.contains(root) {
            return None;
        }
        let mut base = match self.names.get(root) {
            Some(full) if full.is_empty() => return None,
            Some(full) => full.clone(),
            None => root.to_owned(),
        };
        // `globalThis.fetch` is `fetch`.
        while matches!(base.as_str(), "globalThis" | "global" | "self" | "window") {
            let Some((first, rest)) = path.split_first() else { break };
            base.clone_from(first);
            path = rest;
        }
        Some(path.iter().fold(base, |whole, part| format!("{whole}.{part}")))
    }
}

/// `a.b["c"]`: a name with the members taken from it, as far as they are known.
struct Chain {
    root: String,
    path: Vec<String>,
}

impl Chain {
    fn of(node: Node<'_>, source: &str) -> Option<Self> {
        let mut path = Vec::new();
        let mut node = unwrapped(node);
        loop {
            match node.kind() {
                // `import.meta` is a name of its own.
                "identifier" | "shorthand_property_identifier" | "meta_property" => {
                    path.reverse();
                    return Some(Self { root: text(node, source).to_owned(), path });
                }
                "member_expression" => {
                    path.push(text(node.child_by_field_name("property")?, source).to_owned());
                }
                "subscript_expression" => {
                    let index = node.child_by_field_name("index")?;
                    // What is computed may be anything: the chain ends before it.
                    match written_key(index, source) {
                        Some(key) => path.push(key),
                        None => path.clear(),
                    }
                }
                "call_expression" => {
                    let callee = node.child_by_field_name("function")?;
                    let arguments = parts(node.child_by_field_name("arguments")?);
                    let module = arguments.first().filter(|_| text(callee, source) == "require")?;
                    path.reverse();
                    let name = text(*module, source).trim_matches(['"', '\'', '`']);
                    return Some(Self { root: bare_module(name).to_owned(), path });
                }
                _ => return None,
            }
            node = unwrapped(node.child_by_field_name("object")?);
        }
    }
}

struct Walk<'a> {
    source: &'a str,
    module: &'a Module,
    bound: HashSet<String>,
    /// Names that stand for functions.
    functions: HashSet<String>,
    errors: Errors,
    /// What the function itself brings in.
    own: HashMap<String, String>,
    seen: HashSet<(String, usize)>,
    found: Vec<Reach>,
}

impl<'a> Walk<'a> {
    fn over(function: Node<'_>, source: &'a str, module: &'a Module) -> Vec<Reach> {
        let all = nodes(function);
        let mut walk = Walk {
            source,
            module,
            bound: HashSet::new(),
            functions: HashSet::new(),
            errors: Errors::of(&all, source),
            own: HashMap::new(),
            seen: HashSet::new(),
            found: Vec::new(),
        };
        for node in &all {
            walk.bind(*node);
        }
        for node in all {
            walk.look_at(node);
        }
        walk.found.sort_by_key(|r| r.line);
        walk.found
    }

    fn bind(&mut self, node: Node<'_>) {
        let field = |name| node.child_by_field_name(name);
        let imports = imports_of(node, self.source);
        if !imports.is_empty() {
            self.own.extend(imports.into_iter().map(|i| (i.local.clone(), i.full_name())));
            return;
        }
        let target = match node.kind() {
            "variable_declarator" | "function_declaration" | "function_expression" | "class_declaration" => {
                field("name")
            }
            "required_parameter" | "optional_parameter" => field("pattern").or_else(|| field("name")),
            "arrow_function" | "catch_clause" => field("parameter"),
            "for_in_statement" => field("left").filter(|_| field("kind").is_some()),
            _ => None,
        };
        if is_function(node) || field("value").is_some_and(|v| is_function(unwrapped(v))) {
            self.functions.extend(field("name").map(|n| text(n, self.source).to_owned()));
        }
        self.bound.extend(target.map(|n| bound_by_pattern(n, self.source)).unwrap_or_default());
        self.bound.retain(|name| !self.own.contains_key(name));
    }

    fn look_at(&mut self, node: Node<'_>) {
        match node.kind() {
            "identifier"
            | "shorthand_property_identifier"
            | "member_expression"
            | "subscript_expression"
            | "meta_property" => {
                self.reference(node);
            }
            "call_expression" | "new_expression" => self.call(node),
            "object_pattern" => self.taken_apart(node),
            "assignment_expression" | "augmented_assignment_expression" => self.write(node.child_by_field_name("left")),
            "update_expression" => self.write(node.child_by_field_name("argument")),
            "unary_expression" if text(node, self.source).starts_with("delete") => {
                self.write(node.child_by_field_name("argument"));
            }
            "pair" => {
                let key = node.child_by_field_name("key").map_or("", |n| text(n, self.source));
                if key.trim_matches(['"', '\'']) == "__proto__" {
                    self.add(Capability::Reflection, "__proto__".to_owned(), node);
                }
            }
            "import_statement" => {
                for import in parse_statement(node, self.source) {
                    let full = import.full_name();
                    if let Some(capability) = of_name(&full) {
                        self.add(capability, full, node);
                    }
                }
            }
            _ => {}
        }
    }

    /// A name, or the longest chain of members that starts with one.
    fn reference(&mut self, node: Node<'_>) {
        let key = member_key(node, self.source);
        if key.as_deref() == Some("__proto__") {
            self.add(Capability::Reflection, "__proto__".to_owned(), node);
        }
        let owner = node.child_by_field_name("object");
        if key.as_deref() == Some("stack") && owner.is_some_and(|o| self.errors.is_error(o, self.source)) {
            self.add(Capability::Reflection, "Error.stack".to_owned(), node);
        }
        // `(() => {})[made]`: there is nothing to take from a function that is not known by its name.
        let object = node.child_by_field_name("object").map(unwrapped);
        if node.kind() == "subscript_expression" && key.is_none() && object.is_some_and(is_function) {
            self.add(Capability::Evaluation, "Function".to_owned(), node);
        }
        if key.as_deref() == Some("constructor") && hands_on_a_constructor(node, self.source) {
            self.add(Capability::Evaluation, "Function".to_owned(), node);
        }
        let Some(parent) = node.parent() else { return };
        let is_inner = parent.child_by_field_name("object") == Some(node);
        if is_inner || is_declared_here(node, parent) {
            return;
        }
        let resolved = self.resolved(node);
        // By another name it would load what nobody sees.
        if resolved.as_deref() == Some("require") && !is_asked_for(node, parent, self.source) {
            self.add(Capability::Evaluation, "require".to_owned(), node);
        }
        if let Some((full, capability)) = resolved.and_then(|full| of_name(&full).map(|c| (full, c))) {
            self.add(capability, full, node);
        }
    }

    /// `const { constructor: make } = () => 0`.
    fn taken_apart(&mut self, pattern: Node<'_>) {
        if self.errors.takes_stack(pattern, self.source) {
            self.add(Capability::Reflection, "Error.stack".to_owned(), pattern);
        }
        let of_this = pattern.parent().and_then(|p| p.child_by_field_name("value")).is_some_and(|v| v.kind() == "this");
        let takes = |n: &Node<'_>| match n.kind() {
            "shorthand_property_identifier_pattern" => text(*n, self.source) == "constructor",
            "pair_pattern" => n.child_by_field_name("key").is_some_and(|key| {
                let inner =
                    if key.kind() == "computed_property_name" { parts(key).first().copied() } else { Some(key) };
                inner.is_some_and(|k| {
                    text(k, self.source) == "constructor"
                        || written_key(k, self.source).as_deref() == Some("constructor")
                })
            }),
            _ => false,
        };
        if !of_this && parts(pattern).iter().any(takes) {
            self.add(Capability::Evaluation, "Function".to_owned(), pattern);
        }
    }

    fn resolved(&self, node: Node<'_>) -> Option<String> {
        let chain = Chain::of(node, self.source)?;
        if let Some(full) = self.own.get(&chain.root) {
            return Some(chain.path.iter().fold(full.clone(), |whole, part| format!("{whole}.{part}")));
        }
        self.module.full_name(&chain, &self.bound)
    }

    fn call(&mut self, node: Node<'_>) {
        let callee = node.child_by_field_name("function").or_else(|| node.child_by_field_name("constructor"));
        let Some(callee) = callee.map(unwrapped) else { return };
        let arguments = node.child_by_field_name("arguments").map(parts).unwrap_or_default();
        let first = arguments.first().copied();
        let is_text = |n: &Node<'_>| matches!(n.kind(), "string" | "template_string");
        let name = text(callee, self.source);
        if callee.kind() == "import" || (name == "require" && !self.bound.contains("require")) {
            let module = first.filter(|n| n.kind() == "string").map(|n| text(n, self.source).trim_matches(['"', '\'']));
            match module.map(bare_module) {
                Some(module) => {
                    if let Some(capability) = of_name(module) {
                        self.add(capability, module.to_owned(), node);
                    }
                }
                None => {
                    self.add(Capability::Evaluation, if name == "require" { name } else { "import" }.to_owned(), node)
                }
            }
            return;
        }
        let key = member_key(callee, self.source);
        let object = callee.child_by_field_name("object").map(unwrapped);
        let of_function = object.is_some_and(|o| self.functions.contains(text(o, self.source)));
        if callee.kind() == "subscript_expression" && key.is_none() && of_function {
            self.add(Capability::Evaluation, "Function".to_owned(), node);
        }
        let through_constructor = key.as_deref() == Some("constructor")
            && (node.kind() == "call_expression"
                || callee.child_by_field_name("object").is_some_and(|o| o.kind() != "this"))
            && first.is_some_and(|n| !is_count(n, self.source));
        let by_name = matches!(name, "Reflect.get" | "Object.getOwnPropertyDescriptor")
            && arguments.get(1).and_then(|n| written_key(*n, self.source)).as_deref() == Some("constructor");
        if through_constructor || by_name || name.ends_with(".constructor.constructor") {
            self.add(Capability::Evaluation, "Function".to_owned(), node);
        }
        if matches!(name, "setTimeout" | "setInterval") && first.as_ref().is_some_and(is_text) {
            self.add(Capability::Evaluation, name.to_owned(), node);
        }
        if matches!(
            name,
            "Object.assign"
                | "Object.defineProperty"
                | "Object.defineProperties"
                | "Reflect.set"
                | "Reflect.defineProperty"
        ) {
            self.write(first);
        }
    }

    /// A write to something that every other part of the program sees: globals and their members.
    fn write(&mut self, target: Option<Node<'_>>) {
        let Some(target) = target else { return };
        let through_global = Chain::of(target, self.source)
            .is_some_and(|c| matches!(c.root.as_str(), "globalThis" | "global" | "window" | "self"));
        let Some(full) = self.resolved(target) else { return };
        let root = full.split('.').next().unwrap_or("");
        let shared = is_global(root) || matches!(root, "module" | "exports") || through_global;
        if shared && of_name(&full).is_none() {
            self.add(Capability::Reflection, full, target);
        }
    }

    fn add(&mut self, capability: Capability, target: String, node: Node<'_>) {
        let line = node.start_position().row + 1;
        if self.seen.insert((target.clone(), line)) {
            self.found.push(Reach { capability, target, line });
        }
    }
}

/// Whether `x.constructor` goes where it can be called: that of a function turns text into code. To compare it or to say its
/// name is harmless, and an object knows its own.
fn hands_on_a_constructor(node: Node<'_>, source: &str) -> bool {
    if node.child_by_field_name("object").is_some_and(|o| o.kind() == "this") {
        return false;
    }
    let mut inner = node;
    let mut parent = node.parent();
    while let Some(wrapper) = parent.filter(|p| {
        matches!(
            p.kind(),
            "parenthesized_expression" | "as_expression" | "satisfies_expression" | "non_null_expression"
        )
    }) {
        (inner, parent) = (wrapper, wrapper.parent());
    }
    let Some(parent) = parent else { return true };
    let is = |field: &str| parent.child_by_field_name(field) == Some(inner);
    match parent.kind() {
        // What is called right there is looked at with its arguments.
        "call_expression" => !is("function"),
        "new_expression" => !is("constructor"),
        "binary_expression" => parent
            .child_by_field_name("operator")
            .is_none_or(|o| !matches!(text(o, source), "===" | "!==" | "==" | "!=" | "instanceof")),
        // What is taken from it, if not a way to call it.
        "member_expression" | "subscript_expression" => {
            member_key(parent, source).is_none_or(|k| matches!(k.as_str(), "call" | "apply" | "bind" | "constructor"))
        }
        "assignment_expression" => !is("left"),
        "unary_expression" | "switch_statement" | "expression_statement" => false,
        _ => true,
    }
}

/// How many of something: no text that could be code.
fn is_count(node: Node<'_>, source: &str) -> bool {
    node.kind() == "number" || member_key(node, source).is_some_and(|k| matches!(k.as_str(), "length" | "size"))
}

/// `require("fs")`, which is looked at as a call, and `typeof require`.
fn is_asked_for(node: Node<'_>, parent: Node<'_>, source: &str) -> bool {
    let is_called = parent.child_by_field_name("function") == Some(node) && text(node, source) == "require";
    is_called || parent.kind() == "unary_expression"
}

/// The member that is taken, as far as the text says which.
fn member_key(node: Node<'_>, source: &str) -> Option<String> {
    match node.kind() {
        "member_expression" => node.child_by_field_name("property").map(|n| text(n, source).to_owned()),
        "subscript_expression" => written_key(node.child_by_field_name("index")?, source),
        _ => None,
    }
}

/// A key that stands in the text, in one piece or in several (`"constr" + "uctor"`). Numbers are keys too.
fn written_key(node: Node<'_>, source: &str) -> Option<String> {
    let node = unwrapped(node);
    match node.kind() {
        "string" | "number" => Some(text(node, source).trim_matches(['"', '\'']).to_owned()),
        "template_string" if parts(node).iter().all(|p| p.kind() != "template_substitution") => {
            Some(text(node, source).trim_matches('`').to_owned())
        }
        "binary_expression" if text(node.child_by_field_name("operator")?, source) == "+" => {
            let side = |name| written_key(node.child_by_field_name(name)?, source);
            Some(side("left")? + &side("right")?)
        }
        _ => None,
    }
}

fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function"
            | "function_expression"
            | "function_declaration"
            | "generator_function"
            | "generator_function_declaration"
    )
}

/// Whether a name is bound where it stands, or names a key.
fn is_declared_here(node: Node<'_>, parent: Node<'_>) -> bool {
    let field = |name| parent.child_by_field_name(name) == Some(node);
    match parent.kind() {
        "variable_declarator" | "function_declaration" | "function_expression" | "class_declaration" => field("name"),
        "required_parameter" | "optional_parameter" => field("pattern") || field("name"),
        "import_specifier" | "import_clause" | "namespace_import" | "labeled_statement" => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
