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
    // What lies between two equal stretches is one edit, however the differ cuts it up: two edits
    // never touch.
    let same = diff.ops().iter().filter_map(|op| match *op {
        DiffOp::Equal { old_index, new_index, len } => Some((old_index, new_index, len)),
        _ => None,
    });
    let end = (old_lines.len(), new_lines.len(), 0);
    let (mut edits, mut at) = (Vec::new(), (0, 0));
    for (old_index, new_index, len) in same.chain([end]) {
        let line = |table: &[usize], index: usize| table.get(index).copied().unwrap_or(0);
        let range = TextRange::new(line(&old, at.0), line(&old, old_index));
        let new_text = after.get(line(&new, at.1)..line(&new, new_index)).unwrap_or("").to_owned();
        if !range.is_empty() || !new_text.is_empty() {
            edits.push(TextEdit { range, new_text });
        }
        at = (old_index + len, new_index + len);
    }
    edits
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
