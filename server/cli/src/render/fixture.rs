//! What `verify` may have to print, for the tests of its formats.

use std::path::Path;

use zeroerr_core::task_specification::Severity;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, StackReport, Verdict};

use super::json::Diagnostic;
use crate::commands::verify::Verified;

/// Two functions that are not verified: no layer says why of the first, a missing tool of the second.
pub fn unsaid() -> Vec<Verified> {
    let one = |file: &str, function: &str, line, layer, objection: &str| Verified {
        file: file.into(),
        function: function.into(),
        line,
        stack: StackReport { layers: vec![layer] },
        objection: Some(objection.into()),
    };
    let types = |verdict, detail| LayerReport::new(Layer::Types, verdict, detail);
    let missing = types(Verdict::Unavailable, "ty is not installed");
    vec![
        one("a.py", "f", 2, types(Verdict::Passed, "ty has no objection"), "no evidence"),
        one("b.py", "g", 4, missing, "types could not run: ty is not installed"),
    ]
}

/// A fault of a spec in a file without a function that can be verified, and a file that cannot be read.
pub fn faults() -> Vec<Diagnostic> {
    let unknown = Diagnostic {
        file: "c.py".into(),
        line: 3,
        code: "spec.unknown-tag".into(),
        severity: Severity::Error,
        message: "unknown tag `@exmaple`".into(),
    };
    vec![unknown, Diagnostic::unreadable(Path::new("d.py"), "d.py:2: is not UTF-8; save the file as UTF-8")]
}

/// One function with a finding, a missing tool and a layer that had nothing to do.
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
