//! Indentation of bodies: strings, templates and block comments keep their lines.

use tree_sitter::Node;

use super::tree::text;
use crate::languages::braces;
pub(super) use crate::languages::braces::Style;

fn is_fixed(node: Node<'_>) -> bool {
    matches!(node.kind(), "template_string" | "string" | "comment")
}

/// What stands in a function's body, in a new layout: no line break at either end. The expression of
/// an arrow becomes a `return`.
pub(super) fn inside_of(body: Node<'_>, source: &str, style: Style<'_>) -> String {
    if body.kind() == "statement_block" {
        return braces::inside_of(body, source, style, is_fixed);
    }
    let inner = braces::inside_of(body, source, style, is_fixed);
    // `=> ({ a: 1 })` has its brackets for the arrow's sake only; they do no harm.
    let bare = inner.strip_prefix(style.base).unwrap_or(&inner);
    format!("{}return {bare};", style.base)
}

/// The unit that a body adds to its statement's indentation, if it stands on lines of its own.
pub(super) fn unit_of<'s>(outer: Node<'_>, body: Node<'_>, source: &'s str) -> Option<&'s str> {
    let is_block = body.kind() == "statement_block" && text(body, source).starts_with('{');
    braces::unit_of(outer, body, source).filter(|_| is_block)
}

#[cfg(test)]
mod tests {
    use super::super::tree::{nodes, parse_any};
    use super::*;

    fn laid_out(source: &str, style: Style<'_>) -> String {
        let tree = parse_any(source).unwrap();
        let function = nodes(tree.root_node()).into_iter().find(|n| n.child_by_field_name("body").is_some()).unwrap();
        inside_of(function.child_by_field_name("body").unwrap(), source, style)
    }

    #[test]
    fn levels_move_and_templates_stay() {
        assert_eq!(
            laid_out(
                "function f() { // head\n  const s = `a  \n  ${x}\nb`;\n  /* x\n y */\n  if (s) {\n    g()\n      .h();\n  }\n\n  return s;\n}",
                Style { base: "\t", unit: "\t", newline: "\n" },
            ),
            "\t// head\n\tconst s = `a  \n  ${x}\nb`;\n\t/* x\n y */\n\tif (s) {\n\t\tg()\n\t\t\t.h();\n\t}\n\n\treturn s;"
        );
        let style = Style { base: "    ", unit: "    ", newline: "\r\n" };
        assert_eq!(laid_out("const f = (x) => x\n  .map((y) => ({ y }))\n  .join()", style), {
            "    return x\r\n    .map((y) => ({ y }))\r\n    .join();"
        });
        assert_eq!(laid_out("const f = (x) => ({ x })", style), "    return ({ x });");
    }
}
