//! What every file of this folder needs of the trees of TypeScript and JavaScript, beside the tools of
//! all languages.

use std::path::Path;

use tree_sitter::{Node, Parser, Tree};

use crate::languages::reparse;

pub(super) use crate::languages::tree::{
    Visit, children, indent_at, line_end, newline_of, nodes, starts_line, text, walk,
};

/// Which of the two grammars a text is read with: `<T>x` is a type assertion in one and an element in
/// the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Dialect {
    /// `.ts`, `.mts`, `.cts`.
    TypeScript,
    /// `.tsx`, and every file of JavaScript.
    Tsx,
}

impl Dialect {
    /// The grammar for a path.
    pub fn of(path: &Path) -> Self {
        match path.extension().and_then(|e| e.to_str()) {
            Some("ts" | "mts" | "cts") | None => Self::TypeScript,
            Some(_) => Self::Tsx,
        }
    }
}

/// Whether a file is plain JavaScript, which has no types in its text.
pub(super) fn is_javascript(path: &Path) -> bool {
    matches!(path.extension().and_then(|e| e.to_str()), Some("js" | "jsx" | "mjs" | "cjs"))
}

/// Parses any text; `None` only if the grammar does not fit the library, which a test excludes.
pub(super) fn parse(source: &str, dialect: Dialect) -> Option<Tree> {
    parser(dialect)?.parse(source, None)
}

/// Parses an editor's text: the same tree, sooner when the text is much like the last one.
pub(super) fn parse_typed(source: &str, dialect: Dialect) -> Option<Tree> {
    let grammar = match dialect {
        Dialect::TypeScript => "typescript",
        Dialect::Tsx => "tsx",
    };
    reparse::parse(grammar, parser(dialect)?, source)
}

fn parser(dialect: Dialect) -> Option<Parser> {
    let mut parser = Parser::new();
    let grammar = match dialect {
        Dialect::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
        Dialect::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
    };
    parser.set_language(&grammar.into()).ok()?;
    Some(parser)
}

/// Parses a text whose file is not known: by the grammar that has no fault to find, if one has none.
pub(super) fn parse_any(source: &str) -> Option<Tree> {
    let first = parse(source, Dialect::TypeScript)?;
    if !first.root_node().has_error() {
        return Some(first);
    }
    let second = parse(source, Dialect::Tsx).filter(|t| !t.root_node().has_error());
    second.or(Some(first))
}

/// Whether a node is a comment of any kind.
pub(super) fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "comment" | "html_comment")
}

/// Whether a node is one literal with its quotes; a template with holes is code.
pub(super) fn is_text_literal(node: Node<'_>) -> bool {
    matches!(node.kind(), "string" | "regex")
        || (node.kind() == "template_string"
            && !children(node).into_iter().any(|child| child.kind() == "template_substitution"))
}

/// Named children that are no comments.
pub(super) fn parts<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    children(node).into_iter().filter(|n| n.is_named() && !is_comment(*n)).collect()
}

/// One past the last byte of a node's code: the grammar takes a comment behind it into the node.
pub(super) fn end_of(mut node: Node<'_>) -> usize {
    loop {
        match children(node).into_iter().rfind(|n| !is_comment(*n) && !n.byte_range().is_empty()) {
            Some(last) => node = last,
            None => return node.end_byte(),
        }
    }
}

/// Whether a keyword stands among a node's own children: `async`, `static`, `get`.
pub(super) fn has_word(node: Node<'_>, word: &str) -> bool {
    children(node).into_iter().any(|child| child.kind() == word)
}

/// The nearest node around one that satisfies a predicate.
pub(super) fn around<'t>(node: Node<'t>, is_it: impl Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
    std::iter::successors(node.parent(), |n| n.parent()).find(|n| is_it(*n))
}

/// A subtree as one line of tokens: equal for texts that differ in white space, comments, trailing
/// commas and semicolons, and the kind of quotes only.
pub(super) fn normalised(root: Node<'_>, source: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    walk(root, |node, visit| {
        if visit == Visit::Leave || is_comment(node) {
            return false;
        }
        let whole = node.child_count() == 0 || is_text_literal(node);
        if whole {
            let part = text(node, source);
            if matches!(part, ")" | "]" | "}" | ">") && out.last().is_some_and(|last| last == "," || last == ";") {
                out.pop();
            }
            if !part.is_empty() {
                out.push(with_double_quotes(part));
            }
        }
        !whole
    });
    while out.last().is_some_and(|last| last == ";") {
        out.pop();
    }
    out.join(" ")
}

fn with_double_quotes(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').and_then(|l| l.strip_suffix('\''));
    match inner.filter(|i| !i.contains(['"', '\\'])) {
        Some(inner) => format!("\"{inner}\""),
        None => literal.to_owned(),
    }
}

/// What an expression is put between, so that it parses as one.
const BEFORE: &str = "async function f() { return (";
const AFTER: &str = "\n); }";

/// One expression with its tree. Offsets of nodes are those of `whole`; [`Expression::place`] maps them back.
pub(super) struct Expression {
    tree: Tree,
    whole: String,
}

impl Expression {
    /// Parses a text as one expression; the tree may have errors.
    pub fn parse(code: &str) -> Option<Self> {
        let whole = format!("{BEFORE}{code}{AFTER}");
        let tree = parse_any(&whole)?;
        Some(Self { tree, whole })
    }

    /// The text that the nodes' offsets belong to.
    pub fn source(&self) -> &str {
        &self.whole
    }

    /// Everything, the wrapping included.
    pub fn everything(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// The expression's node, when the text is exactly one expression.
    pub fn node(&self) -> Option<Node<'_>> {
        let root = self.tree.root_node();
        if root.has_error() || root.named_child_count() != 1 {
            return None;
        }
        let mut statements = parts(root.child(0)?.child_by_field_name("body")?).into_iter();
        let (first, second) = (statements.next()?, statements.next());
        if second.is_some() || first.kind() != "return_statement" {
            return None;
        }
        let value = parts(first).into_iter().next()?;
        match (value.kind(), parts(value).as_slice()) {
            ("parenthesized_expression", [one]) if one.kind() != "sequence_expression" => Some(*one),
            _ => None,
        }
    }

    /// The text of a node.
    pub fn text(&self, node: Node<'_>) -> &str {
        text(node, &self.whole)
    }

    /// The bytes of the expression's own text that a node covers.
    pub fn place(&self, node: Node<'_>) -> std::ops::Range<usize> {
        let end = self.whole.len() - BEFORE.len() - AFTER.len();
        let clip = |at: usize| at.saturating_sub(BEFORE.len()).min(end);
        clip(node.start_byte())..clip(node.end_byte())
    }
}

/// The expression inside any number of parentheses, and of remarks to the type checker: `x as T`, `x!`.
pub(super) fn unwrapped(mut node: Node<'_>) -> Node<'_> {
    const REMARKS: &[&str] =
        &["parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"];
    while REMARKS.contains(&node.kind()) {
        let Some(inner) = parts(node).into_iter().next() else { break };
        node = inner;
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expression_is_told_from_several() {
        let node = |code: &str| Expression::parse(code).and_then(|e| e.node().map(|n| n.kind().to_owned()));
        assert_eq!(node("f([1, 2]) === 2 // why").as_deref(), Some("binary_expression"));
        assert_eq!(node("await f(1) == 2").as_deref(), Some("binary_expression"));
        assert_eq!(node("<T,>(x: T) => x").as_deref(), Some("arrow_function"));
        assert_eq!(node("{ a: 1 }").as_deref(), Some("object"));
        for wrong in ["f(1), 2", "f(1); g(2)", "f(", ") + (", "", "let x = 1", "1); } function g() { (2"] {
            assert_eq!(node(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn places_are_those_of_the_expression() {
        let expression = Expression::parse("é + beta").unwrap();
        let last = nodes(expression.everything()).into_iter().rfind(|n| expression.text(*n) == "beta").unwrap();
        assert_eq!(expression.place(last), 5..9);
    }

    #[test]
    fn a_file_is_read_by_its_own_grammar() {
        let of = |path: &str| Dialect::of(Path::new(path));
        assert_eq!((of("a.ts"), of("a.mts"), of("a.tsx"), of("a.js")), {
            use Dialect::{Tsx, TypeScript};
            (TypeScript, TypeScript, Tsx, Tsx)
        });
        for (source, dialect) in [("const x = <T>y;", Dialect::TypeScript), ("const x = <T>y</T>;", Dialect::Tsx)] {
            assert!(!parse(source, dialect).unwrap().root_node().has_error(), "{source}");
            assert!(!parse_any(source).unwrap().root_node().has_error(), "{source}");
        }
    }
}
