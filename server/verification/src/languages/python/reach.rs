//! Finds what a function reaches for: every reference is resolved through Python's own scopes and
//! the file's imports, then looked up in the [table](super::capabilities).
//!
//! References count, not only calls, so `run = os.system` is seen where it stands. A name that the
//! function binds itself (`open = 0` as a counter) is not the builtin.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;
use zeroerr_core::code::TextRange;

use super::bindings::Bindings;
use super::capabilities;
use crate::layers::security::{Capability, Reach};

/// What one function reaches for, in order, each target once per line.
///
/// `function` is its byte range; a range that holds no function yields nothing.
pub fn of_function(source: &str, function: TextRange) -> Vec<Reach> {
    let Some(tree) = super::tree::parse(source) else { return Vec::new() };
    let root = tree.root_node();
    let module = Module::read(root, source);
    let Some(node) = root.descendant_for_byte_range(function.start, function.end.saturating_sub(1).max(function.start))
    else {
        return Vec::new();
    };
    Walk::over(node, source, &module)
}

/// What the functions of this name reach for, in the class of that name if one is given.
pub fn of_named_function(source: &str, name: &str, class: Option<&str>) -> Vec<Reach> {
    let Some(tree) = super::tree::parse(source) else { return Vec::new() };
    let module = Module::read(tree.root_node(), source);
    let text = |n: Option<Node<'_>>| n.and_then(|n| source.get(n.byte_range()));
    let mut found = Vec::new();
    let mut stack = vec![(tree.root_node(), None)];
    while let Some((node, around)) = stack.pop() {
        let inner = if node.kind() == "class_definition" { text(node.child_by_field_name("name")) } else { around };
        if node.kind() == "function_definition"
            && text(node.child_by_field_name("name")) == Some(name)
            && around == class
        {
            found.extend(Walk::over(node, source, &module));
            continue;
        }
        let mut cursor = node.walk();
        stack.extend(node.named_children(&mut cursor).map(|c| (c, inner)));
    }
    found
}

/// What the file's imports alone reach for: modules and names that are in the table themselves.
pub fn of_imports(source: &str) -> Vec<Reach> {
    let Some(tree) = super::tree::parse(source) else { return Vec::new() };
    let mut found = Vec::new();
    for import in imports_below(tree.root_node(), source) {
        let target = import.full_name();
        if let Some(capability) = capabilities::of_name(&target) {
            found.push(Reach { capability, target, line: import.line });
        }
    }
    found
}

/// One name that an import statement binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The module, with leading dots when relative.
    pub module: String,
    /// The name taken from it; `*` for all; `None` for `import module`.
    pub name: Option<String>,
    /// What it is called here.
    pub local: String,
    /// 1-based line.
    pub line: usize,
}

impl Import {
    fn full_name(&self) -> String {
        match &self.name {
            Some(name) if name != "*" => format!("{}.{name}", self.module),
            _ => self.module.clone(),
        }
    }
}

/// Every import at or below a node.
pub(super) fn imports_below(node: Node<'_>, source: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut stack = vec![node];
    while let Some(node) = stack.pop() {
        match node.kind() {
            "import_statement" | "import_from_statement" => read_import(node, source, &mut found),
            _ => {
                let mut cursor = node.walk();
                stack.extend(node.named_children(&mut cursor));
            }
        }
    }
    found.sort_by_key(|i| i.line);
    found
}

fn read_import(node: Node<'_>, source: &str, found: &mut Vec<Import>) {
    let text = |n: Node<'_>| source.get(n.byte_range()).unwrap_or("").to_string();
    let line = node.start_position().row + 1;
    let from = node.child_by_field_name("module_name").map(text);
    let mut cursor = node.walk();
    for child in node.children_by_field_name("name", &mut cursor) {
        let (name, alias) = match child.kind() {
            "aliased_import" => {
                (child.child_by_field_name("name").map(text), child.child_by_field_name("alias").map(text))
            }
            _ => (Some(text(child)), None),
        };
        let Some(name) = name else { continue };
        found.push(match &from {
            Some(module) => {
                Import { module: module.clone(), local: alias.unwrap_or_else(|| name.clone()), name: Some(name), line }
            }
            // `import a.b` binds `a`; `import a.b as c` binds `a.b`.
            None => match alias {
                Some(alias) => Import { module: name, name: None, local: alias, line },
                None => {
                    let first = name.split('.').next().unwrap_or(&name).to_string();
                    Import { module: name, name: None, local: first, line }
                }
            },
        });
    }
    let mut cursor = node.walk();
    if let Some(module) = from
        && node.named_children(&mut cursor).any(|c| c.kind() == "wildcard_import")
    {
        found.push(Import { module, name: Some("*".into()), local: "*".into(), line });
    }
}

/// What the file binds at its top level.
struct Module {
    /// Local name to dotted name, for imports and plain aliases of imported things.
    bound: HashMap<String, String>,
    /// Local names that are modules.
    modules: HashSet<String>,
    /// Modules taken whole by `import *`.
    stars: Vec<String>,
    /// Names defined by the file itself.
    own: HashSet<String>,
    /// Top-level modules that are imported anywhere in the file.
    imported: HashSet<String>,
}

impl Module {
    fn read(root: Node<'_>, source: &str) -> Self {
        let mut module = Self {
            bound: HashMap::new(),
            modules: HashSet::new(),
            stars: Vec::new(),
            own: HashSet::new(),
            imported: HashSet::new(),
        };
        for import in imports_below(root, source) {
            module.imported.extend(import.module.split('.').next().map(str::to_owned));
            match import.name.as_deref() {
                Some("*") => module.stars.push(import.module),
                Some(_) => {
                    module.bound.insert(import.local.clone(), import.full_name());
                }
                None => {
                    // `import os.path` binds `os`, `import os.path as p` binds the inner module.
                    let whole = import.module.split('.').next() == Some(import.local.as_str());
                    let dotted = if whole { import.local.clone() } else { import.module };
                    module.modules.insert(import.local.clone());
                    module.bound.insert(import.local, dotted);
                }
            }
        }
        let mut bindings = Bindings::default();
        bindings.collect_children(root, source);
        module.own = bindings.names;
        module
    }

    /// The dotted name that a global name stands for.
    fn resolve(&self, name: &str) -> Option<String> {
        if let Some(dotted) = self.bound.get(name) {
            return Some(dotted.clone());
        }
        if self.own.contains(name) {
            return None;
        }
        let starred = self.stars.iter().map(|m| format!("{m}.{name}")).find(|d| capabilities::of_name(d).is_some());
        starred.or_else(|| capabilities::is_builtin(name).then(|| name.to_string()))
    }
}

/// Builtins that reach into an object by a name that is made up.
const REACHES_IN: [&str; 4] = ["setattr", "delattr", "getattr", "vars"];

struct Walk<'a> {
    source: &'a str,
    module: &'a Module,
    scopes: Vec<HashSet<String>>,
    found: Vec<Reach>,
    seen: HashSet<(String, usize)>,
}

impl<'a> Walk<'a> {
    fn over(node: Node<'_>, source: &'a str, module: &'a Module) -> Vec<Reach> {
        let mut walk = Walk { source, module, scopes: Vec::new(), found: Vec::new(), seen: HashSet::new() };
        walk.node(node);
        walk.found
    }

    fn text(&self, node: Node<'_>) -> &str {
        self.source.get(node.byte_range()).unwrap_or("")
    }

    fn report(&mut self, capability: Capability, target: String, node: Node<'_>) {
        let line = node.start_position().row + 1;
        if self.seen.insert((target.clone(), line)) {
            self.found.push(Reach { capability, target, line });
        }
    }

    /// The dotted name of an identifier or attribute chain, resolved through the scopes.
    fn dotted(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "identifier" => {
                let name = self.text(node);
                if self.scopes.iter().any(|s| s.contains(name)) {
                    return None;
                }
                self.module.resolve(name)
            }
            "attribute" => {
                let object = self.dotted(node.child_by_field_name("object")?)?;
                Some(format!("{object}.{}", self.text(node.child_by_field_name("attribute")?)))
            }
            _ => None,
        }
    }

    /// Whether a node is a module, or what a chain of small names takes from one (`os.path`).
    fn is_within_module(&self, node: Node<'_>) -> bool {
        let part = |n: Node<'_>| n.child_by_field_name("attribute").map_or("", |a| self.text(a));
        match node.kind() {
            "attribute" if !part(node).starts_with(char::is_uppercase) => {
                node.child_by_field_name("object").is_some_and(|o| self.is_within_module(o))
            }
            _ => self.is_module(node),
        }
    }

    /// Whether a node is a class that was imported (`json.JSONEncoder`).
    fn is_foreign_class(&self, node: Node<'_>) -> bool {
        let is_imported = |dotted: &str| dotted.contains('.');
        self.dotted(node)
            .is_some_and(|d| is_imported(&d) && d.rsplit('.').next().is_some_and(|n| n.starts_with(char::is_uppercase)))
    }

    fn is_module(&self, node: Node<'_>) -> bool {
        node.kind() == "identifier" && self.module.modules.contains(self.text(node)) && self.dotted(node).is_some()
    }

    /// Whether a module is more than the start of a dotted name: `map(getattr, [os], names)` can take
    /// anything out of it. [`call`](Self::call) speaks of the plain cases.
    fn is_handed_on(&self, node: Node<'_>) -> bool {
        let Some(parent) = node.parent() else { return false };
        let callee = parent.parent().and_then(|p| p.child_by_field_name("function")).map_or("", |f| self.text(f));
        parent.kind() != "attribute" && !(parent.kind() == "argument_list" && REACHES_IN.contains(&callee))
    }

    fn children(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
        for child in children {
            self.node(child);
        }
    }

    fn node(&mut self, node: Node<'_>) {
        match node.kind() {
            "import_statement" | "import_from_statement" => self.import(node),
            "function_definition" | "lambda" => self.function(node),
            "list_comprehension" | "set_comprehension" | "dictionary_comprehension" | "generator_expression" => {
                self.comprehension(node)
            }
            "attribute" => self.attribute(node),
            "identifier" => {
                if let Some(dotted) = self.dotted(node)
                    && let Some(capability) = capabilities::of_name(&dotted)
                {
                    self.report(capability, dotted, node);
                } else if self.is_module(node) && self.is_handed_on(node) {
                    self.report(Capability::Reflection, self.text(node).to_string(), node);
                }
            }
            "keyword_argument" => {
                if let Some(value) = node.child_by_field_name("value") {
                    self.node(value);
                }
            }
            "string" => {
                if let Some(name) = capabilities::in_string(self.text(node)) {
                    self.report(Capability::Reflection, name.to_string(), node);
                }
                self.children(node); // Interpolations of f-strings.
            }
            "call" => self.call(node),
            "assignment" | "augmented_assignment" | "delete_statement" => self.assignment(node),
            _ => self.children(node),
        }
    }

    fn import(&mut self, node: Node<'_>) {
        for import in imports_below(node, self.source) {
            let target = import.full_name();
            if let Some(capability) = capabilities::of_name(&target) {
                self.report(capability, target, node);
            }
        }
    }

    /// Defaults, decorators and annotations belong to the scope around the function.
    fn function(&mut self, node: Node<'_>) {
        let parameters = node.child_by_field_name("parameters");
        let body = node.child_by_field_name("body");
        let mut bindings = Bindings::default();
        if let Some(parameters) = parameters {
            bindings.parameters(parameters, self.source);
            let mut cursor = parameters.walk();
            let values: Vec<Node<'_>> =
                parameters.named_children(&mut cursor).filter_map(|p| p.child_by_field_name("value")).collect();
            for value in values {
                self.node(value);
            }
        }
        let Some(body) = body else { return };
        bindings.collect(body, self.source);
        self.scopes.push(bindings.done());
        self.node(body);
        self.scopes.pop();
    }

    fn comprehension(&mut self, node: Node<'_>) {
        let mut bindings = Bindings::default();
        let mut cursor = node.walk();
        for clause in node.named_children(&mut cursor).filter(|c| c.kind() == "for_in_clause") {
            if let Some(left) = clause.child_by_field_name("left") {
                bindings.targets(left, self.source);
            }
        }
        // The first iterable is evaluated outside: `[f for open in [open]]` takes the builtin.
        let mut cursor = node.walk();
        let first = node
            .named_children(&mut cursor)
            .find(|c| c.kind() == "for_in_clause")
            .and_then(|c| c.child_by_field_name("right"));
        if let Some(first) = first {
            self.node(first);
        }
        self.scopes.push(bindings.done());
        self.children(node);
        self.scopes.pop();
    }

    fn attribute(&mut self, node: Node<'_>) {
        let dotted = self.dotted(node);
        if let Some(dotted) = &dotted
            && let Some(capability) = capabilities::of_name(dotted)
        {
            return self.report(capability, dotted.clone(), node);
        }
        let is_cleared = dotted.is_some_and(|d| capabilities::is_cleared(&d));
        let Some(name) = node.child_by_field_name("attribute") else { return };
        let object = node.child_by_field_name("object");
        let name_text = self.text(name).to_string();
        if let Some(capability) = capabilities::of_attribute(&name_text, &self.module.imported) {
            self.report(capability, name_text, name);
        } else if name_text == "__dict__" && object.is_some_and(|o| self.is_module(o)) {
            self.report(Capability::Reflection, name_text, name);
        }
        if let Some(object) = object.filter(|_| !is_cleared) {
            self.node(object);
        }
    }

    /// `setattr(math, ..)` and `getattr(os, "sys" + "tem")` reach into a module by a made-up name.
    fn call(&mut self, node: Node<'_>) {
        let function = node.child_by_field_name("function");
        let first = node.child_by_field_name("arguments").and_then(|a| a.named_child(0));
        if let (Some(function), Some(first)) = (function, first) {
            let name = self.text(function).to_string();
            let second = node.child_by_field_name("arguments").and_then(|a| a.named_child(1));
            let asked = second.filter(|_| name != "vars").and_then(|s| literal(s, self.source));
            let is_reflective =
                |asked: &str| capabilities::of_attribute(asked, &self.module.imported) == Some(Capability::Reflection);
            let in_pieces = second.is_some_and(|s| s.kind() != "string");
            if REACHES_IN.contains(&name.as_str()) && self.is_within_module(first) {
                let target = format!("{name}:{}", self.text(first));
                self.report(Capability::Reflection, target, node);
            } else if REACHES_IN.contains(&name.as_str())
                && let Some(asked) = asked.filter(|asked| in_pieces || is_reflective(asked))
            {
                self.report(Capability::Reflection, format!("{name}:{asked}"), node);
            }
        }
        self.children(node);
    }

    /// `math.sqrt = ..` changes a module for everybody.
    fn assignment(&mut self, node: Node<'_>) {
        let left = node.child_by_field_name("left").or_else(|| node.named_child(0));
        if let Some(left) = left {
            self.target(left);
        }
        self.children(node);
    }

    fn target(&mut self, left: Node<'_>) {
        if left.kind() != "attribute" {
            let mut cursor = left.walk();
            let parts: Vec<Node<'_>> =
                left.named_children(&mut cursor).filter(|_| left.kind() != "subscript").collect();
            return parts.into_iter().for_each(|part| self.target(part));
        }
        if let Some(object) = left.child_by_field_name("object")
            && (self.is_within_module(object) || self.is_foreign_class(object))
        {
            let target = self.text(left).to_string();
            self.report(Capability::Reflection, target, left);
        }
    }
}

/// The text of a literal, also of one in pieces (`"f_" + "back"`).
fn literal(node: Node<'_>, source: &str) -> Option<String> {
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
    match node.kind() {
        "string" if children.iter().all(|c| c.kind() != "interpolation") => {
            let parts = children.iter().filter(|c| c.kind() == "string_content");
            Some(parts.map(|c| source.get(c.byte_range()).unwrap_or("")).collect())
        }
        "binary_operator" | "concatenated_string" | "parenthesized_expression" => {
            children.into_iter().map(|c| literal(c, source)).collect()
        }
        _ => None,
    }
}
