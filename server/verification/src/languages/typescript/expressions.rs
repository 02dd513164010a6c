//! One expression of a spec: does it parse, which names does it use, whom does it call, and how it is
//! evaluated so that `==` compares what values hold.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::Node;

use super::functions::bound_by_pattern;
use super::globals::GLOBALS;
use super::tree::{Expression, children, is_comment, nodes, parts, text, unwrapped};
use crate::languages::brackets;
use crate::languages::faults::Fault;

/// Parses a text that must be one expression.
pub(super) fn parse_expression(code: &str) -> Result<Expression, Fault> {
    let whole = || Fault { at: 0..code.len(), message: "this is no JavaScript expression".to_owned(), fix: None };
    let expression = Expression::parse(code).ok_or_else(whole)?;
    let Some(node) = expression.node() else { return Err(fault_of(&expression, code)) };
    match meant_otherwise(&expression, node) {
        Some(fault) => Err(fault),
        None => Ok(expression),
    }
}

/// The text without a comment at its end.
pub(super) fn without_comment(code: &str) -> &str {
    let Some(expression) = Expression::parse(code).filter(|_| code.contains("//") || code.contains("/*")) else {
        return code;
    };
    let comments: Vec<Range<usize>> = nodes(expression.everything())
        .into_iter()
        .filter(|n| is_comment(*n))
        .map(|comment| expression.place(comment))
        .collect();
    let is_last = |c: &&Range<usize>| {
        let after = code.get(c.end..).unwrap_or("");
        after.trim().is_empty() || code.get(c.start..).is_some_and(|rest| rest.starts_with("//"))
    };
    comments.iter().find(is_last).and_then(|c| code.get(..c.start)).map_or(code, str::trim_end)
}

/// What parses and cannot be meant: `=` for `==`, and chained comparisons.
fn meant_otherwise(expression: &Expression, node: Node<'_>) -> Option<Fault> {
    if unwrapped(node).kind() == "assignment_expression" {
        let operator = children(unwrapped(node)).into_iter().find(|n| n.kind() == "=")?;
        return Some(Fault { at: expression.place(operator), ..assigns() });
    }
    let operator = |n: &Node<'_>| n.child_by_field_name("operator").map_or("", |o| o.kind());
    let compares = |n: &Node<'_>| {
        n.kind() == "binary_expression" && matches!(operator(n), "<" | "<=" | ">" | ">=" | "==" | "!=" | "===" | "!==")
    };
    let chain = nodes(node)
        .into_iter()
        .filter(compares)
        .find(|n| n.child_by_field_name("left").as_ref().is_some_and(compares))?;
    let (left, right) = (chain.child_by_field_name("left")?, chain.child_by_field_name("right")?);
    let middle = left.child_by_field_name("right")?;
    let spelled = format!(
        "{} && {} {} {}",
        expression.text(left),
        expression.text(middle),
        operator(&chain),
        expression.text(right)
    );
    Some(Fault {
        at: expression.place(chain),
        message: "JavaScript does not chain comparisons; join two of them with `&&`".to_owned(),
        fix: Some((format!("Change to `{spelled}`"), spelled)),
    })
}

fn fault_of(expression: &Expression, code: &str) -> Fault {
    if let Some((at, message)) = brackets::unbalanced(code, &['"', '\'', '`'], "//", literal_end) {
        return Fault { at: at..at + 1, message, fix: None };
    }
    if let Some(fault) = foreign_word(code).or_else(|| assigned(code)) {
        return fault;
    }
    let all = nodes(expression.everything());
    let end = code.trim_end().len();
    let visible = |at: Range<usize>| if at.is_empty() && at.start > 0 { at.start - 1..at.start } else { at };
    let safe = |at: Range<usize>| {
        let start = (0..=at.start.min(code.len())).rev().find(|i| code.is_char_boundary(*i)).unwrap_or(0);
        let end = (at.end.min(code.len())..=code.len()).find(|i| code.is_char_boundary(*i)).unwrap_or(code.len());
        start..end
    };
    if let Some(missing) = all.iter().find(|n| n.is_missing() && expression.place(**n).start < end) {
        let at = safe(visible(expression.place(*missing)));
        return Fault { at, message: format!("`{}` is missing here", missing.kind()), fix: None };
    }
    let inside = |n: &&Node<'_>| n.is_error() && !expression.place(**n).is_empty();
    if let Some(error) = all.iter().rfind(inside) {
        let leaf = nodes(*error).into_iter().find(|n| n.child_count() == 0 && !expression.place(*n).is_empty());
        if let Some(leaf) = leaf.filter(|l| expression.place(*l).len() < code.len()) {
            let word: String = expression.text(leaf).trim().chars().take(30).collect();
            let at = safe(visible(expression.place(leaf)));
            return Fault { at, message: format!("`{word}` does not fit here"), fix: None };
        }
    }
    let message = if end == 0 { "an expression is needed" } else { "this is not one JavaScript expression" };
    Fault { at: 0..code.len(), message: message.to_owned(), fix: None }
}

fn assigns() -> Fault {
    let fix = Some(("Change to `===`".to_owned(), "===".to_owned()));
    Fault { at: 0..0, message: "`=` assigns; did you mean `===`?".to_owned(), fix }
}

/// `f(1) = 2`, which no parser takes for an assignment. What stands in brackets may be a default.
fn assigned(code: &str) -> Option<Fault> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(c) = code.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(end) = literal_end(code, at) {
            at = end;
            continue;
        }
        let beside = |c: Option<char>| c.is_some_and(|c| "=!<>".contains(c));
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '=' if depth == 0
                && !beside(code.get(..at).and_then(|before| before.chars().next_back()))
                && !beside(code.get(at + 1..).and_then(|after| after.chars().next())) =>
            {
                return Some(Fault { at: at..at + 1, ..assigns() });
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

/// Operators of other languages.
fn foreign_word(code: &str) -> Option<Fault> {
    const FOREIGN: &[(&str, &str)] =
        &[(" and ", " && "), (" or ", " || "), (" not ", " !"), (" is ", " === "), ("//=", "/=")];
    let (wrong, right) = FOREIGN.iter().find(|(wrong, _)| code.contains(wrong))?;
    let at = code.find(wrong)?;
    let (word, meant) = (wrong.trim(), right.trim());
    let start = at + (wrong.len() - wrong.trim_start().len());
    Some(Fault {
        at: start..start + word.len(),
        message: format!("JavaScript has no `{word}`; did you mean `{meant}`?"),
        fix: Some((format!("Change to `{meant}`"), meant.to_owned())),
    })
}

/// The offset after a string that starts at `at`; `None` where none does.
fn literal_end(code: &str, at: usize) -> Option<usize> {
    let rest = code.get(at..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let mut escaped = false;
    for (offset, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return Some(at + offset + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Names that an expression reads, in order, without those it binds itself. Types, properties and keys
/// are not looked at.
pub(super) fn free_names<'t>(root: Node<'t>, source: &str) -> Vec<Node<'t>> {
    let mut bound: HashSet<String> = HashSet::new();
    let mut out = Vec::new();
    for node in nodes(root) {
        let field = |name| node.child_by_field_name(name);
        let mut bind = |n: Option<Node<'_>>| bound.extend(n.into_iter().flat_map(|n| bound_by_pattern(n, source)));
        match node.kind() {
            "arrow_function" | "catch_clause" => bind(field("parameter")),
            "required_parameter" | "optional_parameter" => bind(field("pattern").or_else(|| field("name"))),
            "variable_declarator" | "function_declaration" | "function_expression" | "class" | "class_declaration" => {
                bind(field("name"));
                bound.extend(field("name").map(|n| text(n, source).to_owned()));
            }
            "for_in_statement" => bind(field("left")),
            "identifier" | "shorthand_property_identifier" => out.push(node),
            _ => {}
        }
    }
    out.retain(|n| !bound.contains(text(*n, source)));
    out
}

/// The names in call position: `f` of `f(1)`, `m` of `a.m(1)`, `A` of `new A(1)`.
pub(super) fn called_names<'t>(root: Node<'t>) -> Vec<Node<'t>> {
    nodes(root).into_iter().filter_map(callee).collect()
}

fn callee<'t>(call: Node<'t>) -> Option<Node<'t>> {
    let function = match call.kind() {
        "call_expression" => unwrapped(call.child_by_field_name("function")?),
        "new_expression" => unwrapped(call.child_by_field_name("constructor")?),
        _ => return None,
    };
    match function.kind() {
        "identifier" => Some(function),
        "member_expression" => function.child_by_field_name("property"),
        _ => None,
    }
}

/// Whether a name stands anywhere in the code as a name or a member; strings and keys do not count.
pub(super) fn mentions(root: Node<'_>, source: &str, name: &str) -> bool {
    nodes(root).iter().any(|n| {
        let counts = match n.kind() {
            "identifier" | "shorthand_property_identifier" => true,
            "property_identifier" | "private_property_identifier" => {
                n.parent().is_some_and(|p| p.kind() == "member_expression")
            }
            _ => false,
        };
        counts && text(*n, source) == name
    })
}

/// The members that code takes of objects: `f` of `api.f`.
pub(super) fn members<'t>(root: Node<'t>) -> Vec<Node<'t>> {
    let all = nodes(root).into_iter().filter(|n| n.kind() == "member_expression");
    all.filter_map(|n| n.child_by_field_name("property")).collect()
}

/// An expression in which whoever watches calls the members of this name, and gives them where they are only taken:
/// `a.f(1)` becomes `__call(a, 1)`, `a.f` is `__take(a)`, and `a?.f(1)` is `__seen(a)?.f(1)`.
pub(super) fn watched(code: &str, member: &str) -> String {
    let Some(expression) = Expression::parse(code).filter(|e| e.node().is_some()) else { return code.to_owned() };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for property in members(expression.everything()).into_iter().filter(|n| expression.text(*n) == member) {
        let whole = property.parent();
        let Some((whole, object)) = whole.and_then(|n| Some((n, n.child_by_field_name("object")?))) else { continue };
        let above = whole.parent();
        let arguments =
            above.filter(|n| n.kind() == "call_expression" && n.child_by_field_name("function") == Some(whole));
        let arguments = arguments.and_then(|n| n.child_by_field_name("arguments"));
        let (from, to) = (expression.place(object), expression.place(whole).end);
        let opens = arguments.map_or(to, |n| expression.place(n).start);
        let between = code.get(from.end..opens).unwrap_or("");
        // What is made by `new` is left as it is.
        if above.is_some_and(|n| n.kind() == "new_expression") {
            continue;
        }
        // What may be missing is looked at, and called as it is written.
        if between.contains("?.") {
            edits.push((from.start..from.start, "__seen(".to_owned()));
            edits.push((from.end..from.end, ")".to_owned()));
            continue;
        }
        match arguments.filter(|n| n.kind() == "arguments") {
            Some(list) => {
                let comma = if parts(list).is_empty() { "" } else { ", " };
                edits.push((from.start..from.start, "__call(".to_owned()));
                edits.push((from.end..opens + 1, comma.to_owned()));
            }
            None => {
                edits.push((from.start..from.start, "__take(".to_owned()));
                edits.push((from.end..to, ")".to_owned()));
            }
        }
    }
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    replaced(code, &edits)
}

/// The two sides of `f(ARGS) === EXPECTED`, also reversed, also with `==`: the call first.
pub(super) fn equation<'t>(expression: Node<'t>, source: &str, function: &str) -> Option<(Node<'t>, Node<'t>)> {
    let comparison = unwrapped(expression);
    let operator = comparison.child_by_field_name("operator").map(|o| o.kind());
    if comparison.kind() != "binary_expression" || !matches!(operator, Some("==" | "===")) {
        return None;
    }
    let (left, right) = (comparison.child_by_field_name("left")?, comparison.child_by_field_name("right")?);
    let calls = |side: Node<'_>| {
        let side = unwrapped(side);
        let side = match side.kind() {
            "await_expression" => parts(side).into_iter().next().map_or(side, unwrapped),
            _ => side,
        };
        // A getter is called by its name alone.
        let name = match side.kind() {
            "member_expression" => side.child_by_field_name("property"),
            _ => callee(side).filter(|_| side.kind() == "call_expression"),
        };
        name.is_some_and(|n| text(n, source) == function)
    };
    match (calls(left), calls(right)) {
        (true, false) if !mentions(right, source, function) => Some((left, right)),
        (false, true) if !mentions(left, source, function) => Some((right, left)),
        _ => None,
    }
}

/// The sides of `f(ARGS) === EXPECTED`, as written.
pub(super) fn split_equation(code: &str, function: &str) -> Option<(String, String)> {
    let expression = Expression::parse(code)?;
    let (call, expected) = equation(expression.node()?, expression.source(), function)?;
    Some((expression.text(call).to_owned(), expression.text(expected).to_owned()))
}

/// The names that an expression reads and does not bind, each once, in order.
pub(super) fn free_names_of(code: &str) -> Vec<String> {
    let Some(expression) = Expression::parse(code) else { return Vec::new() };
    let Some(node) = expression.node() else { return Vec::new() };
    let mut out: Vec<String> = Vec::new();
    for name in free_names(node, expression.source()).into_iter().map(|n| expression.text(n)) {
        if !out.iter().any(|known| known == name) {
            out.push(name.to_owned());
        }
    }
    out
}

/// The arguments of every call of a function in an expression, as written.
pub(super) fn calls_of(code: &str, function: &str) -> Vec<Vec<String>> {
    let Some(expression) = Expression::parse(code) else { return Vec::new() };
    let mut out = Vec::new();
    for call in nodes(expression.everything()).into_iter().filter(|n| n.kind() == "call_expression") {
        let is_it = callee(call).is_some_and(|n| expression.text(n) == function);
        if let Some(arguments) = call.child_by_field_name("arguments").filter(|_| is_it) {
            out.push(parts(arguments).into_iter().map(|n| expression.text(n).to_owned()).collect());
        }
    }
    out
}

/// Whether an expression says its value without calling anything of the file.
pub(super) fn is_literal(code: &str) -> bool {
    let Some(expression) = Expression::parse(code) else { return false };
    expression.node().is_some_and(|n| is_literal_node(n, expression.source(), 0))
}

fn is_literal_node(node: Node<'_>, source: &str, depth: usize) -> bool {
    // Deeper literals are taken as unknown, so that no text can exhaust the stack.
    if depth > 64 {
        return false;
    }
    let all = |nodes: Vec<Node<'_>>| nodes.into_iter().all(|n| is_literal_node(n, source, depth + 1));
    match node.kind() {
        "number" | "string" | "true" | "false" | "null" | "undefined" | "regex" => true,
        "template_string" => super::tree::is_text_literal(node),
        "identifier" => matches!(text(node, source), "NaN" | "Infinity"),
        "unary_expression" => text(node, source).starts_with('-') && all(parts(node)),
        "array" | "object" | "parenthesized_expression" | "arguments" => all(parts(node)),
        "pair" => node.child_by_field_name("value").is_some_and(|n| is_literal_node(n, source, depth + 1)),
        "new_expression" => {
            let name = node.child_by_field_name("constructor").map_or("", |n| text(n, source));
            matches!(name, "Map" | "Set" | "Date")
                && node.child_by_field_name("arguments").is_none_or(|n| is_literal_node(n, source, depth + 1))
        }
        _ => false,
    }
}

/// An expression in which `==` and its like compare what values hold: `[1] === [1]` is true. Every
/// comparison becomes a call of `__same`, except those that ask whether something is there
/// (`x == null`).
pub(super) fn deep(code: &str) -> String {
    let code = &without_assertions(code);
    let Some(expression) = Expression::parse(code).filter(|e| e.node().is_some()) else { return code.clone() };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for node in nodes(expression.everything()).into_iter().filter(|n| n.kind() == "binary_expression") {
        let field = |name| node.child_by_field_name(name);
        let (Some(left), Some(operator), Some(right)) = (field("left"), field("operator"), field("right")) else {
            continue;
        };
        let nothing = |n: Node<'_>| matches!(unwrapped(n).kind(), "null" | "undefined");
        let before = match operator.kind() {
            "==" | "!=" if nothing(left) || nothing(right) => continue,
            "==" | "===" => "__same(",
            "!=" | "!==" => "!__same(",
            _ => continue,
        };
        let start = expression.place(left).start;
        edits.push((start..start, before.to_owned()));
        edits.push((expression.place(left).end..expression.place(right).start, ", ".to_owned()));
        let end = expression.place(right).end;
        edits.push((end..end, ")".to_owned()));
    }
    // Outer comparisons come first, so that edits at one place stay in the order of nesting.
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    replaced(code, &edits)
}

/// An expression without `!` behind its operands, which says nothing at run time and which the grammar
/// reads as if it stood behind the whole comparison.
fn without_assertions(code: &str) -> String {
    let Some(expression) = Expression::parse(code).filter(|_| code.contains('!')) else { return code.to_owned() };
    let asserted = nodes(expression.everything()).into_iter().filter(|n| n.kind() == "non_null_expression");
    let marks = asserted.flat_map(children).filter(|n| n.kind() == "!");
    let mut edits: Vec<(Range<usize>, String)> = marks.map(|n| (expression.place(n), String::new())).collect();
    edits.sort_by_key(|(range, _)| range.start);
    replaced(code, &edits)
}

fn replaced(code: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut out = String::with_capacity(code.len() + 16);
    let mut at = 0;
    for (range, new) in edits {
        out.push_str(code.get(at..range.start).unwrap_or(""));
        out.push_str(new);
        at = range.end.max(at);
    }
    out.push_str(code.get(at..).unwrap_or(""));
    out
}

/// Whether a name means something without being declared.
pub(super) fn is_global(name: &str) -> bool {
    GLOBALS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_looks_into_values() {
        for (written, evaluated) in [
            ("f([1]) === [1]", "__same(f([1]), [1])"),
            ("f(x) != {a: 1} && y == 2", "!__same(f(x), {a: 1}) && __same(y, 2)"),
            ("xs.every((x, i) => x === f(xs)[i])", "xs.every((x, i) => __same(x, f(xs)[i]))"),
            ("f(1) == null", "f(1) == null"),
            ("f(1) === null", "__same(f(1), null)"),
            ("a! === b!.c", "__same(a, b.c)"),
            ("(a === b) === (c === d)", "__same((__same(a, b)), (__same(c, d)))"),
            ("'a === b'", "'a === b'"),
            ("f(", "f("),
        ] {
            assert_eq!(deep(written), evaluated, "{written}");
        }
    }

    #[test]
    fn an_equation_has_the_call_on_one_side() {
        let split = |code: &str| split_equation(code, "f").map(|(a, b)| format!("{a} | {b}"));
        assert_eq!(split("f([1, 2]) === 2").as_deref(), Some("f([1, 2]) | 2"));
        assert_eq!(split("2 == f(1)").as_deref(), Some("f(1) | 2"));
        assert_eq!(split("(await a.f(1)) === 'x'").as_deref(), Some("(await a.f(1)) | 'x'"));
        assert_eq!(split("new A().f === 3").as_deref(), Some("new A().f | 3"));
        for other in ["f(1) === f(2)", "f(1) < 2", "g(f(1)) === 2", "f === 2", "f(1)"] {
            assert_eq!(split(other), None, "{other}");
        }
    }

    #[test]
    fn names_calls_and_literals() {
        assert_eq!(free_names_of("xs.map(({a, b: c}) => a + c + k).length === (n as Foo).size"), ["xs", "k", "n"]);
        assert_eq!(calls_of("f(1, [2]) + a.f(f(3))", "f"), [vec!["1", "[2]"], vec!["f(3)"], vec!["3"]]);
        for literal in ["-1", "[1, 'a', { b: null, 'c': [undefined] }]", "new Map([[1, 2]])", "`a`", "10n", "NaN"] {
            assert!(is_literal(literal), "{literal}");
        }
        for other in ["x", "[x]", "`${x}`", "f(1)", "1 + x", "new Foo(1)", "() => 1"] {
            assert!(!is_literal(other), "{other}");
        }
    }

    #[test]
    fn comments_go_and_strings_stay() {
        assert_eq!(without_comment("f(1) === 2 // two"), "f(1) === 2");
        assert_eq!(without_comment("f('//') === 2 /* two */ "), "f('//') === 2");
        assert_eq!(without_comment("f(/* n */ 1) === 'http://x'"), "f(/* n */ 1) === 'http://x'");
    }

    #[test]
    fn faults_say_what_is_wrong_and_where() {
        let fault = |code: &str| {
            let fault = parse_expression(code).err().unwrap();
            format!("{} [{}] {:?}", fault.message, &code[fault.at], fault.fix.map(|f| f.1))
        };
        assert_eq!(fault("f(1) = 2"), "`=` assigns; did you mean `===`? [=] Some(\"===\")");
        assert_eq!(
            fault("0 <= f(1) <= 2"),
            "JavaScript does not chain comparisons; join two of them with `&&` [0 <= f(1) <= 2] Some(\"0 <= f(1) && f(1) <= 2\")"
        );
        assert_eq!(fault("f([1) === 2"), "`)` cannot close `[`; `]` is missing [)] None");
        assert_eq!(fault("f(1) === \"a"), "the string that starts here never ends [\"] None");
        assert_eq!(fault("f(1) and f(2)"), "JavaScript has no `and`; did you mean `&&`? [and] Some(\"&&\")");
        assert!(fault("f(1) === 2 3").contains("does not fit here") || fault("f(1) === 2 3").contains("missing"));
        assert_eq!(fault(""), "an expression is needed [] None");
    }
}
