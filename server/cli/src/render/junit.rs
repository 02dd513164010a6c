//! Layers as JUnit XML: one suite per file, one case per function and layer.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;
use zeroerr_core::verdict::{LayerReport, Verdict};

use crate::commands::verify::Verified;
use crate::exit::CliError;

/// The document.
///
/// # Errors
/// Never for text that XML can hold; what it cannot hold is dropped by the writer.
pub fn document(verified: &[Verified]) -> Result<String, CliError> {
    let mut report = Report::new("zeroerr");
    for file in files(verified) {
        let mut suite = TestSuite::new(file);
        for function in verified.iter().filter(|v| v.file == file) {
            suite.add_test_cases(function.stack.layers.iter().map(|layer| case(function, layer)));
        }
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

fn files(verified: &[Verified]) -> Vec<&str> {
    let mut files: Vec<&str> = verified.iter().map(|v| v.file.as_str()).collect();
    files.dedup();
    files
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
        .assert_eq(&document(&fixture::verified()).unwrap());
    }
}
