//! The names that a module binds at its top level: what a spec may speak of.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{NameKind, ScopeName};

use super::functions::bound_by_pattern;
use super::imports::{What, Writing, imports_of};
use super::specs::READER;
use super::tree::{children, parse_any, parts, text};
use crate::languages::pieces;

/// Every name once, in file order. Total: what cannot be parsed binds nothing.
pub(super) fn names(source: &str) -> Vec<ScopeName> {
    pieces::names(&READER, source)
}

/// Those of one piece of a file.
pub(super) fn of_piece(source: &str) -> Vec<ScopeName> {
    let Some(tree) = parse_any(source) else { return Vec::new() };
    let mut known = HashSet::new();
    let bound = children(tree.root_node()).into_iter().flat_map(|statement| bound_by(statement, source));
    bound.filter(|name| !name.name.is_empty() && known.insert(name.name.clone())).collect()
}

fn bound_by(statement: Node<'_>, source: &str) -> Vec<ScopeName> {
    let field = |node: Node<'_>, name: &str| node.child_by_field_name(name).map(|n| text(n, source).to_owned());
    let imports = imports_of(statement, source);
    if !imports.is_empty() {
        let kind = |what: &What| if *what == What::Namespace { NameKind::Module } else { NameKind::Variable };
        return imports.iter().map(|i| named(&i.local, kind(&i.what), i.statement(Writing::PLAIN))).collect();
    }
    match statement.kind() {
        "export_statement" => {
            statement.child_by_field_name("declaration").map(|d| bound_by(d, source)).unwrap_or_default()
        }
        "function_declaration" | "generator_function_declaration" | "function_signature" => {
            vec![named(&field(statement, "name").unwrap_or_default(), NameKind::Function, signature(statement, source))]
        }
        "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "type_alias_declaration"
        | "enum_declaration" => {
            let kind = statement.kind().trim_end_matches("_declaration").trim_end_matches("_alias");
            let word = kind.trim_start_matches("abstract_");
            let name = field(statement, "name").unwrap_or_default();
            vec![named(&name, NameKind::Class, format!("{word} {name}"))]
        }
        "lexical_declaration" | "variable_declaration" => {
            parts(statement).into_iter().flat_map(|declarator| of_declarator(declarator, source)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_declarator(declarator: Node<'_>, source: &str) -> Vec<ScopeName> {
    let value = declarator.child_by_field_name("value");
    let function = value.filter(|v| matches!(v.kind(), "arrow_function" | "function_expression"));
    let targets = declarator.child_by_field_name("name").map(|n| bound_by_pattern(n, source)).unwrap_or_default();
    let one = |name: String| match function {
        Some(function) => named(&name, NameKind::Function, signature(function, source)),
        None => named(&name, NameKind::Variable, "variable of this file".to_owned()),
    };
    targets.into_iter().map(one).collect()
}

fn signature(function: Node<'_>, source: &str) -> String {
    let field = |name| function.child_by_field_name(name).map_or("", |n| text(n, source));
    format!("function{}{}", field("parameters"), field("return_type"))
}

fn named(name: &str, kind: NameKind, detail: String) -> ScopeName {
    ScopeName { name: name.to_owned(), kind, detail }
}

#[cfg(test)]
mod tests {
    use super::names;
    use expect_test::expect;

    #[test]
    fn the_top_level_is_told_with_what_each_name_is() {
        let source = "import * as p from 'path';\nimport { sqrt } from 'm';\nconst { x, y: z } = w, LIMIT = 3;\n\
            export const g = (n: number): string => '';\nexport default function f(x: number): string { const inner = 1 }\n\
            export abstract class E extends Error {}\ntype T = number;\nenum Color { Red }\nfunction f() {}\nfunction broken(\n";
        let all: String = names(source).iter().map(|n| format!("{:?} {}: {}\n", n.kind, n.name, n.detail)).collect();
        expect![[r#"
            Module p: import * as p from "path";
            Variable sqrt: import { sqrt } from "m";
            Variable x: variable of this file
            Variable z: variable of this file
            Variable LIMIT: variable of this file
            Function g: function(n: number): string
            Function f: function(x: number): string
            Class E: class E
            Class T: type T
            Class Color: enum Color
        "#]]
        .assert_eq(&all);
    }
}
