//! Runs the orchestrator's commands on tokio: what the editor, the command line and CI all use.
//!
//! [`Workbench`] is the one interface front ends see; [`local::LocalWorkbench`] is the real one.

pub mod accept;
mod advisers;
mod asking;
pub mod bench;
mod continued;
mod counting;
mod dispatcher;
mod drawing;
mod executor;
pub mod journal;
pub mod local;
pub mod options;
pub mod page;
mod plan;
mod prompt_style;
pub mod simulate;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{FileAnalysis, ScopeName, Task, TextRange};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::report::{RunEvent, RunReport};
use zeroerr_core::verdict::{Policy, StackReport};

/// Everything a front end can ask for. The command line and the language server use this and
/// nothing else; `zeroerr-cli` composes the real one, tests bring their own.
pub trait Workbench: Send + Sync {
    /// Finds the specs of a file. Fast and pure: it runs on every keystroke.
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis;

    /// The names that a file binds at its top level, for whoever writes a spec there. Pure.
    fn names(&self, _path: &Path, _source: &str) -> Vec<ScopeName> {
        Vec::new()
    }

    /// Makes a task of a selection and one instruction line.
    ///
    /// # Errors
    /// One sentence when the selection holds no function.
    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String>;

    /// Writes the function. Progress goes to `events`; cancelling the token, or dropping the
    /// future, ends decoding and every child process.
    fn run<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, RunReport>;

    /// Runs the eight layers on the function as it stands.
    fn verify<'a>(
        &'a self,
        task: Task,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, StackReport>;

    /// Keeps the certificate of a verified edit that now stands in its file. Takes a moment (a disk
    /// is written to).
    ///
    /// # Errors
    /// Why it could not be kept, with the remedy.
    fn accepted(&self, _edit: accept::AcceptedEdit) -> Result<(), String> {
        Ok(())
    }

    /// The page of a run that this workbench made; `None` when it kept nothing of it. Takes a moment.
    fn page(&self, _run: &str) -> Option<String> {
        None
    }

    /// Why the function may not be called verified by these verdicts, or `None` when it may.
    fn objection(&self, _task: &Task, stack: &StackReport) -> Option<String> {
        stack.objection(&Policy::default())
    }

    /// One line per thing a user may want to know: model, sandbox, tools, breakers.
    fn status(&self) -> Vec<String>;
}
