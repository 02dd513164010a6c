//! The texts of a plan: for each step the file with the stubs it may call, what is written already in
//! their place; and at the end the file as it will be offered.

use std::collections::HashSet;
use std::sync::Arc;

use zeroerr_core::code::{Candidate, Task, TextEdit, TextRange};
use zeroerr_core::decomposition_engine::{Plan, Step, mentions};
use zeroerr_verification::languages::{Language, Subject};
use zeroerr_verification::verification_stack::{VerificationStack, subject_for_edit};

use super::edits::edits_between;
use super::place::{self, Place};
use super::settle::has_signature;
use super::stub::stub;

/// What is known of the steps: the winner of each that has one.
pub(super) type Winners<'a> = &'a (dyn Fn(&str) -> Option<Candidate> + Send + Sync);

/// See the module.
pub(crate) struct Draft {
    /// The task itself, in the file as the run was given it.
    pub(super) task: Task,
    /// The steps.
    pub(super) plan: Plan,
    /// Headers of functions that a plan names and the file has already.
    pub(super) given: Vec<String>,
    stack: Arc<VerificationStack>,
    place: Place,
}

/// The file with the whole of a plan in it.
pub(crate) struct Whole {
    /// What is verified: the task in the text that will be offered.
    pub subject: Subject,
    /// The edits that make this text of the user's.
    pub edits: Vec<TextEdit>,
    /// Helpers that nothing calls, and that are not in the text for that.
    pub left_out: Vec<String>,
}

impl Draft {
    pub(super) fn new(task: Task, plan: Plan, given: Vec<String>, stack: Arc<VerificationStack>) -> Self {
        let place = place::of_helpers(&task, stack.language(task.language).ok());
        Self { task, plan, given, stack, place }
    }

    fn stub(&self, step: &Step, indent: &str, newline: &str) -> String {
        stub(&self.task.file, self.task.language, step, indent, newline)
    }

    fn language(&self) -> Result<&dyn Language, String> {
        self.stack.language(self.task.language).map_err(|e| e.to_string())
    }

    pub(super) fn is_last(&self, step: &str) -> bool {
        step == self.task.signature.name
    }

    /// What a step may call, as a prompt shows it.
    pub(super) fn callable(&self, step: &str) -> Vec<String> {
        let needs = self.plan.step(step).map_or(&[][..], |s| s.needs.as_slice());
        let written = needs.iter().filter_map(|need| self.plan.step(need)).map(Step::header);
        written.chain(self.given.iter().cloned()).collect()
    }

    /// The task of a step, in a text that has the functions it may call.
    ///
    /// # Errors
    /// One sentence when a stub is no function of the language, or its spec has a fault.
    pub(super) fn task_of(&self, step: &str, winners: Winners<'_>) -> Result<Task, String> {
        let mut wanted = self.plan.below(step);
        wanted.extend(self.plan.step(step).filter(|_| !self.is_last(step)));
        let main = self.filled(&wanted, winners)?;
        if self.is_last(step) {
            return Ok(Task { is_stub: self.task.is_stub, ..main });
        }
        self.helper_in(&main.source, step)
    }

    /// The text that would be offered with this winner for the task: helpers that are called, without
    /// the spec comments that were the plan's and not the file's.
    ///
    /// # Errors
    /// One sentence when a winner does not fit.
    pub(super) fn whole(&self, candidate: &Candidate, winners: Winners<'_>) -> Result<Whole, String> {
        let called = self.called_by(candidate, winners);
        let (used, unused): (Vec<&Step>, Vec<&Step>) =
            self.helpers().partition(|step| called.contains(step.name.as_str()));
        let main = self.filled(&used, winners)?;
        let mut bare = Vec::new();
        for step in &used {
            let helper = self.helper_in(&main.source, &step.name)?;
            bare.push(without(&main.source, helper.spec_range.start, helper.function_range.start));
        }
        let main = subject_for_edit(&main, &bare)?.task;
        let edits = self.language()?.splice(&main, candidate)?;
        let subject = subject_for_edit(&main, &edits)?;
        let edits = edits_between(&self.task.source, &subject.task.source);
        let left_out = unused.into_iter().map(|s| s.name.clone()).collect();
        Ok(Whole { subject: Subject { previous: Arc::clone(&self.task.source), ..subject }, edits, left_out })
    }

    /// A helper's candidate in the text of its step, to be judged as a change of the user's file.
    ///
    /// # Errors
    /// One sentence when it does not fit.
    pub(super) fn part(&self, task: &Task, candidate: &Candidate) -> Result<Subject, String> {
        let edits = self.language()?.splice(task, candidate)?;
        let subject = subject_for_edit(task, &edits)?;
        Ok(Subject { previous: Arc::clone(&self.task.source), ..subject })
    }

    fn helpers(&self) -> impl Iterator<Item = &Step> {
        self.plan.steps.iter().filter(|s| !self.is_last(&s.name))
    }

    /// The task itself in a text with the stubs of `steps`, winners in the place of theirs.
    fn filled(&self, steps: &[&Step], winners: Winners<'_>) -> Result<Task, String> {
        let newline = if self.task.source.contains("\r\n") { "\r\n" } else { "\n" };
        let stubs: String = steps.iter().map(|step| self.stub(step, &self.place.indent, newline)).collect();
        let stubs = TextEdit { range: TextRange::new(self.place.offset, self.place.offset), new_text: stubs };
        let mut main = subject_for_edit(&self.task, &[stubs])?.task;
        for step in steps {
            let helper = self.helper_in(&main.source, &step.name)?;
            if let Some(winner) = winners(&step.name) {
                let edits = self.language()?.splice(&helper, &winner)?;
                main = subject_for_edit(&main, &edits)?.task;
            }
        }
        Ok(main)
    }

    fn helper_in(&self, source: &Arc<str>, name: &str) -> Result<Task, String> {
        let analysis = self.language()?.analyse(&self.task.file, source);
        let parses = |step: &Step| self.language().is_ok_and(|l| l.parses(&self.stub(step, "", "\n")));
        // A signature that does not end where it should swallows what follows.
        let is_asked = |t: &&Task| self.plan.step(name).is_some_and(|step| has_signature(t, step) && parses(step));
        let mut named = analysis.tasks.iter().filter(|t| t.signature.name == name && t.class.is_none());
        let found = named.next().filter(is_asked);
        let Some(found) = found else {
            let header = self.plan.step(name).map_or(String::new(), |s| format!("{name}{}", s.signature));
            return Err(format!("step `{name}`: `{header}` is no function of {}", self.task.language.name()));
        };
        match analysis.spec_error(found) {
            Some(fault) => Err(format!("step `{name}`: {}", fault.message)),
            None => Ok(found.clone()),
        }
    }

    /// The helpers that a candidate reaches through the winners.
    fn called_by(&self, candidate: &Candidate, winners: Winners<'_>) -> HashSet<String> {
        let mut called: HashSet<String> = HashSet::new();
        let mut open = vec![candidate.function.clone()];
        while let Some(code) = open.pop() {
            // Words in strings count too: a format string may call.
            for word in mentions::words(&code) {
                if self.helpers().any(|s| s.name == word.text) && called.insert(word.text.to_owned()) {
                    open.extend(winners(word.text).map(|w| w.function));
                }
            }
        }
        called
    }
}

/// The edit that takes out the lines from one place up to the line of another.
fn without(source: &str, from: usize, to: usize) -> TextEdit {
    let line = |offset: usize| source.get(..offset).and_then(|s| s.rfind('\n')).map_or(0, |i| i + 1);
    TextEdit { range: TextRange::new(line(from), line(to)), new_text: String::new() }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
