//! Spec diagnostics as text for people: the line, carets under the exact range, the fix.

use std::fmt::Write as _;

use super::{Severity, SpecDiagnostic};
use crate::code::line_of;

/// Renders diagnostics against the text they were made from.
pub fn render_diagnostics(source: &str, diagnostics: &[SpecDiagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        render(&mut out, source, diagnostic);
    }
    out
}

fn render(out: &mut String, source: &str, diagnostic: &SpecDiagnostic) {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "hint",
    };
    let start = diagnostic.range.start.min(source.len());
    let number = line_of(source, start);
    let before = source.get(..start).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = source.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
    let line_end = line_start + line.len();
    let column = before.get(line_start..).unwrap_or("").chars().count();
    let marked = source.get(start..diagnostic.range.end.min(line_end)).unwrap_or("").chars().count();
    let gutter = number.to_string();
    let blank = " ".repeat(gutter.len());
    let _ = writeln!(out, "{severity}[{}]: {}", diagnostic.code, diagnostic.message);
    let _ = writeln!(out, "{gutter} | {}", line.replace('\t', " "));
    let more = if diagnostic.range.end > line_end + 1 { "..." } else { "" };
    let _ = writeln!(out, "{blank} | {}{}{more}", " ".repeat(column), "^".repeat(marked.max(1)));
    if let Some((title, text)) = &diagnostic.fix {
        let _ = writeln!(out, "{blank} = fix: {title} -> {text:?}");
    }
    if let Some((range, text)) = &diagnostic.related {
        let _ = writeln!(out, "{blank} = line {}: {text}", line_of(source, range.start));
    }
}
