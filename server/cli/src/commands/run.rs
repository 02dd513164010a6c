//! `zeroerr run`: writes functions, shows how, prints the verified edits; `--apply` keeps them.

mod ask;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{LanguageId, Task, apply_edits};
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport, StepReport};
use zeroerr_engine::Workbench;
use zeroerr_engine::accept::AcceptedEdit;
use zeroerr_engine::journal::AcceptedBy;
use zeroerr_llm::model_pool::{OnPoolEvent, PoolEvent};

use crate::args::{Global, RunArgs};
use crate::compose::Composed;
use crate::context::{Context, LogTo, Ui, complain};
use crate::exit::{CliError, Exit};
use crate::projects::settings_file;
use crate::render::json::{Diagnostic, Run, Runs, diagnostics};
use crate::render::progress::Progress;
use crate::render::{BAD, GOOD, STRONG, WARN, advice, diff, plural};
use crate::targets::{Key, Source, no_such_function};
use crate::{files, interrupt};

/// Runs every selected function, one after the other.
///
/// # Errors
/// Usage and configuration errors, and what the machine lacks. Files that cannot be read among
/// several are told and make the exit code 2 in the end.
pub async fn main(global: &Global, args: &RunArgs) -> Result<Exit, CliError> {
    let place = args.paths.first().map_or(Path::new("."), |p| if p.is_dir() { p } else { p.parent().unwrap_or(p) });
    let overrides: Vec<_> = args.backend.iter().map(|b| ("llm.backend", b.clone())).collect();
    let context = Context::load(global, place, &overrides, LogTo::Settings)?;
    let paths = files::find(&args.paths)?;
    let (loading, pool) = unbounded_channel();
    let composed = Composed::new(&context.loaded.settings, &context.data_dir, loading_events(loading))?;
    let workbench = composed.workbench.as_ref();
    let mut worst = Exit::Clean;
    let (sources, unreadable) = read_all(workbench, &paths, &mut worst);
    let wanted = wanted(&sources, args.function.as_deref())?;
    if wanted.iter().all(Vec::is_empty) {
        return nothing_to_do(&context, &sources, unreadable, worst);
    }
    one_project(&context, sources.iter().zip(&wanted).filter(|(_, keys)| !keys.is_empty()).map(|(source, _)| source))?;
    let mut languages: Vec<LanguageId> = sources.iter().filter_map(|s| LanguageId::from_path(&s.path)).collect();
    languages.sort_unstable();
    languages.dedup();
    composed.ready(&languages)?;
    if args.apply {
        let mut written = sources.iter().zip(&wanted).filter(|(_, keys)| !keys.is_empty());
        written.try_for_each(|(source, _)| files::check_writable(&source.path))?;
    }
    let cancel = interrupt::token();
    let asks = ask::wanted(args, context.ui);
    let mut session = Session::new(context.ui, workbench, &cancel, pool).applying(args.apply).asking(asks);
    session.worst = worst;
    for (source, keys) in sources.iter().zip(&wanted).filter(|(_, keys)| !keys.is_empty()) {
        if !context.ui.json {
            source.faults().iter().for_each(|f| context.ui.note(f));
        }
        session.file(source, keys).await;
        if cancel.is_cancelled() {
            session.worst = Exit::Cancelled;
            break;
        }
    }
    if context.ui.json {
        context.ui.json_result(&Runs { runs: session.runs, diagnostics: diagnostics(&sources, unreadable) })?;
    }
    Ok(session.worst)
}

/// Reads files; one that cannot be read is told, becomes a diagnostic, and does not stop the others.
pub fn read_all(
    workbench: &dyn Workbench,
    paths: &[std::path::PathBuf],
    worst: &mut Exit,
) -> (Vec<Source>, Vec<Diagnostic>) {
    let (mut sources, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        match Source::read(workbench, path) {
            Ok(source) => sources.push(source),
            Err(error) => {
                complain(&error.message);
                unreadable.push(Diagnostic::unreadable(path, &error.message));
                *worst = (*worst).max(error.exit);
            }
        }
    }
    (sources, unreadable)
}

/// Models, votes and layers are put together for one project; what is written in another must keep to its rules.
///
/// # Errors
/// The first file of another project.
fn one_project<'a>(context: &Context, mut written: impl Iterator<Item = &'a Source>) -> Result<(), CliError> {
    let own = &context.sources.project_file;
    let Some(foreign) = written.find(|s| settings_file(&s.path) != *own) else { return Ok(()) };
    let rules =
        |file: &Option<PathBuf>| file.as_ref().map_or("no settings file".to_owned(), |f| f.display().to_string());
    Err(CliError::usage(format!(
        "{} is of another project than the first path ({}, not {}); run each project by itself",
        foreign.path.display(),
        rules(&settings_file(&foreign.path)),
        rules(own)
    )))
}

/// Per file, the functions to write: the named one, else all stubs.
fn wanted(sources: &[Source], function: Option<&str>) -> Result<Vec<Vec<Key>>, CliError> {
    let keys = |s: &Source| match function {
        Some(name) => s.named(name),
        None => s.keys().into_iter().filter(|k| s.task(k).is_some_and(|t| t.is_stub)).collect(),
    };
    let wanted: Vec<Vec<Key>> = sources.iter().map(keys).collect();
    match function {
        Some(name) if !sources.is_empty() && wanted.iter().all(Vec::is_empty) => Err(no_such_function(name, sources)),
        _ => Ok(wanted),
    }
}

/// No stub with a spec: said, with the faults that may be the reason.
fn nothing_to_do(
    context: &Context,
    sources: &[Source],
    unreadable: Vec<Diagnostic>,
    worst: Exit,
) -> Result<Exit, CliError> {
    let faulty = sources.iter().any(|s| !s.analysis.diagnostics.is_empty());
    let have = sources.iter().map(|s| s.analysis.tasks.len()).sum::<usize>();
    if context.ui.json {
        context.ui.json_result(&Runs { runs: Vec::new(), diagnostics: diagnostics(sources, unreadable) })?;
    } else if !sources.is_empty() || worst == Exit::Clean {
        sources.iter().flat_map(Source::faults).for_each(|f| context.ui.note(&f));
        let why = if have > 0 {
            "every function with a spec has a body; name one with --function to write it anew"
        } else {
            "no stub with a spec was found; write `# @spec …` above a function whose body is `...`"
        };
        context.ui.note(&format!("nothing to write: {why}"));
    }
    Ok(if faulty { worst.max(Exit::Findings) } else { worst })
}

/// The runs of one invocation.
pub struct Session<'a> {
    ui: Ui,
    workbench: &'a dyn Workbench,
    apply: bool,
    /// Whether the user is asked what the candidates disagree about.
    asks: bool,
    cancel: &'a CancellationToken,
    /// Models that are being loaded.
    pool: UnboundedReceiver<RunEvent>,
    /// Why the journal does not have the whole of the last run.
    lost: Option<String>,
    /// What was said of the journal already.
    told: Option<String>,
    /// What came out so far.
    pub runs: Vec<Run>,
    /// The exit code so far.
    pub worst: Exit,
}

impl<'a> Session<'a> {
    /// A session that changes no file.
    pub fn new(
        ui: Ui,
        workbench: &'a dyn Workbench,
        cancel: &'a CancellationToken,
        pool: UnboundedReceiver<RunEvent>,
    ) -> Self {
        Self {
            ui,
            workbench,
            apply: false,
            asks: false,
            cancel,
            pool,
            lost: None,
            told: None,
            runs: Vec::new(),
            worst: Exit::Clean,
        }
    }

    /// The same session, which writes verified edits if `apply`.
    pub fn applying(self, apply: bool) -> Self {
        Self { apply, ..self }
    }

    /// The same session, which asks the user what candidates disagree about if `asks`.
    pub fn asking(self, asks: bool) -> Self {
        Self { asks, ..self }
    }

    /// Runs the functions of one file. With `--apply` each run sees what the one before wrote.
    pub async fn file(&mut self, source: &Source, keys: &[Key]) {
        let mut current = source.clone();
        for key in keys {
            if self.cancel.is_cancelled() {
                return;
            }
            let Some(task) = current.task(key).cloned() else {
                complain(&format!("{}: `{}` is not there any more", source.path.display(), key.shown()));
                self.worst = self.worst.max(Exit::Findings);
                continue;
            };
            let report = self.run_to_the_end(&mut current, key, task.clone()).await;
            // An answer has made it another task.
            let task = current.task(key).cloned().unwrap_or(task);
            let applied = self.ended(&current, &report, task);
            if applied && let Ok(fresh) = Source::read(self.workbench, &source.path) {
                current = fresh;
            }
        }
    }

    /// Prints the end of a run and, with `--apply`, writes its edit. Whether it was written.
    pub fn ended(&mut self, source: &Source, report: &RunReport, task: Task) -> bool {
        let lost = self.lost.take();
        let applied = match self.keep(source, report) {
            Ok(false) => {
                self.unjournaled(&report.function, lost);
                false
            }
            Ok(true) => {
                self.certify(source, report, task, lost);
                true
            }
            Err(error) => {
                let later = match &lost {
                    Some(why) => format!("; nor is the run kept: {why}"),
                    None if error.exit == Exit::Machine => {
                        format!("; `zeroerr runs resume {} --apply` writes it when it can be", report.id)
                    }
                    None => String::new(),
                };
                self.refuse(error.exit, &format!("{}{later}", error.message));
                false
            }
        };
        self.worst = self.worst.max(exit_of(report));
        self.runs.push(Run::new(&source.path.display().to_string(), report, &source.text, applied));
        applied
    }

    fn refuse(&mut self, exit: Exit, message: &str) {
        complain(message);
        self.worst = self.worst.max(exit);
    }

    /// Says, once for all runs, that the journal does not have the whole of them.
    fn unjournaled(&mut self, function: &str, lost: Option<String>) {
        let Some(why) = lost else { return };
        self.worst = self.worst.max(Exit::Machine);
        if self.told.as_ref() != Some(&why) {
            complain(&format!(
                "the run of `{function}` is not kept to its end, so `zeroerr runs` cannot show what came of it: {why}"
            ));
            self.told = Some(why);
        }
    }

    /// Keeps the certificate of an edit that was written.
    fn certify(&mut self, source: &Source, report: &RunReport, task: Task, lost: Option<String>) {
        let edit = AcceptedEdit { report: report.clone(), task, by: AcceptedBy::Cli, doc_version: None };
        match self.workbench.accepted(edit) {
            Ok(()) => self.unjournaled(&report.function, lost),
            Err(why) => {
                let (path, function) = (source.path.display(), &report.function);
                let message = format!(
                    "{path}: `{function}` is written, but its certificate is not kept, so `zeroerr audit` cannot check it later: {why}"
                );
                self.refuse(Exit::Machine, &message);
            }
        }
    }

    /// A run, and as long as it abstains and the user has an answer to what is asked, another one that
    /// knows it.
    async fn run_to_the_end(&mut self, source: &mut Source, key: &Key, task: Task) -> RunReport {
        let mut report = self.one(source, key, task).await;
        while self.asks && report.outcome == RunOutcome::Abstained {
            match ask::ask(self.workbench, source, key, &report, self.cancel).await {
                Ok(Some(answered)) => *source = answered,
                Ok(None) => break,
                Err(error) => {
                    complain(&error.message);
                    self.worst = self.worst.max(error.exit);
                    break;
                }
            }
            let Some(task) = source.task(key).cloned() else { break };
            report = self.one(source, key, task).await;
        }
        report
    }

    /// One run with its progress.
    async fn one(&mut self, source: &Source, key: &Key, task: Task) -> RunReport {
        let mut progress = Progress::new(self.ui, &format!("{}: {}", source.path.display(), key.shown()));
        let (events, mut inbox) = unbounded_channel();
        let run = self.workbench.run(task, events, self.cancel.clone());
        tokio::pin!(run);
        let report = loop {
            tokio::select! {
                biased;
                Some(event) = self.pool.recv() => progress.event(&event),
                Some(event) = inbox.recv() => self.lost = heard(&mut progress, event, self.lost.take()),
                report = &mut run => break report,
            }
        };
        while let Ok(event) = inbox.try_recv() {
            self.lost = heard(&mut progress, event, self.lost.take());
        }
        progress.finish();
        report
    }

    /// Prints the outcome and, with `--apply`, writes the file. Whether it was written.
    fn keep(&self, source: &Source, report: &RunReport) -> Result<bool, CliError> {
        let verified = report.outcome == RunOutcome::Verified;
        let new = if verified { apply_edits(&source.text, &report.edits) } else { None };
        if verified && new.is_none() {
            return Err(CliError::bug("the verified edit does not fit its file; nothing was changed"));
        }
        if !self.ui.json {
            if let Some(new) = &new {
                self.ui.result(&diff::unified(&source.path.display().to_string(), &source.text, new))?;
            }
            self.ui.result(&outcome_line(report))?;
            report.steps.iter().filter_map(votes_line).for_each(|line| self.ui.note(&line));
            let advice = report.steps.iter().filter_map(|s| s.advice.as_deref());
            advice.flat_map(advice::lines).for_each(|line| self.ui.note(&format!("  {line}")));
        }
        match new.filter(|_| self.apply) {
            None => Ok(false),
            Some(new) => files::replace(&source.path, &source.text, &new).map(|()| {
                self.ui.note(&format!("  written to {}", source.path.display()));
                true
            }),
        }
    }
}

/// Shows an event. Gives why the journal does not have the whole run, if that was ever said.
fn heard(progress: &mut Progress, event: RunEvent, lost: Option<String>) -> Option<String> {
    progress.event(&event);
    if let RunEvent::NotJournaled { why } = event { Some(why) } else { lost }
}

/// Passes on that a model is being loaded, which takes seconds.
pub fn loading_events(events: UnboundedSender<RunEvent>) -> OnPoolEvent {
    Arc::new(move |event| match event {
        PoolEvent::Loading { model } => drop(events.send(RunEvent::LoadingModel { model })),
        other => tracing::info!(event = ?other, "model pool"),
    })
}

/// The last line: what became of it, and why.
pub fn outcome_line(report: &RunReport) -> String {
    let (mark, style, word) = match report.outcome {
        RunOutcome::Verified => ("✓", GOOD, "verified"),
        RunOutcome::Abstained => ("–", WARN, "abstained"),
        RunOutcome::Error => ("✗", BAD, "not done"),
    };
    let mut out = format!("{style}{mark}{style:#} {STRONG}{}{STRONG:#} {word}: {}", report.function, report.reason);
    out.push_str(&ask::ready_lines(report));
    // What differs where nobody could be asked: shown as it came out.
    for step in report.steps.iter().filter(|s| s.questions.is_empty()) {
        for disagreement in step.disagreements.iter().take(3) {
            let answers: Vec<String> =
                disagreement.answers.iter().map(|(answer, votes)| format!("{} ({votes})", said(answer))).collect();
            out.push_str(&format!("\n    {} {}", disagreement.input, answers.join(" or ")));
        }
    }
    out.push_str(&guesses(report));
    out
}

/// An outcome in words.
fn said(outcome: &str) -> String {
    match outcome.split_at_checked(2) {
        _ if outcome == "timeout" => "does not end in its time".to_owned(),
        _ if outcome == "crash" => "ends its process".to_owned(),
        _ if outcome == "! panic" => "panics".to_owned(),
        Some(("= ", value)) => format!("gives {value}"),
        Some(("! ", error)) => format!("raises {error}"),
        _ => outcome.to_owned(),
    }
}

/// What would be evidence, if it is right: lines for the spec, and what to do with them.
fn guesses(report: &RunReport) -> String {
    let mut lines = report.steps.iter().flat_map(|s| &s.suggestions).peekable();
    if lines.peek().is_none() {
        return String::new();
    }
    let mut out =
        String::from("\n  what the winner does, as guesses for the spec; they count when you take the `?` away:");
    lines.for_each(|line| out.push_str(&format!("\n    {line}")));
    out
}

/// How the votes of a step spread; `None` when fewer than two could have agreed.
fn votes_line(step: &StepReport) -> Option<String> {
    let votes: u32 = step.tally.iter().map(|c| c.votes).sum();
    let diversity = step.diversity.filter(|_| votes > 1)?;
    let (votes, behaviours) = (plural(votes as usize, "vote"), plural(step.tally.len(), "behaviour"));
    Some(format!("  {}: {votes} for {behaviours}, diversity {diversity:.2}", step.name))
}

/// An error is something that the machine lacks: a fault of ours would have panicked.
fn exit_of(report: &RunReport) -> Exit {
    match report.outcome {
        RunOutcome::Verified => Exit::Clean,
        RunOutcome::Abstained => Exit::Findings,
        RunOutcome::Error => Exit::Machine,
    }
}

#[cfg(test)]
mod tests {
    use zeroerr_core::report::{Disagreement, StepReport};

    use super::*;

    #[test]
    fn what_differs_is_told_in_words() {
        let answers = [("= 1", 5), ("! ValueError", 4), ("timeout", 3), ("! panic", 2), ("crash", 1)];
        let answers = answers.map(|(outcome, votes)| (outcome.to_owned(), votes)).to_vec();
        let disagreements = vec![Disagreement { input: "f(0)".into(), answers }];
        let report = RunReport {
            id: String::new(),
            file: String::new(),
            function: "f".into(),
            outcome: RunOutcome::Abstained,
            reason: "no".into(),
            steps: vec![StepReport { disagreements, ..StepReport::default() }],
            layers: vec![],
            edits: vec![],
            certificate: None,
            elapsed_ms: 0,
        };
        let told = "    f(0) gives 1 (5) or raises ValueError (4) or does not end in its time (3) or panics (2) or ends its process (1)";
        assert_eq!(outcome_line(&report).lines().last(), Some(told));
    }
}
