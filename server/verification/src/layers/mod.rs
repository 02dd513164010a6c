//! What the layers have in common: which remarks of a tool are the edit's fault, and what a tool
//! that does not answer amounts to.
//!
//! A tool sees whole files; a layer must speak of one edit. [`objections`] draws that line for all
//! of them. A tool that is missing, crashes, hangs or prints garbage becomes a [`Failure`], and
//! that is never a pass.

pub mod analysis;
pub mod contracts;
pub mod performance;
pub mod properties;
pub mod security;
pub mod syntax;
pub mod tests;
pub mod tool;
pub mod types;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use zeroerr_core::code::{TextRange, line_of};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::languages::{CheckError, Subject};

/// At most this many findings are kept of one layer; a person reads the first few.
const MAX_FINDINGS: usize = 50;
/// At most this many characters are kept of one message.
const MAX_MESSAGE: usize = 400;

/// What is said of a call that was stopped; on a machine that is less busy it may end.
pub(crate) const TOO_LONG: &str = "did not end in its time";

/// One thing a check says about a whole file, before anybody asked whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The rule without the layer's name, `F821`.
    pub rule: String,
    /// One sentence.
    pub message: String,
    /// 1-based line in the text that was checked.
    pub line: usize,
    /// Documentation of the rule.
    pub url: Option<String>,
}

impl Subject {
    /// Whether an edit is judged, rather than code as it stands.
    pub fn is_edit(&self) -> bool {
        *self.previous != *self.task.source
    }

    /// The function's lines in the checked text, 1-based, decorators and docstring included.
    pub fn function_lines(&self) -> RangeInclusive<usize> {
        lines_of(&self.task.source, self.task.function_range)
    }
}

/// The 1-based lines a range touches.
pub fn lines_of(source: &str, range: TextRange) -> RangeInclusive<usize> {
    let last = if range.is_empty() { range.start } else { range.end - 1 };
    line_of(source, range.start)..=line_of(source, last)
}

/// The remarks that count against the subject, as findings in line order.
///
/// For an edit those are the remarks that `before` (the file without the edit) does not have:
/// matched by rule and by the text of the line, blanks squeezed, so that a remark that merely moved
/// stays old. For code as it stands they are the remarks inside the function.
pub fn objections(layer: Layer, subject: &Subject, before: &[Remark], after: Vec<Remark>) -> Vec<Finding> {
    let source = &subject.task.source;
    let mut kept: Vec<Remark> = if subject.is_edit() {
        let mut known: HashMap<(String, String), usize> = HashMap::new();
        for remark in before {
            *known.entry((remark.rule.clone(), line_text(&subject.previous, remark.line))).or_default() += 1;
        }
        after.into_iter().filter(|r| !takes_one(&mut known, (r.rule.clone(), line_text(source, r.line)))).collect()
    } else {
        let lines = subject.function_lines();
        after.into_iter().filter(|r| lines.contains(&r.line)).collect()
    };
    kept.sort_by(|a, b| (a.line, &a.rule, &a.message).cmp(&(b.line, &b.rule, &b.message)));
    kept.dedup();
    kept.truncate(MAX_FINDINGS);
    kept.into_iter().map(|r| finding(layer, r)).collect()
}

fn takes_one(known: &mut HashMap<(String, String), usize>, remark: (String, String)) -> bool {
    match known.get_mut(&remark) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// One remark as a finding of a layer, cut to a readable length.
pub fn finding(layer: Layer, remark: Remark) -> Finding {
    let mut message = remark.message.trim().replace('\n', " ");
    if let Some((at, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(at);
        message.push('…');
    }
    let code = format!("{layer}.{}", remark.rule);
    Finding { code, message, line: remark.line, counterexample: None, spec_line: None, url: remark.url }
}

/// A line without its indentation and with single blanks; empty past the end.
fn line_text(source: &str, line: usize) -> String {
    let text = source.lines().nth(line.saturating_sub(1)).unwrap_or("");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a layer says, and behind it which claims are no evidence, since wrong functions meet them too (`hollow`), and
/// which hold without anybody knowing whether wrong ones do (`untested`).
fn with_doubts(detail: String, subject: &Subject, hollow: &[String], untested: &[String]) -> String {
    let name = &subject.task.signature.name;
    let all = |claims: &[String]| claims.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
    let mut parts = vec![detail];
    if !hollow.is_empty() {
        let verb = if hollow.len() == 1 { "is" } else { "are" };
        parts.push(format!("{} {verb} met by a wrong {name} too", all(hollow)));
    }
    if !untested.is_empty() {
        parts.push(format!("no wrong {name} was at hand to try {} with", all(untested)));
    }
    parts.join("; ")
}

/// A report that passes when nothing objects.
pub fn report(layer: Layer, findings: Vec<Finding>, clean: impl Into<String>, tools: Vec<String>) -> LayerReport {
    let checks = tools.len();
    let mut report = if findings.is_empty() {
        LayerReport::new(layer, Verdict::Passed, clean)
    } else {
        let plural = if findings.len() == 1 { "" } else { "s" };
        LayerReport::new(layer, Verdict::Failed, format!("{} objection{plural}", findings.len()))
    };
    report.findings = findings;
    report.tools = tools;
    report.evidence = checks;
    report
}

/// Why a check gave no answer. Neither case is ever a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The tool is missing, crashed or printed what cannot be read; what to do about it.
    Unavailable(String),
    /// It did not end in its time.
    TimedOut(String),
}

impl Failure {
    /// The failure as a layer's report.
    pub fn report(self, layer: Layer) -> LayerReport {
        match self {
            Failure::Unavailable(why) => LayerReport::new(layer, Verdict::Unavailable, why),
            Failure::TimedOut(why) => LayerReport::new(layer, Verdict::TimedOut, why),
        }
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        Failure::Unavailable(error.0)
    }
}
