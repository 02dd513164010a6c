//! From two texts to the edits between them.

use similar::{DiffOp, TextDiff};
use zeroerr_core::code::{TextEdit, TextRange};

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
