//! Layer 3, contracts: what run-time checks and symbolic search showed of `@requires`, `@ensures`
//! and `@raises`.
//!
//! A clause is violated by one concrete call, which the finding carries. An exception on a valid
//! input is an objection only when the spec names its valid inputs (`@requires`) and does not
//! mention that exception: a spec without `@requires` says nothing of inputs it forgot. An exception
//! that the spec only promises for calls outside of `@requires` is not mentioned for those inside.

use serde::Deserialize;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::ExampleClaim;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::fingerprint::{Broken, Claim, ExampleFact, one_line};
use crate::languages::Subject;
use crate::layers::{TOO_LONG, with_doubts};

/// A false or failing `@ensures` clause.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// Its place in the spec.
    pub clause: usize,
    /// The smallest call that shows it.
    pub call: String,
    /// What the call gave.
    pub result: String,
    /// The exception, when evaluating the clause raised one.
    pub error: String,
    /// What the code has changed and the clause reads, when the clause is false without that.
    #[serde(default)]
    pub changes: String,
}

/// An exception on a valid input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Raised {
    /// The smallest call that raised it.
    pub call: String,
    /// Its class.
    pub exception: String,
    /// Its class and all bases.
    pub bases: Vec<String>,
    /// Its text.
    pub text: String,
}

/// A call that ended the process, or whose result pretends to equal anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Crash {
    /// The call.
    pub call: String,
    /// How it ended.
    pub how: String,
}

/// Calls that were not made in the time: how many, of how many, and the seconds.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Left(usize, usize, f64);

impl Left {
    /// Whether those that were made stand for all: harnesses see to it that a third has each kind and size.
    fn is_too_much(&self) -> bool {
        (self.1 - self.0.min(self.1)) * 3 < self.1
    }

    fn words(&self) -> String {
        format!("{} of {} inputs were not tried in {} s", self.0, self.1, self.2)
    }
}

/// Fewest checked calls that say anything, where other calls gave no result.
const FEWEST: usize = 10;

/// What checking contracts showed.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Facts {
    /// One per `@raises` clause.
    #[serde(default)]
    pub raises: Vec<ExampleFact>,
    /// At most one per `@ensures` clause.
    pub violations: Vec<Violation>,
    /// At most one per exception.
    pub raised: Vec<Raised>,
    /// Calls that did not end.
    pub timeouts: Vec<String>,
    /// Valid calls whose `@ensures` clauses were evaluated.
    pub checked: usize,
    /// Valid calls that raised.
    #[serde(default)]
    pub refused: usize,
    /// Set when the time ended before the inputs did.
    #[serde(default)]
    pub left: Option<Left>,
    /// Generated calls that `@requires` forbids.
    pub invalid: usize,
    /// Why the calls that were checked, if any were, do not say enough; empty where they do.
    #[serde(default)]
    pub silent: String,
    /// Calls that ended the process.
    pub crashes: Vec<Crash>,
    /// Set when the file did not load.
    #[serde(default)]
    pub broken: Option<Broken>,
    /// Clauses of `@ensures` that functions which are wrong on purpose meet as well.
    #[serde(default)]
    pub hollow: Vec<usize>,
    /// Clauses of `@ensures` that none of them was asked.
    #[serde(default)]
    pub untested: Vec<usize>,
    /// Whether nothing but the examples' own calls gave a result, of a function that takes others.
    #[serde(default)]
    pub only_examples: bool,
    /// Parameters that the code or a clause reads and that were what their default says in every call.
    #[serde(default)]
    pub unvaried: Vec<String>,
    /// How the symbolic search ended; empty when there was none.
    #[serde(default)]
    pub status: String,
}

impl Facts {
    /// Whether a symbolic search came to an end.
    fn has_searched(&self) -> bool {
        matches!(self.status.as_str(), "confirmed" | "nothing found")
    }
}

/// Whether the spec has a contract at all.
pub fn applies(subject: &Subject) -> bool {
    let spec = &subject.task.spec;
    !(spec.requires.is_empty() && spec.ensures.is_empty() && spec.raises.is_empty())
}

/// The report when there is nothing to check.
pub fn nothing() -> LayerReport {
    LayerReport::new(Layer::Contracts, Verdict::NotApplicable, "no @requires, @ensures or @raises")
}

/// Judges the facts of the run-time checks, and of the symbolic search when there was one.
pub fn judge(subject: &Subject, facts: &Facts, symbolic: Option<&Facts>) -> LayerReport {
    let spec = &subject.task.spec;
    if let Some(Broken(_, error, text, ..)) = &facts.broken {
        return failed(vec![finding(subject, "load", format!("the file does not load: {error}: {text}"), None, None)]);
    }
    let promises = &facts.raises;
    let mut findings: Vec<Finding> = raises_findings(subject, &facts.raises);
    for facts in [Some(facts), symbolic].into_iter().flatten() {
        findings.extend(facts.violations.iter().map(|v| violation(subject, v)));
        findings.extend(facts.crashes.iter().map(|c| crash(subject, c)));
        if !spec.requires.is_empty() {
            let unexpected = facts.raised.iter().filter(|r| !is_expected(subject, promises, r));
            findings.extend(unexpected.map(|r| raised(subject, r)));
        }
    }
    findings.dedup_by(|a, b| a.message == b.message);
    if !findings.is_empty() {
        return failed(findings);
    }
    let slow = || facts.timeouts.iter().chain(symbolic.into_iter().flat_map(|s| &s.timeouts)).next();
    if let Some(call) = slow() {
        return LayerReport::new(Layer::Contracts, Verdict::TimedOut, format!("{} {TOO_LONG}", one_line(call)));
    }
    if let Some(left) = facts.left.filter(Left::is_too_much) {
        return LayerReport::new(Layer::Contracts, Verdict::TimedOut, left.words());
    }
    if !facts.silent.is_empty() {
        return LayerReport::new(Layer::Contracts, Verdict::Unavailable, one_line(&facts.silent));
    }
    if !spec.ensures.is_empty() && facts.checked == 0 {
        let detail = match facts.raised.first() {
            Some(r) if spec.requires.is_empty() => format!(
                "no call gave a result that @ensures could speak of: {} raises {}; add an @example whose arguments it takes",
                one_line(&r.call),
                r.exception
            ),
            _ if spec.requires.is_empty() => {
                "no call gave a result that @ensures could speak of; add an @example that gives one".to_owned()
            }
            _ => "could not generate inputs that satisfy @requires; add an @example whose arguments do".to_owned(),
        };
        return LayerReport::new(Layer::Contracts, Verdict::Unavailable, detail);
    }
    let is_partial = facts.checked < FEWEST && facts.refused > facts.checked;
    if let Some(first) = facts.raised.first().filter(|_| is_partial && !spec.ensures.is_empty()) {
        let detail = format!(
            "only {} of {} calls gave a result: {}; say with @requires what it takes, or add an @example",
            facts.checked,
            facts.checked + facts.refused,
            raises(first)
        );
        return LayerReport::new(Layer::Contracts, Verdict::Unavailable, detail);
    }
    if facts.only_examples && !spec.ensures.is_empty() {
        let detail = "only the examples' calls gave a result that @ensures could speak of; add an @example with other arguments, \
                      or say with @requires what it takes";
        return LayerReport::new(Layer::Contracts, Verdict::Unavailable, detail);
    }
    if spec.ensures.is_empty() && facts.raises.is_empty() && facts.checked == 0 {
        return LayerReport::new(
            Layer::Contracts,
            Verdict::NotApplicable,
            "no inputs that satisfy @requires were found",
        );
    }
    passed(subject, facts, symbolic)
}

fn passed(subject: &Subject, facts: &Facts, symbolic: Option<&Facts>) -> LayerReport {
    let spec = &subject.task.spec;
    let clauses = spec.ensures.len() + facts.raises.len();
    let mut parts = Vec::new();
    if !facts.raises.is_empty() {
        parts.push(format!("{} @raises", facts.raises.len()));
    }
    match (spec.ensures.len(), facts.checked) {
        (0, 0) => {}
        (0, checked) => parts.push(format!("no exception on {checked} inputs that satisfy @requires")),
        (clauses, checked) => parts.push(format!("{clauses} @ensures on {checked} inputs")),
    }
    if facts.refused > 0 && !spec.ensures.is_empty() {
        let did = if facts.raised.iter().all(|r| r.exception == "panic") { "panicked" } else { "raised" };
        parts.push(format!("{} more {did}", facts.refused));
    }
    parts.extend(facts.left.map(|left| left.words()));
    match symbolic.map(|s| s.status.as_str()) {
        Some("confirmed") => parts.push("proved by symbolic search".into()),
        Some("nothing found") => parts.push("symbolic search found nothing".into()),
        Some("skipped") | None => {}
        Some(other) => parts.push(format!("symbolic search {other}")),
    }
    // The symbolic search makes up values of its own.
    let is_one_sided = !facts.unvaried.is_empty() && !symbolic.is_some_and(Facts::has_searched);
    if is_one_sided && !spec.ensures.is_empty() {
        parts.push(format!("no values but the default could be made up for {}", facts.unvaried.join(", ")));
    }
    let hollow = claims_of(subject, &facts.hollow, facts.raises.iter().filter(|f| f.hollow));
    let evidence = clauses.saturating_sub(hollow.len());
    let verdict = if clauses > 0 && evidence == 0 { Verdict::NotApplicable } else { Verdict::Passed };
    let evidence = if is_one_sided { evidence.min(facts.raises.len()) } else { evidence };
    let untested = claims_of(subject, &facts.untested, facts.raises.iter().filter(|f| f.untested));
    let detail = with_doubts(parts.join(", "), subject, &hollow, &untested);
    LayerReport { evidence, hollow, ..LayerReport::new(Layer::Contracts, verdict, detail) }
}

/// Clauses as they are written.
fn claims_of<'f>(subject: &Subject, ensures: &[usize], raises: impl Iterator<Item = &'f ExampleFact>) -> Vec<String> {
    let spec = &subject.task.spec;
    let ensures = ensures.iter().filter_map(|at| spec.ensures.get(*at)).map(|c| one_line(&c.text));
    let raises = raises.filter_map(|f| spec.raises.get(f.index));
    ensures.chain(raises.map(|r| one_line(&format!("@raises {} {}", r.exception, r.call)))).collect()
}

fn failed(findings: Vec<Finding>) -> LayerReport {
    let plural = if findings.len() == 1 { "" } else { "s" };
    let detail = format!("{} objection{plural}", findings.len());
    LayerReport { evidence: findings.len(), findings, ..LayerReport::new(Layer::Contracts, Verdict::Failed, detail) }
}

fn raises_findings(subject: &Subject, facts: &[ExampleFact]) -> Vec<Finding> {
    let objections = facts.iter().filter(|f| !f.ok).filter_map(|fact| {
        let clause = subject.task.spec.raises.get(fact.index)?;
        let claim = Claim::Raises(&clause.exception, &clause.call);
        Some(finding(subject, "raises", claim.objection(fact), Some(clause.call.clone()), Some(clause.range.start)))
    });
    objections.collect()
}

fn violation(subject: &Subject, violation: &Violation) -> Finding {
    let clause = subject.task.spec.ensures.get(violation.clause);
    let text = clause.map_or("", |c| c.text.as_str());
    let call = one_line(&violation.call);
    let result = one_line(&violation.result);
    let message = if !violation.changes.is_empty() {
        let name = &subject.task.signature.name;
        let meant = if violation.changes.contains(['.', ',']) {
            String::new()
        } else {
            format!("; `@uses {}` says that it is meant to", violation.changes)
        };
        format!(
            "`{text}` holds for {call} only because {name} changes {}: result is {result}{meant}",
            violation.changes
        )
    } else if violation.error.is_empty() {
        format!("`{text}` is false for {call}: result is {result}")
    } else {
        format!("`{text}` cannot be evaluated for {call}: {}; result is {result}", one_line(&violation.error))
    };
    finding(subject, "ensures", message, Some(violation.call.clone()), clause.map(|c| c.range.start))
}

fn crash(subject: &Subject, crash: &Crash) -> Finding {
    finding(subject, "crash", format!("{} {}", one_line(&crash.call), crash.how), Some(crash.call.clone()), None)
}

/// What a call did.
fn raises(raised: &Raised) -> String {
    let text = if raised.text.is_empty() { String::new() } else { format!(" ({})", one_line(&raised.text)) };
    let did = if raised.exception == "panic" { "panics".to_string() } else { format!("raises {}", raised.exception) };
    format!("{} {did}{text}", one_line(&raised.call))
}

fn raised(subject: &Subject, raised: &Raised) -> Finding {
    let message = format!("{} although its input satisfies @requires", raises(raised));
    let clause = subject.task.spec.requires.first().map(|c| c.range.start);
    finding(subject, "requires", message, Some(raised.call.clone()), clause)
}

/// Whether the spec mentions the exception for valid inputs, in `@raises` or in an example.
fn is_expected(subject: &Subject, promises: &[ExampleFact], raised: &Raised) -> bool {
    let spec = &subject.task.spec;
    let is_outside = |at: usize| promises.iter().any(|fact| fact.index == at && fact.outside);
    let inside = spec.raises.iter().enumerate().filter(|(at, _)| !is_outside(*at));
    let named = inside.map(|(_, r)| r.exception.as_str());
    let shown = spec.examples.iter().filter_map(|e| match &e.claim {
        ExampleClaim::Raises(exception) => exception.split(':').next(),
        _ => None,
    });
    named.chain(shown).any(|name| raised.bases.iter().any(|b| b == name.trim().rsplit('.').next().unwrap_or(name)))
}

fn finding(
    subject: &Subject,
    rule: &str,
    message: String,
    counterexample: Option<String>,
    clause: Option<usize>,
) -> Finding {
    Finding {
        code: format!("contracts.{rule}"),
        message,
        line: *subject.function_lines().start(),
        counterexample,
        spec_line: clause.map(|at| line_of(&subject.task.source, at)),
        url: None,
    }
}
