//! One pass over a file: its functions, its comments, and which names are bound where.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;
use zeroerr_core::code::{Signature, TextRange};

use super::docstring::{Docstring, docstring};
use super::signature::{header_end, signature};
use super::tree::{Visit, children, line_end, starts_line, text, walk, without_cr};

/// A function of the file.
pub(super) struct Function<'t> {
    /// The `function_definition`.
    pub node: Node<'t>,
    /// The definition with its decorators.
    pub outer: Node<'t>,
    /// The class it is a method of.
    pub class: Option<String>,
    /// The scope that its body opens.
    scope: usize,
}

/// What is known of a function's body.
pub(super) struct Body<'t> {
    /// The docstring, if there is one.
    pub docstring: Option<Docstring<'t>>,
    /// What an edit replaces; empty where a body must go when there is none.
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
    /// Whether `from x import *` makes the set of names unknowable.
    pub star_import: bool,
    scopes: Vec<Scope>,
}

#[derive(Default)]
struct Scope {
    parent: usize,
    names: HashSet<String>,
}

impl<'t> FileIndex<'t> {
    /// Reads a tree.
    pub fn new(root: Node<'t>, source: &str) -> Self {
        let mut index = Self { scopes: vec![Scope::default()], ..Self::default() };
        // Enclosing definitions: node, scope, and the class's name if it is one.
        let mut open: Vec<(Node<'t>, usize, Option<String>)> = Vec::new();
        let mut decorated: HashMap<usize, Node<'t>> = HashMap::new();
        walk(root, |node, visit| {
            let scope = open.last().map_or(0, |(_, scope, _)| *scope);
            if visit == Visit::Leave {
                if open.last().is_some_and(|(top, _, _)| *top == node) {
                    open.pop();
                }
                return false;
            }
            match node.kind() {
                "comment" => index.comments.push(node),
                "decorated_definition" => {
                    let inner = node.child_by_field_name("definition");
                    decorated.extend(inner.map(|inner| (inner.id(), node)));
                }
                "function_definition" | "class_definition" => {
                    let name = node.child_by_field_name("name").map_or("", |n| text(n, source));
                    index.bind(scope, name);
                    let inner = index.open_scope(scope);
                    let is_class = node.kind() == "class_definition";
                    if !is_class {
                        let class = open.last().and_then(|(_, _, class)| class.clone());
                        let outer = decorated.get(&node.id()).copied().unwrap_or(node);
                        index.functions.push(Function { node, outer, class, scope: inner });
                    }
                    open.push((node, inner, is_class.then(|| name.to_owned())));
                }
                kind => index.bind_statement(kind, node, source, scope),
            }
            true
        });
        index
    }

    /// Whether the scopes around a function bind a name. Its own variables are not in scope of its spec.
    pub fn sees(&self, function: &Function<'_>, name: &str) -> bool {
        self.scopes_around(function).any(|scope| scope.names.contains(name))
    }

    /// The names that the scopes around a function bind.
    pub fn names_seen<'i>(&'i self, function: &Function<'_>) -> impl Iterator<Item = &'i str> {
        self.scopes_around(function).flat_map(|scope| scope.names.iter().map(String::as_str))
    }

    fn scopes_around<'i>(&'i self, function: &Function<'_>) -> impl Iterator<Item = &'i Scope> {
        let parent = |at: usize| (at != 0).then(|| self.scopes.get(at).map_or(0, |scope| scope.parent));
        std::iter::successors(parent(function.scope), move |at| parent(*at)).filter_map(|at| self.scopes.get(at))
    }

    /// The names that the module itself binds.
    pub fn names_at_top_level(&self) -> impl Iterator<Item = &str> {
        self.scopes.first().into_iter().flat_map(|module| module.names.iter().map(String::as_str))
    }

    /// Whether the module itself binds a name.
    pub fn binds_at_top_level(&self, name: &str) -> bool {
        self.scopes.first().is_some_and(|module| module.names.contains(name))
    }

    fn open_scope(&mut self, parent: usize) -> usize {
        self.scopes.push(Scope { parent, names: HashSet::new() });
        self.scopes.len() - 1
    }

    fn bind(&mut self, scope: usize, name: &str) {
        if let Some(scope) = self.scopes.get_mut(scope).filter(|_| !name.is_empty()) {
            scope.names.insert(name.to_owned());
        }
    }

    fn bind_statement(&mut self, kind: &str, node: Node<'t>, source: &str, scope: usize) {
        match kind {
            "assignment" | "augmented_assignment" | "for_statement" | "type_alias_statement" => {
                let target = node.child_by_field_name("left");
                target.into_iter().for_each(|n| self.bind_target(n, source, scope));
            }
            "named_expression" => {
                let name = node.child_by_field_name("name").map_or("", |n| text(n, source));
                self.bind(scope, name);
            }
            // The parameters of a function stand in its own, innermost scope.
            "parameters" | "as_pattern_target" => self.bind_target(node, source, scope),
            "import_statement" | "import_from_statement" => {
                for item in super::imports::parse_statement(node, source) {
                    if item.is_star() {
                        self.star_import = true;
                    } else {
                        self.bind(scope, item.binds());
                    }
                }
            }
            _ => {}
        }
    }

    fn bind_target(&mut self, target: Node<'_>, source: &str, scope: usize) {
        let mut names = Vec::new();
        walk(target, |node, visit| {
            if visit == Visit::Enter && node.kind() == "identifier" {
                names.push(text(node, source).to_owned());
            }
            // `a.b = 1` and `a[i] = 1` bind nothing; annotations and defaults are values.
            !matches!(node.kind(), "attribute" | "subscript" | "type" | "call")
        });
        names.iter().for_each(|name| self.bind(scope, name));
    }
}

impl<'t> Function<'t> {
    /// Its name; empty while it is being typed.
    pub fn name<'s>(&self, source: &'s str) -> &'s str {
        self.node.child_by_field_name("name").map_or("", |n| text(n, source))
    }

    /// Its signature, without a method's receiver.
    pub fn signature(&self, source: &str) -> Signature {
        let is_static = children(self.outer)
            .iter()
            .filter(|n| n.kind() == "decorator")
            .any(|n| text(*n, source).trim_start_matches('@').trim() == "staticmethod");
        signature(self.node, source, self.class.is_some() && !is_static)
    }

    /// Docstring, place of the body, and whether there is one.
    pub fn body(&self, source: &str) -> Body<'t> {
        body_of(self.node, source)
    }

    /// The function with decorators, header and body.
    pub fn range(&self, source: &str, body: &Body<'_>) -> TextRange {
        let end = without_cr(source, self.outer.end_byte()).max(body.range.end);
        TextRange::new(self.outer.start_byte(), end)
    }
}

/// Docstring and place of the body of a `function_definition`, and whether it is a placeholder.
pub(super) fn body_of<'t>(function: Node<'t>, source: &str) -> Body<'t> {
    let block = function.child_by_field_name("body");
    let inside = block.map(children).unwrap_or_default();
    let statements: Vec<Node<'t>> = inside.iter().copied().filter(|n| n.is_named() && n.kind() != "comment").collect();
    let docstring = statements.first().and_then(|first| docstring(*first));
    let rest = statements.get(usize::from(docstring.is_some())..).unwrap_or(&[]);
    let after = docstring.as_ref().map_or(header_end(function, source), |d| d.node.end_byte());
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else {
        // Nothing there: a body goes below the line of the docstring or the header.
        let at = line_end(source, after);
        return Body { docstring, range: TextRange::new(at, at), is_stub: true };
    };
    let on_own_line = starts_line(source, first.start_byte());
    let comments = || children(function).into_iter().chain(inside.iter().copied()).filter(|n| n.kind() == "comment");
    let leading = comments().find(|c| {
        c.start_byte() >= after
            && c.end_byte() <= first.start_byte()
            && starts_line(source, c.start_byte())
            && c.start_position().column == first.start_position().column
    });
    let start = leading.filter(|_| on_own_line).map_or(first.start_byte(), |c| c.start_byte());
    // Comments of the old body go with it, those of a one-line header stay.
    let trailing = comments().rfind(|c| on_own_line && c.start_byte() >= last.end_byte());
    let end = trailing.map_or(last.end_byte(), |c| without_cr(source, c.end_byte()));
    let is_stub = rest.iter().all(|n| is_placeholder(*n, source));
    Body { docstring, range: TextRange::new(start, end), is_stub }
}

/// `...`, `pass`, `raise NotImplementedError`, or a bare string.
pub(super) fn is_placeholder(statement: Node<'_>, source: &str) -> bool {
    match statement.kind() {
        "pass_statement" => true,
        "expression_statement" => {
            statement.child_count() == 1
                && statement.child(0).is_some_and(|n| matches!(n.kind(), "ellipsis" | "string"))
        }
        "raise_statement" => {
            let raised = text(statement, source).trim_start_matches("raise").trim_start();
            let name = raised.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
            name == Some("NotImplementedError")
        }
        _ => false,
    }
}
