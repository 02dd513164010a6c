//! What only Python can say of a spec: expressions that do not parse, examples of another function,
//! examples that contradict each other, names that nobody knows.

use std::collections::HashSet;

use tree_sitter::{Node, Tree};
use zeroerr_core::code::{Param, TextRange};
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, Spec, SpecDiagnostic};

use super::expressions::{
    BUILTINS, always_true, called_names, equation, free_names, mentions, parse_expression, without_comment,
};
use super::functions::{FileIndex, Function};
use super::literals;
use super::tree::{nodes, normalised, parse, single_expression, text, unwrapped};
use crate::languages::faults::{Comparison, Faults, nearest};
use crate::languages::pieces::elsewhere::Elsewhere;

/// What a spec's expressions are read against.
pub(super) struct Context<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Names of the spec's own: parameters, steps, the function itself.
    pub names: HashSet<&'a str>,
    /// The function's parameters.
    pub params: &'a [Param],
    /// The helpers that `@step` lines declare; an example may be about one of them.
    pub steps: HashSet<&'a str>,
    /// The file's names, and where in it the function stands.
    pub file: (&'a FileIndex<'a>, &'a Function<'a>),
    /// What the rest of the file binds.
    pub elsewhere: &'a Elsewhere<'a>,
    /// Where the spec's clauses stand.
    pub sources: &'a [ClauseSource],
}

impl Context<'_> {
    /// The first of the spec's helpers that is called.
    fn step_called<'e>(&self, calls: &[Node<'_>], expression: &'e str) -> Option<&'e str> {
        calls.iter().map(|n| text(*n, expression)).find(|name| self.steps.contains(name))
    }

    /// Whether a name means something; with `from x import *` any name may.
    fn knows(&self, name: &str) -> bool {
        let (file, function) = self.file;
        let here = file.star_import || self.names.contains(name) || file.sees(function, name);
        here || BUILTINS.contains(&name) || self.elsewhere.may_bind(name)
    }

    /// The known name that a word was probably meant to be: at most a third of its letters differ.
    fn closest(&self, name: &str) -> Option<String> {
        let foreign = match name {
            "true" => Some("True"),
            "false" => Some("False"),
            "null" | "nil" | "undefined" => Some("None"),
            _ => None,
        };
        if foreign.is_some() {
            return foreign.map(str::to_owned);
        }
        let (file, function) = self.file;
        let all = self
            .names
            .iter()
            .copied()
            .chain(file.names_seen(function))
            .chain(self.elsewhere.all())
            .chain(BUILTINS.iter().copied());
        nearest(name, all)
    }
}

/// Checks a spec, fills in the equations of its examples, and takes out clauses that cannot be used.
pub(super) fn check(spec: &mut Spec, context: &Context<'_>) -> Vec<SpecDiagnostic> {
    let mut checker = Checker { context, faults: Faults::new(context.sources) };
    checker.clauses(spec);
    checker.calls(spec);
    checker.examples(spec);
    checker.faults.contradictions(spec, &COMPARISON);
    checker.faults.steps(context.function, spec, |name| context.knows(name));
    checker.lists(spec);
    checker.faults.found()
}

/// The tags whose clauses are bare expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Requires,
    Ensures,
    Property,
}

struct Checker<'a> {
    context: &'a Context<'a>,
    faults: Faults<'a>,
}

impl Checker<'_> {
    /// Parses an expression, or reports why not.
    fn expression(&mut self, text: &str, clause: TextRange) -> Option<Tree> {
        self.faults.expression(text, clause, parse_expression)
    }

    fn clauses(&mut self, spec: &mut Spec) {
        let all = [
            (&mut spec.requires, Tag::Requires),
            (&mut spec.ensures, Tag::Ensures),
            (&mut spec.properties, Tag::Property),
        ];
        for (list, tag) in all {
            list.retain_mut(|clause| {
                clause.text = without_comment(&clause.text).to_owned();
                let Some(tree) = self.claim(&clause.text, clause.range) else { return false };
                let own: &[&str] = if tag == Tag::Ensures { &["result", "old", "new"] } else { &[] };
                self.known_names(&tree, &clause.text, clause.range, own);
                match tag {
                    Tag::Requires => true,
                    Tag::Ensures => self.is_about_result(&tree, &clause.text, clause.range),
                    Tag::Property => self.is_about_function(&tree, &clause.text, clause.range),
                }
            });
        }
    }

    /// Parses an expression that must be true, or reports why it is none.
    fn claim(&mut self, text: &str, clause: TextRange) -> Option<Tree> {
        self.faults.expression(text, clause, |text| {
            let tree = parse_expression(text)?;
            always_true(&tree, text).map_or(Ok(tree), Err)
        })
    }

    /// Whether a postcondition can depend on what the function did: on its result, an argument afterwards,
    /// or something of the file that it may have changed.
    fn is_about_result(&mut self, tree: &Tree, expression: &str, clause: TextRange) -> bool {
        if let Some(copy) = compared_with_copy(tree.root_node(), expression, self.context.params) {
            let name = text(copy, expression);
            let message = format!("`{name}` is a copy from before the call, which nothing is; write `new.{name}`");
            let range = self.faults.place(clause, expression, copy.byte_range());
            let fix = Some((format!("Change to `new.{name}`"), format!("new.{name}")));
            self.faults.add("spec.bad-expression", Severity::Error, range, message).fix = fix;
            return false;
        }
        let called: HashSet<usize> = called_names(tree.root_node()).iter().map(Node::id).collect();
        let names = &self.context.names;
        let speaks = |n: &Node<'_>| {
            let name = text(*n, expression);
            let is_given = names.contains(name) || BUILTINS.contains(&name) || called.contains(&n.id());
            name == self.context.function || matches!(name, "result" | "new") || !is_given
        };
        if free_names(tree.root_node(), expression).iter().any(speaks) {
            return true;
        }
        let function = self.context.function;
        let message = format!(
            "this says nothing of what `{function}` does; speak of `result`, or of `new.NAME` for an argument afterwards"
        );
        let range = self.faults.place(clause, expression, 0..expression.len());
        self.faults.add("spec.no-result", Severity::Error, range, message);
        false
    }

    fn known_names(&mut self, tree: &Tree, expression: &str, clause: TextRange, own: &[&str]) {
        for node in free_names(tree.root_node(), expression) {
            let name = text(node, expression);
            if !(self.context.knows(name) || own.contains(&name)) {
                let range = self.faults.place(clause, expression, node.byte_range());
                self.unknown_name(name, range);
            }
        }
    }

    fn unknown_name(&mut self, name: &str, range: TextRange) {
        self.faults.unknown_name(name, self.context.closest(name), range);
    }

    /// `@raises` and `@budget`: one expression each, which calls the function.
    fn calls(&mut self, spec: &mut Spec) {
        spec.raises.retain_mut(|item| {
            item.call = without_comment(&item.call).to_owned();
            let usable = self.calls_function(&item.call, item.range);
            let root = item.exception.split('.').next().unwrap_or(&item.exception);
            if usable && !self.context.knows(root) {
                let range = TextRange::new(item.range.start, item.range.start + root.len());
                self.unknown_name(root, range);
            }
            usable
        });
        spec.budgets.retain_mut(|item| {
            item.call = without_comment(&item.call).to_owned();
            self.calls_function(&item.call, item.range)
        });
    }

    fn calls_function(&mut self, expression: &str, clause: TextRange) -> bool {
        let Some(tree) = self.expression(expression, clause) else { return false };
        self.is_about_function(&tree, expression, clause)
    }

    fn is_about_function(&mut self, tree: &Tree, expression: &str, clause: TextRange) -> bool {
        let function = self.context.function;
        // `Point(1) == Point(1)` is an example of `__eq__`, though it does not name it.
        let is_special = function.starts_with("__") && function.ends_with("__");
        if is_special || mentions(tree.root_node(), expression, function) {
            return true;
        }
        let calls = called_names(tree.root_node());
        if self.context.step_called(&calls, expression).is_some() {
            return true;
        }
        let own: Vec<Node<'_>> = calls.iter().copied().filter(|n| !BUILTINS.contains(&text(*n, expression))).collect();
        let slip = match (own.as_slice(), calls.as_slice()) {
            ([one], _) | ([], [one]) => Some(*one),
            _ => None,
        };
        self.faults.other_function(function, clause, expression, slip.map(|n| n.byte_range()));
        false
    }

    fn examples(&mut self, spec: &mut Spec) {
        spec.examples.retain_mut(|example| match example.origin {
            ExampleOrigin::Tag => self.tagged_example(example),
            ExampleOrigin::Doctest => {
                example.equation = self.doctest_equation(example);
                true
            }
            // Taken only where it is an equation of literals.
            ExampleOrigin::Prose | ExampleOrigin::Step => true,
        });
    }

    fn tagged_example(&mut self, example: &mut Example) -> bool {
        example.code = without_comment(&example.code).to_owned();
        let Some(tree) = self.claim(&example.code, example.range) else { return false };
        if !self.is_about_function(&tree, &example.code, example.range) {
            return false;
        }
        let calls = called_names(tree.root_node());
        let about_function = mentions(tree.root_node(), &example.code, self.context.function);
        let step = self.context.step_called(&calls, &example.code).filter(|_| !about_function);
        let name = step.unwrap_or(self.context.function);
        let sides = single_expression(&tree).and_then(|e| equation(e, &example.code, name));
        example.equation = sides
            .map(|(call, expected)| (text(call, &example.code).to_owned(), text(expected, &example.code).to_owned()));
        true
    }

    /// `>>> f(1)` with a literal below it says the same as `f(1) == LITERAL`; so does `>>> f(1) == 2`
    /// with `True` below it. A call that needs a variable of the session says so only there.
    fn doctest_equation(&self, example: &Example) -> Option<(String, String)> {
        let ExampleClaim::Prints(want) = &example.claim else { return None };
        let (code, function) = (example.code.as_str(), self.context.function);
        let tree = parse(code)?;
        let expression = single_expression(&tree)?;
        let (file, place) = self.context.file;
        let stands_alone = |n: &Node<'_>| {
            let name = text(*n, code);
            let here = name == function || BUILTINS.contains(&name) || file.sees(place, name);
            here || self.context.elsewhere.binds(name)
        };
        if !free_names(expression, code).iter().all(stands_alone) {
            return None;
        }
        if want.trim() == "True"
            && let Some((call, expected)) = equation(expression, code, function)
        {
            return Some((text(call, code).to_owned(), text(expected, code).to_owned()));
        }
        let callee = expression.child_by_field_name("function").filter(|_| expression.kind() == "call")?;
        let name = if callee.kind() == "attribute" { callee.child_by_field_name("attribute")? } else { callee };
        let wanted = parse(want)?;
        let literal = single_expression(&wanted).is_some_and(|n| literals::is_literal(n, want));
        (text(name, code) == function && literal).then(|| (text(expression, code).to_owned(), want.clone()))
    }

    fn lists(&mut self, spec: &mut Spec) {
        spec.uses.retain(|module| {
            let good = module.text.split('.').all(is_identifier);
            if !good {
                let message = format!("`{}` is no module name; write `@uses statistics`", module.text);
                self.faults.add("spec.bad-uses", Severity::Error, module.range, message);
            }
            good
        });
        spec.steps.retain(|step| {
            let header = format!("def {}{}: ...\n", step.name, step.signature);
            let good = parse(&header).is_some_and(|t| !t.root_node().has_error());
            if !good {
                let message = "the step's signature is no Python signature; write a step as `name(parameters) -> type: what it does`".to_owned();
                self.faults.add("spec.bad-step", Severity::Error, step.range, message);
            }
            good
        });
    }
}

/// A parameter that `is` or `is not` compares with the result: what a clause calls so is a copy.
fn compared_with_copy<'t>(root: Node<'t>, source: &str, params: &[Param]) -> Option<Node<'t>> {
    let comparisons =
        nodes(root).into_iter().filter(|n| n.kind() == "comparison_operator" && n.named_child_count() == 2);
    comparisons.into_iter().find_map(|n| {
        let is_identity = n.children_by_field_name("operators", &mut n.walk()).any(|o| o.kind().starts_with("is"));
        let sides = [n.named_child(0)?, n.named_child(1)?].map(unwrapped);
        let speaks = sides.iter().any(|s| text(*s, source) == "result");
        // A copy of an atom is the atom.
        let atom = |p: &Param| matches!(p.annotation.as_deref(), Some("int" | "str" | "float" | "bool" | "bytes"));
        let copied = |s: &Node<'_>| params.iter().any(|p| p.name == text(*s, source) && !atom(p));
        let param = sides.into_iter().find(copied);
        param.filter(|_| is_identity && speaks)
    })
}

fn is_identifier(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphabetic() || c == '_') && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Examples are compared as syntax trees.
const COMPARISON: Comparison = Comparison {
    raises: "raises",
    excludes: |_| true,
    normalised: |call| parse(call).map(|tree| normalised(tree.root_node(), call)),
    differ,
};

fn differ(a: &str, b: &str) -> bool {
    let (Some(ta), Some(tb)) = (parse(a), parse(b)) else { return false };
    match (single_expression(&ta), single_expression(&tb)) {
        (Some(na), Some(nb)) => literals::differ((na, a), (nb, b)),
        _ => false,
    }
}
