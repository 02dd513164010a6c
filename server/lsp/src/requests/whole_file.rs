//! Commands on a whole file: a few jobs begin at once, the others as those end.

use lsp_types::*;
use zeroerr_core::code::Task;

use super::execute_command::{JobOrder, faulty_line};
use crate::document::Snapshot;
use crate::jobs::JobKind;
use crate::state::{Event, State};

/// Jobs of one command that run side by side: more only wait for the same models and processors.
const AT_ONCE: usize = 4;

/// The functions that the command is about: stubs without a fault in their spec, or functions that were
/// changed since they were checked.
pub(crate) fn functions(state: &State, uri: &Uri, snapshot: &Snapshot, kind: JobKind) -> Vec<String> {
    let changed = |task: &Task| state.marks.of(uri, snapshot, task).is_some_and(|mark| !mark.holds_for(snapshot, task));
    let wanted = |task: &&Task| match kind {
        JobKind::Implement => task.is_stub && faulty_line(snapshot, task).is_none(),
        JobKind::Verify => !task.is_stub && changed(task),
    };
    let names = snapshot.analysis.tasks.iter().filter(wanted).map(|task| snapshot.name_of(task));
    names.filter(|name| !state.jobs.is_busy_on(uri, name)).collect()
}

/// Begins what the command asks for, or says that there is nothing.
pub(crate) fn start(state: &mut State, kind: JobKind, uri: &Uri) {
    let Some(snapshot) = state.snapshot(uri) else {
        return state.show(MessageType::WARNING, format!("zeroerr: {} is not open", uri.as_str()));
    };
    let found = functions(state, uri, &snapshot, kind);
    if found.is_empty() {
        let nothing = match kind {
            JobKind::Implement => "no stub with a spec to be written in this file",
            JobKind::Verify => "no function of this file was changed since it was checked",
        };
        return state.show(MessageType::INFO, format!("zeroerr: {nothing}"));
    }
    // Asked twice, a function still gets one job.
    state.waiting.retain(|order| order.uri != *uri);
    state.waiting.extend(found.into_iter().map(|name| JobOrder::on(kind, uri.clone(), name)));
    let running = state.jobs.iter().count();
    go_on(state, AT_ONCE.saturating_sub(running).max(1));
}

/// Begins so many of the jobs that wait. Each waits in turn until its document is analysed.
pub(crate) fn go_on(state: &mut State, jobs: usize) {
    for order in state.waiting.drain(..jobs.min(state.waiting.len())) {
        drop(state.events.send(Event::StartJob(order)));
    }
}
