//! The spec language (docs/API_REFERENCE.md, "Specs"): what a task must do, as the user wrote it.
//!
//! [`parse_block`](parser::parse_block) never fails: what it cannot use becomes a
//! [`SpecDiagnostic`] on the exact range, and the rest of the block still counts.

mod clauses;
mod insertion;
mod markdown;
mod moved;
pub mod parser;
mod pin;
mod snippet;
mod tags;

pub use insertion::insert_clause;
pub use markdown::render_markdown;
pub use pin::claim_of;
pub use snippet::render_diagnostics;
pub use tags::{TAGS, TagInfo};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

use crate::code::TextRange;
use crate::decomposition_engine::mentions::words;

/// A parsed task specification.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Spec {
    /// What the function is for, in words (`@spec`, or a docstring's prose).
    pub intent: String,
    /// Preconditions: expressions over the parameters (`@requires`).
    pub requires: Vec<Clause>,
    /// Postconditions: expressions over the parameters and `result` (`@ensures`).
    pub ensures: Vec<Clause>,
    /// Input/output examples (`@example`, doctests).
    pub examples: Vec<Example>,
    /// Calls that must raise (`@raises`).
    pub raises: Vec<Raises>,
    /// Laws that hold for every valid input (`@property`).
    pub properties: Vec<Clause>,
    /// Growth of the running time (`@complexity`).
    pub complexity: Option<ComplexityClause>,
    /// Running-time budgets of given calls (`@budget`).
    pub budgets: Vec<Budget>,
    /// Modules that the code may use (`@uses`).
    pub uses: Vec<Clause>,
    /// What the code must not use (`@forbid`): `recursion`, `loops`, `imports`, or a name.
    pub forbids: Vec<Clause>,
    /// A plan given by the user (`@step`).
    pub steps: Vec<StepDecl>,
    /// Clauses that somebody guessed (`@example?`, `@raises?`), as they would stand when accepted. Until then nothing
    /// is told of them to a model, nothing is checked against them, and they are no evidence.
    #[serde(default)]
    pub guesses: Vec<Clause>,
}

/// One expression or name of a spec, with where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// The text after the tag, continuation lines joined by a space.
    pub text: String,
    /// Where the text stands (first line to last).
    pub range: TextRange,
}

/// Where an example comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleOrigin {
    /// An `@example` line.
    Tag,
    /// A doctest, Rust doc test or JSDoc `@example`.
    Doctest,
    /// Literals in the words of a docstring: `f(1) => 2`.
    Prose,
    /// A claim on a step, which says nothing of the function by itself: [`Spec::with_claims_of_steps`].
    Step,
}

/// What an example claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleClaim {
    /// The expression is true: `median([1]) == 1`.
    Holds,
    /// Evaluating the code prints this, as the language's REPL would.
    Prints(String),
    /// Evaluating the code raises this exception.
    Raises(String),
}

/// One example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The expression or code.
    pub code: String,
    /// What is claimed of it.
    pub claim: ExampleClaim,
    /// For `f(ARGS) == EXPECTED` the two sides; the adapter fills it in.
    pub equation: Option<(String, String)>,
    /// Where it comes from.
    pub origin: ExampleOrigin,
    /// Where it stands.
    pub range: TextRange,
}

/// `@raises ValueError median([])`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raises {
    /// The exception's name.
    pub exception: String,
    /// The call that must raise it.
    pub call: String,
    /// Where the clause stands.
    pub range: TextRange,
}

/// An asymptotic class, the ones a measurement can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Complexity {
    /// O(1)
    Constant,
    /// O(log n)
    Logarithmic,
    /// O(n)
    Linear,
    /// O(n log n)
    Linearithmic,
    /// O(n^2)
    Quadratic,
    /// O(n^3)
    Cubic,
    /// O(2^n)
    Exponential,
}

impl Complexity {
    /// Parses `O(n log n)` and its usual spellings (`n^2`, `n**2`, `n²`, `n*log(n)`).
    pub fn parse(text: &str) -> Option<Self> {
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        let inner = squeezed.strip_prefix("o(").and_then(|s| s.strip_suffix(')'))?;
        let inner = inner.replace("**", "^").replace('²', "^2").replace('³', "^3").replace('*', "");
        Some(match inner.as_str() {
            "1" => Self::Constant,
            "logn" | "log(n)" => Self::Logarithmic,
            "n" => Self::Linear,
            "nlogn" | "nlog(n)" => Self::Linearithmic,
            "n^2" => Self::Quadratic,
            "n^3" => Self::Cubic,
            "2^n" => Self::Exponential,
            _ => return None,
        })
    }
}

/// `@complexity O(n log n)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplexityClause {
    /// The bound.
    pub bound: Complexity,
    /// Where it stands.
    pub range: TextRange,
}

/// `@budget 20ms median(list(range(100_000)))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The limit in milliseconds.
    pub milliseconds: f64,
    /// The call that must keep it.
    pub call: String,
    /// Where the clause stands.
    pub range: TextRange,
}

/// `@step split(xs: list[float]) -> tuple[list[float], list[float]]: sorted halves of xs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDecl {
    /// The helper's name.
    pub name: String,
    /// Parameters and return type, as written: `(xs: list[float]) -> ...`.
    pub signature: String,
    /// What the helper does.
    pub intent: String,
    /// The helper's own examples: `@example` lines that call it and not the function.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// The helper's own `@raises` lines.
    #[serde(default)]
    pub raises: Vec<Raises>,
    /// Where the clause stands.
    pub range: TextRange,
}

impl Spec {
    /// Whether anything in the spec could show a wrong program to be wrong.
    ///
    /// Types, lint and security findings alone are no evidence that the intent is met.
    pub fn has_evidence(&self) -> bool {
        !(self.examples.is_empty() && self.raises.is_empty() && self.properties.is_empty() && self.ensures.is_empty())
    }

    /// Gives examples and `@raises` that call a step, and not the function itself, to that step.
    pub fn give_steps_their_claims(&mut self, function: &str) {
        if self.steps.is_empty() {
            return;
        }
        let places: HashMap<String, usize> = self.steps.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
        let owner = |code: &str| {
            let called = || words(code).into_iter().filter(|w| !w.in_string && !w.is_attribute).map(|w| w.text);
            if called().any(|w| w == function) { None } else { called().find_map(|w| places.get(w).copied()) }
        };
        for example in std::mem::take(&mut self.examples) {
            match owner(&example.code).filter(|_| example.origin == ExampleOrigin::Tag) {
                Some(step) => self.steps[step].examples.push(example),
                None => self.examples.push(example),
            }
        }
        for raises in std::mem::take(&mut self.raises) {
            match owner(&raises.call) {
                Some(step) => self.steps[step].raises.push(raises),
                None => self.raises.push(raises),
            }
        }
    }

    /// The same with what it claims of its steps among its own examples, for code in which the steps are written.
    pub fn with_claims_of_steps(mut self) -> Self {
        for step in &self.steps {
            let shown = step.examples.iter().cloned().map(|e| Example { origin: ExampleOrigin::Step, ..e });
            self.examples.extend(shown);
            self.examples.extend(step.raises.iter().map(|r| Example {
                code: r.call.clone(),
                claim: ExampleClaim::Raises(r.exception.clone()),
                equation: None,
                origin: ExampleOrigin::Step,
                range: r.range,
            }));
        }
        self
    }

    /// A stable hash of what the spec says (not where it stands); hex, 64 characters.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let mut put = |tag: &str, text: &str| {
            hasher.update((tag.len() as u64).to_le_bytes());
            hasher.update(tag);
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        put("spec", &self.intent);
        let clauses = [
            ("requires", &self.requires),
            ("ensures", &self.ensures),
            ("property", &self.properties),
            ("uses", &self.uses),
            ("forbid", &self.forbids),
        ];
        for (tag, list) in clauses {
            list.iter().for_each(|c| put(tag, &c.text));
        }
        for e in &self.examples {
            put("example", &e.code);
            put("claim", &format!("{:?}", e.claim));
        }
        for r in &self.raises {
            put("raises", &r.exception);
            put("call", &r.call);
        }
        for b in &self.budgets {
            put("budget", &format!("{} {}", b.milliseconds, b.call));
        }
        if let Some(c) = &self.complexity {
            put("complexity", &format!("{:?}", c.bound));
        }
        for s in &self.steps {
            put("step", &format!("{}{}: {}", s.name, s.signature, s.intent));
            s.examples.iter().for_each(|e| put("step example", &e.code));
            s.raises.iter().for_each(|r| put("step raises", &format!("{} {}", r.exception, r.call)));
        }
        hex(&hasher.finalize())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

/// How bad a spec diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The clause cannot be used; a run is refused until it is mended.
    Error,
    /// The clause is used, but probably not as meant.
    Warning,
    /// Something worth knowing.
    Hint,
}

/// Something wrong with a spec, with its place and, where one is obvious, its fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecDiagnostic {
    /// Machine-readable rule, e.g. `spec.unknown-tag`.
    pub code: String,
    /// What is wrong, one sentence, lower case.
    pub message: String,
    /// Where.
    pub range: TextRange,
    /// How bad.
    pub severity: Severity,
    /// Title and replacement text of a fix for `range`.
    pub fix: Option<(String, String)>,
    /// A second place this is about (the example it contradicts).
    pub related: Option<(TextRange, String)>,
}
