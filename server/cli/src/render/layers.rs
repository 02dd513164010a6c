//! The eight layers for people.

use std::fmt::Write as _;

use zeroerr_core::verdict::{LayerReport, Verdict};

use super::{BAD, FAINT, GOOD, WARN};

/// One layer: a mark, its name, what it says, and its findings below it.
pub fn layer(report: &LayerReport) -> String {
    let (mark, style) = match report.verdict {
        Verdict::Passed => ("✓", GOOD),
        Verdict::Failed => ("✗", BAD),
        Verdict::NotApplicable => ("–", FAINT),
        Verdict::Unavailable | Verdict::TimedOut => ("!", WARN),
    };
    let mut out = format!("  {style}{mark}{style:#} {:<12} {}", report.layer.name(), report.detail);
    if report.verdict == Verdict::TimedOut && !report.detail.contains("timed out") {
        out.push_str(" (timed out)");
    }
    for finding in &report.findings {
        let _ = write!(out, "\n      line {}: {} {FAINT}[{}]{FAINT:#}", finding.line, finding.message, finding.code);
        if let Some(input) = &finding.counterexample {
            let _ = write!(out, "\n      for example: {input}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use zeroerr_core::verdict::{Finding, Layer};

    use super::*;

    #[test]
    fn every_verdict_has_its_own_mark() {
        let mut failed = LayerReport::new(Layer::Properties, Verdict::Failed, "1 of 2 properties");
        failed.findings.push(Finding {
            code: "properties.falsified".into(),
            message: "median(xs) == median(list(reversed(xs))) does not hold".into(),
            line: 9,
            counterexample: Some("median([2, 1])".into()),
            spec_line: None,
            url: None,
        });
        let reports = [
            LayerReport::new(Layer::Syntax, Verdict::Passed, "parses"),
            failed,
            LayerReport::new(Layer::Performance, Verdict::NotApplicable, "no @budget"),
            LayerReport::new(Layer::Types, Verdict::Unavailable, "ty is not installed; run `zeroerr doctor --fix`"),
            LayerReport::new(Layer::Contracts, Verdict::TimedOut, "no answer in 60 s"),
        ];
        let text: Vec<String> = reports.iter().map(|r| anstream::adapter::strip_str(&layer(r)).to_string()).collect();
        // The first line keeps `expect!` from taking the others' indentation away.
        expect![[r#"
            layers
              ✓ syntax       parses
              ✗ properties   1 of 2 properties
                  line 9: median(xs) == median(list(reversed(xs))) does not hold [properties.falsified]
                  for example: median([2, 1])
              – performance  no @budget
              ! types        ty is not installed; run `zeroerr doctor --fix`
              ! contracts    no answer in 60 s (timed out)"#]]
        .assert_eq(&format!("layers\n{}", text.join("\n")));
    }
}
