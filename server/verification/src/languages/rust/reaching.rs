//! Which tests of a project reach a function, by name: those that name it, and those that call a
//! function of their own file that does.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tree_sitter::Node;

use super::expressions::mentions;
use super::modules;
use super::targets::Place;
use super::tree::{nodes, parse, text};

/// Most files that are looked through.
const MOST: usize = 2_000;

/// One test of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestCase {
    /// What cargo is told to build: `--lib`, `--test NAME`.
    pub target: Vec<String>,
    /// The test's full name in its program.
    pub name: String,
    /// The file, below the project's root.
    pub file: PathBuf,
}

impl TestCase {
    /// `src/stats.rs::tests::even`.
    pub fn id(&self) -> String {
        format!("{}::{}", self.file.display(), self.name)
    }
}

/// The tests that reach a function of this name: in the crate that holds it, and in the package's
/// test programs when that crate is a library.
pub(super) fn tests(root: &Path, place: &Place, function: &str) -> Vec<TestCase> {
    let mut out = Vec::new();
    let crate_root = root.join(&place.crate_root);
    collect(root, &crate_root, &place.target, function, &mut out);
    if place.is_library {
        for (name, file) in &place.tests {
            collect(root, &root.join(file), &["--test".to_owned(), name.clone()], function, &mut out);
        }
    }
    out
}

/// The tests of one crate.
fn collect(root: &Path, crate_root: &Path, target: &[String], function: &str, out: &mut Vec<TestCase>) {
    let mut seen = HashSet::from([crate_root.to_path_buf()]);
    let mut open = vec![(crate_root.to_path_buf(), String::new())];
    while let Some((file, path)) = open.pop() {
        let Ok(source) = std::fs::read_to_string(&file) else { continue };
        for found in modules::declared(&source, &file, file == crate_root) {
            if seen.len() < MOST && seen.insert(found.file.clone()) {
                open.push((found.file.clone(), format!("{path}{}::", found.path.join("::"))));
            }
        }
        let below = file.strip_prefix(root).unwrap_or(&file).to_path_buf();
        for name in in_file(&source, function) {
            out.push(TestCase { target: target.to_vec(), name: format!("{path}{name}"), file: below.clone() });
        }
    }
    out.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
}

/// The tests of one file that reach the function, with the inline modules before their names.
fn in_file(source: &str, function: &str) -> Vec<String> {
    if !source.contains(function) || !source.contains("test") {
        return Vec::new();
    }
    let Some(tree) = parse(source) else { return Vec::new() };
    let functions: Vec<Node<'_>> =
        nodes(tree.root_node()).into_iter().filter(|n| n.kind() == "function_item").collect();
    let name_of = |n: &Node<'_>| n.child_by_field_name("name").map_or("", |n| text(n, source));
    let mut reaching: HashSet<&str> = HashSet::from([function]);
    loop {
        let calls = |n: &&Node<'_>| body(n).is_some_and(|b| reaching.iter().any(|r| mentions(b, source, r)));
        let more: Vec<&str> = functions.iter().filter(calls).map(name_of).filter(|n| !reaching.contains(n)).collect();
        if more.is_empty() {
            break;
        }
        reaching.extend(more);
    }
    let reaches = |n: &&Node<'_>| body(n).is_some_and(|b| reaching.iter().any(|r| mentions(b, source, r)));
    functions
        .iter()
        .filter(|n| is_test(**n, source))
        .filter(reaches)
        .map(|n| format!("{}{}", modules_around(*n, source), name_of(n)))
        .collect()
}

fn body<'t>(function: &Node<'t>) -> Option<Node<'t>> {
    function.child_by_field_name("body")
}

/// Whether `#[test]`, or an attribute that ends in it (`#[tokio::test]`), stands above.
fn is_test(function: Node<'_>, source: &str) -> bool {
    let before = std::iter::successors(function.prev_sibling(), |n| n.prev_sibling());
    let lead = before.take_while(|n| n.kind() == "attribute_item" || super::tree::is_comment(*n));
    lead.filter(|n| n.kind() == "attribute_item").any(|n| {
        let squeezed: String = text(n, source).split_whitespace().collect();
        let inner = squeezed.trim_start_matches("#[").trim_end_matches(']').split('(').next().unwrap_or("").to_owned();
        inner == "test" || inner.ends_with("::test")
    })
}

fn modules_around(node: Node<'_>, source: &str) -> String {
    let around = std::iter::successors(node.parent(), |n| n.parent()).filter(|n| n.kind() == "mod_item");
    let mut names: Vec<&str> = around.filter_map(|n| n.child_by_field_name("name")).map(|n| text(n, source)).collect();
    names.reverse();
    names.iter().map(|n| format!("{n}::")).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn tests_reach_a_function_through_helpers_of_their_file() {
        let source = "fn median() {}\nfn other() {}\nfn check() { median() }\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn direct() { assert_eq!(median(), ()); }\n    // why\n    #[tokio::test]\n    #[ignore]\n    async fn through() { check() }\n    #[test]\n    fn elsewhere() { other() }\n    fn helper() { median() }\n}\n";
        assert_eq!(in_file(source, "median"), ["tests::direct", "tests::through"]);
    }
}
