//! What only TypeScript can say of a spec: expressions that do not parse, examples of another
//! function, examples that contradict each other, names that nobody knows.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Example, ExampleOrigin, Severity, Spec, SpecDiagnostic};

use super::expressions::{
    called_names, free_names, is_global, mentions, parse_expression, split_equation, without_comment,
};
use super::functions::FileIndex;
use super::globals::GLOBALS;
use super::imports::bare_module;
use super::literals;
use super::tree::{Expression, normalised, parse_any};

/// An expression longer than this is a slip, and would cost the editor its quickness.
const MAX_EXPRESSION: usize = 10_000;

/// What a spec's expressions are read against.
pub(super) struct Context<'a> {
    /// The function's name.
    pub function: &'a str,
    /// Names of the spec's own: parameters, steps, the function itself.
    pub names: HashSet<&'a str>,
    /// The helpers that `@step` lines declare; an example may be about one of them.
    pub steps: HashSet<&'a str>,
    /// The file's names.
    pub file: &'a FileIndex<'a>,
    /// Where the spec's clauses stand.
    pub sources: &'a [ClauseSource],
}

impl Context<'_> {
    fn knows(&self, name: &str) -> bool {
        self.file.names.contains(name) || self.names.contains(name) || is_global(name)
    }

    /// The known name that a word was probably meant to be: at most a third of its letters differ.
    fn closest(&self, name: &str, after: bool) -> Option<String> {
        let foreign = match name {
            "True" => Some("true"),
            "False" => Some("false"),
            "None" | "nil" | "NULL" => Some("null"),
            _ => None,
        };
        if foreign.is_some() || name.len() < 2 {
            return foreign.map(str::to_owned);
        }
        let allowed = (name.chars().count() / 3).max(1);
        let all = self.names.iter().copied().chain(self.file.names.iter().map(String::as_str));
        let all = all.chain(GLOBALS.iter().copied()).chain(after.then_some("result"));
        let alike = all.filter(|known| known.len().abs_diff(name.len()) <= allowed);
        let near = alike.map(|known| (strsim::osa_distance(name, known), known)).filter(|(d, _)| *d <= allowed);
        near.min().map(|(_, known)| known.to_owned())
    }
}

/// Checks a spec, fills in the equations of its examples, and takes out clauses that cannot be used.
pub(super) fn check(spec: &mut Spec, context: &Context<'_>) -> Vec<SpecDiagnostic> {
    let mut checker = Checker { context, faults: Vec::new() };
    checker.clauses(spec);
    checker.calls(spec);
    checker.examples(spec);
    checker.contradictions(spec);
    checker.lists(spec);
    checker.faults
}

struct Checker<'a> {
    context: &'a Context<'a>,
    faults: Vec<SpecDiagnostic>,
}

impl Checker<'_> {
    fn fault(&mut self, code: &str, severity: Severity, range: TextRange, message: String) -> &mut SpecDiagnostic {
        let at = self.faults.len();
        self.faults.push(SpecDiagnostic { code: code.to_owned(), message, range, severity, fix: None, related: None });
        &mut self.faults[at]
    }

    /// The file range of bytes of an expression, which is always the end of its clause.
    fn place(&self, clause: TextRange, expression: &str, at: std::ops::Range<usize>) -> TextRange {
        let source = self.context.sources.iter().find(|s| s.range == clause);
        let start = source.and_then(|s| s.text.rfind(expression).map(|offset| (s, offset)));
        start.map_or(clause, |(source, offset)| source.file_range(offset + at.start, offset + at.end))
    }

    /// Parses an expression, or reports why not.
    fn expression(&mut self, text: &str, clause: TextRange) -> Option<Expression> {
        if text.len() > MAX_EXPRESSION {
            let message = format!("an expression has at most {MAX_EXPRESSION} bytes; move it into a helper function");
            self.fault("spec.bad-expression", Severity::Error, clause, message);
            return None;
        }
        match parse_expression(text) {
            Ok(expression) => Some(expression),
            Err(fault) => {
                let range = self.place(clause, text, fault.at);
                self.fault("spec.bad-expression", Severity::Error, range, fault.message).fix = fault.fix;
                None
            }
        }
    }

    fn clauses(&mut self, spec: &mut Spec) {
        for (list, after) in [(&mut spec.requires, false), (&mut spec.ensures, true), (&mut spec.properties, true)] {
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
            if !(self.context.knows(name) || (after && name == "result")) {
                let range = self.place(clause, code, expression.place(node));
                self.unknown_name(name, range, after);
            }
        }
    }

    fn unknown_name(&mut self, name: &str, range: TextRange, after: bool) {
        let meant = self.context.closest(name, after);
        let message = match (&meant, name) {
            (_, "result") => "there is no `result` before the function has run; use `@ensures`".to_owned(),
            (Some(meant), _) => format!("nothing is named `{name}` here; did you mean `{meant}`?"),
            (None, _) => format!("nothing is named `{name}` here; it is no parameter and no name of this file"),
        };
        let fix = meant.filter(|_| name != "result").map(|meant| (format!("Change to `{meant}`"), meant));
        self.fault("spec.unknown-name", Severity::Warning, range, message).fix = fix;
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
        if mentions(root, expression.source(), function) {
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
        let at = slip.map_or(0..code.len(), |n| expression.place(n));
        let range = self.place(clause, code, at);
        let message = format!("this never calls `{function}`, so it cannot show `{function}` to be wrong");
        let fix = slip.map(|_| (format!("Change to `{function}`"), function.to_owned()));
        self.fault("spec.other-function", Severity::Error, range, message).fix = fix;
        false
    }

    fn examples(&mut self, spec: &mut Spec) {
        spec.examples.retain_mut(|example| match example.origin {
            ExampleOrigin::Tag => self.tagged_example(example),
            ExampleOrigin::Doctest => {
                example.equation = split_equation(&example.code, self.context.function);
                true
            }
            ExampleOrigin::Prose => true,
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

    /// Two examples with the same call and different literals cannot both hold.
    fn contradictions(&mut self, spec: &Spec) {
        let mut seen: HashMap<String, Vec<(Option<String>, TextRange)>> = HashMap::new();
        let claims = spec.examples.iter().filter_map(|e| {
            let (call, expected) = e.equation.as_ref()?;
            Some((call.as_str(), Some(expected.clone()), e.range))
        });
        let raising = spec.raises.iter().map(|r| (r.call.as_str(), None, r.range));
        for (call, expected, range) in claims.chain(raising) {
            let Some(expression) = Expression::parse(call) else { continue };
            let Some(node) = expression.node() else { continue };
            let others = seen.entry(normalised(node, expression.source())).or_default();
            let clash = others.iter().find(|(other, _)| contradict(other.as_deref(), expected.as_deref()));
            if let Some((other, place)) = clash.cloned() {
                let says = other.map_or_else(|| "that it throws".to_owned(), |value| format!("`{value}`"));
                let message = format!("this contradicts another example: `{call}` cannot be both");
                let fault = self.fault("spec.contradiction", Severity::Error, range, message);
                fault.related = Some((place, format!("the other example says {says}")));
                // What it says is not held against the examples below.
                continue;
            }
            others.push((expected, range));
        }
    }

    fn lists(&mut self, spec: &mut Spec) {
        spec.uses.retain_mut(|module| {
            let good = module.text.chars().all(|c| c.is_alphanumeric() || "_$@/.-:".contains(c));
            if !good {
                let message = format!("`{}` is no module; write `@uses node:path`", module.text);
                self.fault("spec.bad-uses", Severity::Error, module.range, message);
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
                self.fault("spec.bad-step", Severity::Error, step.range, message);
            }
            good
        });
    }
}

/// `None` stands for throwing.
fn contradict(a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some() != b.is_some() };
    let (Some(ea), Some(eb)) = (Expression::parse(a), Expression::parse(b)) else { return false };
    match (ea.node(), eb.node()) {
        (Some(na), Some(nb)) => literals::differ((na, ea.source()), (nb, eb.source())),
        _ => false,
    }
}
