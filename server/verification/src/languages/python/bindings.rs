//! Which names a scope of Python binds.

use std::collections::HashSet;

use tree_sitter::Node;

/// Names that one scope binds, nested scopes left out.
#[derive(Default)]
pub(super) struct Bindings {
    pub names: HashSet<String>,
    global: HashSet<String>,
}

impl Bindings {
    pub fn collect_children(&mut self, node: Node<'_>, source: &str) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.collect(child, source);
        }
    }

    pub fn collect(&mut self, node: Node<'_>, source: &str) {
        let text = |n: Node<'_>| source.get(n.byte_range()).unwrap_or("").to_string();
        match node.kind() {
            "function_definition" | "class_definition" => {
                self.names.extend(node.child_by_field_name("name").map(text));
                return;
            }
            "lambda"
            | "list_comprehension"
            | "set_comprehension"
            | "dictionary_comprehension"
            | "generator_expression" => return,
            "assignment" | "augmented_assignment" | "for_statement" => {
                if let Some(left) = node.child_by_field_name("left") {
                    self.targets(left, source);
                }
            }
            "named_expression" => self.names.extend(node.child_by_field_name("name").map(text)),
            "as_pattern_target" => self.targets(node, source),
            "global_statement" | "nonlocal_statement" => {
                let mut cursor = node.walk();
                self.global.extend(node.named_children(&mut cursor).map(text));
            }
            _ => {}
        }
        self.collect_children(node, source);
    }

    /// Plain names on the left of a binding; attributes and subscripts bind nothing.
    pub fn targets(&mut self, node: Node<'_>, source: &str) {
        match node.kind() {
            "identifier" => {
                self.names.insert(source.get(node.byte_range()).unwrap_or("").to_string());
            }
            "attribute" | "subscript" | "call" => {}
            _ => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    self.targets(child, source);
                }
            }
        }
    }

    pub fn parameters(&mut self, node: Node<'_>, source: &str) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "default_parameter" | "typed_default_parameter" => {
                    if let Some(name) = child.child_by_field_name("name") {
                        self.targets(name, source);
                    }
                }
                "typed_parameter" => {
                    if let Some(name) = child.named_child(0) {
                        self.targets(name, source);
                    }
                }
                _ => self.targets(child, source),
            }
        }
    }

    pub fn done(mut self) -> HashSet<String> {
        self.names.retain(|n| !self.global.contains(n));
        self.names
    }
}
