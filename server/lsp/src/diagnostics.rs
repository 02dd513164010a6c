//! What is wrong, as the client shows it: faults of specs, findings of layers, abstentions.
//!
//! Everything is made anew from the newest analysis and the marks that hold for it. A finding
//! therefore moves with its function, and is gone with the first change of its text.

use std::str::FromStr as _;

use lsp_types::*;
use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::task_specification::{Severity, SpecDiagnostic};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::client::ClientProfile;
use crate::document::Snapshot;
use crate::marks::{Mark, MarkKind, Marks};
use crate::position::{range_of, trimmed_line};
use crate::requests::disagreement::differences;
use crate::state::State;

/// Sends a document's diagnostics with the version they are about; not to a client that asks.
pub(crate) fn publish(state: &State, uri: &Uri) {
    if state.profile.diagnostics.pulled {
        return;
    }
    let Some(snapshot) = state.snapshot(uri) else { return };
    let diagnostics = all(uri, &snapshot, &state.marks, &state.profile);
    let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version: Some(snapshot.version) };
    state.outbox.notify::<notification::PublishDiagnostics>(params);
}

/// Takes a closed document's diagnostics off the screen.
pub(crate) fn clear(state: &State, uri: &Uri) {
    if state.profile.diagnostics.pulled {
        return;
    }
    let params = PublishDiagnosticsParams { uri: uri.clone(), diagnostics: Vec::new(), version: None };
    state.outbox.notify::<notification::PublishDiagnostics>(params);
}

/// Every diagnostic of a document, in file order of its specs and functions.
pub(crate) fn all(uri: &Uri, snapshot: &Snapshot, marks: &Marks, profile: &ClientProfile) -> Vec<Diagnostic> {
    let view = View { uri, snapshot, profile };
    let mut out: Vec<_> = snapshot.analysis.diagnostics.iter().map(|d| view.of_spec(d)).collect();
    for task in &snapshot.analysis.tasks {
        if let Some(mark) = marks.of(uri, snapshot, task).filter(|m| m.holds_for(snapshot, task)) {
            view.of_mark(task, mark, &mut out);
        }
    }
    out
}

/// A fault of a spec, alone: code actions attach it to its fix.
pub(crate) fn of_spec(uri: &Uri, snapshot: &Snapshot, profile: &ClientProfile, fault: &SpecDiagnostic) -> Diagnostic {
    View { uri, snapshot, profile }.of_spec(fault)
}

struct View<'a> {
    uri: &'a Uri,
    snapshot: &'a Snapshot,
    profile: &'a ClientProfile,
}

impl View<'_> {
    fn range(&self, range: TextRange) -> Range {
        range_of(&self.snapshot.rope, range, self.profile.encoding)
    }

    fn line(&self, line: usize) -> Range {
        self.range(trimmed_line(&self.snapshot.rope, line))
    }

    fn related(&self, range: Range, message: impl Into<String>) -> DiagnosticRelatedInformation {
        DiagnosticRelatedInformation { location: Location { uri: self.uri.clone(), range }, message: message.into() }
    }

    fn of_spec(&self, fault: &SpecDiagnostic) -> Diagnostic {
        let related = fault.related.iter().map(|(range, why)| self.related(self.range(*range), why)).collect();
        Diagnostic {
            severity: Some(match fault.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
                Severity::Hint => DiagnosticSeverity::HINT,
            }),
            data: fault.fix.as_ref().and_then(|(title, text)| {
                self.data(|| serde_json::json!({ "fix": { "title": title, "newText": text } }))
            }),
            related_information: self.offered(related),
            ..self.diagnostic(self.range(fault.range), &fault.code, &fault.message)
        }
    }

    fn of_mark(&self, task: &Task, mark: &Mark, out: &mut Vec<Diagnostic>) {
        let header = self.snapshot.header_line(task);
        if mark.kind == MarkKind::Abstained {
            out.push(self.abstention(task, mark, header));
            return;
        }
        for report in &mark.stack.layers {
            out.extend(report.findings.iter().map(|f| self.finding(task, mark, report.layer, f)));
            if matches!(report.verdict, Verdict::Unavailable | Verdict::TimedOut) {
                let word = report.verdict.name().replace('_', " ");
                let code = format!("{}.{}", report.layer, report.verdict.name().replace('_', "-"));
                let message = format!("{} {word}: {}", report.layer, report.detail);
                out.push(Diagnostic {
                    severity: Some(DiagnosticSeverity::INFORMATION),
                    ..self.diagnostic(self.line(header), &code, &message)
                });
            }
        }
    }

    fn finding(&self, task: &Task, mark: &Mark, layer: Layer, finding: &Finding) -> Diagnostic {
        let mut message = finding.message.clone();
        if let Some(input) = finding.counterexample.as_deref().filter(|c| !finding.message.contains(*c)) {
            message.push_str(&format!(" (counterexample: {input})"));
        }
        let range = self.line(self.now(task, mark, finding.line));
        let spec = finding
            .spec_line
            .map(|line| self.related(self.line(self.now(task, mark, line)), "the clause of the spec that is violated"));
        let counterexample = finding.counterexample.iter().map(|c| self.related(range, format!("counterexample: {c}")));
        let related = spec.into_iter().chain(counterexample).collect();
        Diagnostic {
            severity: Some(severity_of(layer)),
            code_description: self.link(finding.url.as_deref()),
            related_information: self.offered(related),
            data: self.data(|| serde_json::json!({
                "function": self.snapshot.name_of(task), "layer": layer, "counterexample": finding.counterexample, "version": mark.version,
            })),
            ..self.diagnostic(range, &finding.code, &message)
        }
    }

    /// The 0-based line where a line of the checked text stands now: lines of the function and
    /// of its spec move with them, any other finding is shown at the function's header.
    fn now(&self, task: &Task, mark: &Mark, line: usize) -> usize {
        let span = |range: TextRange| {
            let first = self.snapshot.line_at(range.start);
            (first, self.snapshot.line_at(range.end.saturating_sub(1).max(range.start)) - first)
        };
        let moved = |then: usize, (first, height): (usize, usize)| {
            line.checked_sub(then).filter(|n| *n <= height).map(|n| first + n)
        };
        moved(mark.function_line, span(task.function_range))
            .or_else(|| moved(mark.spec_line, span(task.spec_range)))
            .unwrap_or_else(|| self.snapshot.header_line(task))
    }

    fn abstention(&self, task: &Task, mark: &Mark, header: usize) -> Diagnostic {
        let mut message = format!("zeroerr offers no edit for `{}`", self.snapshot.name_of(task));
        let mut related = Vec::new();
        if let Some(run) = &mark.run {
            message.push_str(&format!(": {}", run.reason));
            for step in &run.steps {
                let votes: Vec<_> = step.tally.iter().map(|c| c.votes.to_string()).collect();
                let votes = if votes.is_empty() { "none".to_owned() } else { votes.join(" to ") };
                message.push_str(&format!("\nvotes on `{}`: {votes}, of {} samples", step.name, step.samples));
            }
        }
        for line in mark.run.iter().flat_map(|r| &r.steps).flat_map(differences) {
            message.push_str(&format!("\ncandidates differ on {line}"));
            related.push(self.related(self.line(header), format!("candidates differ on {line}")));
        }
        for LayerReport { layer, findings, .. } in &mark.stack.layers {
            message.extend(findings.iter().map(|f| format!("\n{layer} objected to the last candidate: {}", f.message)));
        }
        Diagnostic {
            severity: Some(DiagnosticSeverity::WARNING),
            related_information: self.offered(related),
            data: self.data(|| serde_json::json!({ "function": self.snapshot.name_of(task), "version": mark.version })),
            ..self.diagnostic(self.line(header), "vote.abstained", &message)
        }
    }

    fn diagnostic(&self, range: Range, code: &str, message: &str) -> Diagnostic {
        Diagnostic {
            range,
            source: Some("zeroerr".into()),
            code: Some(NumberOrString::String(code.to_owned())),
            message: message.to_owned(),
            ..Diagnostic::default()
        }
    }

    fn data(&self, value: impl FnOnce() -> serde_json::Value) -> Option<serde_json::Value> {
        self.profile.diagnostics.data.then(value)
    }

    fn offered(&self, related: Vec<DiagnosticRelatedInformation>) -> Option<Vec<DiagnosticRelatedInformation>> {
        (self.profile.diagnostics.related && !related.is_empty()).then_some(related)
    }

    fn link(&self, url: Option<&str>) -> Option<CodeDescription> {
        let href = url.filter(|_| self.profile.diagnostics.links).and_then(|url| Uri::from_str(url).ok())?;
        Some(CodeDescription { href })
    }
}

fn severity_of(layer: Layer) -> DiagnosticSeverity {
    match layer {
        Layer::Analysis | Layer::Performance => DiagnosticSeverity::WARNING,
        _ => DiagnosticSeverity::ERROR,
    }
}
