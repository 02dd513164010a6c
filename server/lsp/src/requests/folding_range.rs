//! `textDocument/foldingRange`: spec blocks, and what is indented.
//!
//! An editor that is given folds makes none of its own (VS Code drops those by indentation), so
//! spec blocks alone would take the functions' folds away. Both are given.

use std::collections::BTreeMap;

use lsp_types::*;

use crate::document::Snapshot;
use crate::spec_tokens::behind_marker;
use crate::state::State;

/// A tab, in columns, where tabs and blanks meet.
const TAB: usize = 8;

pub(crate) fn answer(state: &State, params: &FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let snapshot = state.snapshot(&params.text_document.uri)?;
    let folding = state.profile.folding?;
    let specs = spec_blocks(&snapshot, folding.collapsed_text);
    let mut folds: BTreeMap<u32, FoldingRange> = indented(&snapshot.text)
        .into_iter()
        .map(|(first, last)| (first, FoldingRange { start_line: first, end_line: last, ..FoldingRange::default() }))
        .collect();
    folds.extend(specs.into_iter().map(|f| (f.start_line, f)));
    Some(folds.into_values().take(folding.limit).collect())
}

fn spec_blocks(snapshot: &Snapshot, with_text: bool) -> Vec<FoldingRange> {
    let block = |task: &zeroerr_core::code::Task| {
        let range = task.spec_range;
        let first = snapshot.line_at(range.start);
        let text = range.slice(&snapshot.text).trim_end();
        let last = snapshot.line_at((range.start + text.len()).saturating_sub(1).max(range.start));
        let opening = text.lines().next().map(|l| behind_marker(l).1).unwrap_or_default();
        (last > first).then(|| FoldingRange {
            start_line: first as u32,
            end_line: last as u32,
            kind: Some(FoldingRangeKind::Comment),
            collapsed_text: with_text.then(|| format!("{opening} …")),
            ..FoldingRange::default()
        })
    };
    snapshot.analysis.tasks.iter().filter_map(block).collect()
}

/// First and last lines of what is indented below a line.
fn indented(text: &str) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    // Lines that may open a fold, each indented less than the next.
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut last_filled = 0;
    for (line, content) in text.split('\n').enumerate() {
        if content.trim().is_empty() {
            continue;
        }
        let indent = columns(content);
        while let Some((outer, first)) = open.last().copied().filter(|(outer, _)| *outer >= indent) {
            debug_assert!(outer >= indent);
            open.pop();
            if last_filled > first {
                out.push((first, last_filled));
            }
        }
        open.push((indent, line as u32));
        last_filled = line as u32;
    }
    out.extend(open.into_iter().filter(|(_, first)| last_filled > *first).map(|(_, first)| (first, last_filled)));
    out
}

fn columns(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { TAB } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::indented;

    fn check(text: &str, expected: &[(u32, u32)]) {
        let mut found = indented(text);
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_indented_below_a_line_folds_into_it() {
        check("class A:\n    def f():\n        x\n\n    def g(): ...\n\ny\n", &[(0, 4), (1, 2)]);
        check("def f():\n\tx\n\ty", &[(0, 2)]);
        check("x\ny\n\nz\n", &[]);
        check("", &[]);
        check("fn f() {\n    x\n}\n", &[(0, 1)]);
        check("    a\n  b\nc\n", &[]);
    }
}
