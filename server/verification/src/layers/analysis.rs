//! Layer 6: the linter. Its remarks are the project's law where the project has one.

use super::{Remark, line_text};
use crate::languages::Subject;

/// Whether a remark of one of `rules` is about something the edit left behind on a line it never
/// touched, such as an import whose last user was rewritten.
///
/// That is worth knowing, but the edit cannot mend it without touching what it was not asked to.
pub fn left_behind(subject: &Subject, remark: &Remark, rules: &[&str]) -> bool {
    if !subject.is_edit() || !rules.contains(&remark.rule.as_str()) || subject.function_lines().contains(&remark.line) {
        return false;
    }
    let text = line_text(&subject.task.source, remark.line);
    (1..=subject.previous.lines().count()).any(|line| line_text(&subject.previous, line) == text)
}
