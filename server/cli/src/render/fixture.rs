//! One verified function with a finding, a missing tool and a layer that had nothing to do.

use zeroerr_core::verdict::{Finding, Layer, LayerReport, StackReport, Verdict};

use crate::commands::verify::Verified;

pub fn verified() -> Vec<Verified> {
    let mut failed = LayerReport::new(Layer::Tests, Verdict::Failed, "1 of 2 examples fails");
    failed.findings.push(Finding {
        code: "tests.example".into(),
        message: "median([2, 1]) is 1 & not 1.5".into(),
        line: 9,
        counterexample: Some("median([2, 1])".into()),
        spec_line: Some(3),
        url: Some("https://example.org/tests".into()),
    });
    failed.elapsed_ms = 1250;
    let layers = vec![
        LayerReport::new(Layer::Syntax, Verdict::Passed, "parses"),
        LayerReport::new(Layer::Types, Verdict::Unavailable, "ty is not installed"),
        failed,
        LayerReport::new(Layer::Performance, Verdict::NotApplicable, "no @budget"),
    ];
    vec![Verified {
        file: "my code/a.py".into(),
        function: "median".into(),
        line: 7,
        stack: StackReport { layers },
        objection: Some("tests failed".into()),
    }]
}
