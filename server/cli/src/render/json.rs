//! The JSON of `run` and `verify`: a contract (docs/API_REFERENCE.md). Fields may be added, not
//! changed, so these are types of their own and not the domain's.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use zeroerr_core::advice::AdviceReport;
use zeroerr_core::code::{apply_edits, line_of};
use zeroerr_core::question::Question;
use zeroerr_core::report::{ClassVotes, Disagreement, RunOutcome, RunReport, StepReport, StepState};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, StackReport};
use zeroerr_core::voting_engine::estimate::Estimate;

use crate::targets::Source;

/// What `run --json` prints.
#[derive(Debug, Serialize)]
pub struct Runs {
    /// One entry per function.
    pub runs: Vec<Run>,
    /// Faults of spec blocks in the files that were looked at, and files that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// One run.
#[derive(Debug, Serialize)]
pub struct Run {
    id: String,
    file: String,
    function: String,
    outcome: RunOutcome,
    reason: String,
    steps: Vec<Step>,
    layers: Vec<LayerOut>,
    edit: Option<Edit>,
    applied: bool,
    elapsed_ms: u64,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    state: StepState,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    samples: u32,
    red_flags: BTreeMap<String, u32>,
    gate_rejected: u32,
    tally: Vec<ClassVotes>,
    margin: u32,
    k: u32,
    disagreements: Vec<Disagreement>,
    questions: Vec<Question>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<String>,
    taken_up: u32,
    diversity: Option<f64>,
    completion_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<Estimate>,
    needs: Vec<String>,
    depth: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    left_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Box<Step>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Box<AdviceReport>>,
}

/// One layer.
#[derive(Debug, Serialize)]
pub struct LayerOut {
    layer: Layer,
    verdict: &'static str,
    detail: String,
    findings: Vec<Finding>,
    tools: Vec<String>,
    evidence: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hollow: Vec<String>,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    remembered: bool,
}

/// Lines `start_line` to `end_line` (1-based, both included) of the file become `new_text`. An
/// `end_line` before `start_line` means that the text is put in before `start_line`.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Edit {
    start_line: usize,
    end_line: usize,
    new_text: String,
}

/// One fault of a spec block, or a file that cannot be read.
#[derive(Debug, Serialize)]
pub struct Diagnostic {
    /// Path as shown.
    pub file: String,
    /// 1-based line of the fault.
    pub line: usize,
    /// `spec.<rule>`, or [`UNREADABLE`].
    pub code: String,
    /// How bad it is.
    pub severity: zeroerr_core::task_specification::Severity,
    /// What is wrong.
    pub message: String,
}

/// What `verify --json` prints.
#[derive(Debug, Serialize)]
pub struct Functions {
    /// One entry per function.
    pub functions: Vec<Function>,
    /// Faults of spec blocks in the files that were looked at, and files that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// One verified function.
#[derive(Debug, Serialize)]
pub struct Function {
    file: String,
    function: String,
    line: usize,
    passed: usize,
    of: usize,
    objection: Option<String>,
    layers: Vec<LayerOut>,
}

impl Run {
    /// A report about `source`, the text that the run was given.
    pub fn new(file: &str, report: &RunReport, source: &str, applied: bool) -> Self {
        let new = (report.outcome == RunOutcome::Verified).then(|| apply_edits(source, &report.edits)).flatten();
        Self {
            id: report.id.clone(),
            file: file.to_owned(),
            function: report.function.clone(),
            outcome: report.outcome,
            reason: report.reason.clone(),
            steps: report.steps.iter().map(Step::new).collect(),
            layers: report.layers.iter().map(LayerOut::new).collect(),
            edit: new.map(|new| Edit::between(source, &new)),
            applied,
            elapsed_ms: report.elapsed_ms,
        }
    }
}

impl Function {
    /// The layers of one function.
    pub fn new(file: &str, function: &str, line: usize, stack: &StackReport, objection: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            function: function.to_owned(),
            line,
            passed: stack.passed(),
            of: Layer::ALL.len(),
            objection,
            layers: stack.layers.iter().map(LayerOut::new).collect(),
        }
    }
}

impl Step {
    fn new(step: &StepReport) -> Self {
        Self {
            name: step.name.clone(),
            state: step.state,
            attempt: Some(step.attempt).filter(|n| *n > 0),
            samples: step.samples,
            red_flags: step.red_flags.clone(),
            gate_rejected: step.gate_rejected,
            tally: step.tally.clone(),
            margin: step.margin,
            k: step.k,
            disagreements: step.disagreements.clone(),
            questions: step.questions.clone(),
            suggestions: step.suggestions.clone(),
            taken_up: step.taken_up,
            diversity: step.diversity,
            completion_tokens: step.completion_tokens,
            estimate: step.estimate,
            needs: step.needs.clone(),
            depth: step.depth,
            left_out: step.left_out,
            plan: step.plan.as_deref().map(Step::new).map(Box::new),
            advice: step.advice.clone(),
        }
    }
}

impl LayerOut {
    /// What a layer says.
    pub fn new(report: &LayerReport) -> Self {
        Self {
            layer: report.layer,
            verdict: report.verdict.name(),
            detail: report.detail.clone(),
            findings: report.findings.clone(),
            tools: report.tools.clone(),
            evidence: report.evidence,
            hollow: report.hollow.clone(),
            elapsed_ms: report.elapsed_ms,
            remembered: report.remembered,
        }
    }
}

impl Edit {
    /// The smallest run of lines that differs.
    pub fn between(old: &str, new: &str) -> Self {
        let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
        let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
        let head = old_lines.iter().zip(&new_lines).take_while(|(a, b)| a == b).count();
        let tail =
            old_lines[head..].iter().rev().zip(new_lines[head..].iter().rev()).take_while(|(a, b)| a == b).count();
        Self {
            start_line: head + 1,
            end_line: old_lines.len() - tail,
            new_text: new_lines[head..new_lines.len() - tail].concat(),
        }
    }
}

/// The rule of a file that cannot be read.
pub const UNREADABLE: &str = "file.unreadable";

impl Diagnostic {
    /// A file that cannot be read, and why: `path: why` or `path:line: why`.
    pub fn unreadable(path: &Path, said: &str) -> Self {
        let file = path.display().to_string();
        let said = said.strip_prefix(&file).unwrap_or(said);
        let (place, message) = said.split_once(": ").unwrap_or(("", said));
        let line = place.trim_start_matches(':').parse().unwrap_or(1);
        let severity = zeroerr_core::task_specification::Severity::Error;
        Self { file, line, code: UNREADABLE.into(), severity, message: message.to_owned() }
    }
}

/// The faults of the files' specs, and the files that cannot be read.
pub fn diagnostics(sources: &[Source], unreadable: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let of = |source: &Source| {
        let one = |d: &zeroerr_core::task_specification::SpecDiagnostic| Diagnostic {
            file: source.path.display().to_string(),
            line: line_of(&source.text, d.range.start),
            code: d.code.clone(),
            severity: d.severity,
            message: d.message.clone(),
        };
        source.analysis.diagnostics.iter().map(one).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).chain(unreadable).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Does what the documentation of [`Edit`] says.
    fn applied(old: &str, edit: &Edit) -> String {
        let lines: Vec<&str> = old.split_inclusive('\n').collect();
        [&lines[..edit.start_line - 1].concat(), &edit.new_text, &lines[edit.end_line..].concat()]
            .map(String::as_str)
            .concat()
    }

    /// The shape that docs/API_REFERENCE.md promises, key by key.
    #[test]
    fn the_shape_of_a_run_is_kept() {
        use zeroerr_core::advice::{AgreementReport, InputReport, ObjectionReport, TestReport};
        use zeroerr_core::code::{TextEdit, TextRange};
        use zeroerr_core::question::Answer;
        let step = StepReport {
            name: "f".into(),
            state: StepState::Won,
            attempt: 1,
            samples: 4,
            red_flags: BTreeMap::from([("truncated".into(), 1)]),
            tally: vec![ClassVotes { class: "0a".into(), votes: 3 }],
            margin: 3,
            k: 3,
            disagreements: vec![Disagreement { input: "f(0)".into(), answers: vec![("= 1".into(), 3)] }],
            questions: vec![Question {
                input: "f(0)".into(),
                answers: vec![Answer { text: "1".into(), votes: 3, clause: Some("@example f(0) == 1".into()) }],
            }],
            estimate: Some(Estimate { p: 0.75, low: 0.2, high: 1.0, votes: 4 }),
            diversity: Some(0.5),
            needs: vec!["g".into()],
            depth: 1,
            left_out: true,
            advice: Some(Box::new(AdviceReport {
                tests: vec![TestReport { code: "f(2) == 3".into(), passed: 1, of: 3 }],
                agreement: vec![AgreementReport { classes: vec!["0a".into()], votes: 3, tests: 1, score: 3 }],
                inputs: vec![InputReport { call: "f(2)".into(), by: "tester".into(), inside: true, outcomes: 2 }],
                objections: vec![ObjectionReport { class: "0a".into(), text: "f(3) is wrong".into() }],
                tests_object: true,
                extra_lead: 2,
                granted: 4,
                completion_tokens: 30,
                nothing: BTreeMap::from([("tester 2".into(), "no answer".into())]),
            })),
            plan: Some(Box::new(StepReport { name: "plan of f".into(), samples: 2, ..StepReport::default() })),
            ..StepReport::default()
        };
        let report = RunReport {
            id: "r1".into(),
            file: "/elsewhere/a.py".into(),
            function: "f".into(),
            outcome: RunOutcome::Verified,
            reason: "ahead by 3".into(),
            steps: vec![step],
            layers: vec![LayerReport::new(Layer::Syntax, zeroerr_core::verdict::Verdict::NotApplicable, "d")],
            edits: vec![TextEdit { range: TextRange::new(13, 16), new_text: "return 1".into() }],
            certificate: None,
            elapsed_ms: 5,
        };
        let run = Run::new("a.py", &report, "def f():\n    ...\n", false);
        let mut expected = serde_json::json!({
            "id": "r1", "file": "a.py", "function": "f", "outcome": "verified", "reason": "ahead by 3",
            "steps": [{
                "name": "f", "samples": 4, "red_flags": {"truncated": 1}, "gate_rejected": 0,
                "tally": [{"class": "0a", "votes": 3}], "margin": 3, "k": 3,
                "disagreements": [{"input": "f(0)", "answers": [["= 1", 3]]}],
                "questions": [{
                    "input": "f(0)", "answers": [{"text": "1", "votes": 3, "clause": "@example f(0) == 1"}],
                }],
                "taken_up": 0, "diversity": 0.5, "completion_tokens": 0,
                "estimate": {"p": 0.75, "low": 0.2, "high": 1.0, "votes": 4}, "needs": ["g"], "depth": 1,
                "left_out": true,
                "advice": {
                    "tests": [{"code": "f(2) == 3", "passed": 1, "of": 3}],
                    "agreement": [{"classes": ["0a"], "votes": 3, "tests": 1, "score": 3}],
                    "tests_object": true,
                    "inputs": [{"call": "f(2)", "by": "tester", "inside": true, "outcomes": 2}],
                    "objections": [{"class": "0a", "text": "f(3) is wrong"}],
                    "extra_lead": 2, "granted": 4, "completion_tokens": 30, "nothing": {"tester 2": "no answer"},
                },
                "plan": {
                    "name": "plan of f", "samples": 2, "red_flags": {}, "gate_rejected": 0, "tally": [],
                    "margin": 0, "k": 0, "disagreements": [], "questions": [], "taken_up": 0, "diversity": null,
                    "completion_tokens": 0, "needs": [], "depth": 0,
                },
            }],
            "layers": [{
                "layer": "syntax", "verdict": "not_applicable", "detail": "d", "findings": [],
                "tools": [], "evidence": 0, "elapsed_ms": 0,
            }],
            "edit": {"start_line": 2, "end_line": 2, "new_text": "    return 1\n"},
            "applied": false, "elapsed_ms": 5,
        });
        // The macro takes no more keys.
        let step = &mut expected["steps"][0];
        (step["state"], step["attempt"], step["plan"]["state"]) = ("won".into(), 1.into(), "open".into());
        assert_eq!(serde_json::to_value(&run).unwrap(), expected);
        let abstained = RunReport { outcome: RunOutcome::Abstained, ..report };
        let run = serde_json::to_value(Run::new("a.py", &abstained, "def f():\n    ...\n", false)).unwrap();
        assert_eq!(run["edit"], serde_json::Value::Null, "only what is verified is offered");
    }

    #[test]
    fn a_file_that_cannot_be_read_has_a_place_and_a_reason() {
        let shown = |said: &str| {
            let Diagnostic { file, line, message, .. } = Diagnostic::unreadable(Path::new("a: 7/b.py"), said);
            (file, line, message)
        };
        let expected = |line, why: &str| ("a: 7/b.py".to_owned(), line, why.to_owned());
        assert_eq!(shown("a: 7/b.py:12: is not UTF-8"), expected(12, "is not UTF-8"));
        assert_eq!(shown("a: 7/b.py: cannot be read: denied"), expected(1, "cannot be read: denied"));
    }

    #[test]
    fn an_edit_names_the_lines_it_replaces() {
        let edit = Edit::between("a\nb\nc\n", "a\nX\nY\nc\n");
        assert_eq!(edit, Edit { start_line: 2, end_line: 2, new_text: "X\nY\n".into() });
        let insertion = Edit::between("a\nc\n", "a\nb\nc\n");
        assert_eq!(insertion, Edit { start_line: 2, end_line: 1, new_text: "b\n".into() });
    }

    proptest! {
        #[test]
        fn an_edit_gives_the_new_text(old in "([ab]{0,2}\r?\n){0,6}[ab]{0,2}", new in "([ab]{0,2}\r?\n){0,6}[ab]{0,2}") {
            prop_assert_eq!(applied(&old, &Edit::between(&old, &new)), new);
        }
    }
}
