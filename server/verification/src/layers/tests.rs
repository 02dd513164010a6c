//! Layer 4, tests: examples, doctests, and the project's own tests that reach the function.

use std::collections::BTreeSet;

use serde::Deserialize;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::ExampleOrigin;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::fingerprint::{Claim, ExampleFact, contradiction, one_line};
use crate::languages::Subject;
use crate::layers::{TOO_LONG, with_doubts};

/// One test of the project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProjectTest {
    /// `tests/test_stats.py::test_even`, or a file that could not be collected.
    pub id: String,
    /// `passed`, `failed`, `skipped`, `xfailed`, `unable` (it needs what is not here), `deselected` (the project's own
    /// settings leave it out).
    pub outcome: String,
    /// Why it failed.
    pub message: String,
}

/// A run of the project's tests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ProjectRun {
    /// Its tests in order.
    pub tests: Vec<ProjectTest>,
    /// `done`, `timeout` or `crash`.
    pub ended: String,
    /// The runner's exit code.
    pub code: i32,
    /// The runner's last words, or the test it was at.
    pub text: String,
}

/// What running tests showed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Facts {
    /// One per example.
    pub examples: Vec<ExampleFact>,
    /// The project's tests, if any reach the function.
    #[serde(default, alias = "pytest")]
    pub project: Option<ProjectRun>,
    /// The test files that failed, run with the code that the edit replaces.
    #[serde(default)]
    pub before: Option<ProjectRun>,
    /// The test files whose tests passed, run with functions that give nothing of use, one after another; only
    /// where no example is evidence.
    #[serde(default)]
    pub hollow: Option<ProjectRun>,
    /// What the copy that the project's tests ran in did not hold, in words.
    #[serde(skip)]
    pub missed: Option<String>,
}

impl Facts {
    /// Whether one of the project's tests failed.
    pub fn has_failed(&self) -> bool {
        self.project.iter().flat_map(|r| &r.tests).any(|t| t.outcome == "failed")
    }
}

/// Judges the facts.
pub fn judge(subject: &Subject, facts: &Facts) -> LayerReport {
    if let Some(error) = contradiction(&subject.task.spec, &facts.examples) {
        return LayerReport::new(Layer::Tests, Verdict::Unavailable, error.0);
    }
    let mut findings = example_findings(subject, &facts.examples);
    let mut known = 0;
    if let Some(run) = &facts.project {
        let already = failing_before(facts);
        let failed: Vec<&ProjectTest> = run.tests.iter().filter(|t| t.outcome == "failed").collect();
        known = failed.iter().filter(|t| already.contains(t.id.as_str())).count();
        findings.extend(
            failed.into_iter().filter(|t| !already.contains(t.id.as_str())).map(|t| project_finding(subject, t)),
        );
        if let Some(report) = unfinished(subject, run, &mut findings) {
            return report;
        }
    }
    let ran = facts
        .project
        .as_ref()
        .map_or(0, |r| r.tests.iter().filter(|t| matches!(t.outcome.as_str(), "passed" | "failed")).count());
    let blind = blind_tests(facts);
    let hollow = claims_that(subject, facts, |f| f.hollow);
    let own = facts.examples.len().saturating_sub(counted(subject, ExampleOrigin::Step));
    let evidence = own.saturating_sub(hollow.len()) + ran - (known + blind).min(ran);
    let verdict = match (findings.is_empty(), evidence) {
        (false, _) => Verdict::Failed,
        (true, 0) => Verdict::NotApplicable,
        (true, _) => Verdict::Passed,
    };
    let untested = claims_that(subject, facts, |f| f.ok && f.untested && findings.is_empty());
    let detail = detail(subject, facts, (ran, known, blind), findings.len());
    let detail = with_doubts(detail, subject, &hollow, &untested);
    LayerReport { findings, evidence, hollow, ..LayerReport::new(Layer::Tests, verdict, detail) }
}

/// The function's own examples of which something is so, as they are written.
fn claims_that(subject: &Subject, facts: &Facts, is_so: impl Fn(&ExampleFact) -> bool) -> Vec<String> {
    let some = facts.examples.iter().filter(|f| is_so(f)).filter_map(|f| subject.task.spec.examples.get(f.index));
    some.filter(|e| e.origin != ExampleOrigin::Step).map(|e| one_line(&e.code)).collect()
}

fn counted(subject: &Subject, origin: ExampleOrigin) -> usize {
    subject.task.spec.examples.iter().filter(|e| e.origin == origin).count()
}

/// A run of the project's tests that broke off: time-outs and unusable runners are no pass.
fn unfinished(subject: &Subject, run: &ProjectRun, findings: &mut Vec<Finding>) -> Option<LayerReport> {
    match (run.ended.as_str(), run.code) {
        ("done", 0 | 1 | 2 | 5) => None,
        ("crash", _) => {
            findings.push(finding(
                subject,
                "project",
                format!("the project's tests ended the process: {}", one_line(&run.text)),
                None,
                None,
            ));
            None
        }
        _ if !findings.is_empty() => None,
        ("timeout", _) => {
            Some(LayerReport::new(Layer::Tests, Verdict::TimedOut, format!("{} {TOO_LONG}", one_line(&run.text))))
        }
        _ => Some(LayerReport::new(
            Layer::Tests,
            Verdict::Unavailable,
            format!("the project's tests could not be run: {}", one_line(&run.text)),
        )),
    }
}

/// How many tests passed, and pass with a function that gives nothing of use too.
fn blind_tests(facts: &Facts) -> usize {
    let (Some(run), Some(hollow)) = (&facts.project, &facts.hollow) else { return 0 };
    // What broke off has noticed something.
    if hollow.ended != "done" {
        return 0;
    }
    let failed = |outcome: &str| outcome == "failed";
    let noticed: BTreeSet<&str> = hollow.tests.iter().filter(|t| failed(&t.outcome)).map(|t| t.id.as_str()).collect();
    // A file that cannot even be read any more has noticed with all of its tests.
    let loading = |id: &str| id.split_once(" > ").map(|(file, _)| format!("{file} > loading"));
    let notices = |id: &str| {
        noticed.contains(id)
            || noticed.contains(id.split("::").next().unwrap_or(id))
            || loading(id).is_some_and(|id| noticed.contains(id.as_str()))
    };
    run.tests.iter().filter(|t| t.outcome == "passed" && !notices(&t.id)).count()
}

fn failing_before(facts: &Facts) -> BTreeSet<&str> {
    let before = facts.before.iter().flat_map(|run| &run.tests);
    before.filter(|t| t.outcome == "failed").map(|t| t.id.as_str()).collect()
}

fn example_findings(subject: &Subject, facts: &[ExampleFact]) -> Vec<Finding> {
    let failed = facts.iter().filter(|f| !f.ok).filter_map(|fact| {
        let example = subject.task.spec.examples.get(fact.index)?;
        let rule = if example.origin == ExampleOrigin::Doctest { "doctest" } else { "example" };
        let claim = Claim::Example(example);
        Some(finding(subject, rule, claim.objection(fact), Some(one_line(claim.code())), Some(example.range.start)))
    });
    failed.collect()
}

fn project_finding(subject: &Subject, test: &ProjectTest) -> Finding {
    let why = if test.message.is_empty() { "failed".to_string() } else { one_line(&test.message) };
    finding(subject, "project", format!("{}: {why}", test.id), None, None)
}

fn detail(subject: &Subject, facts: &Facts, (ran, known, blind): (usize, usize, usize), failed: usize) -> String {
    let [doctests, claims] = [ExampleOrigin::Doctest, ExampleOrigin::Step].map(|origin| counted(subject, origin));
    let counts = [
        (facts.examples.len().saturating_sub(doctests + claims), "example", "examples"),
        (doctests, "doctest", "doctests"),
        (claims, "claim on a step", "claims on steps"),
        (ran, "project test", "project tests"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }))
        .collect();
    if known > 0 {
        parts.push(format!("{known} of them failed before the edit too"));
    }
    if blind > 0 {
        let which = if blind == ran { "which passes".to_string() } else { format!("{blind} of which pass") };
        let which = if blind == ran && ran > 1 { "all of which pass".to_string() } else { which };
        parts.push(format!("{which} whatever {} does", subject.task.signature.name));
    }
    parts.extend(not_run(facts));
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    let missed = facts.missed.as_ref().filter(|_| facts.project.is_some());
    let missed = missed.map_or_else(String::new, |what| format!("; {what}"));
    if parts.is_empty() {
        "no examples, and no test of the project mentions the function".into()
    } else {
        format!("{}{missed}", parts.join(", "))
    }
}

/// Which tests were not run, and why.
fn not_run(facts: &Facts) -> Vec<String> {
    let all = || facts.project.iter().flat_map(|r| &r.tests);
    let unable = || all().filter(|t| t.outcome == "unable");
    let needs: BTreeSet<&str> = unable().filter_map(|t| t.message.strip_prefix("needs ")).collect();
    let lacking = unable().filter(|t| t.message.starts_with("needs ")).count();
    let plugin = unable().count() - lacking;
    let deselected = all().filter(|t| t.outcome == "deselected").count();
    let mut parts = Vec::new();
    if plugin > 0 {
        parts.push(format!("{plugin} need a plugin of pytest that is not here"));
    }
    if lacking > 0 {
        let needs = needs.into_iter().collect::<Vec<_>>().join(", ");
        parts.push(format!("{lacking} not run for want of {needs}"));
    }
    if deselected > 0 {
        parts.push(format!("{deselected} left out by the project's own settings of pytest"));
    }
    parts
}

fn finding(
    subject: &Subject,
    rule: &str,
    message: String,
    counterexample: Option<String>,
    place: Option<usize>,
) -> Finding {
    Finding {
        code: format!("tests.{rule}"),
        message,
        line: *subject.function_lines().start(),
        counterexample,
        spec_line: place.map(|at| line_of(&subject.task.source, at)),
        url: None,
    }
}
