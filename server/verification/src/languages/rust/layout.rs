//! Indentation of Rust bodies: strings and block comments keep their lines.

use tree_sitter::Node;

use super::tree::is_text_literal;
use crate::languages::braces;
pub(super) use crate::languages::braces::Style;

/// What stands between the braces of a block, in a new layout: no line break at either end.
pub(super) fn inside_of(block: Node<'_>, source: &str, style: Style<'_>) -> String {
    braces::inside_of(block, source, style, |n| is_text_literal(n) || n.kind() == "block_comment")
}

/// The unit that a block adds to its function's indentation, if it stands on lines of its own.
pub(super) fn unit_of<'s>(function: Node<'_>, source: &'s str) -> Option<&'s str> {
    braces::unit_of(function, function.child_by_field_name("body")?, source)
}

#[cfg(test)]
mod tests {
    use super::super::tree::{nodes, parse};
    use super::*;

    fn laid_out(source: &str, style: Style<'_>) -> String {
        let tree = parse(source).unwrap();
        let block = nodes(tree.root_node()).into_iter().find(|n| n.kind() == "block").unwrap();
        inside_of(block, source, style)
    }

    #[test]
    fn levels_move_and_strings_stay() {
        assert_eq!(
            laid_out(
                "fn f() { // head\n  let s = \"a\n  b\";\n  /* x\n y */\n  if s.is_empty() {\n    g()\n      .h()\n  }\n\n  s\n}",
                Style { base: "\t", unit: "\t", newline: "\n" },
            ),
            "\t// head\n\tlet s = \"a\n  b\";\n\t/* x\n y */\n\tif s.is_empty() {\n\t\tg()\n\t\t\t.h()\n\t}\n\n\ts"
        );
        let style = Style { base: "    ", unit: "    ", newline: "\r\n" };
        assert_eq!(laid_out("fn f() -> i32 { 1 + 1 }", style), "    1 + 1");
    }
}
