//! Findings as annotations of GitHub Actions.

use zeroerr_core::verdict::{StackReport, Verdict};

/// One `::error` or `::warning` line per finding and per layer that could not run.
pub fn annotations(file: &str, function: &str, line: usize, stack: &StackReport) -> Vec<String> {
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
    out
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
    use zeroerr_core::verdict::{Finding, Layer, LayerReport};

    use super::*;

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
        let lines = annotations("a,b.py", "f", 1, &StackReport { layers: vec![failed, missing] });
        assert_eq!(
            lines,
            [
                "::error file=a%2Cb.py,line=3,title=f%3A tests::100%25%0A::set-env",
                "::warning file=a%2Cb.py,line=1,title=f%3A types::ty is not installed"
            ]
        );
    }
}
