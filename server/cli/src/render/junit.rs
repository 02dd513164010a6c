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
    report.to_string().map_err(|e| CliError::bug(format!("the result cannot be written as JUnit XML: {e}")))
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
        expect![[""]].assert_eq(&document(&fixture::verified()).unwrap());
    }
}
