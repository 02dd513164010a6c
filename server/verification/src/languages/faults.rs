//! What is held against a spec, in the same words for every language. Adapters say what parses, which
//! names are known and which literals differ; codes, messages and fixes are made here.

use std::collections::HashMap;
use std::ops::Range;

use zeroerr_core::code::TextRange;
use zeroerr_core::decomposition_engine::{Plan, PlanError, mentions};
use zeroerr_core::task_specification::parser::ClauseSource;
use zeroerr_core::task_specification::{Raises, Severity, Spec, SpecDiagnostic};

/// An expression longer than this is a slip, and would cost the editor its quickness.
const MAX_EXPRESSION: usize = 10_000;

/// Why a text is not one expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// What is wrong, one sentence.
    pub message: String,
    /// Title and replacement for `at`.
    pub fix: Option<(String, String)>,
}

/// How examples of a language are compared.
pub(crate) struct Comparison {
    /// What the function does that gives no value, as in "that it raises".
    pub raises: &'static str,
    /// Whether a claim of raising stands against every example of the same call.
    pub excludes: fn(&Raises) -> bool,
    /// A call in a spelling that equal calls share; `None` when it cannot be read.
    pub normalised: fn(&str) -> Option<String>,
    /// Whether two expected values cannot both be right.
    pub differ: fn(&str, &str) -> bool,
}

/// The faults of one spec, as they are found.
pub(crate) struct Faults<'a> {
    sources: &'a [ClauseSource],
    found: Vec<SpecDiagnostic>,
}

impl<'a> Faults<'a> {
    /// None yet; `sources` is where the spec's clauses stand.
    pub fn new(sources: &'a [ClauseSource]) -> Self {
        Self { sources, found: Vec::new() }
    }

    /// All that were found, in that order.
    pub fn found(self) -> Vec<SpecDiagnostic> {
        self.found
    }

    /// One more.
    pub fn add(&mut self, code: &str, severity: Severity, range: TextRange, message: String) -> &mut SpecDiagnostic {
        let at = self.found.len();
        self.found.push(SpecDiagnostic { code: code.to_owned(), message, range, severity, fix: None, related: None });
        &mut self.found[at]
    }

    /// The file range of bytes of an expression, which is always the end of its clause.
    pub fn place(&self, clause: TextRange, expression: &str, at: Range<usize>) -> TextRange {
        let source = self.sources.iter().find(|s| s.range == clause);
        let start = source.and_then(|s| s.text.rfind(expression).map(|offset| (s, offset)));
        start.map_or(clause, |(source, offset)| source.file_range(offset + at.start, offset + at.end))
    }

    /// Parses the expression of a clause, or reports why not.
    pub fn expression<T>(
        &mut self,
        text: &str,
        clause: TextRange,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        if text.len() > MAX_EXPRESSION {
            let message = format!("an expression has at most {MAX_EXPRESSION} bytes; move it into a helper function");
            self.add("spec.bad-expression", Severity::Error, clause, message);
            return None;
        }
        match parse(text) {
            Ok(expression) => Some(expression),
            Err(fault) => {
                let range = self.place(clause, text, fault.at);
                self.add("spec.bad-expression", Severity::Error, range, fault.message).fix = fault.fix;
                None
            }
        }
    }

    /// A name that nobody knows, and the known one that was probably meant.
    pub fn unknown_name(&mut self, name: &str, meant: Option<String>, range: TextRange) {
        let message = match (&meant, name) {
            (_, "result") => "there is no `result` before the function has run; use `@ensures`".to_owned(),
            (Some(meant), _) => format!("nothing is named `{name}` here; did you mean `{meant}`?"),
            (None, _) => format!("nothing is named `{name}` here; it is no parameter and no name of this file"),
        };
        let fix = meant.filter(|_| name != "result").map(|meant| (format!("Change to `{meant}`"), meant));
        self.add("spec.unknown-name", Severity::Warning, range, message).fix = fix;
    }

    /// An expression that never calls the function; `slip` is where the one other name stands that it
    /// calls, in bytes of the expression.
    pub fn other_function(&mut self, function: &str, clause: TextRange, expression: &str, slip: Option<Range<usize>>) {
        let fix = slip.as_ref().map(|_| (format!("Change to `{function}`"), function.to_owned()));
        let range = self.place(clause, expression, slip.unwrap_or(0..expression.len()));
        let message = format!("this never calls `{function}`, so it cannot show `{function}` to be wrong");
        self.add("spec.other-function", Severity::Error, range, message).fix = fix;
    }

    /// Helpers that no plan can be made of: one that is named like the function itself, a circle, and
    /// calls of what is nowhere defined (the words may speak of something else, so these are warnings).
    pub fn steps(&mut self, function: &str, spec: &Spec, knows: impl Fn(&str) -> bool) {
        for step in &spec.steps {
            let name = TextRange::new(step.range.start, step.range.start + step.name.len());
            if step.name == function {
                let message = format!(
                    "this step is named like the function `{function}` that it is to help; give it another name"
                );
                self.add("spec.step-is-function", Severity::Error, name, message);
            }
            let own: Vec<&str> = mentions::words(&step.signature).into_iter().map(|w| w.text).collect();
            for word in mentions::called(&step.intent) {
                let is_step = word.text == function || spec.steps.iter().any(|s| s.name == word.text);
                if !is_step && !own.contains(&word.text) && !knows(word.text) {
                    let range = self.place(step.range, &step.intent, word.start..word.start + word.text.len());
                    let message = format!("no step and nothing in this file is named `{}`", word.text);
                    self.add("spec.unknown-name", Severity::Warning, range, message);
                }
            }
        }
        // How many steps there may be is a setting, and none of a spec's own faults.
        if let Err(PlanError::Cycle(names)) = Plan::from_spec(function, spec, usize::MAX) {
            let first = names.split(" -> ").next().and_then(|name| spec.steps.iter().find(|s| s.name == name));
            let range =
                first.map_or(TextRange::new(0, 0), |s| TextRange::new(s.range.start, s.range.start + s.name.len()));
            let message = format!("{}; take one of these mentions out", PlanError::Cycle(names));
            self.add("spec.step-circle", Severity::Error, range, message);
        }
    }

    /// Two examples with the same call and different literals cannot both hold.
    pub fn contradictions(&mut self, spec: &Spec, how: &Comparison) {
        let mut seen: HashMap<String, Vec<(Option<String>, TextRange)>> = HashMap::new();
        let claims = spec.examples.iter().filter_map(|e| {
            let (call, expected) = e.equation.as_ref()?;
            Some((call.as_str(), Some(expected.clone()), e.range))
        });
        let raising = spec.raises.iter().filter(|r| (how.excludes)(r)).map(|r| (r.call.as_str(), None, r.range));
        for (call, expected, range) in claims.chain(raising) {
            let Some(key) = (how.normalised)(call) else { continue };
            let others = seen.entry(key).or_default();
            let clash = others.iter().find(|(other, _)| match (other, &expected) {
                (Some(other), Some(expected)) => (how.differ)(other, expected),
                (other, expected) => other.is_some() != expected.is_some(),
            });
            if let Some((other, place)) = clash.cloned() {
                let says = other.map_or_else(|| format!("that it {}", how.raises), |value| format!("`{value}`"));
                let message = format!("this contradicts another example: `{call}` cannot be both");
                let fault = self.add("spec.contradiction", Severity::Error, range, message);
                fault.related = Some((place, format!("the other example says {says}")));
                // What it says is not held against the examples below.
                continue;
            }
            others.push((expected, range));
        }
    }
}

/// The known name that a word was probably meant to be: at most a third of its letters differ.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    if name.len() < 2 {
        return None;
    }
    let allowed = (name.chars().count() / 3).max(1);
    let alike = known.filter(|known| known.len().abs_diff(name.len()) <= allowed);
    let near = alike.map(|known| (strsim::osa_distance(name, known), known)).filter(|(d, _)| *d <= allowed);
    near.min().map(|(_, known)| known.to_owned())
}
