//! What only Rust can say of a spec: expressions that do not parse, examples of another function,
//! examples that contradict each other, names that nobody knows.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Example, ExampleOrigin, Severity, Spec, SpecDiagnostic};

use super::expressions::{PRELUDE, called_names, equation, free_names, mentions, parse_expression, without_comment};
use super::functions::FileIndex;
use super::literals;
use super::tree::{Expression, nodes, normalised, parse, text};
use crate::languages::faults::{Comparison, Faults, nearest};
use crate::languages::pieces::elsewhere::Elsewhere;

/// What a spec's expressions are read against.
pub(super) struct Context<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The type whose `impl` of a trait holds it: such a function is called by other names, too.
    pub implementor: Option<&'a str>,
    /// Names of the spec's own: parameters, steps, the function itself.
    pub names: HashSet<&'a str>,
    /// The helpers that `@step` lines declare; an example may be about one of them.
    pub steps: HashSet<&'a str>,
    /// The file's names.
    pub file: &'a FileIndex<'a>,
    /// What the rest of it binds.
    pub elsewhere: &'a Elsewhere<'a>,
    /// Where the spec's clauses stand.
    pub sources: &'a [ClauseSource],
}

impl Context<'_> {
    /// Whether a name means something; with `use x::*` any name may.
    fn knows(&self, name: &str) -> bool {
        let by_file = self.file.star_import || self.file.names.contains(name);
        by_file || self.names.contains(name) || PRELUDE.contains(&name) || self.elsewhere.may_bind(name)
    }

    /// The known name that a word was probably meant to be: at most a third of its letters differ.
    fn closest(&self, name: &str, after: bool) -> Option<String> {
        let foreign = match name {
            "True" => Some("true"),
            "False" => Some("false"),
            "null" | "nil" | "undefined" => Some("None"),
            _ => None,
        };
        if foreign.is_some() {
            return foreign.map(str::to_owned);
        }
        let all =
            self.names.iter().copied().chain(self.file.names.iter().map(String::as_str)).chain(PRELUDE.iter().copied());
        let all = all.chain(self.elsewhere.all()).chain(after.then_some("result"));
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

struct Checker<'a> {
    context: &'a Context<'a>,
    faults: Faults<'a>,
}

impl Checker<'_> {
    /// Parses an expression, or reports why not.
    fn expression(&mut self, text: &str, clause: TextRange) -> Option<Expression> {
        self.faults.expression(text, clause, parse_expression)
    }

    fn clauses(&mut self, spec: &mut Spec) {
        for (list, after) in [(&mut spec.requires, false), (&mut spec.ensures, true), (&mut spec.properties, false)] {
            list.retain_mut(|clause| {
                clause.text = without_comment(&clause.text).to_owned();
                let Some(expression) = self.expression(&clause.text, clause.range) else { return false };
                self.known_names(&expression, &clause.text, clause.range, after);
                true
            });
        }
    }

    fn known_names(&mut self, expression: &Expression, code: &str, clause: TextRange, after: bool) {
        let Some(root) = expression.node() else { return };
        for node in free_names(root, expression.source()) {
            let name = expression.text(node);
            let of_result = after && matches!(name, "result" | "old" | "new");
            if !(self.context.knows(name) || of_result) {
                let range = self.faults.place(clause, code, expression.place(node));
                self.unknown_name(name, range, after);
            }
        }
    }

    fn unknown_name(&mut self, name: &str, range: TextRange, after: bool) {
        self.faults.unknown_name(name, self.context.closest(name, after), range);
    }

    /// `@raises` and `@budget`: one expression each, which calls the function.
    fn calls(&mut self, spec: &mut Spec) {
        spec.raises.retain_mut(|item| {
            item.call = without_comment(&item.call).to_owned();
            self.calls_function(&item.call, item.range)
        });
        spec.budgets.retain_mut(|item| {
            item.call = without_comment(&item.call).to_owned();
            self.calls_function(&item.call, item.range)
        });
    }

    fn calls_function(&mut self, code: &str, clause: TextRange) -> bool {
        let Some(expression) = self.expression(code, clause) else { return false };
        self.is_about_function(&expression, code, clause)
    }

    fn is_about_function(&mut self, expression: &Expression, code: &str, clause: TextRange) -> bool {
        let function = self.context.function;
        let Some(root) = expression.node() else { return false };
        // `V(1) + V(2)` calls `add`, and `"1,2".parse::<V>()` calls `from_str`.
        let source = expression.source();
        let is_type = |n: &Node<'_>| matches!(n.kind(), "identifier" | "type_identifier");
        let of_type = |name: &str| nodes(root).iter().any(|n| is_type(n) && text(*n, source) == name);
        if mentions(root, source, function) || self.context.implementor.is_some_and(of_type) {
            return true;
        }
        let calls = called_names(root);
        if calls.iter().any(|n| self.context.steps.contains(expression.text(*n))) {
            return true;
        }
        let own = |n: &&Node<'_>| !PRELUDE.contains(&expression.text(**n)) && n.kind() == "identifier";
        let slip = match calls.iter().filter(own).collect::<Vec<_>>().as_slice() {
            [one] => Some(**one),
            _ => None,
        };
        self.faults.other_function(function, clause, code, slip.map(|n| expression.place(n)));
        false
    }

    fn examples(&mut self, spec: &mut Spec) {
        spec.examples.retain_mut(|example| match example.origin {
            ExampleOrigin::Tag => self.tagged_example(example),
            ExampleOrigin::Doctest => {
                example.equation = equation_of(&example.code, self.context.function);
                true
            }
            ExampleOrigin::Prose | ExampleOrigin::Step => true,
        });
    }

    fn tagged_example(&mut self, example: &mut Example) -> bool {
        example.code = without_comment(&example.code).to_owned();
        let Some(expression) = self.expression(&example.code, example.range) else { return false };
        if !self.is_about_function(&expression, &example.code, example.range) {
            return false;
        }
        let about = |name: &str| expression.node().is_some_and(|n| mentions(n, expression.source(), name));
        let step = self.context.steps.iter().find(|s| about(s)).filter(|_| !about(self.context.function));
        example.equation = equation_of(&example.code, step.unwrap_or(&self.context.function));
        true
    }

    fn lists(&mut self, spec: &mut Spec) {
        spec.uses.retain(|module| {
            let good = module.text.split("::").all(is_identifier);
            if !good {
                let message = format!("`{}` is no path; write `@uses std::collections`", module.text);
                self.faults.add("spec.bad-uses", Severity::Error, module.range, message);
            }
            good
        });
        spec.steps.retain(|step| {
            let header = format!("fn {}{} {{}}\n", step.name, step.signature);
            let good = parse(&header).is_some_and(|t| !t.root_node().has_error());
            if !good {
                let message = "the step's signature is no Rust signature; write a step as `name(parameters) -> type: what it does`".to_owned();
                self.faults.add("spec.bad-step", Severity::Error, step.range, message);
            }
            good
        });
    }
}

/// The sides of `f(ARGS) == EXPECTED`, as written.
fn equation_of(code: &str, function: &str) -> Option<(String, String)> {
    let expression = Expression::parse(code)?;
    let (call, expected) = equation(expression.node()?, expression.source(), function)?;
    Some((text(call, expression.source()).to_owned(), text(expected, expression.source()).to_owned()))
}

fn is_identifier(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphabetic() || c == '_') && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Examples are compared as syntax trees.
const COMPARISON: Comparison = Comparison {
    raises: "panics",
    excludes: |claim| claim.exception == "panic",
    normalised: |call| {
        let expression = Expression::parse(call)?;
        Some(normalised(expression.node()?, expression.source()))
    },
    differ,
};

fn differ(a: &str, b: &str) -> bool {
    let (Some(ea), Some(eb)) = (Expression::parse(a), Expression::parse(b)) else { return false };
    match (ea.node(), eb.node()) {
        (Some(na), Some(nb)) => literals::differ((na, ea.source()), (nb, eb.source())),
        _ => false,
    }
}
