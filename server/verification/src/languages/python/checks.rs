//! What only Python can say of a spec: expressions that do not parse, examples of another function,
//! examples that contradict each other, names that nobody knows.

use std::collections::{HashMap, HashSet};

use tree_sitter::{Node, Tree};
use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, Spec, SpecDiagnostic};

use super::expressions::{BUILTINS, called_names, equation, free_names, mentions, parse_expression, without_comment};
use super::functions::{FileIndex, Function};
use super::literals;
use super::tree::{normalised, parse, single_expression, text};

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
    /// The file's names, and where in it the function stands.
    pub file: (&'a FileIndex<'a>, &'a Function<'a>),
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
        file.star_import || self.names.contains(name) || BUILTINS.contains(&name) || file.sees(function, name)
    }

    /// The known name that a word was probably meant to be: at most a third of its letters differ.
    fn closest(&self, name: &str) -> Option<String> {
        let foreign = match name {
            "true" => Some("True"),
            "false" => Some("False"),
            "null" | "nil" | "undefined" => Some("None"),
            _ => None,
        };
        if let Some(python) = foreign {
            return Some(python.to_owned());
        }
        if name.len() < 2 {
            return None;
        }
        let allowed = (name.chars().count() / 3).max(1);
        let (file, function) = self.file;
        let all = self.names.iter().copied().chain(file.names_seen(function)).chain(BUILTINS.iter().copied());
        let alike = all.filter(|known| known.len().abs_diff(name.len()) <= allowed);
        let near =
            alike.map(|known| (strsim::osa_distance(name, known), known)).filter(|(distance, _)| *distance <= allowed);
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
    fn expression(&mut self, text: &str, clause: TextRange) -> Option<Tree> {
        if text.len() > MAX_EXPRESSION {
            let message = format!("an expression has at most {MAX_EXPRESSION} bytes; move it into a helper function");
            self.fault("spec.bad-expression", Severity::Error, clause, message);
            return None;
        }
        match parse_expression(text) {
            Ok(tree) => Some(tree),
            Err(fault) => {
                let range = self.place(clause, text, fault.at);
                self.fault("spec.bad-expression", Severity::Error, range, fault.message).fix = fault.fix;
                None
            }
        }
    }

    fn clauses(&mut self, spec: &mut Spec) {
        for (list, has_result) in [(&mut spec.requires, false), (&mut spec.ensures, true), (&mut spec.properties, true)]
        {
            list.retain_mut(|clause| {
                clause.text = without_comment(&clause.text).to_owned();
                let Some(tree) = self.expression(&clause.text, clause.range) else { return false };
                self.known_names(&tree, &clause.text, clause.range, has_result);
                true
            });
        }
    }

    fn known_names(&mut self, tree: &Tree, expression: &str, clause: TextRange, has_result: bool) {
        for node in free_names(tree.root_node(), expression) {
            let name = text(node, expression);
            if !(self.context.knows(name) || (name == "result" && has_result)) {
                let range = self.place(clause, expression, node.byte_range());
                self.unknown_name(name, range);
            }
        }
    }

    fn unknown_name(&mut self, name: &str, range: TextRange) {
        let meant = self.context.closest(name);
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
        let at = slip.map_or(0..expression.len(), |n| n.byte_range());
        let range = self.place(clause, expression, at);
        let message = format!("this never calls `{function}`, so it cannot show `{function}` to be wrong");
        let fix = slip.map(|_| (format!("Change to `{function}`"), function.to_owned()));
        self.fault("spec.other-function", Severity::Error, range, message).fix = fix;
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
            ExampleOrigin::Prose => true,
        });
    }

    fn tagged_example(&mut self, example: &mut Example) -> bool {
        example.code = without_comment(&example.code).to_owned();
        let Some(tree) = self.expression(&example.code, example.range) else { return false };
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
            name == function || BUILTINS.contains(&name) || file.sees(place, name)
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

    /// Two examples with the same call and different literals cannot both hold.
    fn contradictions(&mut self, spec: &Spec) {
        let mut seen: HashMap<String, Vec<(Option<String>, TextRange)>> = HashMap::new();
        let claims = spec.examples.iter().filter_map(|e| {
            let (call, expected) = e.equation.as_ref()?;
            Some((call.as_str(), Some(expected.clone()), e.range))
        });
        let raising = spec.raises.iter().map(|r| (r.call.as_str(), None, r.range));
        for (call, expected, range) in claims.chain(raising) {
            let Some(tree) = parse(call) else { continue };
            let others = seen.entry(normalised(tree.root_node(), call)).or_default();
            let clash = others.iter().find(|(other, _)| contradict(other.as_deref(), expected.as_deref()));
            if let Some((other, place)) = clash.cloned() {
                let says = other.map_or_else(|| "that it raises".to_owned(), |value| format!("`{value}`"));
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
        spec.uses.retain(|module| {
            let good = module.text.split('.').all(is_identifier);
            if !good {
                let message = format!("`{}` is no module name; write `@uses statistics`", module.text);
                self.fault("spec.bad-uses", Severity::Error, module.range, message);
            }
            good
        });
        spec.steps.retain(|step| {
            let header = format!("def {}{}: ...\n", step.name, step.signature);
            let good = parse(&header).is_some_and(|t| !t.root_node().has_error());
            if !good {
                let message = "the step's signature is no Python signature; write a step as `name(parameters) -> type: what it does`".to_owned();
                self.fault("spec.bad-step", Severity::Error, step.range, message);
            }
            good
        });
    }
}

fn is_identifier(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphabetic() || c == '_') && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// `None` stands for raising.
fn contradict(a: Option<&str>, b: Option<&str>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return a.is_some() != b.is_some() };
    let (Some(ta), Some(tb)) = (parse(a), parse(b)) else { return false };
    match (single_expression(&ta), single_expression(&tb)) {
        (Some(na), Some(nb)) => literals::differ((na, a), (nb, b)),
        _ => false,
    }
}
