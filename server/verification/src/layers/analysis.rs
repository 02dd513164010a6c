//! Layer 6: the linter. Its remarks are the project's law where the project has one.

use zeroerr_core::code::Task;
use zeroerr_core::verdict::{Finding, Layer};

use super::{Remark, finding, line_text};
use crate::languages::Subject;

/// What the spec forbids and the function does, as findings at the function.
pub fn forbidden(subject: &Subject, offences: Vec<String>) -> Vec<Finding> {
    let line = *subject.function_lines().start();
    let remark = |message| Remark { rule: "forbidden".into(), message, line, url: None };
    offences.into_iter().map(|offence| finding(Layer::Analysis, remark(offence))).collect()
}

/// That a function uses what `@forbid` names.
pub fn forbids(task: &Task, what: &str) -> String {
    format!("the spec forbids {what} (`@forbid`), and `{}` uses it", task.signature.name)
}

/// That a module is none of those that `@uses` names.
pub fn disallows(module: &str) -> String {
    format!("`{module}` is none of the modules that `@uses` allows")
}

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
