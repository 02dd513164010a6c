//! Where a run's edits belong in the text as it is now, if what they were made for stands unchanged.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use zeroerr_core::code::{TextEdit, TextRange};

use crate::document::Snapshot;
use crate::jobs::Target;

/// A diff that takes longer than this gives the edit up; it means that everything has changed.
const DIFF_PATIENCE: Duration = Duration::from_millis(500);

/// The edits as they apply to the text as it is now.
///
/// # Errors
/// One phrase when the function, its spec or the place of an edit has changed.
pub(crate) fn rebase(target: &Target, edits: &[TextEdit], now: &Snapshot) -> Result<Vec<TextEdit>, &'static str> {
    let then = &target.snapshot;
    if then.text == now.text {
        return Ok(edits.to_vec());
    }
    let unchanged = Unchanged::between(&then.text, &now.text);
    let task = &target.task;
    let whole = TextRange::new(
        task.spec_range.start.min(task.function_range.start),
        task.spec_range.end.max(task.function_range.end),
    );
    let whole =
        unchanged.map(whole).ok_or("the function or its spec was changed while zeroerr was at work; run it again")?;
    let was_analysed = then.analysis.tasks.iter().any(|t| t.function_range == task.function_range);
    let stands = |range: TextRange| range.start >= whole.start && range.end <= whole.end;
    let is_same =
        now.analysis.tasks.iter().any(|t| {
            stands(t.function_range) && now.name_of(t) == target.function && t.spec.hash() == task.spec.hash()
        });
    if was_analysed && !is_same {
        return Err("what stands around the function was changed while zeroerr was at work; run it again");
    }
    let moved = |edit: &TextEdit| Some(TextEdit { range: unchanged.map(edit.range)?, new_text: edit.new_text.clone() });
    edits
        .iter()
        .map(moved)
        .collect::<Option<_>>()
        .ok_or("the place of its imports was changed while zeroerr was at work; run it again")
}

/// The stretches of whole lines that two texts have in common.
struct Unchanged {
    /// Range in the old text, and where it begins in the new one.
    stretches: Vec<(TextRange, usize)>,
}

impl Unchanged {
    fn between(old: &str, new: &str) -> Self {
        let (old_lines, new_lines): (Vec<_>, Vec<_>) =
            (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
        let starts = |lines: &[&str]| {
            let ends = lines.iter().scan(0, |at, line| {
                *at += line.len();
                Some(*at)
            });
            std::iter::once(0).chain(ends).collect::<Vec<usize>>()
        };
        let (old_at, new_at) = (starts(&old_lines), starts(&new_lines));
        let deadline = Some(Instant::now() + DIFF_PATIENCE);
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &old_lines, &new_lines, deadline);
        let stretch = |op: &DiffOp| match *op {
            DiffOp::Equal { old_index, new_index, len } => {
                Some((TextRange::new(*old_at.get(old_index)?, *old_at.get(old_index + len)?), *new_at.get(new_index)?))
            }
            _ => None,
        };
        Self { stretches: ops.iter().filter_map(stretch).collect() }
    }

    /// Where a range of the old text stands in the new one, if all of it is unchanged.
    fn map(&self, range: TextRange) -> Option<TextRange> {
        let holds = |old: &TextRange| old.start <= range.start && range.end <= old.end;
        let (old, new) = self.stretches.iter().find(|(old, _)| holds(old))?;
        Some(TextRange::new(range.start - old.start + new, range.end - old.start + new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(old: &str, new: &str, part: &str) -> Option<String> {
        let start = old.find(part).unwrap();
        let range = Unchanged::between(old, new).map(TextRange::new(start, start + part.len()))?;
        Some(range.slice(new).to_owned())
    }

    #[test]
    fn a_function_is_found_again_unless_it_was_touched() {
        let old = "import a\n\n# @spec f\ndef f():\n    ...\n\nx = 1\n";
        let f = "# @spec f\ndef f():\n    ...\n";
        assert_eq!(map(old, &format!("# top\n{old}y = 2\n"), f).as_deref(), Some(f));
        assert_eq!(map(old, &old.replace("x = 1", "x = 2"), f).as_deref(), Some(f));
        assert_eq!(map(old, &old.replace("    ...", "    pass"), f), None);
        assert_eq!(map(old, &old.replace("# @spec f", "# @spec g"), f), None);
        assert_eq!(map(old, &old.replace("def f():\n", "def f():\n    y = 1\n"), f), None, "a line was put in");
        assert_eq!(map(old, "", f), None);
    }
}
