//! The names that a module binds at its top level: what a spec may speak of.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{NameKind, ScopeName};

use super::imports::parse_statement;
use super::specs::READER;
use super::tree::{children, parse_typed, text};
use crate::languages::pieces;

/// Every name once, in file order. Total: what cannot be parsed binds nothing.
pub(super) fn names(source: &str) -> Vec<ScopeName> {
    pieces::names(&READER, source)
}

/// Those of one piece of a file.
pub(super) fn of_piece(source: &str) -> Vec<ScopeName> {
    let Some(tree) = parse_typed(source) else { return Vec::new() };
    let mut known = HashSet::new();
    let bound = children(tree.root_node()).into_iter().flat_map(|statement| bound_by(statement, source));
    bound.filter(|name| !name.name.is_empty() && known.insert(name.name.clone())).collect()
}

fn bound_by(statement: Node<'_>, source: &str) -> Vec<ScopeName> {
    let field = |node: Node<'_>, name: &str| node.child_by_field_name(name).map(|n| text(n, source).to_owned());
    match statement.kind() {
        "decorated_definition" => {
            statement.child_by_field_name("definition").map(|d| bound_by(d, source)).unwrap_or_default()
        }
        "function_definition" => {
            let returns = field(statement, "return_type").map(|t| format!(" -> {t}")).unwrap_or_default();
            let detail = format!("def{}{returns}", field(statement, "parameters").unwrap_or_default());
            vec![named(field(statement, "name"), NameKind::Function, detail)]
        }
        "class_definition" => {
            let bases = field(statement, "superclasses").unwrap_or_default();
            vec![named(field(statement, "name"), NameKind::Class, format!("class{bases}"))]
        }
        "import_statement" | "import_from_statement" => {
            let items = parse_statement(statement, source).into_iter().filter(|i| !i.is_star());
            let kind = if statement.kind() == "import_statement" { NameKind::Module } else { NameKind::Variable };
            items.map(|i| named(Some(i.binds().to_owned()), kind, i.statement())).collect()
        }
        "expression_statement" => children(statement)
            .into_iter()
            .filter(|n| n.kind() == "assignment")
            .filter_map(|n| n.child_by_field_name("left"))
            .filter(|n| n.kind() == "identifier")
            .map(|n| named(Some(text(n, source).to_owned()), NameKind::Variable, "variable of this file".into()))
            .collect(),
        _ => Vec::new(),
    }
}

fn named(name: Option<String>, kind: NameKind, detail: String) -> ScopeName {
    ScopeName { name: name.unwrap_or_default(), kind, detail }
}

#[cfg(test)]
mod tests {
    use super::names;
    use expect_test::expect;

    #[test]
    fn the_top_level_is_told_with_what_each_name_is() {
        let source = "import os.path as p, re\nfrom math import sqrt\nfrom x import *\nLIMIT = 3\na, b = 1, 2\n\
            @cache\ndef f(x: int) -> str:\n    inner = 1\nclass E(ValueError): ...\ndef f(): ...\ndef broken(\n";
        let all: String = names(source).iter().map(|n| format!("{:?} {}: {}\n", n.kind, n.name, n.detail)).collect();
        expect![[r#"
            Module p: import os.path as p
            Module re: import re
            Variable sqrt: from math import sqrt
            Variable LIMIT: variable of this file
            Function f: def(x: int) -> str
            Class E: class(ValueError)
        "#]]
        .assert_eq(&all);
    }
}
