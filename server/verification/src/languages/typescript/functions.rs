//! One pass over a file: its functions, what stands above them, and the names that it binds.

use std::collections::HashSet;
use std::path::Path;

use tree_sitter::Node;
use zeroerr_core::code::{Signature, Task, TextRange};

pub(super) use super::forms::Form;
use super::forms::{DEFAULT, default_name, function_in};
use super::imports;
use super::jsdoc;
use super::signature;
use super::tree::{
    Dialect, Visit, around, children, end_of, has_word, is_comment, parse, parts, starts_line, text, walk,
};

/// A function of the file.
#[derive(Debug, Clone)]
pub(super) struct Function<'t> {
    /// The node with the parameters and, if there is one, the body.
    pub node: Node<'t>,
    /// The node that gives it its name and its type: the same, a declarator, a field.
    pub named: Node<'t>,
    /// The name itself, where one is written.
    pub name_node: Option<Node<'t>>,
    /// The name that the file gives to what it exports without one.
    pub given: Option<String>,
    /// The whole statement, `export` included; a method without its decorators.
    pub outer: Node<'t>,
    /// Comments and decorators directly above it, in file order.
    pub above: Vec<Node<'t>>,
    /// The class that it is a method of, or the object that it is a member of: `api`, `module.exports`.
    pub class: Option<String>,
    /// How it is written down.
    pub form: Form,
    /// Whether it (or its class, or its object) stands in the module itself.
    pub top_level: bool,
}

/// What is known of a function's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    /// The block with its braces, the expression of an arrow, or what stands in a body's place.
    pub range: TextRange,
    /// Whether it is a placeholder.
    pub is_stub: bool,
}

/// What one pass over a file finds.
#[derive(Default)]
pub(super) struct FileIndex<'t> {
    /// Every function, in file order.
    pub functions: Vec<Function<'t>>,
    /// Every comment, in file order.
    pub comments: Vec<Node<'t>>,
    /// Names of functions, classes, types, variables and imports, wherever in the file they are.
    pub names: HashSet<String>,
}

impl<'t> FileIndex<'t> {
    /// Reads the tree of a file, whose own name is that of what it exports without one.
    pub fn of_file(root: Node<'t>, source: &str, file: &Path) -> Self {
        let mut index = Self::new(root, source);
        // A name that the file gives to something else would be taken for that.
        let name = default_name(file).filter(|name| !index.names.contains(name));
        for function in index.functions.iter_mut().filter(|f| f.form == Form::Default && f.name_node.is_none()) {
            function.given.clone_from(&name);
        }
        index
    }

    /// Reads a tree.
    pub fn new(root: Node<'t>, source: &str) -> Self {
        let mut index = Self::default();
        walk(root, |node, visit| {
            if visit == Visit::Leave {
                return false;
            }
            if is_comment(node) {
                index.comments.push(node);
                return false;
            }
            index.bind(node, source);
            if matches!(node.kind(), "program" | "statement_block" | "class_body" | "object" | "ERROR") {
                index.functions_in(node, source);
            }
            // What is declared only is written elsewhere.
            !matches!(node.kind(), "ambient_declaration" | "interface_body" | "object_type")
        });
        index.functions.sort_by_key(|f| f.node.start_byte());
        index
    }

    /// The function that a task is about: the one of its name whose place is nearest.
    pub fn function_of(&self, task: &Task) -> Option<&Function<'t>> {
        let source: &str = &task.source;
        let same = |f: &&Function<'t>| f.name(source) == task.signature.name && f.class == task.class;
        self.functions.iter().filter(same).min_by_key(|f| f.body(source).range.start.abs_diff(task.body_range.start))
    }

    /// Whether nothing else of the file has the name of a function, so that the bare name means it.
    pub fn is_bare(&self, function: &Function<'_>, source: &str) -> bool {
        match function.form {
            Form::Declaration | Form::Variable | Form::Default => true,
            Form::Assigned | Form::Member => !self.names.contains(function.name(source)),
            Form::Method | Form::Field | Form::Prototype => false,
        }
    }

    /// The functions among the children of a list of statements, with what stands above each.
    fn functions_in(&mut self, list: Node<'t>, source: &str) {
        let mut above: Vec<Node<'t>> = Vec::new();
        // A signature alone: a stub, unless the function itself follows.
        let mut unfinished: Option<Function<'t>> = None;
        for node in children(list) {
            if is_comment(node) || node.kind() == "decorator" {
                if !above.last().is_none_or(|last| touches(*last, node, source)) {
                    above.clear();
                }
                above.push(node);
                continue;
            }
            if !node.is_named() {
                continue;
            }
            let lead = std::mem::take(&mut above);
            let Some(mut function) = function_in(node, list, source) else {
                self.functions.extend(unfinished.take());
                continue;
            };
            if lead.last().is_none_or(|last| touches(*last, node, source)) {
                function.above = lead;
            }
            match unfinished.take() {
                Some(overload) if overload.name(source) == function.name(source) => {
                    if function.above.is_empty() {
                        function.above = overload.above;
                    }
                }
                waiting => self.functions.extend(waiting),
            }
            if function.has_body() {
                self.functions.push(function);
            } else {
                unfinished = Some(function);
            }
        }
        self.functions.extend(unfinished);
    }

    fn bind(&mut self, node: Node<'_>, source: &str) {
        match node.kind() {
            "import_statement" => {
                self.names.extend(imports::parse_statement(node, source).into_iter().map(|i| i.local));
            }
            "function_declaration"
            | "generator_function_declaration"
            | "function_signature"
            | "class_declaration"
            | "abstract_class_declaration"
            | "interface_declaration"
            | "type_alias_declaration"
            | "enum_declaration"
            | "internal_module" => {
                self.names.extend(node.child_by_field_name("name").map(|n| text(n, source).to_owned()));
            }
            "variable_declarator" => {
                let target = node.child_by_field_name("name");
                self.names.extend(target.into_iter().flat_map(|n| bound_by_pattern(n, source)));
            }
            _ => {}
        }
    }
}

/// The names that a pattern binds: `a` and `c` of `{ a, b: c = d }`.
pub(super) fn bound_by_pattern(pattern: Node<'_>, source: &str) -> Vec<String> {
    let mut out = Vec::new();
    walk(pattern, |node, visit| {
        if visit == Visit::Leave {
            return false;
        }
        let is_name = matches!(node.kind(), "identifier" | "shorthand_property_identifier_pattern");
        let is_default = node.parent().is_some_and(|p| {
            matches!(p.kind(), "assignment_pattern" | "object_assignment_pattern")
                && p.child_by_field_name("right") == Some(node)
        });
        if is_name && !is_default {
            out.push(text(node, source).to_owned());
        }
        !is_default && !matches!(node.kind(), "type_annotation" | "computed_property_name")
    });
    out
}

/// Whether nothing but the line break stands between two neighbours: no empty line.
fn touches(first: Node<'_>, second: Node<'_>, source: &str) -> bool {
    second.start_position().row <= first.end_position().row + 1 || !starts_line(source, second.start_byte())
}

impl<'t> Function<'t> {
    /// Its name; empty while it is being typed.
    pub fn name<'s>(&'s self, source: &'s str) -> &'s str {
        match self.name_node {
            Some(node) => text(node, source),
            None => self.given.as_deref().unwrap_or(""),
        }
    }

    /// The object that holds it under its name, as an expression of the file.
    fn holder(&self, source: &str) -> Option<String> {
        match self.form {
            Form::Member => self.class.clone(),
            Form::Assigned => self.named.child_by_field_name("object").map(|n| text(n, source).to_owned()),
            _ => None,
        }
    }

    /// What of it is code of its own: not where it is put.
    pub fn code(&self) -> Node<'t> {
        if matches!(self.form, Form::Assigned | Form::Prototype | Form::Default) { self.node } else { self.outer }
    }

    /// Its signature; types that the text leaves out are those of its JSDoc.
    pub fn signature(&self, source: &str) -> Signature {
        let mut signature = signature::signature(self, source);
        jsdoc::add_types(&mut signature, &self.above, source);
        signature
    }

    fn has_body(&self) -> bool {
        self.node.child_by_field_name("body").is_some()
    }

    /// Place of the body, and whether there is one.
    pub fn body(&self, source: &str) -> Body {
        match self.node.child_by_field_name("body") {
            Some(body) => Body {
                range: TextRange::new(body.start_byte(), end_of(body)),
                is_stub: body.kind() == "statement_block" && is_placeholder(body, source),
            },
            None => {
                let start = signature::header_end(self, source);
                Body { range: TextRange::new(start, self.end(source).max(start)), is_stub: true }
            }
        }
    }

    /// One past its last byte; the semicolon of a method's signature stands beside it.
    fn end(&self, source: &str) -> usize {
        let end = end_of(self.outer);
        let semicolon = !self.has_body() && source.get(end..).is_some_and(|rest| rest.starts_with(';'));
        end + usize::from(semicolon)
    }

    /// The whole statement, from `export` to its semicolon.
    pub fn range(&self, source: &str) -> TextRange {
        TextRange::new(self.outer.start_byte(), self.end(source))
    }

    /// Whether it is an arrow, which has neither `this` nor `arguments` of its own.
    pub fn is_arrow(&self) -> bool {
        self.node.kind() == "arrow_function"
    }

    /// Whether it yields.
    pub fn is_generator(&self) -> bool {
        has_word(self.node, "*")
    }
}

/// Whether a block does nothing yet: it is empty, or throws that it is not written.
fn is_placeholder(block: Node<'_>, source: &str) -> bool {
    // `void xs;` keeps a linter quiet about a parameter.
    let silences = |n: &Node<'_>| text(*n, source).starts_with("void ");
    let statements: Vec<Node<'_>> = parts(block).into_iter().filter(|n| n.kind() != "empty_statement").collect();
    match statements.split_last() {
        None => true,
        Some((last, before)) => is_unfinished(*last, source) && before.iter().all(silences),
    }
}

/// `throw new Error("not implemented")`.
fn is_unfinished(statement: Node<'_>, source: &str) -> bool {
    const SAID: &[&str] =
        &["not implemented", "not yet implemented", "notimplemented", "unimplemented", "todo", "stub"];
    let said = text(statement, source).to_lowercase();
    statement.kind() == "throw_statement" && SAID.iter().any(|words| said.contains(words))
}

/// Where a function stands, for whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// How it is written down.
    pub form: Form,
    /// Whether it (or its class) stands in the module itself.
    pub top_level: bool,
    /// The name under which it (or its class) is exported; `default` for the default export.
    pub exported: Option<String>,
    /// `static` method.
    pub is_static: bool,
    /// The object that holds it: `api`, `exports`.
    pub holder: Option<String>,
    /// Whether a spec may call it by its bare name.
    pub is_bare: bool,
    /// `get` or `set`, where it is one.
    pub accessor: Option<&'static str>,
    /// `#name`.
    pub is_private: bool,
    /// `function*`.
    pub is_generator: bool,
    /// `async`.
    pub is_async: bool,
}

/// Where the function of a task stands; `None` when the text no longer has it.
pub(super) fn place_of(task: &Task) -> Option<Place> {
    let source: &str = &task.source;
    let tree = parse(source, Dialect::of(&task.file))?;
    let index = FileIndex::of_file(tree.root_node(), source, &task.file);
    let function = index.function_of(task)?;
    let declared = match function.form {
        Form::Method | Form::Field => around(function.node, |n| n.kind() == "class_body")?.parent()?,
        _ => function.named,
    };
    let exported = around(declared, |n| n.kind() == "export_statement").filter(|_| function.top_level);
    let name = declared.child_by_field_name("name").map(|n| text(n, source).to_owned());
    let exported = match exported {
        Some(statement) if has_word(statement, "default") => Some(DEFAULT.to_owned()),
        // `export = function f() {}` exports no `f`.
        Some(_) if function.form == Form::Default => None,
        Some(_) => name,
        None => name.and_then(|n| exported_later(tree.root_node(), source, &n)).filter(|_| function.top_level),
    };
    Some(Place {
        form: function.form,
        top_level: function.top_level,
        exported,
        is_static: has_word(function.named, "static"),
        holder: function.holder(source),
        is_bare: index.is_bare(function, source),
        accessor: ["get", "set"].into_iter().find(|word| has_word(function.node, word)),
        is_private: function.name(source).starts_with('#'),
        is_generator: function.is_generator(),
        is_async: has_word(function.node, "async"),
    })
}

/// The name under which `export { f as g }` exports a name.
fn exported_later(root: Node<'_>, source: &str, name: &str) -> Option<String> {
    let exports = children(root).into_iter().filter(|n| n.kind() == "export_statement");
    for statement in exports.filter(|n| n.child_by_field_name("source").is_none()) {
        if has_word(statement, "default") && parts(statement).iter().any(|n| text(*n, source) == name) {
            return Some(DEFAULT.to_owned());
        }
        for specifier in parts(statement).into_iter().filter(|n| n.kind() == "export_clause").flat_map(parts) {
            let own = specifier.child_by_field_name("name").map(|n| text(n, source));
            if own == Some(name) {
                let alias = specifier.child_by_field_name("alias").map_or(name, |n| text(n, source));
                return Some(alias.to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
#[path = "functions_tests.rs"]
mod tests;
