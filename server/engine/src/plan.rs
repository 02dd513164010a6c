//! Turns a plan with `@step` lines into text that can be worked on: each helper becomes a stub
//! with its own spec above the function, and at the end the whole becomes edits of the original.

use similar::{DiffOp, TextDiff};
use zeroerr_core::code::{LanguageId, Task, TextEdit, TextRange};
use zeroerr_core::task_specification::StepDecl;

/// The text with a stub for each helper of the task's plan put above its spec block.
pub(crate) fn with_helper_stubs(task: &Task) -> String {
    let at = line_start(&task.source, task.spec_range.start.min(task.function_range.start));
    let newline = if task.source.contains("\r\n") { "\r\n" } else { "\n" };
    let stubs: String = task.spec.steps.iter().map(|step| stub(task.language, step, newline)).collect();
    let (before, after) = task.source.split_at(at);
    format!("{before}{stubs}{after}")
}

fn line_start(source: &str, offset: usize) -> usize {
    source.get(..offset).and_then(|s| s.rfind('\n')).map_or(0, |i| i + 1)
}

fn stub(language: LanguageId, step: &StepDecl, newline: &str) -> String {
    let StepDecl { name, signature, intent, .. } = step;
    match language {
        LanguageId::Python => {
            format!("# @spec {intent}{newline}def {name}{signature}: ...{newline}{newline}{newline}")
        }
        LanguageId::Rust => format!("// @spec {intent}{newline}fn {name}{signature} {{ todo!() }}{newline}{newline}"),
        LanguageId::TypeScript => {
            format!(
                "// @spec {intent}{newline}function {name}{signature} {{ throw new Error(\"stub\"); }}{newline}{newline}"
            )
        }
    }
}

/// Drops the spec comments that [`with_helper_stubs`] wrote: they were the plan's, not the file's.
pub(crate) fn without_helper_specs(text: &str, task: &Task) -> String {
    let marker = if task.language == LanguageId::Python { "# @spec " } else { "// @spec " };
    let mut out = String::with_capacity(text.len());
    let mut pending: Vec<String> = task.spec.steps.iter().map(|s| format!("{marker}{}", s.intent)).collect();
    for line in text.split_inclusive('\n') {
        match pending.first() {
            Some(first) if line.trim_end() == first.trim_end() => {
                pending.remove(0);
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// The smallest line-wise edits that turn `before` into `after`.
pub(crate) fn edits_between(before: &str, after: &str) -> Vec<TextEdit> {
    // Lines as editors count them in Python: the differ's own would also end at a lone `\r`.
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let diff = TextDiff::from_slices(&old_lines, &new_lines);
    let starts = |text: &str| -> Vec<usize> {
        std::iter::once(0)
            .chain(text.split_inclusive('\n').scan(0, |at, line| {
                *at += line.len();
                Some(*at)
            }))
            .collect()
    };
    let (old, new) = (starts(before), starts(after));
    let place = |table: &[usize], line: usize| table.get(line).or(table.last()).copied().unwrap_or(0);
    diff.ops()
        .iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| {
            let (o, n) = (op.old_range(), op.new_range());
            TextEdit {
                range: TextRange::new(place(&old, o.start), place(&old, o.end)),
                new_text: after.get(place(&new, n.start)..place(&new, n.end)).unwrap_or("").to_owned(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zeroerr_core::code::apply_edits;

    proptest! {
        #[test]
        fn edits_between_two_texts_turn_one_into_the_other(
            a in prop::collection::vec("[ab\u{e9}]{0,3}\r?\n?", 0..12), b in prop::collection::vec("[ab\u{e9}]{0,3}\r?\n?", 0..12),
        ) {
            let (a, b) = (a.concat(), b.concat());
            let edits = edits_between(&a, &b);
            prop_assert_eq!(apply_edits(&a, &edits), Some(b));
        }
    }
}
