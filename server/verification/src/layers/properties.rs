//! Layer 5, properties: what a generator with shrinking showed of `@property` laws.

use serde::Deserialize;
use zeroerr_core::code::{ParamKind, line_of};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::fingerprint::{Broken, one_line};
use crate::languages::Subject;
use crate::layers::{TOO_LONG, with_doubts};

/// What became of one law.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LawFact {
    /// Its place in the spec.
    pub index: usize,
    /// Cases that satisfied `@requires`.
    pub valid: usize,
    /// Cases that did not.
    pub invalid: usize,
    /// Cases that were not tried in the time.
    #[serde(default)]
    pub left: usize,
    /// `held`, `falsified`, `starved` (too few valid cases), `no values` (for the parameters in
    /// `why`), `uncalled` (no case called the function), `timed out`, `broken`.
    pub status: String,
    /// The smallest falsifying values, `(xs=[0, 1])`.
    pub bindings: String,
    /// `false`, `timeout`, `crash`, `untrusted`, or `raised Error: text`.
    pub why: String,
    /// The call with those values, where the language has no names for arguments in calls.
    #[serde(default)]
    pub call: String,
    /// Whether functions that are wrong on purpose obey it as well.
    #[serde(default)]
    pub hollow: bool,
    /// Whether none of them was asked.
    #[serde(default)]
    pub untested: bool,
}

/// What checking laws showed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// One per law.
    pub laws: Vec<LawFact>,
    /// Set when the file did not load.
    #[serde(default)]
    pub broken: Option<Broken>,
}

/// The report when there is nothing to check.
pub fn nothing() -> LayerReport {
    LayerReport::new(Layer::Properties, Verdict::NotApplicable, "no @property")
}

/// Judges the facts.
pub fn judge(subject: &Subject, facts: &Facts) -> LayerReport {
    if let Some(Broken(_, error, text, ..)) = &facts.broken {
        return failed(vec![finding(subject, format!("the file does not load: {error}: {text}"), None, None)]);
    }
    let findings: Vec<Finding> =
        facts.laws.iter().filter(|l| l.status == "falsified").map(|l| falsified(subject, l)).collect();
    if !findings.is_empty() {
        return failed(findings);
    }
    if let Some(law) = facts.laws.iter().find(|l| l.status != "held") {
        let text = law_text(subject, law);
        let (verdict, detail) = match law.status.as_str() {
            "starved" => (
                Verdict::Unavailable,
                format!(
                    "could not generate inputs that satisfy @requires ({} of {} fit) for `{text}`; add an @example whose arguments do",
                    law.valid,
                    law.valid + law.invalid
                ),
            ),
            "no values" => (
                Verdict::Unavailable,
                format!("no values can be made up for {}; annotate it or add an @example", law.why),
            ),
            "uncalled" => (
                Verdict::Unavailable,
                format!("`{text}` never calls {}, so it shows nothing", subject.task.signature.name),
            ),
            "timed out" => (Verdict::TimedOut, format!("`{text}` was not decided in its time")),
            other => (Verdict::Unavailable, format!("`{text}` could not be checked ({other})")),
        };
        return LayerReport::new(Layer::Properties, verdict, detail);
    }
    let cases: usize = facts.laws.iter().map(|l| l.valid).sum();
    let plural = if facts.laws.len() == 1 { "property" } else { "properties" };
    let left: usize = facts.laws.iter().map(|l| l.left).sum();
    let left = if left > 0 { format!(", {left} were not tried in the time") } else { String::new() };
    let detail = format!("{} {plural} on {cases} cases{left}", facts.laws.len());
    let those = |is_so: fn(&LawFact) -> bool| -> Vec<String> {
        facts.laws.iter().filter(|l| is_so(l)).map(|l| one_line(&law_text(subject, l))).collect()
    };
    let (hollow, untested) = (those(|l| l.hollow), those(|l| l.untested));
    let evidence = facts.laws.len() - hollow.len();
    let verdict = if evidence == 0 { Verdict::NotApplicable } else { Verdict::Passed };
    let detail = with_doubts(detail, subject, &hollow, &untested);
    LayerReport { evidence, hollow, ..LayerReport::new(Layer::Properties, verdict, detail) }
}

fn failed(findings: Vec<Finding>) -> LayerReport {
    let plural = if findings.len() == 1 { "property does" } else { "properties do" };
    let detail = format!("{} {plural} not hold", findings.len());
    LayerReport { evidence: findings.len(), findings, ..LayerReport::new(Layer::Properties, Verdict::Failed, detail) }
}

fn falsified(subject: &Subject, law: &LawFact) -> Finding {
    let text = law_text(subject, law);
    let values = law.bindings.strip_prefix('(').and_then(|b| b.strip_suffix(')')).unwrap_or(&law.bindings);
    let place = match (law.call.as_str(), law.bindings.as_str()) {
        ("", "()") => String::new(),
        ("", _) => format!(" for {}", one_line(&bindings(values))),
        (call, _) => format!(" for the arguments of {}", one_line(call)),
    };
    let message = match law.why.as_str() {
        "false" => format!("`{text}` is false{place}"),
        "timeout" => format!("`{text}` {TOO_LONG}{place}"),
        "crash" => format!("`{text}` ended the process{place}"),
        "untrusted" => format!("`{text}` compares an object that can pretend to equal anything{place}"),
        raised => format!("`{text}` {}{place}", one_line(raised)),
    };
    let call = if !law.call.is_empty() {
        law.call.clone()
    } else if law.bindings == "()" {
        text
    } else {
        format!("{}{}", subject.task.signature.name, call(subject, &law.bindings))
    };
    finding(subject, message, Some(call), Some(law.index))
}

/// `xs=[1], k=2` as `xs = [1], k = 2` for one variable; several stay as they are.
fn bindings(values: &str) -> String {
    match values.split_once('=') {
        Some((name, value)) if !value.contains('=') => format!("{name} = {value}"),
        _ => values.to_string(),
    }
}

/// Named arguments in the form a developer writes: by position when the one parameter is all.
fn call(subject: &Subject, bindings: &str) -> String {
    let params = &subject.task.signature.params;
    let named = bindings.trim_start_matches('(');
    match params.as_slice() {
        [only] => {
            let star = match only.kind {
                ParamKind::Rest => "*",
                ParamKind::KeywordRest => "**",
                _ => "",
            };
            named
                .strip_prefix(&format!("{}=", only.name))
                .map_or_else(|| bindings.to_string(), |value| format!("({star}{value}"))
        }
        _ => bindings.to_string(),
    }
}

fn law_text(subject: &Subject, law: &LawFact) -> String {
    subject.task.spec.properties.get(law.index).map_or_else(String::new, |c| c.text.clone())
}

fn finding(subject: &Subject, message: String, counterexample: Option<String>, law: Option<usize>) -> Finding {
    let clause = law.and_then(|i| subject.task.spec.properties.get(i));
    Finding {
        code: "properties.falsified".into(),
        message,
        line: *subject.function_lines().start(),
        counterexample,
        spec_line: clause.map(|c| line_of(&subject.task.source, c.range.start)),
        url: None,
    }
}
