//! `use` declarations: what they bind, which are missing in a file, and how they are written.

use std::collections::HashSet;

use tree_sitter::Node;

use super::tree::{children, is_comment, nodes, parse, parts, text};

/// One name that a `use` declaration brings in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UseItem {
    /// The whole path, `["std", "collections", "HashMap"]`; the last is `*` for all.
    pub path: Vec<String>,
    /// The name after `as`.
    pub alias: Option<String>,
}

impl UseItem {
    /// The name it binds; `*` for all, `_` for a trait that is not named.
    pub fn binds(&self) -> &str {
        self.alias.as_deref().or(self.path.last().map(String::as_str)).unwrap_or("")
    }

    /// Whether it binds whatever the module has.
    pub fn is_star(&self) -> bool {
        self.path.last().is_some_and(|p| p == "*")
    }

    /// `std::collections::HashMap`.
    pub fn full_name(&self) -> String {
        self.path.join("::")
    }

    /// The declaration that brings in this alone.
    pub fn statement(&self) -> String {
        let alias = self.alias.as_ref().map(|a| format!(" as {a}")).unwrap_or_default();
        format!("use {}{alias};", self.full_name())
    }

    /// Whether it means a place relative to the module it stands in.
    pub fn is_relative(&self) -> bool {
        self.path.first().is_some_and(|p| matches!(p.as_str(), "super" | "self"))
    }

    /// Whether it may be a trait, whose methods are used without its name.
    fn may_be_trait(&self) -> bool {
        const TRAITS: &[&str] = &[
            "Add",
            "Any",
            "AsRef",
            "Borrow",
            "BorrowMut",
            "BufRead",
            "BuildHasher",
            "Error",
            "FromIterator",
            "FromStr",
            "Hash",
            "Hasher",
            "IntoIterator",
            "Iterator",
            "Itertools",
            "Pow",
            "Read",
            "Rng",
            "Seek",
            "ToOwned",
            "ToString",
            "TryFrom",
            "TryInto",
            "Write",
            "_",
        ];
        let standard = matches!(self.path.first().map(String::as_str), Some("std" | "core" | "alloc"));
        let name = self.binds();
        TRAITS.contains(&name) || (!standard && name.starts_with(char::is_uppercase))
    }
}

/// The names of one `use` declaration.
pub(super) fn parse_declaration(node: Node<'_>, source: &str) -> Vec<UseItem> {
    let mut out = Vec::new();
    if let Some(argument) = node.child_by_field_name("argument") {
        read(argument, source, &[], &mut out, 0);
    }
    out
}

fn read(node: Node<'_>, source: &str, prefix: &[String], out: &mut Vec<UseItem>, depth: usize) {
    // Nobody nests deeper; text that does must not exhaust the stack.
    if depth > 32 {
        return;
    }
    let joined = |part: Option<Node<'_>>| -> Vec<String> {
        let own = part.map(|n| text(n, source).split_whitespace().collect::<String>()).unwrap_or_default();
        let own = own.split("::").filter(|s| !s.is_empty()).map(str::to_owned);
        prefix.iter().cloned().chain(own).collect()
    };
    match node.kind() {
        "use_as_clause" => out.push(UseItem {
            path: joined(node.child_by_field_name("path")),
            alias: node.child_by_field_name("alias").map(|n| text(n, source).to_owned()),
        }),
        "use_wildcard" => {
            let mut path = joined(parts(node).into_iter().next());
            path.push("*".to_owned());
            out.push(UseItem { path, alias: None });
        }
        "use_list" => {
            parts(node).into_iter().for_each(|n| read(n, source, prefix, out, depth + 1));
        }
        "scoped_use_list" => {
            let path = joined(node.child_by_field_name("path"));
            if let Some(list) = node.child_by_field_name("list") {
                read(list, source, &path, out, depth + 1);
            }
        }
        // `use a::{self}` brings in `a`.
        "self" if !prefix.is_empty() => out.push(UseItem { path: prefix.to_vec(), alias: None }),
        _ => out.push(UseItem { path: joined(Some(node)), alias: None }),
    }
}

/// The names of declarations given as text; what is no `use` is skipped.
pub(super) fn parse_all(statements: &[String]) -> Vec<UseItem> {
    let mut out: Vec<UseItem> = Vec::new();
    for statement in statements {
        let Some(tree) = parse(statement) else { continue };
        for node in children(tree.root_node()).into_iter().filter(|n| n.kind() == "use_declaration") {
            for item in parse_declaration(node, statement) {
                if !out.contains(&item) {
                    out.push(item);
                }
            }
        }
    }
    out
}

/// The imports that code uses: those it names, and those that may be traits.
pub(super) fn needed(imports: Vec<UseItem>, used: &HashSet<&str>) -> Vec<UseItem> {
    imports.into_iter().filter(|i| i.is_star() || used.contains(i.binds()) || i.may_be_trait()).collect()
}

/// The declarations that stand in a list of items themselves, functions and inner modules excluded.
pub(super) fn declared_in(scope: Node<'_>, source: &str) -> Vec<UseItem> {
    let list = scope.child_by_field_name("body").unwrap_or(scope);
    let declarations = children(list).into_iter().filter(|n| n.kind() == "use_declaration");
    declarations.flat_map(|n| parse_declaration(n, source)).collect()
}

/// Every name that a subtree mentions, in macros too; fields and methods excluded.
pub(super) fn used_names<'s>(root: Node<'_>, source: &'s str) -> HashSet<&'s str> {
    let named = nodes(root).into_iter().filter(|n| matches!(n.kind(), "identifier" | "type_identifier"));
    named.filter(|n| !n.parent().is_some_and(is_comment)).map(|n| text(n, source)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written() {
        let source = "use std::collections::{self, BTreeMap, hash_map::{Entry, HashMap as Map}};\nuse a::b::*;\nuse c as d;\npub use super::e;\nuse std::fmt::Write as _;";
        let statements: Vec<String> = parse_all(&[source.to_owned()]).iter().map(UseItem::statement).collect();
        assert_eq!(
            statements,
            [
                "use std::collections;",
                "use std::collections::BTreeMap;",
                "use std::collections::hash_map::Entry;",
                "use std::collections::hash_map::HashMap as Map;",
                "use a::b::*;",
                "use c as d;",
                "use super::e;",
                "use std::fmt::Write as _;",
            ]
        );
    }

    #[test]
    fn an_import_stays_when_its_name_or_its_methods_may_be_used() {
        let imports = parse_all(&["use std::{fmt::Write, collections::HashMap, cmp::Ordering};".to_owned()]);
        let used = HashSet::from(["Ordering"]);
        let names: Vec<String> = needed(imports, &used).iter().map(UseItem::full_name).collect();
        assert_eq!(names, ["std::fmt::Write", "std::cmp::Ordering"]);
    }
}
