//! One expression of a Python spec: does it parse, which names does it use, whom does it call.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::{Node, Tree};

use super::tree::{nodes, parse, single_expression, text, unwrapped};
use crate::languages::faults::Fault;

/// Parses a text that must be one expression.
pub(super) fn parse_expression(source: &str) -> Result<Tree, Fault> {
    let no_parser = || Fault { at: 0..source.len(), message: "the expression cannot be parsed".to_owned(), fix: None };
    if let Some(fault) = unbalanced(source) {
        return Err(fault);
    }
    let tree = parse(source).ok_or_else(no_parser)?;
    if single_expression(&tree).is_some() {
        return Ok(tree);
    }
    Err(fault_of(&tree, source))
}

/// What is wrong with an expression that is true whatever its parts are.
pub(super) fn always_true(tree: &Tree, source: &str) -> Option<Fault> {
    let root = unwrapped(single_expression(tree)?);
    let (message, all) = match root.kind() {
        "tuple" => ("a tuple is always true; give each expression its own line, or join them with `and`", false),
        "lambda" => ("a lambda is always true; write what must hold, without `lambda`", false),
        "generator_expression" => ("a generator is always true; put it into `all(...)`", true),
        "list" | "set" | "dictionary" | "list_comprehension" | "set_comprehension" | "dictionary_comprehension" => {
            ("this says no more than that something is in it; put it into `all(...)`, or compare it", false)
        }
        _ => return None,
    };
    let fix = all.then(|| ("Put it into `all(...)`".to_owned(), format!("all{}", text(root, source))));
    Some(Fault { at: root.byte_range(), message: message.to_owned(), fix })
}

/// The text without a comment at its end.
pub(super) fn without_comment(source: &str) -> &str {
    let Some(tree) = parse(source).filter(|_| source.contains('#')) else { return source };
    let comment = nodes(tree.root_node()).into_iter().find(|n| n.kind() == "comment");
    comment.and_then(|c| source.get(..c.start_byte())).map_or(source, str::trim_end)
}

fn fault_of(tree: &Tree, source: &str) -> Fault {
    let all = nodes(tree.root_node());
    if let Some(fault) = foreign_operator(&all, source) {
        return fault;
    }
    if let Some(missing) = all.iter().find(|n| n.is_missing()) {
        return Fault {
            at: at_least_one(missing.byte_range(), source),
            message: format!("`{}` is missing here", missing.kind()),
            fix: None,
        };
    }
    if let Some(error) = all.iter().find(|n| n.is_error()) {
        return error_fault(tree, *error, source);
    }
    let first = tree.root_node().child(0);
    if first.is_some_and(|n| n.kind() == "expression_statement" && n.child_count() > 1) {
        let message = "a tuple is always true; give each expression its own line, or join them with `and`".to_owned();
        return Fault { at: 0..source.len(), message, fix: None };
    }
    Fault { at: 0..source.len(), message: "this is a statement; an expression is needed".to_owned(), fix: None }
}

/// Operators of other languages, and `=` for `==`.
fn foreign_operator(all: &[Node<'_>], source: &str) -> Option<Fault> {
    const FOREIGN: &[(&str, &str)] =
        &[("&&", "and"), ("||", "or"), ("===", "=="), ("!==", "!="), ("=>", ">="), ("->", "==")];
    let in_error = |n: &&Node<'_>| n.is_error() || n.parent().is_some_and(|p| p.is_error());
    for error in all.iter().filter(in_error) {
        let around = error.start_byte().saturating_sub(2);
        for (wrong, right) in FOREIGN {
            let window = source.get(around..(error.end_byte() + 2).min(source.len())).unwrap_or("");
            let Some(found) = window.find(wrong).filter(|_| error.end_byte() - error.start_byte() <= 3) else {
                continue;
            };
            let at = around + found..around + found + wrong.len();
            let message = format!("Python has no `{wrong}` here; did you mean `{right}`?");
            return Some(Fault { at, message, fix: Some((format!("Change to `{right}`"), (*right).to_owned())) });
        }
    }
    // `x = 1` parses as an assignment, `f(1) = 2` as an error that ends in `=`.
    let equals =
        all.iter().find(|n| n.kind() == "=" && n.parent().is_some_and(|p| p.kind() == "assignment" || p.is_error()))?;
    let message = "`=` assigns; did you mean `==`?".to_owned();
    Some(Fault { at: equals.byte_range(), message, fix: Some(("Change to `==`".to_owned(), "==".to_owned())) })
}

fn error_fault(tree: &Tree, error: Node<'_>, source: &str) -> Fault {
    let end = source.trim_end().len();
    let stray = |node: Node<'_>| {
        let word: String = text(node, source).chars().take(30).collect();
        Fault { at: at_least_one(node.byte_range(), source), message: format!("`{word}` does not fit here"), fix: None }
    };
    let leaves: Vec<Node<'_>> = nodes(error).into_iter().filter(|n| n.child_count() == 0).collect();
    let first_leaf = nodes(tree.root_node()).into_iter().find(|n| n.child_count() == 0);
    // Everything up to here is one broken piece: the word after it is what cannot stand there.
    if first_leaf.is_some_and(|n| n.start_byte() == error.start_byte()) {
        let next =
            nodes(tree.root_node()).into_iter().find(|n| n.child_count() == 0 && n.start_byte() >= error.end_byte());
        match (next, leaves.last()) {
            (Some(next), _) if !next.byte_range().is_empty() => return stray(next),
            (_, Some(last)) if last.end_byte() == end && !last.is_named() => {
                let message = "the expression ends too early".to_owned();
                return Fault { at: at_least_one(last.byte_range(), source), message, fix: None };
            }
            _ => {
                return Fault {
                    at: error.start_byte()..error.end_byte(),
                    message: "this is no Python expression".to_owned(),
                    fix: None,
                };
            }
        }
    }
    leaves.first().map_or_else(|| stray(error), |leaf| stray(*leaf))
}

/// A range that can be seen: an empty one takes the character before it.
fn at_least_one(at: Range<usize>, source: &str) -> Range<usize> {
    if !at.is_empty() || at.start == 0 {
        return at;
    }
    let before = source.get(..at.start).and_then(|s| s.chars().next_back()).map_or(0, char::len_utf8);
    at.start - before..at.start
}

/// A bracket or quote without its partner. tree-sitter reports the whole expression for those.
fn unbalanced(source: &str) -> Option<Fault> {
    let fault = |at: usize, length: usize, message: String| Some(Fault { at: at..at + length, message, fix: None });
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut rest = source.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '#' => break,
            '"' | '\'' => match string_end(source, at, c) {
                Some(end) => {
                    while rest.clone().next().is_some_and(|(next, _)| next < end) {
                        rest.next();
                    }
                }
                None => return fault(at, 1, format!("the string that starts with {c} never ends")),
            },
            '(' | '[' | '{' => open.push((at, c)),
            ')' | ']' | '}' => match open.pop() {
                None => return fault(at, 1, format!("`{c}` closes nothing")),
                Some((_, opened)) if closing(opened) != c => {
                    return fault(at, 1, format!("`{c}` cannot close `{opened}`; `{}` is missing", closing(opened)));
                }
                Some(_) => {}
            },
            _ => {}
        }
    }
    open.pop().and_then(|(at, opened)| fault(at, 1, format!("`{opened}` is never closed")))
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The offset after a string literal that starts at `at`.
fn string_end(source: &str, at: usize, quote: char) -> Option<usize> {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let body = source.get(at..)?;
    let (close, start) = if body.starts_with(&triple) { (triple.as_str(), 3) } else { (triple.get(..1)?, 1) };
    let mut escaped = false;
    for (offset, c) in body.char_indices().skip_while(|(offset, _)| *offset < start) {
        if !escaped && body.get(offset..)?.starts_with(close) {
            return Some(at + offset + close.len());
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

/// Names that an expression reads, in order, without those it binds itself.
pub(super) fn free_names<'t>(root: Node<'t>, source: &str) -> Vec<Node<'t>> {
    let mut bound: HashSet<&str> = HashSet::new();
    let mut skipped: HashSet<usize> = HashSet::new();
    let mut out = Vec::new();
    for node in nodes(root) {
        let field = |name| node.child_by_field_name(name);
        match node.kind() {
            "attribute" => skipped.extend(field("attribute").map(|n| n.id())),
            "keyword_argument" => skipped.extend(field("name").map(|n| n.id())),
            "lambda_parameters" => bound.extend(identifiers(node, source)),
            "for_in_clause" => bound.extend(field("left").into_iter().flat_map(|n| identifiers(n, source))),
            "named_expression" => bound.extend(field("name").map(|n| text(n, source))),
            "identifier" if !skipped.contains(&node.id()) => out.push(node),
            _ => {}
        }
    }
    out.retain(|n| !bound.contains(text(*n, source)));
    out
}

fn identifiers<'s>(root: Node<'_>, source: &'s str) -> Vec<&'s str> {
    nodes(root).into_iter().filter(|n| n.kind() == "identifier").map(|n| text(n, source)).collect()
}

/// The names in call position: `f` of `f(1)`, `m` of `a.m(1)`.
pub(super) fn called_names(root: Node<'_>) -> Vec<Node<'_>> {
    nodes(root)
        .into_iter()
        .filter(|n| n.kind() == "call")
        .filter_map(|call| call.child_by_field_name("function").map(unwrapped))
        .filter_map(|f| match f.kind() {
            "identifier" => Some(f),
            "attribute" => f.child_by_field_name("attribute"),
            _ => None,
        })
        .collect()
}

/// Whether a name stands anywhere in the code, strings and keyword names excluded.
pub(super) fn mentions(root: Node<'_>, source: &str, name: &str) -> bool {
    let mut keywords: HashSet<usize> = HashSet::new();
    for node in nodes(root) {
        if node.kind() == "keyword_argument" {
            keywords.extend(node.child_by_field_name("name").map(|n| n.id()));
        }
        if node.kind() == "identifier" && !keywords.contains(&node.id()) && text(node, source) == name {
            return true;
        }
    }
    false
}

/// The two sides of `f(ARGS) == EXPECTED`, also reversed, also with `is`: the call first.
pub(super) fn equation<'t>(expression: Node<'t>, source: &str, function: &str) -> Option<(Node<'t>, Node<'t>)> {
    let comparison = unwrapped(expression);
    let operators: Vec<Node<'_>> = comparison.children_by_field_name("operators", &mut comparison.walk()).collect();
    // `is` speaks of one object; of a singleton that is no more than its value.
    let single = |side: Node<'_>| matches!(unwrapped(side).kind(), "none" | "true" | "false" | "ellipsis");
    let is_equality = match operators.as_slice() {
        [one] => {
            one.kind() == "==" || (one.kind() == "is" && comparison.named_children(&mut comparison.walk()).any(single))
        }
        _ => false,
    };
    if comparison.kind() != "comparison_operator" || comparison.named_child_count() != 2 || !is_equality {
        return None;
    }
    let (left, right) = (comparison.named_child(0)?, comparison.named_child(1)?);
    let calls = |side: Node<'_>| {
        let side = unwrapped(side);
        let call = if side.kind() == "await" { side.named_child(0).map_or(side, unwrapped) } else { side };
        let callee = call.child_by_field_name("function").filter(|_| call.kind() == "call");
        let name =
            callee.and_then(|f| if f.kind() == "attribute" { f.child_by_field_name("attribute") } else { Some(f) });
        name.is_some_and(|n| text(n, source) == function)
    };
    match (calls(left), calls(right)) {
        (true, false) if !mentions(right, source, function) => Some((left, right)),
        (false, true) if !mentions(left, source, function) => Some((right, left)),
        _ => None,
    }
}

/// Every name that Python knows without an import.
pub(super) const BUILTINS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "ExceptionGroup",
    "False",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "None",
    "NotADirectoryError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "PythonFinalizationError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TimeoutError",
    "True",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
    "__debug__",
    "__doc__",
    "__file__",
    "__name__",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "copyright",
    "credits",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "license",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
    "__import__",
];
