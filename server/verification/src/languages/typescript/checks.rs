//! What only TypeScript can say of a spec: expressions that do not parse, examples of another
//! function, examples that contradict each other, names that nobody knows.

use std::collections::HashSet;

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Example, ExampleOrigin, Severity, Spec, SpecDiagnostic};

use super::expressions::{
    called_names, free_names, is_global, members, mentions, parse_expression, split_equation, without_comment,
};
use super::functions::FileIndex;
use super::globals::GLOBALS;
use super::imports::bare_module;
use super::literals;
use super::tree::{Expression, normalised, parse_any};
use crate::languages::faults::{Comparison, Faults, nearest};
use crate::languages::pieces::elsewhere::Elsewhere;

/// What a spec's expressions are read against.
pub(super) struct Context<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Whether the bare name can mean nothing else than the function.
    pub is_bare: bool,
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
    fn knows(&self, name: &str) -> bool {
        let here = self.file.names.contains(name) || self.names.contains(name) || is_global(name);
        here || self.elsewhere.may_bind(name)
    }

    /// The known name that a word was probably meant to be: at most a third of its letters differ.
    fn closest(&self, name: &str, after: bool) -> Option<String> {
        let foreign = match name {
            "True" => Some("true"),
            "False" => Some("false"),
            "None" | "nil" | "NULL" => Some("null"),
            _ => None,
        };
        if foreign.is_some() {
            return foreign.map(str::to_owned);
        }
        let all = self.names.iter().copied().chain(self.file.names.iter().map(String::as_str));
        let all = all.chain(self.elsewhere.all()).chain(GLOBALS.iter().copied()).chain(after.then_some("result"));
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
        for (list, after) in [(&mut spec.requires, false), (&mut spec.ensures, true), (&mut spec.properties, true)] {
            list.retain_mut(|clause| {
                clause.text = without_comment(&clause.text).to_owned();
                let Some(expression) = self.expression(&clause.text, clause.range) else { return false };
                self.known_names(&expression, &clause.text, clause.range, after);
                !after || self.speaks(&expression, &clause.text, clause.range)
            });
        }
    }

    /// Whether a clause about what the function gives says anything of it: parameters have the values that they were given.
    fn speaks(&mut self, expression: &Expression, code: &str, clause: TextRange) -> bool {
        let Some(root) = expression.node() else { return true };
        let function = self.context.function;
        let given = |name: &str| (self.context.names.contains(name) && name != function) || is_global(name);
        let names = free_names(root, expression.source());
        let is_free = names.iter().any(|n| expression.text(*n) == "result" || !given(expression.text(*n)));
        if is_free || mentions(root, expression.source(), function) || code.contains("this") {
            return true;
        }
        let message = format!("this says nothing of what `{function}` does; speak of `result`, or call `{function}`");
        let range = self.faults.place(clause, code, 0..code.len());
        self.faults.add("spec.no-result", Severity::Error, range, message);
        false
    }

    fn known_names(&mut self, expression: &Expression, code: &str, clause: TextRange, after: bool) {
        let Some(root) = expression.node() else { return };
        for node in free_names(root, expression.source()) {
            let name = expression.text(node);
            if !(self.context.knows(name) || (after && name == "result")) {
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
            let usable = self.calls_function(&item.call, item.range);
            let root = item.exception.split('.').next().unwrap_or(&item.exception);
            if usable && !self.context.knows(root) {
                let range = TextRange::new(item.range.start, item.range.start + root.len());
                self.unknown_name(root, range, false);
            }
            usable
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
        let as_member = || members(root).iter().any(|n| expression.text(*n) == function);
        if mentions(root, expression.source(), function) && (self.context.is_bare || as_member()) {
            return true;
        }
        let calls = called_names(root);
        if calls.iter().any(|n| self.context.steps.contains(expression.text(*n))) {
            return true;
        }
        let own = |n: &&Node<'_>| !is_global(expression.text(**n)) && n.kind() == "identifier";
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
                example.equation = split_equation(&example.code, self.context.function);
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
        example.equation = split_equation(&example.code, step.unwrap_or(&self.context.function));
        true
    }

    fn lists(&mut self, spec: &mut Spec) {
        spec.uses.retain_mut(|module| {
            let good = module.text.chars().all(|c| c.is_alphanumeric() || "_$@/.-:".contains(c));
            if !good {
                let message = format!("`{}` is no module; write `@uses node:path`", module.text);
                self.faults.add("spec.bad-uses", Severity::Error, module.range, message);
            }
            // `node:fs` and `fs` are one module.
            module.text = bare_module(&module.text).to_owned();
            good
        });
        spec.steps.retain(|step| {
            let typed = step.signature.rsplit_once("->").map_or_else(
                || step.signature.clone(),
                |(parameters, returns)| format!("{}: {}", parameters.trim_end(), returns.trim_start()),
            );
            let header = format!("function {}{typed} {{}}\n", step.name);
            let good = parse_any(&header).is_some_and(|t| !t.root_node().has_error());
            if !good {
                let message = "the step's signature is no TypeScript signature; write a step as `name(parameters) -> type: what it does`".to_owned();
                self.faults.add("spec.bad-step", Severity::Error, step.range, message);
            }
            good
        });
    }
}

/// Examples are compared as syntax trees.
const COMPARISON: Comparison = Comparison {
    raises: "throws",
    excludes: |_| true,
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
