//! `zeroerr verify`: the eight layers on code that exists.

mod changed;
mod reach;
mod width;

use std::path::Path;

use futures::StreamExt;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{Task, line_of};
use zeroerr_core::task_specification::Severity;
use zeroerr_core::verdict::{Layer, LayerReport, StackReport, Verdict};
use zeroerr_engine::Workbench;
use zeroerr_settings::Settings;

use self::changed::Changed;
use crate::args::{Format, Global, VerifyArgs};
use crate::commands::run::read_all;
use crate::compose::Composed;
use crate::context::{Context, LogTo, Ui};
use crate::exit::{CliError, Exit};
use crate::projects::Projects;
use crate::render::json::{Diagnostic, Function, Functions, diagnostics};
use crate::render::progress::TreeProgress;
use crate::render::{BAD, GOOD, STRONG, WARN, github, junit, sarif};
use crate::targets::{Source, no_such_function};
use crate::{files, interrupt};

/// One function and what the layers say.
#[derive(Debug)]
pub struct Verified {
    /// Path as shown.
    pub file: String,
    /// `Class.name`.
    pub function: String,
    /// 1-based line of the function.
    pub line: usize,
    /// The layers.
    pub stack: StackReport,
    /// Why it may not be called verified.
    pub objection: Option<String>,
}

impl Verified {
    /// The objection, where no layer says it: nothing speaks for the function, or a layer that must pass had nothing
    /// to do. A format that lists layers alone would end in a failure without a reason.
    pub fn unsaid(&self) -> Option<&str> {
        let objection = self.objection.as_deref()?;
        let says = |l: &LayerReport| match l.verdict {
            Verdict::Failed => true,
            Verdict::Unavailable | Verdict::TimedOut => objection.starts_with(l.layer.name()),
            Verdict::Passed | Verdict::NotApplicable => false,
        };
        (!self.stack.layers.iter().any(says)).then_some(objection)
    }
}

/// Verifies every selected function.
///
/// # Errors
/// Usage and configuration errors, and what the machine lacks.
pub async fn main(global: &Global, args: &VerifyArgs) -> Result<Exit, CliError> {
    let place = args.paths.first().map_or(Path::new("."), |p| if p.is_dir() { p } else { p.parent().unwrap_or(p) });
    let context = Context::load(global, place, &[], LogTo::Settings)?;
    let format = if global.json { Format::Json } else { args.format };
    let ui = Ui { json: format == Format::Json, ..context.ui };
    let paths = files::find(&args.paths)?;
    let compose = |settings: &Settings| Composed::verifying(settings, &context.data_dir, !args.fresh);
    let projects = Projects::of_files(global, &context, &paths, compose)?;
    let reader = projects.first().composed.workbench.as_ref();
    let mut worst = Exit::Clean;
    let (sources, unreadable) = read_all(reader, &paths, &mut worst);
    let wanted = select(reader, &sources, args).await?;
    let cancel = interrupt::token();
    let jobs = args.jobs.map_or_else(width::of_machine, usize::from);
    let progress = TreeProgress::new(ui, wanted.len(), jobs);
    let mut verified = Vec::new();
    // In the order of the files, however they end: what has ended early waits for those before it.
    let mut runs = futures::stream::iter(wanted.into_iter().map(|(source, task, name)| {
        let project = projects.of(&source.path);
        let workbench = project.composed.workbench.as_ref();
        let one = verify_one(&progress, workbench, source, task.clone(), name.clone(), cancel.clone());
        async move { (one.await, source, task, name, project.policy.of(task.language)) }
    }))
    .buffered(jobs);
    while let Some(((stack, lines), source, task, name, policy)) = runs.next().await {
        if cancel.is_cancelled() {
            return Ok(Exit::Cancelled);
        }
        progress.show(&lines);
        let line = line_of(&source.text, task.function_range.start);
        let objection = stack.objection(&policy).or_else(|| faulty_spec(source, task));
        worst = worst.max(exit_of(&stack, objection.as_deref(), &policy.may_be_unavailable));
        verified.push(Verified { file: source.path.display().to_string(), function: name, line, stack, objection });
        if format == Format::Human
            && let Some(last) = verified.last()
        {
            progress.aside(|| ui.result(&outcome_line(last)))?;
        }
    }
    drop(runs);
    progress.finish();
    if sources.iter().any(|s| has_spec_error(s, args)) {
        worst = worst.max(Exit::Findings);
    }
    print(ui, format, &verified, &sources, unreadable)?;
    Ok(worst)
}

/// Whether a spec that was asked about has an error: with a function named, that of another one is another matter.
fn has_spec_error(source: &Source, args: &VerifyArgs) -> bool {
    match &args.function {
        None => source.analysis.diagnostics.iter().any(|d| d.severity == Severity::Error),
        Some(name) => {
            let asked = source.named(name);
            asked.iter().filter_map(|key| source.task(key)).any(|task| source.analysis.spec_error(task).is_some())
        }
    }
}

/// What is wrong with a function's spec: a clause that cannot be read is one that nothing was held to.
fn faulty_spec(source: &Source, task: &Task) -> Option<String> {
    let fault = source.analysis.spec_error(task)?;
    Some(format!("its spec has an error on line {}: {}", line_of(&source.text, fault.range.start), fault.message))
}

/// Functions to verify, in order.
async fn select<'a>(
    workbench: &dyn Workbench,
    sources: &'a [Source],
    args: &VerifyArgs,
) -> Result<Vec<(&'a Source, &'a Task, String)>, CliError> {
    let mut wanted = Vec::new();
    for source in sources {
        let is_reached = match &args.changed {
            Some(revision) => reached(workbench, source, revision).await?,
            None => vec![true; source.analysis.tasks.len()],
        };
        let keys = source.keys().into_iter().zip(&source.analysis.tasks).zip(is_reached);
        let named = args.function.as_ref().map(|name| source.named(name));
        let chosen = keys.filter(|((key, _), is)| *is && named.as_ref().is_none_or(|n| n.contains(key)));
        wanted.extend(chosen.map(|((key, task), _)| (source, task, key.shown())));
    }
    match &args.function {
        Some(name) if !sources.is_empty() && sources.iter().all(|s| s.named(name).is_empty()) => {
            Err(no_such_function(name, sources))
        }
        _ => Ok(wanted),
    }
}

/// Which functions of a file what changed since a commit can reach.
async fn reached(workbench: &dyn Workbench, source: &Source, revision: &str) -> Result<Vec<bool>, CliError> {
    let changed = changed::since_commit(&source.path, &source.text, revision).await?;
    let Changed::Since { before, .. } = &changed else { return Ok(vec![true; source.analysis.tasks.len()]) };
    let absolute = std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone());
    let analysis = workbench.analyse(&absolute, before);
    let before = reach::State { text: before, analysis: &analysis };
    Ok(reach::reached(&changed, before, reach::State { text: &source.text, analysis: &source.analysis }))
}

/// The layers of one function, and the lines that tell of them when it is its turn.
async fn verify_one(
    progress: &TreeProgress,
    workbench: &dyn Workbench,
    source: &Source,
    task: Task,
    name: String,
    cancel: CancellationToken,
) -> (StackReport, Vec<String>) {
    let mut lines = progress.begin(&format!("{}: {name}", source.path.display()));
    let (events, mut inbox) = unbounded_channel();
    let verification = workbench.verify(task, events, cancel);
    tokio::pin!(verification);
    let stack = loop {
        tokio::select! {
            biased;
            Some(event) = inbox.recv() => progress.event(&name, &event, &mut lines),
            stack = &mut verification => break stack,
        }
    };
    while let Ok(event) = inbox.try_recv() {
        progress.event(&name, &event, &mut lines);
    }
    progress.end();
    (stack, lines)
}

fn print(
    ui: Ui,
    format: Format,
    verified: &[Verified],
    sources: &[Source],
    unreadable: Vec<Diagnostic>,
) -> Result<(), CliError> {
    // Where no file at all could be read, that has been said.
    let is_read = unreadable.is_empty() || !sources.is_empty();
    let faults = diagnostics(sources, unreadable);
    match format {
        Format::Json => {
            let functions = verified
                .iter()
                .map(|v| Function::new(&v.file, &v.function, v.line, &v.stack, v.objection.clone()))
                .collect();
            ui.json_result(&Functions { functions, diagnostics: faults })
        }
        Format::Sarif => ui.json_result(&sarif::document(verified, &faults)),
        Format::Junit => ui.result(&junit::document(verified, &faults)?),
        Format::Github => verified
            .iter()
            .flat_map(github::annotations)
            .chain(faults.iter().map(github::fault))
            .try_for_each(|l| ui.result(&l)),
        Format::Human => {
            sources.iter().flat_map(Source::faults).for_each(|f| ui.note(&f));
            if verified.is_empty() && is_read {
                ui.note("nothing to verify: no function with a spec was selected");
            }
            Ok(())
        }
    }
}

fn outcome_line(verified: &Verified) -> String {
    let failed = verified.stack.layers.iter().any(|l| l.verdict == Verdict::Failed);
    let (mark, style) = match (&verified.objection, failed) {
        (None, _) => ("✓", GOOD),
        (Some(_), true) => ("✗", BAD),
        (Some(_), false) => ("!", WARN),
    };
    let counted = format!("{} of {} checks passed", verified.stack.passed(), Layer::ALL.len());
    let why = verified.objection.as_ref().map_or_else(String::new, |o| format!("; not verified: {o}"));
    format!("{style}{mark}{style:#} {STRONG}{}{STRONG:#} {counted}{why}", verified.function)
}

/// Findings beat a missing tool; a missing tool that the policy excuses is no reason.
fn exit_of(stack: &StackReport, objection: Option<&str>, excused: &[Layer]) -> Exit {
    let missing =
        |l: &&zeroerr_core::verdict::LayerReport| l.verdict == Verdict::Unavailable && !excused.contains(&l.layer);
    if objection.is_none() {
        Exit::Clean
    } else if stack.layers.iter().any(|l| l.verdict == Verdict::Failed) || !stack.layers.iter().any(|l| missing(&l)) {
        Exit::Findings
    } else {
        Exit::Machine
    }
}
