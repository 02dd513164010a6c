//! What a Rust file names and how long its functions are, read with tree-sitter: strings and
//! comments are never taken for code.

use tree_sitter::{Node, Parser};

/// A path such as `std::fs::read`, with `use a::{b, c}` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub path: String,
    pub line: usize,
    /// Inside `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Facts {
    pub paths: Vec<Named>,
    pub functions: Vec<Function>,
    /// Names of macros that are called.
    pub macros: Vec<Named>,
    /// Texts of attributes, without `#[…]`.
    pub attributes: Vec<Named>,
}

/// Reads a file. `is_test` marks all of it as test code.
pub fn read(text: &str, is_test: bool) -> Facts {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_rust::LANGUAGE.into()).expect("the grammar fits the library");
    let tree = parser.parse(text, None).expect("a parse without a time limit ends");
    let mut facts = Facts::default();
    Reader { text, facts: &mut facts }.walk(tree.root_node(), is_test);
    facts
}

struct Reader<'a> {
    text: &'a str,
    facts: &'a mut Facts,
}

impl Reader<'_> {
    fn text(&self, node: Node<'_>) -> String {
        self.text[node.byte_range()].split_whitespace().collect()
    }

    fn walk(&mut self, node: Node<'_>, in_test: bool) {
        let named = |path: String| Named { path, line: node.start_position().row + 1, in_test };
        match node.kind() {
            "use_declaration" => {
                if let Some(argument) = node.child_by_field_name("argument") {
                    self.use_tree(argument, "", in_test);
                }
                return;
            }
            "scoped_identifier" | "scoped_type_identifier" => {
                let path = named(self.text(node));
                self.facts.paths.push(path);
                return;
            }
            "macro_invocation" => {
                if let Some(name) = node.child_by_field_name("macro") {
                    let name = named(self.text(name));
                    self.facts.macros.push(name);
                }
            }
            "attribute_item" | "inner_attribute_item" => {
                let whole = self.text(node);
                let inner =
                    whole.trim_start_matches('#').trim_start_matches('!').trim_start_matches('[').trim_end_matches(']');
                self.facts.attributes.push(named(inner.to_owned()));
            }
            "function_item" => {
                let name = node.child_by_field_name("name").map(|n| self.text(n)).unwrap_or_default();
                let lines = node.end_position().row - node.start_position().row + 1;
                self.facts.functions.push(Function { name, line: node.start_position().row + 1, lines });
            }
            _ => {}
        }
        let mut test_next = false;
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            let is_attribute = child.kind() == "attribute_item";
            if is_attribute {
                let text = self.text(child);
                test_next |= ["#[test]", "#[cfg(test)]", "#[tokio::test"].iter().any(|t| text.starts_with(t));
            }
            self.walk(child, in_test || test_next);
            if !is_attribute && !child.kind().contains("comment") {
                test_next = false;
            }
        }
    }

    /// Takes `a::{b, c::d as e}` apart.
    fn use_tree(&mut self, node: Node<'_>, prefix: &str, in_test: bool) {
        let join = |tail: &str| if prefix.is_empty() { tail.to_owned() } else { format!("{prefix}::{tail}") };
        match node.kind() {
            "scoped_use_list" => {
                let outer =
                    node.child_by_field_name("path").map(|p| join(&self.text(p))).unwrap_or_else(|| prefix.to_owned());
                if let Some(list) = node.child_by_field_name("list") {
                    self.use_tree(list, &outer, in_test);
                }
            }
            "use_list" => {
                let mut cursor = node.walk();
                for child in node.named_children(&mut cursor) {
                    self.use_tree(child, prefix, in_test);
                }
            }
            "use_as_clause" => {
                if let Some(path) = node.child_by_field_name("path") {
                    self.use_tree(path, prefix, in_test);
                }
            }
            _ => {
                let path = join(&self.text(node));
                self.facts.paths.push(Named { path, line: node.start_position().row + 1, in_test });
            }
        }
    }
}

#[test]
fn names_are_read_and_texts_are_not() {
    let text = "//! std::net\nuse std::{fs, io::{self, Read as R}};\nfn f() { let s = \"std::process\"; a::b::<C>(1); todo!() }\n#[cfg(test)]\nmod tests { fn g() { x::y() } }\n";
    let facts = read(text, false);
    let paths: Vec<(&str, bool)> = facts.paths.iter().map(|p| (p.path.as_str(), p.in_test)).collect();
    for expected in
        [("std::fs", false), ("std::io::self", false), ("std::io::Read", false), ("a::b", false), ("x::y", true)]
    {
        assert!(paths.contains(&expected), "{expected:?} is not in {paths:?}");
    }
    assert!(!paths.iter().any(|(p, _)| p.contains("net") || p.contains("process")), "{paths:?}");
    assert_eq!(facts.macros.iter().map(|m| m.path.as_str()).collect::<Vec<_>>(), ["todo"]);
    assert_eq!(facts.functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["f", "g"]);
}
