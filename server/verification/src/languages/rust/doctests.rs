//! The code blocks of a function's documentation as examples.
//!
//! `assert_eq!(f(1), 2);` says the same as `@example f(1) == 2`. What stands between a block's start
//! and an assertion is carried along, so that each assertion is an example of its own; a block
//! without assertions must run without a panic.

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::BlockLine;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, SpecDiagnostic};

use super::expressions::mentions;
use super::imports::{parse_declaration, used_names};
use super::tree::{macro_arguments, parse, parts, text};

/// One code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocTest {
    /// The code, hidden lines included.
    pub code: String,
    /// From the opening to the closing fence.
    pub range: TextRange,
    /// Whether it must panic.
    pub should_panic: bool,
}

/// Takes the code blocks out of a documentation's lines; what remains is prose and tags, with an
/// empty line where a block stood. Headings are layout, not words.
pub(super) fn take_doctests<'s>(all: &[BlockLine<'s>]) -> (Vec<DocTest>, Vec<BlockLine<'s>>) {
    let (mut tests, mut prose) = (Vec::new(), Vec::new());
    let mut open: Option<(DocTest, &str, bool)> = None;
    for line in all {
        let bare = line.text.trim();
        let fence: &str = ["```", "~~~"].into_iter().find(|f| bare.starts_with(f)).unwrap_or("");
        let end = line.start + line.text.trim_end().len();
        match open.as_mut() {
            Some((test, opened, is_run)) if fence == *opened && bare.trim_start_matches(['`', '~']).is_empty() => {
                test.range.end = end;
                if *is_run {
                    tests.push(test.clone());
                }
                open = None;
                prose.push(BlockLine { text: "", start: line.start });
            }
            Some((test, ..)) => {
                // `# use x;` is compiled and not shown.
                let hidden = if bare == "#" { Some("") } else { bare.strip_prefix("# ") };
                test.code.push_str(hidden.unwrap_or(line.text.strip_prefix(' ').unwrap_or(line.text)));
                test.code.push('\n');
            }
            None if !fence.is_empty() => {
                let words = bare.trim_start_matches(['`', '~']);
                let start = line.start + (line.text.len() - line.text.trim_start().len());
                let should_panic = words.contains("should_panic");
                let test = DocTest { code: String::new(), range: TextRange::new(start, end), should_panic };
                open = Some((test, fence, is_rust(words)));
                prose.push(BlockLine { text: "", start: line.start });
            }
            None if bare.starts_with("# ") || bare.starts_with("## ") => {
                prose.push(BlockLine { text: "", start: line.start });
            }
            None => prose.push(*line),
        }
    }
    (tests, prose)
}

/// Whether rustdoc would run a block with these words behind its fence.
fn is_rust(words: &str) -> bool {
    let mut all = words.split([',', ' ', '{', '}']).map(str::trim).filter(|w| !w.is_empty());
    all.all(|w| w == "rust" || w == "should_panic" || w.starts_with("edition") || w == "test_harness")
}

/// Makes examples of doc tests; a block that does not parse becomes a fault.
pub(super) fn examples(tests: Vec<DocTest>, function: &str) -> (Vec<Example>, Vec<SpecDiagnostic>) {
    let (mut examples, mut faults) = (Vec::new(), Vec::new());
    for test in tests {
        match read(&test, function) {
            Ok(found) => examples.extend(found),
            Err(fault) => faults.push(*fault),
        }
    }
    (examples, faults)
}

fn example(test: &DocTest, code: String, claim: ExampleClaim) -> Example {
    Example { code, claim, equation: None, origin: ExampleOrigin::Doctest, range: test.range }
}

fn read(test: &DocTest, function: &str) -> Result<Vec<Example>, Box<SpecDiagnostic>> {
    let whole = format!("fn f() {{\n{}\n}}", test.code);
    let tree = parse(&whole).filter(|t| !t.root_node().has_error());
    let body = tree.as_ref().and_then(|t| t.root_node().child(0)).and_then(|f| f.child_by_field_name("body"));
    let Some(body) = body else {
        return Err(Box::new(SpecDiagnostic {
            code: "spec.bad-expression".to_owned(),
            message: "this code block does not parse".to_owned(),
            range: test.range,
            severity: Severity::Error,
            fix: None,
            related: None,
        }));
    };
    if !mentions(body, &whole, function) {
        return Ok(Vec::new()); // It could not show the function to be wrong.
    }
    let statements = parts(body);
    let is_main = |n: &Node<'_>| {
        n.kind() == "function_item" && n.child_by_field_name("name").is_some_and(|n| text(n, &whole) == "main")
    };
    if statements.iter().any(is_main) {
        let code = format!("{{ {} main(); true }}", squeezed(&test.code));
        return Ok(vec![example(test, code, ExampleClaim::Holds)]);
    }
    // A block that ends in `Ok::<(), E>(())` uses `?`, which only rustdoc's own wrapper understands.
    if statements.iter().any(|n| text(*n, &whole).contains('?')) {
        return Ok(Vec::new());
    }
    if test.should_panic {
        let setup: Vec<String> = statements.iter().filter_map(|n| setup(*n, &whole, function)).collect();
        return Ok(vec![example(test, format!("{{ {} }}", setup.join(" ")), ExampleClaim::Raises("panic".to_owned()))]);
    }
    Ok(assertions(test, &statements, &whole, function))
}

fn assertions(test: &DocTest, statements: &[Node<'_>], whole: &str, function: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut before: Vec<String> = Vec::new();
    let mut before_mentions = false;
    for statement in statements {
        let claim = assertion(*statement, whole);
        let bound: Vec<&String> = before.iter().collect();
        let needs_setup = claim.is_some() && bound.iter().any(|line| shares_a_name(line, text(*statement, whole)));
        match claim {
            Some(claim) if mentions(*statement, whole, function) || (needs_setup && before_mentions) => {
                let code = if needs_setup { format!("{{ {} {claim} }}", before.join(" ")) } else { claim };
                found.push(example(test, code, ExampleClaim::Holds));
            }
            _ => {}
        }
        if let Some(line) = setup(*statement, whole, function).filter(|_| assertion(*statement, whole).is_none()) {
            before_mentions |= mentions(*statement, whole, function);
            before.push(line);
        }
    }
    if found.is_empty() {
        found.push(example(test, format!("{{ {} true }}", before.join(" ")), ExampleClaim::Holds));
    }
    found
}

/// Whether the statement `line` binds or imports a name that `user` mentions.
fn shares_a_name(line: &str, user: &str) -> bool {
    let names = |code: &str| -> Vec<String> {
        let whole = format!("fn f() {{ {code} }}");
        let Some(tree) = parse(&whole) else { return Vec::new() };
        used_names(tree.root_node(), &whole).into_iter().filter(|n| *n != "f").map(str::to_owned).collect()
    };
    let used = names(user);
    names(line).iter().any(|n| used.contains(n))
}

/// The expression that an assertion claims to be true.
fn assertion(statement: Node<'_>, source: &str) -> Option<String> {
    let inner = if statement.kind() == "expression_statement" { statement.child(0)? } else { statement };
    if inner.kind() != "macro_invocation" {
        return None;
    }
    let arguments = macro_arguments(inner, source);
    let name = text(inner.child_by_field_name("macro")?, source);
    match (name, arguments.as_slice()) {
        ("assert_eq", [left, right, ..]) => Some(format!("{left} == {right}")),
        ("assert_ne", [left, right, ..]) => Some(format!("{left} != {right}")),
        ("assert", [claim, ..]) => Some(claim.clone()),
        _ => None,
    }
}

/// A statement on one line, as it stands before the next ones; `use crate_name::function` is left
/// out, since the function under test is the one that is there already.
fn setup(statement: Node<'_>, source: &str, function: &str) -> Option<String> {
    if statement.kind() == "use_declaration" {
        let items = parse_declaration(statement, source);
        let kept = items.iter().filter(|i| i.binds() != function && !(i.is_star() && i.path.len() == 2));
        let lines: Vec<String> = kept.map(super::imports::UseItem::statement).collect();
        return (!lines.is_empty()).then(|| lines.join(" "));
    }
    let line = squeezed(text(statement, source));
    Some(if line.ends_with([';', '}']) { line } else { format!("{line};") })
}

/// Code on one line; comments would swallow the rest, so they go.
fn squeezed(code: &str) -> String {
    let Some(tree) = parse(code) else { return code.to_owned() };
    let mut out = String::new();
    let mut at = 0;
    for comment in super::tree::nodes(tree.root_node()).into_iter().filter(|n| super::tree::is_comment(*n)) {
        if comment.start_byte() < at {
            continue;
        }
        out.push_str(code.get(at..comment.start_byte()).unwrap_or(""));
        at = comment.end_byte();
    }
    out.push_str(code.get(at..).unwrap_or(""));
    if out.contains('"') { out.trim().replace('\n', " ") } else { out.split_whitespace().collect::<Vec<_>>().join(" ") }
}
