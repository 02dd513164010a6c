//! Where a certified function that left its file may be today.

use std::path::Path;

use zeroerr_core::code::{LanguageId, Task, line_of};
use zeroerr_engine::Workbench;
use zeroerr_engine::accept::certified;
use zeroerr_engine::journal::{Acceptance, Journal};
use zeroerr_verification::verification_stack::workspace_of;

use super::{absolute, below_here};
use crate::files;
use crate::targets::{Key, Source};

/// A place in the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `file:line`, from here where it is below here.
    pub at: String,
    /// Whether its spec or its code is the certified one; else only its name and signature are.
    pub is_certain: bool,
}

/// Looks for the function in the other files of its project. What cannot be read is passed over.
pub fn find(workbench: &dyn Workbench, journal: &Journal, lost: &Acceptance) -> Option<Found> {
    let old = Path::new(&lost.file);
    let name = lost.function.rsplit('.').next().unwrap_or(&lost.function);
    let (root, language) = (workspace_of(old)?, LanguageId::from_path(old));
    let mut alike = Vec::new();
    for path in files::find(&[root]).unwrap_or_default() {
        let is_other = path != old && LanguageId::from_path(&path) == language;
        if !is_other || !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(name)) {
            continue;
        }
        let Ok(source) = Source::read(workbench, &path) else { continue };
        let known = certified(journal, &absolute(&path), &source.analysis).unwrap_or_default();
        let found = |task: &Task, is_certain| Found {
            at: format!("{}:{}", below_here(&path), line_of(&task.source, task.function_range.start)),
            is_certain,
        };
        let is_lost = |a: &Acceptance| (&a.file, &a.function) == (&lost.file, &lost.function);
        if let Some(task) = known.iter().find(|c| is_lost(&c.acceptance)).and_then(|c| c.task.as_ref()) {
            return Some(found(task, true));
        }
        let free = |key: &Key| key.shown() == lost.function && known.iter().all(|c| c.function != lost.function);
        let tasks = source.keys().into_iter().filter(free).filter_map(|key| source.task(&key).cloned());
        alike.extend(tasks.filter(|task| has_signature(lost, task)).map(|task| found(&task, false)));
    }
    // Of several nobody knows which.
    alike.pop().filter(|_| alike.is_empty())
}

/// Whether the header is the one that the certified function was written for, whatever the spaces.
fn has_signature(lost: &Acceptance, task: &Task) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    plain(&lost.before).contains(&plain(&task.signature.header))
}
