//! Findings as annotations of GitHub Actions.

use zeroerr_core::task_specification::Severity;
use zeroerr_core::verdict::Verdict;

use super::json::Diagnostic;
use crate::commands::verify::Verified;

/// One `::error` or `::warning` line per finding, per layer that could not run, and for an objection that neither says.
pub fn annotations(verified: &Verified) -> Vec<String> {
    let Verified { file, function, line, stack, .. } = verified;
    let line = *line;
    let mut out = Vec::new();
    for layer in &stack.layers {
        let title = format!("{function}: {}", layer.layer);
        for finding in &layer.findings {
            let example = finding.counterexample.as_ref().map_or_else(String::new, |c| format!("\nfor example: {c}"));
            out.push(annotation("error", file, finding.line, &title, &format!("{}{example}", finding.message)));
        }
        match layer.verdict {
            Verdict::Failed if layer.findings.is_empty() => {
                out.push(annotation("error", file, line, &title, &layer.detail))
            }
            Verdict::Unavailable | Verdict::TimedOut => {
                out.push(annotation("warning", file, line, &title, &layer.detail))
            }
            _ => {}
        }
    }
    let objection = verified.unsaid().map(|o| annotation("error", file, line, &format!("{function}: not verified"), o));
    out.extend(objection);
    out
}

/// The line for a fault of a spec, or for a file that cannot be read.
pub fn fault(fault: &Diagnostic) -> String {
    let level = match fault.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "notice",
    };
    annotation(level, &fault.file, fault.line, &fault.code, &fault.message)
}

fn annotation(level: &str, file: &str, line: usize, title: &str, message: &str) -> String {
    format!("::{level} file={},line={line},title={}::{}", property(file), property(title), data(message))
}

/// Escapes as the runner's command parser expects.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use zeroerr_core::verdict::{Finding, Layer, LayerReport, StackReport};

    use super::*;
    use crate::render::fixture;

    #[test]
    fn no_failure_is_without_an_annotation() {
        let lines: Vec<String> = fixture::unsaid().iter().flat_map(annotations).collect();
        let expected = [
            "::error file=a.py,line=2,title=f%3A not verified::no evidence",
            "::warning file=b.py,line=4,title=g%3A types::ty is not installed",
        ];
        assert_eq!(lines, expected);
        assert_eq!(
            fixture::faults().iter().map(fault).collect::<Vec<_>>(),
            [
                "::error file=c.py,line=3,title=spec.unknown-tag::unknown tag `@exmaple`",
                "::error file=d.py,line=2,title=file.unreadable::is not UTF-8; save the file as UTF-8"
            ]
        );
    }

    #[test]
    fn what_would_end_the_command_is_escaped() {
        let mut failed = LayerReport::new(Layer::Tests, Verdict::Failed, "d");
        let finding = Finding {
            code: "tests.example".into(),
            message: "100%\n::set-env".into(),
            line: 3,
            counterexample: None,
            spec_line: None,
            url: None,
        };
        failed.findings.push(finding);
        let missing = LayerReport::new(Layer::Types, Verdict::Unavailable, "ty is not installed");
        let stack = StackReport { layers: vec![failed, missing] };
        let objection = Some("tests failed".to_owned());
        let lines = annotations(&Verified { file: "a,b.py".into(), function: "f".into(), line: 1, stack, objection });
        assert_eq!(
            lines,
            [
                "::error file=a%2Cb.py,line=3,title=f%3A tests::100%25%0A::set-env",
                "::warning file=a%2Cb.py,line=1,title=f%3A types::ty is not installed"
            ]
        );
    }
}
