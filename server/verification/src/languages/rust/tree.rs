//! What every file of this folder needs of Rust's trees, beside the tools of all languages.

use tree_sitter::{Node, Parser, Tree};

use crate::languages::reparse;

pub(super) use crate::languages::tree::{
    Visit, children, indent_at, line_end, newline_of, nodes, starts_line, text, walk, without_cr,
};

/// A parser for Rust; `None` only if the grammar does not fit the library, which a test excludes.
pub(super) fn parser() -> Option<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_rust::LANGUAGE.into()).ok()?;
    Some(parser)
}

/// Parses any text.
pub(super) fn parse(text: &str) -> Option<Tree> {
    parser()?.parse(text, None)
}

/// Parses an editor's text: the same tree, sooner when the text is much like the last one.
pub(super) fn parse_typed(text: &str) -> Option<Tree> {
    reparse::parse("rust", parser()?, text)
}

/// The words of a text: names, keywords and numbers.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty())
}

/// Whether a node is a comment of any kind, documentation included.
pub(super) fn is_comment(node: Node<'_>) -> bool {
    matches!(node.kind(), "line_comment" | "block_comment")
}

/// Whether a node is one literal with its quotes.
pub(super) fn is_text_literal(node: Node<'_>) -> bool {
    matches!(node.kind(), "string_literal" | "raw_string_literal" | "char_literal")
}

/// Named children that are no comments.
pub(super) fn parts<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    children(node).into_iter().filter(|n| n.is_named() && !is_comment(*n)).collect()
}

/// A subtree as one line of tokens: equal for texts that differ in white space, comments and
/// trailing commas only.
pub(super) fn normalised(root: Node<'_>, source: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    walk(root, |node, visit| {
        if visit == Visit::Leave || is_comment(node) {
            return false;
        }
        let whole = node.child_count() == 0 || is_text_literal(node);
        if whole {
            let part = text(node, source);
            if matches!(part, ")" | "]" | "}" | ">") && out.last() == Some(&",") {
                out.pop();
            }
            if !part.is_empty() {
                out.push(part);
            }
        }
        !whole
    });
    out.join(" ")
}

/// What an expression is put between, so that it parses as one.
const BEFORE: &str = "fn f() { let _ = (";
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
        let tree = parse(&whole)?;
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
        if self.tree.root_node().has_error() {
            return None;
        }
        let function = self.tree.root_node().child(0)?;
        let mut statements = parts(function.child_by_field_name("body")?).into_iter();
        let (first, second) = (statements.next()?, statements.next());
        if children(self.tree.root_node()).len() != 1 || second.is_some() || first.kind() != "let_declaration" {
            return None;
        }
        let value = first.child_by_field_name("value")?;
        let inner = parts(value);
        match inner.as_slice() {
            [one] if value.kind() == "parenthesized_expression" => Some(*one),
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

/// The expression inside any number of parentheses.
pub(super) fn unwrapped(mut node: Node<'_>) -> Node<'_> {
    while node.kind() == "parenthesized_expression" {
        let Some(inner) = parts(node).into_iter().next() else { break };
        node = inner;
    }
    node
}

/// The expressions that an `assert_eq!` or `assert!` was given, as written. A token tree is not parsed:
/// a comma splits where both sides are expressions.
pub(super) fn macro_arguments(invocation: Node<'_>, source: &str) -> Vec<String> {
    let Some(tokens) = children(invocation).into_iter().find(|n| n.kind() == "token_tree") else { return Vec::new() };
    let inner = text(tokens, source);
    let start = tokens.start_byte() + 1;
    let end = start + inner.len().saturating_sub(2);
    let mut out = Vec::new();
    let mut from = start;
    let commas = children(tokens).into_iter().filter(|n| n.kind() == ",").map(|n| n.start_byte());
    for at in commas.chain([end]) {
        let piece = source.get(from..at).unwrap_or("").trim();
        if piece.is_empty() {
            continue;
        }
        if Expression::parse(piece).is_some_and(|e| e.node().is_some()) {
            out.push(piece.to_owned());
            from = at + 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_expression_is_told_from_several() {
        let node = |code: &str| Expression::parse(code).and_then(|e| e.node().map(|n| n.kind().to_owned()));
        assert_eq!(node("f(&[1, 2]) == 2 // why").as_deref(), Some("binary_expression"));
        assert_eq!(node("{ let x = 1; f(x) }").as_deref(), Some("block"));
        for wrong in ["f(1), 2", "f(1); g(2)", "f(", ") + (", "", "let x = 1", "1); } fn g() { (2"] {
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
    fn assertions_split_at_their_own_commas() {
        let source = "assert_eq!(f(1, 2), HashMap::<i32, Vec<u8>>::new(), \"{}, {}\", 1, 2);";
        let tree = parse(source).unwrap();
        let call = nodes(tree.root_node()).into_iter().find(|n| n.kind() == "macro_invocation").unwrap();
        assert_eq!(macro_arguments(call, source)[..2], ["f(1, 2)", "HashMap::<i32, Vec<u8>>::new()"]);
    }
}
