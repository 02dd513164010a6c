//! Which tests of a project reach a function, by name: those that name it, and those that call a
//! function of their own file that does. What implements a trait is called by operators and by functions of other names
//! (`+`, `to_string`, `parse`): there, those that name the type reach it as well. Tests that a macro makes (`proptest!`, `#[rstest]`) are tests.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tree_sitter::Node;

use super::expressions::mentions;
use super::modules;
use super::targets::Place;
use super::tree::{children, nodes, parse, text};

/// Most files that are looked through.
const MOST: usize = 2_000;

/// One test of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TestCase {
    /// What cargo is told to build: `--lib`, `--test NAME`.
    pub target: Vec<String>,
    /// The test's full name in its program.
    pub name: String,
    /// Whether the name may stand for several, `name::case_1` and so on.
    pub is_made: bool,
    /// The file, below the project's root.
    pub file: PathBuf,
    /// Whether it names the function itself, and not only another that does.
    pub is_direct: bool,
}

impl TestCase {
    /// `src/stats.rs::tests::even`.
    pub fn id(&self) -> String {
        format!("{}::{}", self.file.display(), self.name)
    }
}

/// What tests know a function by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'n> {
    /// Its name.
    pub function: &'n str,
    /// The type whose `impl` of a trait holds it.
    pub implementor: Option<&'n str>,
}

/// The tests that reach a function: in the crate that holds it, and in the package's test programs when that crate is
/// a library.
pub(super) fn tests(root: &Path, place: &Place, function: Names<'_>) -> Vec<TestCase> {
    let mut out = Vec::new();
    let crate_root = root.join(&place.crate_root);
    collect(root, &crate_root, &place.target, function, &mut out);
    if place.is_library {
        for (name, file) in &place.tests {
            collect(root, &root.join(file), &["--test".to_owned(), name.clone()], function, &mut out);
        }
    }
    out.sort_by_key(|case| !case.is_direct);
    out
}

/// The tests of one crate.
fn collect(root: &Path, crate_root: &Path, target: &[String], function: Names<'_>, out: &mut Vec<TestCase>) {
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
        for (name, is_made, is_direct) in in_file(&source, function) {
            let name = format!("{path}{name}");
            out.push(TestCase { target: target.to_vec(), name, is_made, file: below.clone(), is_direct });
        }
    }
    out.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
}

/// What a test program holds of a case, by what it said to `--list --format terse`.
pub(super) fn expanded(case: &TestCase, listed: &str) -> Vec<TestCase> {
    let below = format!("{}::", case.name);
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let own = names.filter(|name| *name == case.name || name.starts_with(&below));
    own.map(|name| TestCase { name: name.to_owned(), ..case.clone() }).collect()
}

/// A function of a file, written as one or within a macro's brackets.
struct Written<'t> {
    at: Node<'t>,
    name: &'t str,
    body: Node<'t>,
    /// The paths of its attributes.
    attributes: Vec<String>,
    /// Whether it stands in a macro all of whose functions are tests.
    all_are_tests: bool,
}

/// Attributes that make tests of a function, several perhaps.
const MAKING: [&str; 5] = ["rstest", "test_case", "test_matrix", "quickcheck", "proptest"];

impl Written<'_> {
    fn has(&self, names: &[&str]) -> bool {
        let last = |path: &String| path.rsplit("::").next().is_some_and(|name| names.contains(&name));
        self.attributes.iter().any(last)
    }

    /// Whether it stands in an `impl`.
    fn is_member(&self) -> bool {
        std::iter::successors(self.at.parent(), |n| n.parent()).any(|n| n.kind() == "impl_item")
    }

    fn is_test(&self) -> bool {
        self.all_are_tests || self.has(&["test"]) || self.has(&MAKING)
    }
}

/// The tests of one file that reach the function, with the inline modules before their names, whether a name may stand
/// for several, and whether they name the function.
fn in_file(source: &str, names: Names<'_>) -> Vec<(String, bool, bool)> {
    let function = names.function;
    let may_test = ["test", "quickcheck", "proptest"].iter().any(|word| source.contains(word));
    if !(source.contains(function) || names.implementor.is_some_and(|t| source.contains(t))) || !may_test {
        return Vec::new();
    }
    let Some(tree) = parse(source) else { return Vec::new() };
    let written = written(tree.root_node(), source);
    let mut reaching: HashSet<&str> = HashSet::from([function]);
    let of_type = |w: &Written<'_>| names.implementor.is_some_and(|t| mentions(w.body, source, t));
    let reaches = |w: &Written<'_>, reaching: &HashSet<&str>| reaching.iter().any(|r| mentions(w.body, source, r));
    // Methods that name the type are its own affair: all of its tests would reach all of them.
    let makes = |w: &Written<'_>| !w.is_member() && of_type(w);
    loop {
        let calls = written.iter().filter(|w| reaches(w, &reaching) || makes(w)).map(|w| w.name);
        let more: Vec<&str> = calls.filter(|n| !reaching.contains(n)).collect();
        if more.is_empty() {
            break;
        }
        reaching.extend(more);
    }
    let tests = written.iter().filter(|w| w.is_test() && (reaches(w, &reaching) || of_type(w)));
    let name = |w: &Written<'_>| format!("{}{}", modules_around(w.at, source), w.name);
    tests.map(|w| (name(w), w.has(&MAKING), mentions(w.body, source, function))).collect()
}

fn written<'t>(root: Node<'t>, source: &'t str) -> Vec<Written<'t>> {
    let mut out = Vec::new();
    for node in nodes(root) {
        match node.kind() {
            "function_item" => {
                let (name, body) = (node.child_by_field_name("name"), node.child_by_field_name("body"));
                if let (Some(name), Some(body)) = (name, body) {
                    let attributes = attributes(node, source);
                    out.push(Written { at: node, name: text(name, source), body, attributes, all_are_tests: false });
                }
            }
            "macro_invocation" => in_macro(node, source, &mut out),
            _ => {}
        }
    }
    out
}

/// The functions between a macro's brackets, which are tokens to the parser.
fn in_macro<'t>(invocation: Node<'t>, source: &'t str, out: &mut Vec<Written<'t>>) {
    let called = invocation.child_by_field_name("macro").map_or("", |n| text(n, source));
    let all_are_tests = called.rsplit("::").next() == Some("quickcheck");
    let Some(tokens) = children(invocation).into_iter().find(|n| n.kind() == "token_tree") else { return };
    let tokens = children(tokens);
    let (mut attributes, mut name) = (Vec::new(), None);
    for pair in tokens.windows(2) {
        match (pair[0].kind(), pair[1].kind()) {
            ("#", "token_tree") => attributes.push(path_of(text(pair[1], source))),
            ("fn", "identifier") => name = Some(text(pair[1], source)),
            (_, "token_tree") if text(pair[1], source).starts_with('{') => {
                let attributes = std::mem::take(&mut attributes);
                if let Some(name) = name.take() {
                    out.push(Written { at: invocation, name, body: pair[1], attributes, all_are_tests });
                }
            }
            _ => {}
        }
    }
}

/// The paths of the attributes above a function.
fn attributes(function: Node<'_>, source: &str) -> Vec<String> {
    let before = std::iter::successors(function.prev_sibling(), |n| n.prev_sibling());
    let lead = before.take_while(|n| n.kind() == "attribute_item" || super::tree::is_comment(*n));
    lead.filter(|n| n.kind() == "attribute_item").map(|n| path_of(text(n, source))).collect()
}

/// `tokio::test` of `#[tokio::test(flavor = "x")]`.
fn path_of(attribute: &str) -> String {
    let squeezed: String = attribute.split_whitespace().collect();
    let inner = squeezed.trim_start_matches(['#', '[']);
    inner.split(['(', ']', '=']).next().unwrap_or_default().to_owned()
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

    const MEDIAN: Names<'_> = Names { function: "median", implementor: None };

    #[test]
    fn what_implements_a_trait_is_reached_by_those_that_name_its_type() {
        let source = "impl Add for Money { fn add(self, o: Money) -> Money { Money(self.0 + o.0) } }\nfn money(n: i64) -> Money { Money(n) }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn sum() { assert_eq!(Money(1) + Money(2), Money(3)); }\n    #[test]\n    fn made() { money(1) + money(2); }\n    #[test]\n    fn other() { assert!(true) }\n}\n";
        let found = in_file(source, Names { function: "add", implementor: Some("Money") });
        let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["tests::sum", "tests::made"]);
    }

    #[test]
    fn tests_reach_a_function_through_helpers_of_their_file() {
        let source = "fn median() {}\nfn other() {}\nfn check() { median() }\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn direct() { assert_eq!(median(), ()); }\n    // why\n    #[tokio::test]\n    #[ignore]\n    async fn through() { check() }\n    #[test]\n    fn elsewhere() { other() }\n    fn helper() { median() }\n}\n";
        let found = in_file(source, MEDIAN).into_iter().map(|(name, ..)| name);
        assert_eq!(found.collect::<Vec<_>>(), ["tests::direct", "tests::through"]);
        let direct = in_file(source, MEDIAN).into_iter().map(|(_, _, is_direct)| is_direct);
        assert_eq!(direct.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn what_a_macro_makes_a_test_is_one() {
        let source = "#[cfg(test)]\nmod tests {\n proptest! {\n  #![proptest_config(C::with_cases(3))]\n  /// Why.\n  #[test]\n  fn bounded(x in 0..5i64, y: u8) { prop_assert_eq!(median(&[x]), x); }\n  fn helper(z in 0..2) { median(&[z]) }\n  #[test]\n  fn other(x in 0..5) { prop_assert!(x < 5); }\n }\n quickcheck! { fn law(xs: Vec<i64>) -> bool { median(&xs) == 1 } }\n #[rstest]\n #[case(1)]\n #[case(2)]\n fn cases(#[case] n: i64) { assert_eq!(median(&[n]), n); }\n #[test_case::test_case(3)]\n fn more(n: i64) { median(&[n]); }\n}\n";
        let found = in_file(source, MEDIAN);
        let found: Vec<(&str, bool)> = found.iter().map(|(name, made, _)| (name.as_str(), *made)).collect();
        let expected =
            [("tests::bounded", false), ("tests::law", false), ("tests::cases", true), ("tests::more", true)];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_name_that_stands_for_several_is_each_of_them() {
        let case = TestCase {
            target: vec![],
            name: "tests::cases".into(),
            is_made: true,
            file: "src/lib.rs".into(),
            is_direct: true,
        };
        let listed =
            "tests::cases::case_1: test\ntests::cases::case_2: test\ntests::casesx: test\ntests::cases: bench\n";
        let names: Vec<String> = expanded(&case, listed).into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["tests::cases::case_1", "tests::cases::case_2"]);
    }
}
