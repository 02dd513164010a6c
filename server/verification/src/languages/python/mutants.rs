//! Small faults that a Python function could have: what the layers must see.
//!
//! One mutant is one change of one place. Docstrings, annotations and comments are left alone.

use tree_sitter::Node;
use zeroerr_core::code::{TextRange, line_of};

use super::tree::{children, nodes, parse, text};

/// What kind of slip a mutant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `<` for `<=`, `in` for `not in`.
    Comparison,
    /// `-` for `+`.
    Arithmetic,
    /// Another number, an empty text.
    Constant,
    /// `or` for `and`, a condition the other way round.
    Boolean,
    /// `None` in place of the result.
    Return,
    /// The neighbouring item, another end of a slice.
    Index,
    /// A range or a length that is one off.
    OffByOne,
    /// A statement left out.
    Statement,
}

impl Operator {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Comparison => "comparison",
            Operator::Arithmetic => "arithmetic",
            Operator::Constant => "constant",
            Operator::Boolean => "boolean",
            Operator::Return => "return",
            Operator::Index => "slice or index",
            Operator::OffByOne => "off by one",
            Operator::Statement => "dropped statement",
        }
    }
}

/// One change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What kind of slip it is.
    pub operator: Operator,
    /// The bytes that are replaced.
    pub range: TextRange,
    /// By what.
    pub new_text: String,
    /// 1-based line.
    pub line: usize,
}

impl Mutant {
    /// The text with the change.
    pub fn applied(&self, source: &str) -> String {
        let (head, tail) = (source.get(..self.range.start), source.get(self.range.end..));
        format!("{}{}{}", head.unwrap_or(""), self.new_text, tail.unwrap_or(""))
    }

    /// `<` -> `<=`, in one line.
    pub fn change(&self, source: &str) -> String {
        let one_line = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("`{}` -> `{}`", one_line(self.range.slice(source)), one_line(&self.new_text))
    }
}

/// Every mutant of the functions in a text that still parses, in the order of the text.
pub fn mutants(source: &str) -> Vec<Mutant> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let functions = children(tree.root_node()).into_iter().filter(|n| n.kind() == "function_definition");
    let mut found = Vec::new();
    for body in functions.filter_map(|f| f.child_by_field_name("body")) {
        for node in nodes(body).into_iter().filter(|n| !is_told(*n)) {
            for (operator, at, new_text) in changes(node, source) {
                let range = TextRange::new(at.start_byte(), at.end_byte());
                found.push(Mutant { operator, range, new_text, line: line_of(source, range.start) });
            }
        }
    }
    found.retain(|m| {
        m.range.slice(source) != m.new_text
            && parse(&m.applied(source)).is_some_and(|changed| !changed.root_node().has_error())
    });
    found.sort_by(|a, b| (a.range.start, a.operator, &a.new_text).cmp(&(b.range.start, b.operator, &b.new_text)));
    found.dedup();
    found
}

/// Whether a node only tells: an annotation, or a text that stands as a statement.
fn is_told(node: Node<'_>) -> bool {
    let around = std::iter::successors(Some(node), Node::parent);
    around.take_while(|n| n.kind() != "function_definition").any(|n| {
        n.kind() == "type"
            || (n.kind() == "expression_statement" && n.named_child(0).is_some_and(|c| c.kind() == "string"))
    })
}

type Change<'t> = (Operator, Node<'t>, String);

fn changes<'t>(node: Node<'t>, source: &str) -> Vec<Change<'t>> {
    let field = |name: &str| node.child_by_field_name(name);
    let operator_of = |table: &[(&str, &str)]| -> Vec<(Node<'t>, String)> {
        let other = |n: &Node<'_>| table.iter().find(|(old, _)| *old == squeezed(text(*n, source)));
        let tokens = children(node).into_iter().filter(|n| !n.is_named());
        tokens.filter_map(|n| other(&n).map(|(_, new)| (n, (*new).to_owned()))).collect()
    };
    let each = |operator: Operator, found: Vec<(Node<'t>, String)>| -> Vec<Change<'t>> {
        found.into_iter().map(|(n, new)| (operator, n, new)).collect()
    };
    match node.kind() {
        "comparison_operator" => each(Operator::Comparison, operator_of(COMPARISONS)),
        "binary_operator" | "augmented_assignment" => {
            let mut all = each(Operator::Arithmetic, operator_of(ARITHMETIC));
            all.extend(dropped(node));
            all
        }
        "assignment" => dropped(node).into_iter().collect(),
        "break_statement" | "continue_statement" => vec![(Operator::Statement, node, "pass".to_owned())],
        "call" => {
            let mut all: Vec<Change<'t>> = dropped(node).into_iter().collect();
            all.extend(off_by_one(node, source));
            all
        }
        "integer" | "float" | "string" => constant(node, source).into_iter().collect(),
        "true" => vec![(Operator::Boolean, node, "False".to_owned())],
        "false" => vec![(Operator::Boolean, node, "True".to_owned())],
        "boolean_operator" => each(Operator::Boolean, operator_of(&[("and", "or"), ("or", "and")])),
        "not_operator" => {
            field("argument").map(|a| (Operator::Boolean, node, text(a, source).to_owned())).into_iter().collect()
        }
        "if_statement" | "elif_clause" | "while_statement" => {
            let negated = |c: Node<'t>| (Operator::Boolean, c, format!("not ({})", text(c, source)));
            field("condition").map(negated).into_iter().collect()
        }
        "return_statement" => {
            let value = node.named_child(0).filter(|v| v.kind() != "none");
            value.map(|v| (Operator::Return, v, "None".to_owned())).into_iter().collect()
        }
        "subscript" => {
            let index = field("subscript").filter(|i| is_number(*i));
            index.map(|i| (Operator::Index, i, format!("{} + 1", text(i, source)))).into_iter().collect()
        }
        "slice" => {
            let bound = children(node).into_iter().find(|n| n.is_named() && is_number(*n));
            bound.map(|b| (Operator::Index, b, format!("({}) + 1", text(b, source)))).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

const COMPARISONS: &[(&str, &str)] = &[
    ("<", "<="),
    ("<=", "<"),
    (">", ">="),
    (">=", ">"),
    ("==", "!="),
    ("!=", "=="),
    ("in", "not in"),
    ("not in", "in"),
    ("is", "is not"),
    ("is not", "is"),
];

const ARITHMETIC: &[(&str, &str)] = &[
    ("+", "-"),
    ("-", "+"),
    ("*", "+"),
    ("/", "*"),
    ("//", "/"),
    ("%", "*"),
    ("**", "*"),
    ("&", "|"),
    ("|", "&"),
    ("^", "&"),
    ("+=", "-="),
    ("-=", "+="),
    ("*=", "+="),
    ("//=", "+="),
];

fn squeezed(token: &str) -> String {
    token.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether an index or a bound is something that one can be added to.
fn is_number(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "integer" | "identifier" | "binary_operator" | "unary_operator" | "call" | "parenthesized_expression"
    )
}

/// A statement of this expression alone, left out.
fn dropped(node: Node<'_>) -> Option<Change<'_>> {
    let statement = node.parent().filter(|p| p.kind() == "expression_statement" && p.named_child_count() == 1)?;
    Some((Operator::Statement, statement, "pass".to_owned()))
}

fn constant<'t>(node: Node<'t>, source: &str) -> Option<Change<'t>> {
    let written = text(node, source);
    let new = match node.kind() {
        "integer" => (written.parse::<i64>().ok()?.checked_add(1)?).to_string(),
        "float" => format!("{:?}", written.parse::<f64>().ok()? + 1.0),
        _ if written == "''" || written == "\"\"" => "'x'".to_owned(),
        _ if written.starts_with(['\'', '"']) => "''".to_owned(),
        _ => return None,
    };
    Some((Operator::Constant, node, new))
}

/// `range(n)` that goes one further, `len(xs)` that is one less.
fn off_by_one<'t>(call: Node<'t>, source: &str) -> Option<Change<'t>> {
    let arguments: Vec<Node<'t>> =
        children(call.child_by_field_name("arguments")?).into_iter().filter(Node::is_named).collect();
    match (text(call.child_by_field_name("function")?, source), arguments.as_slice()) {
        ("range", [end] | [_, end]) => Some((Operator::OffByOne, *end, format!("{} + 1", text(*end, source)))),
        ("len", [_]) => Some((Operator::OffByOne, call, format!("({} - 1)", text(call, source)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn every_operator_makes_one_change() {
        let source = "\
def f(xs: list[int] = [1], n: int = 0) -> int:
    '''Doc, 1 < 2.'''
    total = 0
    for i in range(len(xs)):
        if xs[i] < n and not xs[1:] == 'a':
            total += i * 2.5
            continue
    xs.append(True)
    return total
";
        let mut out = String::new();
        for m in mutants(source) {
            out += &format!("{} {}: {}\n", m.line, m.operator.name(), m.change(source));
        }
        expect![[r#"
            3 dropped statement: `total = 0` -> `pass`
            3 constant: `0` -> `1`
            4 off by one: `len(xs)` -> `(len(xs) - 1)`
            4 off by one: `len(xs)` -> `len(xs) + 1`
            5 boolean: `xs[i] < n and not xs[1:] == 'a'` -> `not (xs[i] < n and not xs[1:] == 'a')`
            5 slice or index: `i` -> `i + 1`
            5 comparison: `<` -> `<=`
            5 boolean: `and` -> `or`
            5 boolean: `not xs[1:] == 'a'` -> `xs[1:] == 'a'`
            5 constant: `1` -> `2`
            5 slice or index: `1` -> `(1) + 1`
            5 comparison: `==` -> `!=`
            5 constant: `'a'` -> `''`
            6 dropped statement: `total += i * 2.5` -> `pass`
            6 arithmetic: `+=` -> `-=`
            6 arithmetic: `*` -> `+`
            6 constant: `2.5` -> `3.5`
            7 dropped statement: `continue` -> `pass`
            8 dropped statement: `xs.append(True)` -> `pass`
            8 boolean: `True` -> `False`
            9 return: `total` -> `None`
        "#]]
        .assert_eq(&out);
        for m in mutants(source) {
            assert_ne!(m.applied(source), source);
        }
    }

    #[test]
    fn a_text_without_a_function_has_no_mutants() {
        assert_eq!(mutants("x = 1 + 2\n"), []);
        assert_eq!(mutants(""), []);
    }
}
