//! Files for a newer Python than the one that checks run with: nothing can be said of them.

use tree_sitter::Node;
use zeroerr_core::verdict::{Layer, LayerReport, Verdict};

use super::tree::{nodes, parse};
use crate::languages::Subject;
use crate::toolchain::Toolchain;

/// The Python that knows type parameters (PEP 695).
const GENERIC: (u32, u32) = (3, 12);

/// What each layer says of a file that is in a newer Python; `None` of all others.
pub(super) fn report(tools: &Toolchain, subject: &Subject, layer: Layer) -> Option<LayerReport> {
    let ours = tools.python().ok()?.version;
    if version(&ours)? >= GENERIC {
        return None;
    }
    let line = generic(&subject.task.source)?;
    let detail = format!(
        "line {line} needs Python {}.{} (type parameters), and checks run with Python {ours}: put a newer python3 first \
         in PATH, remove {} and run `zeroerr doctor --fix`",
        GENERIC.0,
        GENERIC.1,
        tools.python().ok()?.root.display()
    );
    Some(LayerReport::new(layer, Verdict::Unavailable, detail))
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map_while(|part| part.parse().ok());
    Some((parts.next()?, parts.next()?))
}

/// The first line with `def f[T]`, `class C[T]` or `type X = ...`.
fn generic(source: &str) -> Option<usize> {
    // Most files have none, and are not read again for this.
    let may_be = |line: &str| {
        let line = line.trim_start().trim_start_matches("async ");
        let head = ["def ", "class ", "type "].iter().find_map(|word| line.strip_prefix(word));
        let rest =
            head.map(|h| h.trim_start().trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').trim_start());
        rest.is_some_and(|rest| rest.starts_with('[') || line.starts_with("type ") && rest.starts_with('='))
    };
    if !source.lines().any(may_be) {
        return None;
    }
    let tree = parse(source)?;
    let is_generic = |node: &Node<'_>| {
        node.kind() == "type_alias_statement" || node.child_by_field_name("type_parameters").is_some()
    };
    nodes(tree.root_node()).into_iter().find(is_generic).map(|node| node.start_position().row + 1)
}

#[cfg(test)]
mod tests {
    use super::{generic, version};

    #[test]
    fn type_parameters_are_known_from_text_about_them() {
        let line = |source: &str| generic(source);
        assert_eq!(line("x = 1\ndef first[T](xs: list[T]) -> T:\n    return xs[0]\n"), Some(2));
        assert_eq!(line("class Box[T]:\n    pass\n"), Some(1));
        assert_eq!(line("type Pair = tuple[int, int]\n"), Some(1));
        assert_eq!(
            line("def f(xs: list[int]) -> int:\n    \"\"\"\n    def first[T](xs)\n    \"\"\"\n    return xs[0]\n"),
            None
        );
        assert_eq!(line("type = 3\n"), None);
        assert_eq!((version("3.11.7"), version("3.9"), version("")), (Some((3, 11)), Some((3, 9)), None));
    }
}
