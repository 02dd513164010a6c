//! The numbers and texts that a spec names, and those that a body does: most of what decides between two cases is written
//! down somewhere, and few inputs that are made up would meet it.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::task_specification::Clause;

use super::tree::{Dialect, children, nodes, parse, parse_any, parts, text};

/// How far constants are followed that name other ones.
const DEPTH: usize = 3;
/// Most literals that one constant stands for: a table is no limit.
const MOST: usize = 6;
/// Longest text that counts.
const LONGEST: usize = 60;
/// What `typeof` says.
const TYPES: [&str; 8] = ["string", "number", "object", "function", "undefined", "boolean", "bigint", "symbol"];

/// Literals of clauses, and of the file's constants that they name, as they are written. What is outside of the function
/// decides alone, so that all candidates for its body have the same ones.
pub(super) fn of_clauses<'c>(clauses: impl Iterator<Item = &'c Clause>, task: &Task) -> Vec<String> {
    let constants = Constants::of(task);
    let mut out = Vec::new();
    for clause in clauses {
        if let Some(tree) = parse_any(&clause.text) {
            literals(tree.root_node(), &clause.text, &mut out);
            constants.add(tree.root_node(), &clause.text, 0, &mut out);
        }
    }
    once(out)
}

/// The same of the function's own body.
pub(super) fn of_body(task: &Task) -> Vec<String> {
    let body = task.body_range.slice(&task.source);
    let mut out = Vec::new();
    if let Some(tree) = parse(body, Dialect::of(&task.file)) {
        literals(tree.root_node(), body, &mut out);
        Constants::of(task).add(tree.root_node(), body, 0, &mut out);
    }
    once(out)
}

fn once(mut literals: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    literals.retain(|literal| seen.insert(literal.clone()));
    literals
}

/// The constants that a file declares at its top level, with their values.
struct Constants(Vec<(String, String)>);

impl Constants {
    fn of(task: &Task) -> Self {
        let source = &*task.source;
        let Some(tree) = parse(source, Dialect::of(&task.file)) else { return Self(Vec::new()) };
        let statements = children(tree.root_node()).into_iter().map(|n| match n.kind() {
            "export_statement" => n.child_by_field_name("declaration").unwrap_or(n),
            _ => n,
        });
        let declared =
            statements.filter(|n| n.kind() == "lexical_declaration" && text(*n, source).starts_with("const"));
        let is_outside = |n: Node<'_>| !overlaps(n, task.body_range);
        let one = |n: Node<'_>| {
            let name = n.child_by_field_name("name").filter(|name| name.kind() == "identifier")?;
            let value = n.child_by_field_name("value").filter(|value| is_outside(*value))?;
            Some((text(name, source).to_owned(), text(value, source).to_owned()))
        };
        Self(declared.flat_map(parts).filter_map(one).collect())
    }

    /// Adds the literals of the constants that are named below a node.
    fn add(&self, root: Node<'_>, source: &str, depth: usize, out: &mut Vec<String>) {
        let named: HashSet<&str> =
            nodes(root).into_iter().filter(|n| n.kind() == "identifier").map(|n| text(n, source)).collect();
        for (_, value) in self.0.iter().filter(|(name, _)| named.contains(name.as_str())) {
            let value = format!("({value})");
            let Some(tree) = parse_any(&value) else { continue };
            let mut found = Vec::new();
            literals(tree.root_node(), &value, &mut found);
            out.extend(found.into_iter().take(MOST));
            if depth < DEPTH {
                self.add(tree.root_node(), &value, depth + 1, out);
            }
        }
    }
}

fn overlaps(node: Node<'_>, range: TextRange) -> bool {
    node.start_byte() < range.end && range.start < node.end_byte()
}

/// The literals below a node, numbers with their sign.
fn literals(root: Node<'_>, source: &str, out: &mut Vec<String>) {
    for node in nodes(root) {
        let written = text(node, source);
        match node.kind() {
            "number" => {
                let is_negative =
                    node.parent().is_some_and(|p| p.kind() == "unary_expression" && text(p, source).starts_with('-'));
                out.push(if is_negative { format!("-{written}") } else { written.to_owned() });
            }
            "string" => {
                let inside = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
                if !inside.is_empty() && inside.len() <= LONGEST && !TYPES.contains(&inside) {
                    out.push(written.to_owned());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::specs::analyse;
    use super::*;

    #[test]
    fn clauses_say_what_they_and_the_constants_they_name_say() {
        let source = "const BASE = 0x1F4;\nexport const LIMIT = BASE + 1;\nconst OTHER = 9;\n// @ensures result === (x >= LIMIT || s === 'admin' || x < -40)\n// @requires typeof x === \"number\" && x < 0.75\nfunction f(x: number, s: string): boolean {\n  return x > 77 && x < OTHER;\n}\n";
        let task = analyse(Path::new("f.ts"), &Arc::from(source)).tasks.remove(0);
        assert_eq!(of_clauses(task.spec.ensures.iter(), &task), ["'admin'", "-40", "1", "0x1F4"]);
        assert_eq!(of_clauses(task.spec.requires.iter(), &task), ["0.75"]);
        assert_eq!(of_body(&task), ["77", "9"]);
    }
}
