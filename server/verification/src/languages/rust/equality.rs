//! An `==` that a file says itself: what it calls equal has to look equal too.
//!
//! `impl PartialEq for Money { fn eq(&self, _: &Self) -> bool { true } }` makes every example hold, whatever
//! the function gives. So where such an `impl` stands in the crate, an equation holds only when both
//! sides have one `Debug` text as well. Whoever means it so says `@uses PartialEq`. Clauses of `@ensures` and
//! `@property` are whole expressions, and go on to mean the `==` of the crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ignore::WalkBuilder;

use super::tree::{nodes, parse, text, words};
use crate::fingerprint::ExampleFact;
use crate::languages::Subject;

/// Files of a crate that are looked through.
const MOST_FILES: usize = 2_000;

/// Takes back what only an `==` of the crate's own calls equal.
pub(super) fn doubt(subject: &Subject, facts: &mut [ExampleFact]) {
    let source = &subject.task.source;
    if subject.task.spec.uses.iter().any(|u| u.text.rsplit("::").next() == Some("PartialEq")) {
        return;
    }
    let own = implementors(source, "PartialEq");
    // A type that shows itself as it likes cannot be looked at.
    let veiled: BTreeSet<String> = implementors(source, "Debug").intersection(&own).cloned().collect();
    let returns = subject.task.signature.returns.as_deref().unwrap_or("");
    let declared = declared(source);
    for fact in facts.iter_mut().filter(|f| f.ok) {
        let named: BTreeSet<&str> = words(&fact.got)
            .chain(words(&fact.expected))
            .chain(words(returns))
            .chain(subject.task.class.as_deref())
            .collect();
        let inside = closure(&declared, &named);
        let is_veiled = inside.iter().any(|name| veiled.contains(*name));
        if !(fact.alike || is_veiled) {
            continue;
        }
        let is_meant = |name: &String| inside.contains(name.as_str());
        let elsewhere = || subject.workspace.as_deref().map(in_crate).unwrap_or_default().into_iter().find(is_meant);
        let Some(name) = own.iter().find(|n| is_meant(n)).cloned().or_else(elsewhere) else { continue };
        fact.ok = false;
        let look = if is_veiled && !fact.alike { " and a `Debug` of its own" } else { "" };
        let calls = format!(", which `impl PartialEq for {name}`{look} calls equal");
        fact.got.push_str(&calls);
    }
}

/// The types that a text declares, each with the words of its fields.
fn declared(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let Some(tree) = parse(source) else { return BTreeMap::new() };
    let kinds = ["struct_item", "enum_item", "union_item", "type_item"];
    let items = nodes(tree.root_node()).into_iter().filter(|n| kinds.contains(&n.kind()));
    let entry = |n: tree_sitter::Node<'_>| {
        let name = text(n.child_by_field_name("name")?, source).to_owned();
        Some((name, words(text(n, source)).map(str::to_owned).collect()))
    };
    items.filter_map(entry).collect()
}

/// These words, and those of the types that they name.
fn closure<'t>(declared: &'t BTreeMap<String, BTreeSet<String>>, named: &BTreeSet<&'t str>) -> BTreeSet<&'t str> {
    let mut found = named.clone();
    let mut open: Vec<&str> = named.iter().copied().collect();
    while let Some(name) = open.pop() {
        let more = declared.get(name).into_iter().flatten().map(String::as_str);
        open.extend(more.filter(|w| found.insert(w)).collect::<Vec<_>>());
    }
    found
}

/// The types that a text implements a trait for by hand.
fn implementors(source: &str, name: &str) -> BTreeSet<String> {
    if !source.contains(name) {
        return BTreeSet::new();
    }
    let Some(tree) = parse(source) else { return BTreeSet::new() };
    let of = |node: tree_sitter::Node<'_>, field: &str| {
        let written = node.child_by_field_name(field).map(|n| text(n, source))?;
        let bare = written.trim_start_matches(['&', '(']).split('<').next().unwrap_or("");
        Some(bare.rsplit("::").next().unwrap_or(bare).trim_end_matches(')').trim().to_owned())
    };
    let all = nodes(tree.root_node());
    // What a macro makes of it is not read: it could be for any type of the file.
    let is_made = |n: &tree_sitter::Node<'_>| {
        n.kind() == "macro_definition"
            && words(text(*n, source)).collect::<Vec<_>>().windows(2).any(|w| w == [name, "for"])
    };
    if all.iter().any(is_made) {
        return declared(source).into_keys().collect();
    }
    let items = all.into_iter().filter(|n| n.kind() == "impl_item");
    items.filter(|n| of(*n, "trait").is_some_and(|t| t == name)).filter_map(|n| of(n, "type")).collect()
}

/// The types that the files of a project implement `PartialEq` for by hand.
fn in_crate(root: &Path) -> BTreeSet<String> {
    let files = WalkBuilder::new(root).build().filter_map(Result::ok).map(ignore::DirEntry::into_path);
    let rust = files.filter(|p| p.extension().is_some_and(|e| e == "rs")).take(MOST_FILES);
    rust.filter_map(|p| std::fs::read_to_string(p).ok()).flat_map(|text| implementors(&text, "PartialEq")).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn only_what_is_written_by_hand_counts() {
        let source = "#[derive(PartialEq, Debug)]\nstruct A;\nstruct B<T>(T);\nimpl<T> std::cmp::PartialEq for B<T> { fn eq(&self, _: &Self) -> bool { true } }\nimpl PartialOrd for A {}\n";
        assert_eq!(implementors(source, "PartialEq"), BTreeSet::from(["B".to_owned()]));
        assert_eq!(implementors("struct A;", "PartialEq"), BTreeSet::new());
    }
}
