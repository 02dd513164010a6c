//! The shape of source files: length, opening, and marks of unfinished work.

use crate::rust::read;
use crate::tree::{Tree, assert_clean, assert_complains};

/// Longest file, in lines.
const FILE_LINES: usize = 500;
/// Longest function, in lines.
const FUNCTION_LINES: usize = 100;
/// Files that may be longer, and why. An entry that is not needed any more is a complaint.
const LONGER: &[(&str, &str)] = &[];
/// Macros that mark unfinished work.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];

fn complaints(tree: &Tree, longer: &[(&str, &str)]) -> Vec<String> {
    let mut out = Vec::new();
    for file in tree.with_extension("rs") {
        let path = &file.path;
        let lines = file.text.lines().count();
        let excused = longer.iter().any(|(p, _)| p == path);
        if lines > FILE_LINES && !excused {
            out.push(format!("{path}: {lines} lines; split it, or excuse it with a reason in tests/unit/shape.rs"));
        }
        if lines <= FILE_LINES && excused {
            out.push(format!("{path}: is excused for its length and no longer needs it"));
        }
        if !file.text.starts_with("//!") {
            out.push(format!("{path}: does not begin with `//!`: say what the file is for"));
        }
        let facts = read(&file.text, false);
        for function in facts.functions.iter().filter(|f| f.lines > FUNCTION_LINES) {
            out.push(format!("{path}:{}: `{}` has {} lines", function.line, function.name, function.lines));
        }
        // Examples begin as stubs: that is what they show.
        let is_example = path.starts_with("docs/examples/");
        for called in facts.macros.iter().filter(|m| UNFINISHED.contains(&m.path.as_str()) && !is_example) {
            out.push(format!("{path}:{}: `{}!` marks unfinished work", called.line, called.path));
        }
        for attribute in &facts.attributes {
            if attribute.path.starts_with("ignore") {
                out.push(format!(
                    "{path}:{}: an ignored test is no test; use an environment variable for slow ones",
                    attribute.line
                ));
            }
            if attribute.path.starts_with("allow(") && !attribute.path.contains("reason") {
                out.push(format!("{path}:{}: `allow` without a reason", attribute.line));
            }
        }
    }
    out.extend(
        longer
            .iter()
            .filter(|(p, _)| tree.get(p).is_none())
            .map(|(p, _)| format!("{p}: is excused and does not exist")),
    );
    out
}

#[test]
fn source_files_keep_their_shape() {
    assert_clean(complaints(&Tree::repository(), LONGER));
}

#[test]
fn bad_shape_is_seen() {
    let long_file = format!("//! d\n{}", "// x\n".repeat(FILE_LINES));
    let long_function = format!("//! d\nfn f() {{\n{}}}\n", "    g();\n".repeat(FUNCTION_LINES));
    let tree = Tree::of(&[
        ("a.rs", &long_file),
        ("b.rs", &long_function),
        ("c.rs", "fn f() {}\n"),
        (
            "d.rs",
            "//! d\n#[ignore]\nfn f() { todo!() }\n#[allow(dead_code)]\nfn g() {}\n#[allow(dead_code, reason = \"r\")]\nfn h() { let s = \"todo!()\"; }\n",
        ),
        ("excused.rs", &long_file),
        ("short.rs", "//! d\n"),
    ]);
    let longer = [("excused.rs", "a flat table"), ("short.rs", "was long"), ("gone.rs", "was there")];
    let expected = [
        "a.rs: 501 lines",
        "b.rs:2: `f` has 102 lines",
        "c.rs: does not begin",
        "d.rs:2: an ignored",
        "d.rs:3: `todo!`",
        "d.rs:4: `allow` without",
        "short.rs: is excused",
        "gone.rs: is excused",
    ];
    assert_complains(complaints(&tree, &longer), &expected);
}
