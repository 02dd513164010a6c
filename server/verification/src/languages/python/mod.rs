//! Python 3, on tree-sitter: the pure half (specs, extraction, splicing) and the tools that judge.

mod checks;
mod docstring;
mod forbidden;
mod functions;
mod imports;
mod layout;
mod literals;
mod tree;
mod expressions;
mod extract;
mod signature;
mod specs;
mod splice;

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::{Candidate, FileAnalysis, Task, TextEdit, TextRange};
use zeroerr_core::red_flag_detector::RedFlag;

/// The adapter for Python. It holds no state: parsers are cheap to make.
#[derive(Debug, Clone, Copy, Default)]
pub struct Python;

impl Python {
    /// Finds functions with specs. Pure and total: broken, huge or empty text gives what there is.
    pub fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        specs::analyse(path, source)
    }

    /// Makes a task of a selection and an instruction.
    ///
    /// # Errors
    /// One sentence when the selection holds no function, or more than one.
    pub fn task_for_selection(&self, path: &Path, source: &Arc<str>, selection: TextRange, instruction: &str) -> Result<Task, String> {
        specs::task_for_selection(path, source, selection, instruction)
    }

    /// Takes the candidate out of a model's response, or says why it is discarded.
    ///
    /// # Errors
    /// The red flag.
    pub fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        extract::extract(response, task)
    }

    /// The edits that put the candidate into the file.
    ///
    /// # Errors
    /// One sentence when the task's ranges do not fit its text.
    pub fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        splice::splice(task, candidate)
    }
}
