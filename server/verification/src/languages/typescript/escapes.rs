//! Ways around the type checker: `any` in its forms, and comments that silence it or a linter.

use tree_sitter::Node;
use zeroerr_core::code::TextRange;

use super::tree::{Dialect, is_comment, nodes, parse, parts, text};

/// Comments that silence the compiler, after their `@`.
const COMPILERS: [&str; 3] = ["ts-ignore", "ts-expect-error", "ts-nocheck"];
/// Comments that silence a linter, or change its rules.
const LINTERS: [&str; 6] =
    ["eslint-disable", "oxlint-disable", "biome-ignore", "tslint:disable", "deno-lint-ignore", "eslint "];

/// One way around the type checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Escape {
    /// 1-based line.
    pub line: usize,
    /// Which way.
    pub rule: &'static str,
    /// As written.
    pub text: String,
}

/// The escapes in a range of a text, in order.
pub(super) fn escapes(source: &str, dialect: Dialect, range: TextRange) -> Vec<Escape> {
    let Some(tree) = parse(source, dialect) else { return Vec::new() };
    let inside = |n: &Node<'_>| range.start <= n.start_byte() && n.end_byte() <= range.end;
    nodes(tree.root_node()).into_iter().filter(inside).filter_map(|n| escape(n, source)).collect()
}

impl Escape {
    /// Whether it is a linter that it silences.
    pub fn is_for_linters(&self) -> bool {
        LINTERS.contains(&self.rule)
    }
}

/// The escapes from the compiler below a node, in order.
pub(super) fn below(root: Node<'_>, source: &str) -> Vec<Escape> {
    nodes(root).into_iter().filter_map(|n| escape(n, source)).filter(|e| !e.is_for_linters()).collect()
}

fn escape(node: Node<'_>, source: &str) -> Option<Escape> {
    let (rule, shown) = match node.kind() {
        "predefined_type" if text(node, source) == "any" => {
            let parent = node.parent()?;
            let rule = if matches!(parent.kind(), "as_expression" | "type_assertion") { "as-any" } else { "any" };
            // An assertion shows what is asserted.
            (rule, if rule == "as-any" { text(parent, source) } else { "any" })
        }
        "as_expression" | "type_assertion" => {
            let (inner, kind) = assertion(node, source)?;
            let through = assertion(inner, source).is_some_and(|(_, kind)| matches!(kind, "unknown" | "never"));
            // `never` fits everywhere; one that is asserted away again is told with that.
            let is_last = kind == "never" && !is_asserted(node);
            (through || is_last).then(|| ("as-unknown-as", text(node, source)))?
        }
        _ if is_comment(node) => {
            let whole = text(node, source);
            let said = whole.trim_start_matches(|c: char| matches!(c, '/' | '*') || c.is_whitespace());
            let (list, words): (&[&str], _) = match said.strip_prefix('@') {
                Some(rest) => (&COMPILERS, rest),
                None => (&LINTERS, said),
            };
            let rule = list.iter().find(|rule| words.starts_with(**rule))?;
            // Else these are words like any others.
            if rule.ends_with(' ') && (whole.starts_with("//") || !words.contains(':')) {
                return None;
            }
            (*rule, said.trim_end_matches("*/").trim_end().lines().next().unwrap_or(said))
        }
        _ => return None,
    };
    let shown: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Escape { line: node.start_position().row + 1, rule, text: shown })
}

/// What is asserted, without its parentheses, and the type that it is said to have: `x as T`, `<T>x`.
fn assertion<'t, 's>(node: Node<'t>, source: &'s str) -> Option<(Node<'t>, &'s str)> {
    let all = parts(node);
    let (first, last) = (all.first().copied()?, all.last().copied()?);
    let (mut inner, kind) = match node.kind() {
        "as_expression" => (first, last),
        "type_assertion" => (last, first),
        _ => return None,
    };
    while inner.kind() == "parenthesized_expression" {
        inner = parts(inner).into_iter().next()?;
    }
    Some((inner, text(kind, source).trim_matches(['<', '>']).trim()))
}

/// Whether a node stands in another assertion.
fn is_asserted(node: Node<'_>) -> bool {
    let mut above = node.parent();
    while let Some(wrapper) = above.filter(|n| n.kind() == "parenthesized_expression") {
        above = wrapper.parent();
    }
    above.is_some_and(|n| matches!(n.kind(), "as_expression" | "type_assertion"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_around_the_checker_is_seen() {
        let source = "function f(x: any) {\n  // @ts-ignore\n  const y = x as any;\n  const z: any[] = [];\n  /* @ts-expect-error later */\n  return y as unknown as string; // any remark, \"as any\"\n}\n";
        let seen = escapes(source, Dialect::TypeScript, TextRange::new(0, source.len()));
        let seen: Vec<String> = seen.iter().map(|e| format!("{} {} {}", e.line, e.rule, e.text)).collect();
        assert_eq!(
            seen,
            [
                "1 any any",
                "2 ts-ignore @ts-ignore",
                "3 as-any x as any",
                "4 any any",
                "5 ts-expect-error @ts-expect-error later",
                "6 as-unknown-as y as unknown as string",
            ]
        );
        assert!(escapes(source, Dialect::TypeScript, TextRange::new(0, 5)).is_empty());
    }

    #[test]
    fn assertions_are_seen_through_parentheses_and_in_both_forms() {
        let source =
            "f(x as never, (y as unknown) as T, <T>(<unknown>z), (v as never) as T, [] as never[], w as unknown);\n";
        let seen = escapes(source, Dialect::TypeScript, TextRange::new(0, source.len()));
        let seen: Vec<&str> = seen.iter().map(|e| e.text.as_str()).collect();
        assert_eq!(seen, ["x as never", "(y as unknown) as T", "<T>(<unknown>z)", "(v as never) as T"]);
    }

    #[test]
    fn every_comment_that_silences_a_linter_is_seen() {
        let source = "// oxlint-disable-next-line no-debugger\n/* eslint-disable */\n/*\n * biome-ignore lint: why */\n/* eslint eqeqeq: 0 */\n// eslint is content\n/* eslint is content */\nx(); // eslint-disable-line\n// see eslint-disable\n";
        let seen = escapes(source, Dialect::TypeScript, TextRange::new(0, source.len()));
        let seen: Vec<String> = seen.iter().map(|e| format!("{} {}", e.line, e.text)).collect();
        assert_eq!(
            seen,
            [
                "1 oxlint-disable-next-line no-debugger",
                "2 eslint-disable",
                "3 biome-ignore lint: why",
                "5 eslint eqeqeq: 0",
                "8 eslint-disable-line",
            ]
        );
    }
}
