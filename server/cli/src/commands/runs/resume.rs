//! `zeroerr runs resume`: goes on with a run that was stopped, with the samples it has.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::unbounded_channel;
use zeroerr_core::code::Task;
use zeroerr_engine::journal::{Journal, Origin, RunLine};

use super::refused;
use crate::args::{Global, ResumeArgs};
use crate::commands::run::{Session, loading_events};
use crate::compose::Composed;
use crate::context::{Context, LogTo, Ui};
use crate::exit::{CliError, Exit};
use crate::interrupt;
use crate::render::json::{Runs, diagnostics};
use crate::targets::{Key, Source};

/// Goes on with the run, under the rules it was begun with.
///
/// # Errors
/// When it has ended, is being worked on, or its file, its models or its function are not what
/// they were; and what the machine lacks.
pub async fn main(global: &Global, args: &ResumeArgs) -> Result<Exit, CliError> {
    let journal = super::journal()?;
    let run = journal.find(&args.run).map_err(refused)?;
    let verified =
        if args.apply && run.status == "verified" { journal.export(&run.id).map_err(refused)?.report } else { None };
    let origin = if verified.is_some() { origin_of(&journal, &run)? } else { resumable(&journal, &run)? };
    let path = PathBuf::from(&run.file);
    let overrides: Vec<_> = args.backend.iter().map(|b| ("llm.backend", b.clone())).collect();
    let context = Context::load(global, path.parent().unwrap_or(Path::new(".")), &overrides, LogTo::Settings)?;
    let (loading, pool) = unbounded_channel();
    let composed = Composed::new(&context.loaded.settings, &context.data_dir, loading_events(loading))?;
    let workbench = composed.workbench.as_ref();
    workbench.set_options(origin.options.clone());
    let source = Source::read(workbench, &path)?;
    let (key, task) = same_task(&source, &run, &origin)?;
    let cancel = interrupt::token();
    let mut session = Session::new(context.ui, workbench, &cancel, pool).applying(args.apply);
    if let Some(report) = verified {
        // It was verified for exactly this text; what else it depends on may have changed since, and so may the rules.
        composed.ready(&[task.language])?;
        let checked = workbench.verify_edit(&task, &report.edits, &cancel).await.map_err(CliError::usage)?;
        let Some(now) = checked else { return Ok(Exit::Cancelled) };
        let policies =
            [origin.options.policy.of(task.language), context.loaded.settings.verification.policy().of(task.language)];
        if let Some(objection) = policies.iter().find_map(|policy| now.objection(policy)) {
            return Err(CliError {
                exit: Exit::Findings,
                message: format!("the edit of run {} is verified no more, and is not written: {objection}", run.id),
            });
        }
        session.ended(&source, &report, task);
        return end(context.ui, session, &source);
    }
    if workbench.task_key(&task, &origin.options) != journal.task_key(&run.id).map_err(refused)? {
        return Err(CliError::usage(format!(
            "the run was begun with other models ({}); name their backend with --backend",
            origin.models.join(", ")
        )));
    }
    composed.ready(&[task.language])?;
    journal.reopen(&run.id).map_err(refused)?;
    workbench.journal().map_err(CliError::machine)?.prefer(&run.id);
    session.file(&source, &[key]).await;
    end(context.ui, session, &source).map(|worst| if cancel.is_cancelled() { Exit::Cancelled } else { worst })
}

fn end(ui: Ui, session: Session<'_>, source: &Source) -> Result<Exit, CliError> {
    let worst = session.worst;
    if ui.json {
        ui.json_result(&Runs {
            runs: session.runs,
            diagnostics: diagnostics(std::slice::from_ref(source), Vec::new()),
        })?;
    }
    Ok(worst)
}

fn resumable(journal: &Journal, run: &RunLine) -> Result<Origin, CliError> {
    match run.status.as_str() {
        "unfinished" | "error" => origin_of(journal, run),
        "running" => Err(CliError::usage(format!("run {} is being worked on by another process", run.id))),
        "verified" => Err(CliError::usage(format!(
            "run {} has ended (verified); --apply writes its edit, {}",
            run.id,
            again(run)
        ))),
        ended => Err(CliError::usage(format!("run {} has ended ({ended}); {}", run.id, again(run)))),
    }
}

fn again(run: &RunLine) -> String {
    format!("`zeroerr run {} --function {}` begins a new one", run.file, run.function)
}

fn origin_of(journal: &Journal, run: &RunLine) -> Result<Origin, CliError> {
    let origin = journal.origin(&run.id).map_err(refused)?;
    let older = || CliError::usage(format!("run {} was journaled by an older version; {}", run.id, again(run)));
    origin.ok_or_else(older)
}

/// The task of the run, if its file still is what it was.
fn same_task(source: &Source, run: &RunLine, origin: &Origin) -> Result<(Key, Task), CliError> {
    if *source.text != *origin.source {
        return Err(CliError::usage(format!(
            "{} has changed since the run was begun; `zeroerr run {} --function {}` begins a new one",
            run.file,
            run.file,
            origin.qualified()
        )));
    }
    let keys = source.keys().into_iter();
    let mut tasks = keys.filter_map(|key| source.task(&key).cloned().map(|task| (key, task)));
    tasks.find(|(_, task)| task.function_range == origin.function_range && task.spec == origin.spec).ok_or_else(|| {
        CliError::usage(format!(
            "the run was begun from a selection in an editor, which has the rest of its spec; select `{}` there again",
            origin.qualified()
        ))
    })
}
