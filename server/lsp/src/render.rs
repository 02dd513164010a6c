//! Specs, votes and verdicts as text: for hovers and for the report.

use std::fmt::Write as _;

use zeroerr_core::report::RunReport;
use zeroerr_core::verdict::{StackReport, Verdict};

use crate::marks::{Mark, MarkKind};
use crate::requests::disagreement::differences;

/// A mark as markdown; `holds` says whether it is about the text as it stands.
pub(crate) fn mark(mark: &Mark, holds: bool) -> String {
    let mut out = String::new();
    if !holds {
        let _ =
            write!(out, "**changed since**: what follows is about version {}, not about this text.\n\n", mark.version);
    }
    match mark.kind {
        MarkKind::Applied => {
            let _ = write!(out, "Written by zeroerr, {}", summary(mark));
        }
        MarkKind::Verified => {
            let _ = write!(out, "Checked as it stands, {}", summary(mark));
        }
        MarkKind::Abstained => {
            let reason = mark.run.as_ref().map_or("", |r| r.reason.as_str());
            let _ = write!(out, "No edit @v{}: {reason}", mark.version);
        }
    }
    if !mark.stack.layers.is_empty() {
        out.push('\n');
        layers(&mark.stack, &mut out);
    }
    if let Some(run) = &mark.run {
        votes(run, &mut out);
    }
    out
}

/// "7 of 8 checks passed @v42, performance: nothing to check (no @budget)".
fn summary(mark: &Mark) -> String {
    let whole = mark.stack.summary();
    match whole.split_once("; ") {
        Some((passed, rest)) => format!("{passed} @v{}, {rest}", mark.version),
        None => format!("{whole} @v{}", mark.version),
    }
}

fn layers(stack: &StackReport, out: &mut String) {
    for l in &stack.layers {
        let sign = match l.verdict {
            Verdict::Passed => "✓",
            Verdict::Failed => "✗",
            Verdict::NotApplicable => "–",
            Verdict::Unavailable | Verdict::TimedOut => "?",
        };
        let _ = write!(out, "\n- {sign} {}: {}", l.layer, l.detail);
        for f in &l.findings {
            let _ = write!(out, "\n  - line {}: {} (`{}`)", f.line, f.message, f.code);
        }
    }
}

fn votes(run: &RunReport, out: &mut String) {
    for step in &run.steps {
        let classes: Vec<_> = step.tally.iter().map(|c| format!("{} for `{}`", c.votes, c.class)).collect();
        let classes = if classes.is_empty() { "none".to_owned() } else { classes.join(", ") };
        let _ = write!(
            out,
            "\n\nVotes on `{}`: {classes}; ahead by {} of {}; {} samples",
            step.name, step.margin, step.k, step.samples
        );
        let flags: Vec<_> = step
            .red_flags
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(kind, n)| format!("{n} {}", kind.replace('_', " ")))
            .collect();
        if !flags.is_empty() {
            let _ = write!(out, ", discarded: {}", flags.join(", "));
        }
        if step.gate_rejected > 0 {
            let _ = write!(out, ", {} failed an example", step.gate_rejected);
        }
        if step.taken_up > 0 {
            let _ = write!(out, ", {} of them drawn by an earlier run", step.taken_up);
        }
        out.push('.');
        for line in differences(step) {
            let _ = write!(out, "\n- candidates differ on {line}");
        }
    }
}

/// The report of a function as a markdown document.
pub(crate) fn report(function: &str, m: &Mark) -> String {
    let mut out = format!("# {function}\n\n{}\n", mark(m, true));
    if let Some(run) = &m.run {
        let seconds = run.elapsed_ms as f64 / 1000.0;
        let _ = write!(out, "\nRun `{}`: {}, {seconds:.1} s. {}\n", run.id, outcome(run), run.reason);
        if let Some(c) = &run.certificate {
            let _ = write!(
                out,
                "\nCertificate: spec `{}`, code `{}`, seed {}, models {}.\n",
                c.spec_hash,
                c.code_hash,
                c.seed,
                c.models.join(", ")
            );
        }
    }
    out
}

fn outcome(run: &RunReport) -> &'static str {
    use zeroerr_core::report::RunOutcome as O;
    match run.outcome {
        O::Verified => "verified",
        O::Abstained => "abstained",
        O::Error => "error",
    }
}

/// Markdown without its marks, for clients that show plain text. Code keeps its `**`.
pub(crate) fn plain(markdown: &str) -> String {
    let strip = |(n, part): (usize, &str)| if n % 2 == 0 { part.replace("**", "") } else { part.to_owned() };
    markdown.split('`').enumerate().map(strip).collect()
}
