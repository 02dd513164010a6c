//! One pass over a file: its functions, what stands above them, and the names that it binds.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{Signature, Task, TextRange};

use super::imports;
use super::signature::{header_end, signature};
use super::tree::{Visit, children, is_comment, parts, starts_line, text, walk, without_cr};

/// A function of the file.
pub(super) struct Function<'t> {
    /// The `function_item`, or a `function_signature_item` that still lacks its body.
    pub node: Node<'t>,
    /// Comments and attributes directly above it, in file order.
    pub above: Vec<Node<'t>>,
    /// The type that its `impl` block is for, or the trait that it is a default method of.
    pub class: Option<String>,
    /// The innermost `mod` (or the file) that holds it.
    pub scope: Node<'t>,
}

/// What is known of a function's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    /// The block with its braces, or the semicolon in its place.
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
    /// Whether `use x::*` makes the set of names unknowable.
    pub star_import: bool,
    /// Names of items and imports, wherever in the file they are.
    pub names: HashSet<String>,
}

/// Where the walk stands.
struct Place<'t> {
    node: Node<'t>,
    class: Option<String>,
    scope: Node<'t>,
    /// A trait or an `extern` block: functions without a body are meant so.
    declares: bool,
}

impl<'t> FileIndex<'t> {
    /// Reads a tree.
    pub fn new(root: Node<'t>, source: &str) -> Self {
        let mut index = Self::default();
        let mut open = vec![Place { node: root, class: None, scope: root, declares: false }];
        walk(root, |node, visit| {
            if visit == Visit::Leave {
                if open.len() > 1 && open.last().is_some_and(|p| p.node == node) {
                    open.pop();
                }
                return false;
            }
            if is_comment(node) {
                index.comments.push(node);
                return false;
            }
            let Some(place) = open.last() else { return false };
            index.bind(node, source);
            if matches!(node.kind(), "source_file" | "declaration_list" | "block") {
                index.functions_in(node, place, source);
            }
            let inside =
                |class: Option<String>, scope: Node<'t>, declares: bool| Place { node, class, scope, declares };
            let next = match node.kind() {
                "impl_item" => Some(inside(class_of(node, "type", source), place.scope, false)),
                "trait_item" => Some(inside(class_of(node, "name", source), place.scope, true)),
                "foreign_mod_item" => Some(inside(None, place.scope, true)),
                "mod_item" => Some(inside(None, node, false)),
                "function_item" => Some(inside(None, place.scope, false)),
                _ => None,
            };
            open.extend(next);
            true
        });
        index.functions.sort_by_key(|f| f.node.start_byte());
        index
    }

    /// The function that a task is about: the one of its name whose place is nearest.
    pub fn function_of(&self, task: &Task) -> Option<&Function<'t>> {
        let source: &str = &task.source;
        let same = |f: &&Function<'t>| f.name(source) == task.signature.name && f.class == task.class;
        self.functions.iter().filter(same).min_by_key(|f| f.range(source).start.abs_diff(task.function_range.start))
    }

    /// The functions among the children of a list of items, with what stands above each.
    fn functions_in(&mut self, list: Node<'t>, place: &Place<'t>, source: &str) {
        let mut above: Vec<Node<'t>> = Vec::new();
        for node in children(list) {
            if is_comment(node) || node.kind() == "attribute_item" {
                let follows = above.last().is_none_or(|last| touches(*last, node, source));
                if !follows {
                    above.clear();
                }
                above.push(node);
                continue;
            }
            let lead = std::mem::take(&mut above);
            let is_function =
                node.kind() == "function_item" || (node.kind() == "function_signature_item" && !place.declares);
            if is_function {
                let touching = lead.last().is_none_or(|last| touches(*last, node, source));
                self.functions.push(Function {
                    node,
                    above: if touching { lead } else { Vec::new() },
                    class: place.class.clone(),
                    scope: place.scope,
                });
            }
        }
    }

    fn bind(&mut self, node: Node<'_>, source: &str) {
        match node.kind() {
            "use_declaration" => {
                for item in imports::parse_declaration(node, source) {
                    self.star_import |= item.is_star();
                    self.names.insert(item.binds().to_owned());
                }
            }
            "function_item"
            | "function_signature_item"
            | "struct_item"
            | "enum_item"
            | "union_item"
            | "const_item"
            | "static_item"
            | "mod_item"
            | "type_item"
            | "trait_item"
            | "macro_definition"
            | "enum_variant"
            | "const_parameter" => {
                let name = node.child_by_field_name("name").map_or("", |n| text(n, source));
                self.names.insert(name.to_owned());
            }
            _ => {}
        }
    }
}

/// Whether nothing but the line break stands between two neighbours: no empty line.
fn touches(first: Node<'_>, second: Node<'_>, source: &str) -> bool {
    // A documentation comment swallows its line break; then it ends at the start of the next row.
    let end = first.end_position();
    let end_row =
        if end.column == 0 && is_comment(first) && first.kind() == "line_comment" { end.row } else { end.row + 1 };
    second.start_position().row <= end_row || !starts_line(source, second.start_byte())
}

/// `Stack` of `impl<T> Stack<T>`.
fn class_of(node: Node<'_>, field: &str, source: &str) -> Option<String> {
    let name = node.child_by_field_name(field)?;
    let whole = text(name, source);
    let end = whole.find('<').unwrap_or(whole.len());
    Some(whole.get(..end)?.split_whitespace().collect())
}

impl<'t> Function<'t> {
    /// Its name; empty while it is being typed.
    pub fn name<'s>(&self, source: &'s str) -> &'s str {
        self.node.child_by_field_name("name").map_or("", |n| text(n, source))
    }

    /// The bare name of the type, if the function belongs to the `impl` of a trait for it.
    pub fn implementor<'s>(&self, source: &'s str) -> Option<&'s str> {
        let around = self.node.parent()?.parent().filter(|n| n.kind() == "impl_item")?;
        around.child_by_field_name("trait")?;
        let whole = text(around.child_by_field_name("type")?, source);
        let bare = whole.split('<').next()?.rsplit("::").next()?;
        Some(bare.trim_start_matches('&').trim()).filter(|name| !name.is_empty())
    }

    /// Its signature, without a method's receiver.
    pub fn signature(&self, source: &str) -> Signature {
        signature(self.node, source)
    }

    /// Place of the body, and whether there is one.
    pub fn body(&self, source: &str) -> Body {
        body_of(self.node, source)
    }

    /// Its attributes, in file order.
    pub fn attributes(&self) -> impl Iterator<Item = Node<'t>> {
        self.above.iter().copied().filter(|n| n.kind() == "attribute_item")
    }

    /// The function with attributes, header and body.
    pub fn range(&self, source: &str) -> TextRange {
        let start = self.attributes().next().map_or(self.node.start_byte(), |n| n.start_byte());
        TextRange::new(start, without_cr(source, self.node.end_byte()))
    }
}

/// Place of the body of a function, and whether it is a placeholder.
pub(super) fn body_of(function: Node<'_>, source: &str) -> Body {
    let Some(block) = function.child_by_field_name("body") else {
        let at = header_end(function, source);
        return Body { range: TextRange::new(at, function.end_byte()), is_stub: true };
    };
    Body { range: TextRange::new(block.start_byte(), block.end_byte()), is_stub: is_placeholder(block, source) }
}

/// Whether a block does nothing yet: it is empty, or ends in `todo!()` after nothing but `let _ = x;`.
fn is_placeholder(block: Node<'_>, source: &str) -> bool {
    let statements = parts(block);
    let silences = |n: &Node<'_>| {
        n.kind() == "let_declaration" && n.child_by_field_name("pattern").is_some_and(|p| text(p, source) == "_")
            || n.kind() == "let_declaration"
                && text(*n, source).trim_start_matches("let").trim_start().starts_with("_ ")
    };
    match statements.split_last() {
        None => true,
        Some((last, before)) => unfinished(*last, source) && before.iter().all(silences),
    }
}

/// `todo!()`, `unimplemented!()`, `panic!("not implemented")`.
fn unfinished(statement: Node<'_>, source: &str) -> bool {
    let inner = if statement.kind() == "expression_statement" { statement.child(0) } else { Some(statement) };
    let Some(call) = inner.filter(|n| n.kind() == "macro_invocation") else { return false };
    let name = call.child_by_field_name("macro").map_or("", |n| text(n, source));
    let said = text(call, source).to_lowercase();
    match name {
        "todo" | "unimplemented" => true,
        "panic" => ["not implemented", "not yet implemented", "todo", "stub"].iter().any(|w| said.contains(w)),
        _ => false,
    }
}
