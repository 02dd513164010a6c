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
use super::tree::{Expression, is_comment, is_text_literal, macro_arguments, nodes, parse, parts, text};

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
        // An `Err` that `main` gives is a failure, too.
        let ended = "::std::process::Termination::report(main()) == ::std::process::ExitCode::SUCCESS";
        let claim = if test.should_panic { ExampleClaim::Raises("panic".to_owned()) } else { ExampleClaim::Holds };
        return Ok(vec![example(test, format!("{{ {} {ended} }}", squeezed(&test.code)), claim)]);
    }
    // A block that ends in `Ok::<(), E>(())` may use `?`: rustdoc puts it into a function of this type.
    if statements.last().is_some_and(|n| text(*n, &whole).ends_with("(())")) {
        let inside: Vec<String> = statements.iter().filter_map(|n| statement_line(*n, &whole, function)).collect();
        let inside = inside.join(" ");
        let head = "fn __doctest() -> ::core::result::Result<(), impl ::core::fmt::Debug>";
        let code = format!("{{ {head} {{ {} }} __doctest().unwrap(); true }}", inside.trim_end_matches(';'));
        let claim = if test.should_panic { ExampleClaim::Raises("panic".to_owned()) } else { ExampleClaim::Holds };
        return Ok(vec![example(test, code, claim)]);
    }
    if test.should_panic {
        let setup: Vec<String> = statements.iter().filter_map(|n| statement_line(*n, &whole, function)).collect();
        return Ok(vec![example(test, format!("{{ {} }}", setup.join(" ")), ExampleClaim::Raises("panic".to_owned()))]);
    }
    Ok(assertions(test, &statements, &whole, function))
}

fn assertions(test: &DocTest, statements: &[Node<'_>], whole: &str, function: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let (mut before, mut carried): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut before_mentions = false;
    // Whether something was done that no assertion below carries along, and that may panic itself.
    let mut is_left = false;
    for statement in statements {
        let names_it = mentions(*statement, whole, function);
        let Some(claim) = assertion(*statement, whole) else {
            let line = statement_line(*statement, whole, function);
            before_mentions |= names_it && line.is_some();
            is_left |= before_mentions && statement.kind() != "use_declaration";
            before.extend(line.clone());
            carried.extend(line);
            continue;
        };
        let needs_setup = before.iter().any(|line| shares_a_name(line, text(*statement, whole)));
        if names_it || (needs_setup && before_mentions) {
            let code = if needs_setup { format!("{{ {} {claim} }}", carried.join(" ")) } else { claim.clone() };
            found.push(example(test, code, ExampleClaim::Holds));
            is_left &= !needs_setup;
        }
        // What it changes is seen by those below: `assert!(set.insert(1))`.
        if needs_setup {
            carried.push(format!("let _ = {claim};"));
        }
    }
    if found.is_empty() || is_left {
        found.push(example(test, format!("{{ {} true }}", carried.join(" ")), ExampleClaim::Holds));
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
        ("assert_eq", [left, right, ..]) => Some(format!("{} == {}", operand(left), operand(right))),
        ("assert_ne", [left, right, ..]) => Some(format!("{} != {}", operand(left), operand(right))),
        ("assert", [claim, ..]) => Some(claim.clone()),
        _ => None,
    }
}

/// An expression as one side of a comparison: in parentheses where it would be read as something else.
fn operand(code: &str) -> String {
    let kind = Expression::parse(code)
        .and_then(|e| e.node().map(|n| (n.kind(), n.child_by_field_name("operator").map(|o| o.kind()))));
    let stands = match kind {
        Some(("binary_expression", Some(operator))) => {
            !matches!(operator, "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=")
        }
        Some((kind, _)) => !matches!(
            kind,
            "range_expression"
                | "closure_expression"
                | "assignment_expression"
                | "compound_assignment_expr"
                | "type_cast_expression"
                | "if_expression"
                | "match_expression"
                | "block"
                | "unsafe_block"
                | "loop_expression"
                | "return_expression"
        ),
        None => true,
    };
    if stands { code.to_owned() } else { format!("({code})") }
}

/// A statement on one line, as it stands before the next ones; `use crate_name::function` is left
/// out, since the function under test is the one that is there already.
fn statement_line(statement: Node<'_>, source: &str, function: &str) -> Option<String> {
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
    for comment in nodes(tree.root_node()).into_iter().filter(|n| is_comment(*n)) {
        if comment.start_byte() < at {
            continue;
        }
        out.push_str(code.get(at..comment.start_byte()).unwrap_or(""));
        at = comment.end_byte();
    }
    out.push_str(code.get(at..).unwrap_or(""));
    if !out.contains('"') {
        return out.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    // A line break inside of a string is a part of it.
    let Some(tree) = parse(&out) else { return out };
    let strings: Vec<_> = nodes(tree.root_node()).into_iter().filter(|n| is_text_literal(*n)).collect();
    let inside = |at: usize| strings.iter().any(|s| s.byte_range().contains(&at));
    let line: String = out.char_indices().map(|(at, c)| if c == '\n' && !inside(at) { ' ' } else { c }).collect();
    line.trim().to_owned()
}
