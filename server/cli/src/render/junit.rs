//! Layers as JUnit XML: one suite per file, one case per function and layer, per fault of a spec, for an objection that no
//! layer says, and for a file that cannot be read.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;
use zeroerr_core::task_specification::Severity;
use zeroerr_core::verdict::{LayerReport, Verdict};

use super::json::{Diagnostic, UNREADABLE};
use crate::commands::verify::Verified;
use crate::exit::CliError;

/// The document.
///
/// # Errors
/// Never for text that XML can hold; what it cannot hold is dropped by the writer.
pub fn document(verified: &[Verified], faults: &[Diagnostic]) -> Result<String, CliError> {
    let mut report = Report::new("zeroerr");
    // Warnings and hints are no reason to fail.
    let faults: Vec<&Diagnostic> = faults.iter().filter(|f| f.severity == Severity::Error).collect();
    for file in files(verified, &faults) {
        let mut suite = TestSuite::new(file);
        for function in verified.iter().filter(|v| v.file == file) {
            suite.add_test_cases(function.stack.layers.iter().map(|layer| case(function, layer)));
            suite.add_test_cases(function.unsaid().map(|objection| not_verified(function, objection)));
        }
        suite.add_test_cases(faults.iter().filter(|f| f.file == file).map(|f| faulty(f)));
        report.add_test_suite(suite);
    }
    let written = report.to_string();
    let written = written.map_err(|e| CliError::bug(format!("the result cannot be written as JUnit XML: {e}")))?;
    Ok(without_all_skipped(&written))
}

/// The schema that readers of JUnit go by counts what was skipped per suite, and knows no sum of it.
fn without_all_skipped(document: &str) -> String {
    let Some(start) = document.find("<testsuites ") else { return document.to_owned() };
    let (before, rest) = document.split_at_checked(start).unwrap_or((document, ""));
    let (root, inside) = rest.split_at_checked(rest.find('>').unwrap_or(0)).unwrap_or((rest, ""));
    let kept: Vec<&str> = root.split(' ').filter(|word| !word.starts_with("skipped=\"")).collect();
    format!("{before}{}{inside}", kept.join(" "))
}

fn files<'a>(verified: &'a [Verified], faults: &[&'a Diagnostic]) -> Vec<&'a str> {
    let mut files: Vec<&str> = Vec::new();
    for file in verified.iter().map(|v| v.file.as_str()).chain(faults.iter().map(|f| f.file.as_str())) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

fn case_of(name: &str, kind: NonSuccessKind, place: String, code: &str, message: &str) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(code).set_message(message);
    let mut case = TestCase::new(name, status);
    case.set_classname(place);
    case.set_time(Duration::ZERO);
    case
}

fn not_verified(function: &Verified, objection: &str) -> TestCase {
    let place = format!("{}:{}", function.file, function.function);
    case_of("verified", NonSuccessKind::Failure, place, "objection", objection)
}

/// What could not be looked at is an error, as a layer that could not run is.
fn faulty(fault: &Diagnostic) -> TestCase {
    let (name, kind) =
        if fault.code == UNREADABLE { ("file", NonSuccessKind::Error) } else { ("spec", NonSuccessKind::Failure) };
    case_of(name, kind, format!("{}:{}", fault.file, fault.line), &fault.code, &fault.message)
}

fn case(function: &Verified, layer: &LayerReport) -> TestCase {
    let status = match layer.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::NotApplicable => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(layer.detail.as_str());
            skipped
        }
        Verdict::Failed => unsuccessful(NonSuccessKind::Failure, layer),
        Verdict::Unavailable | Verdict::TimedOut => unsuccessful(NonSuccessKind::Error, layer),
    };
    let mut case = TestCase::new(layer.layer.name(), status);
    case.set_classname(format!("{}:{}", function.file, function.function));
    case.set_time(Duration::from_millis(layer.elapsed_ms));
    case
}

fn unsuccessful(kind: NonSuccessKind, layer: &LayerReport) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let lines: Vec<String> =
        layer.findings.iter().map(|f| format!("line {}: {} [{}]", f.line, f.message, f.code)).collect();
    status.set_type(layer.verdict.name()).set_message(layer.detail.as_str()).set_description(lines.join("\n"));
    status
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::render::fixture;

    #[test]
    fn every_verdict_has_its_element() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="zeroerr" tests="4" failures="1" errors="1">
                <testsuite name="my code/a.py" tests="4" skipped="1" errors="1" failures="1">
                    <testcase name="syntax" classname="my code/a.py:median" time="0.000"/>
                    <testcase name="types" classname="my code/a.py:median" time="0.000">
                        <error message="ty is not installed" type="unavailable"></error>
                    </testcase>
                    <testcase name="tests" classname="my code/a.py:median" time="1.250">
                        <failure message="1 of 2 examples fails" type="failed">line 9: median([2, 1]) is 1 &amp; not 1.5 [tests.example]</failure>
                    </testcase>
                    <testcase name="performance" classname="my code/a.py:median" time="0.000">
                        <skipped message="no @budget"/>
                    </testcase>
                </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&document(&fixture::verified(), &[]).unwrap());
    }

    #[test]
    fn no_failure_is_without_a_case_that_fails() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="zeroerr" tests="5" failures="2" errors="2">
                <testsuite name="a.py" tests="2" skipped="0" errors="0" failures="1">
                    <testcase name="types" classname="a.py:f" time="0.000"/>
                    <testcase name="verified" classname="a.py:f" time="0.000">
                        <failure message="no evidence" type="objection"/>
                    </testcase>
                </testsuite>
                <testsuite name="b.py" tests="1" skipped="0" errors="1" failures="0">
                    <testcase name="types" classname="b.py:g" time="0.000">
                        <error message="ty is not installed" type="unavailable"></error>
                    </testcase>
                </testsuite>
                <testsuite name="c.py" tests="1" skipped="0" errors="0" failures="1">
                    <testcase name="spec" classname="c.py:3" time="0.000">
                        <failure message="unknown tag `@exmaple`" type="spec.unknown-tag"/>
                    </testcase>
                </testsuite>
                <testsuite name="d.py" tests="1" skipped="0" errors="1" failures="0">
                    <testcase name="file" classname="d.py:2" time="0.000">
                        <error message="is not UTF-8; save the file as UTF-8" type="file.unreadable"/>
                    </testcase>
                </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&document(&fixture::unsaid(), &fixture::faults()).unwrap());
    }
}
