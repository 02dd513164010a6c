//! `zeroerr runs`: what the journal knows of runs, and going on with one.

mod resume;

use std::path::Path;

use serde::Serialize;
use zeroerr_core::report::{RunReport, StepReport, StepState};
use zeroerr_engine::journal::{Acceptance, Journal, JournalError, RunExport, RunLine};

use crate::args::{Global, RunsCommand};
use crate::commands::wait;
use crate::context::{Ui, data_dir};
use crate::exit::{CliError, Exit};
use crate::files;
use crate::render::json::Run;
use crate::render::{BAD, FAINT, GOOD, STRONG, WARN, layers, plural, when};

/// Runs the sub-command.
///
/// # Errors
/// A run that is not there, and a journal that cannot be read.
pub fn main(global: &Global, command: &RunsCommand) -> Result<Exit, CliError> {
    let ui = Ui::new(global);
    match command {
        RunsCommand::List { limit } => list(ui, *limit),
        RunsCommand::Show { run } => show(ui, run),
        RunsCommand::Export { run, out } => export(ui, run, out.as_deref()),
        RunsCommand::Resume(args) => wait(resume::main(global, args)),
    }
}

/// The journal of this user.
///
/// # Errors
/// When it cannot be opened.
pub fn journal() -> Result<Journal, CliError> {
    Journal::open(&data_dir()?.join("journal")).map_err(|e| CliError::machine(e.to_string()))
}

/// A run that the user misnamed is a mistake in usage; all else is the machine's.
pub fn refused(error: JournalError) -> CliError {
    match error {
        JournalError::NoSuchRun(_) | JournalError::Ambiguous(_) => CliError::usage(error.to_string()),
        other => CliError::machine(other.to_string()),
    }
}

fn list(ui: Ui, limit: u32) -> Result<Exit, CliError> {
    let lines = journal()?.list(limit).map_err(refused)?;
    if ui.json {
        ui.json_result(&serde_json::json!({ "runs": lines }))?;
    } else if limit == 0 {
        ui.note("`--limit 0` lists none; leave it out to see the newest runs");
    } else if lines.is_empty() {
        ui.note("no runs yet; `zeroerr run FILE` makes one");
    } else {
        let width = lines.iter().map(|l| l.id.len()).max().unwrap_or(0);
        let head = format!(
            "{FAINT}{:width$}  {:16}  {:10}  {:>7}  function{FAINT:#}",
            "run", "begun (UTC)", "status", "samples"
        );
        let rows = lines.iter().map(|l| row(l, width));
        ui.result(&std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Clean)
}

fn row(line: &RunLine, width: usize) -> String {
    let style = match line.status.as_str() {
        "verified" => GOOD,
        "error" => BAD,
        _ => WARN,
    };
    format!(
        "{:width$}  {}  {style}{:10}{style:#}  {:>7}  {} {FAINT}in {}{FAINT:#}",
        line.id,
        when::minute(line.started_ms),
        line.status,
        line.samples,
        line.function,
        shown_path(&line.file)
    )
}

/// Relative to here, where that is shorter.
fn shown_path(file: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    Path::new(file).strip_prefix(&here).map_or_else(|_| file.to_owned(), |p| p.display().to_string())
}

/// What `runs show --json` prints.
#[derive(Debug, Serialize)]
struct Shown {
    run: RunLine,
    /// Processes that worked on it, one after the other.
    sessions: usize,
    /// What it has found out so far; `result` has the same when the run has ended.
    steps: Vec<StepReport>,
    result: Option<Run>,
    certificates: Vec<Acceptance>,
}

fn show(ui: Ui, name: &str) -> Result<Exit, CliError> {
    let export = journal()?.export(name).map_err(refused)?;
    if !ui.json {
        ui.result(&text(&export))?;
        return Ok(Exit::Clean);
    }
    let source = export.origin.as_ref().map_or("", |o| o.source.as_str());
    let applied = !export.certificates.is_empty();
    let result = export.report.as_ref().map(|r| Run::new(&export.run.file, r, source, applied));
    let (steps, sessions) = (export.steps(), export.sessions.len());
    ui.json_result(&Shown { run: export.run, sessions, steps, result, certificates: export.certificates })?;
    Ok(Exit::Clean)
}

fn text(export: &RunExport) -> String {
    let run = &export.run;
    let mut out = vec![
        format!("{STRONG}{}{STRONG:#} in {}", run.function, shown_path(&run.file)),
        format!("run {}, begun {} UTC", run.id, when::minute(run.started_ms)),
    ];
    if export.sessions.len() > 1 {
        out.push(format!("taken up again {}", plural(export.sessions.len() - 1, "time")));
    }
    out.extend(export.steps().iter().map(step));
    match &export.report {
        Some(report) => out.extend(ended(report)),
        None => out.push(format!("{WARN}{}{WARN:#}: {}", run.status, remedy(run))),
    }
    for acceptance in &export.certificates {
        let certificate = &acceptance.certificate;
        let code = certificate.code_hash.get(..12).unwrap_or_default();
        out.push(format!(
            "accepted {} UTC; code {code}, seed {}",
            when::minute(acceptance.accepted_ms),
            certificate.seed
        ));
    }
    out.join("\n")
}

fn remedy(run: &RunLine) -> String {
    if run.status == "running" {
        "a living process works on it".to_owned()
    } else {
        format!("`zeroerr runs resume {}` goes on with it", run.id)
    }
}

fn step(step: &StepReport) -> String {
    let votes: Vec<String> = step.tally.iter().map(|c| format!("{} {FAINT}{}{FAINT:#}", c.votes, c.class)).collect();
    let votes = if votes.is_empty() { "no votes".to_owned() } else { format!("votes {}", votes.join(" : ")) };
    let flagged: u32 = step.red_flags.values().sum();
    let advice = step.advice.as_deref().map_or_else(Vec::new, crate::render::advice::lines);
    let advice: String = advice.into_iter().map(|line| format!("\n    {line}")).collect();
    let state = match step.state {
        StepState::Won => "",
        StepState::Lost => " without a winner",
        StepState::Open => " so far",
    };
    let anew = match step.attempt {
        0 => String::new(),
        n => format!(", voted anew {}", plural(n as usize, "time")),
    };
    format!(
        "  {}: {votes}{state}; {}{anew}, {flagged} discarded, {} failed an example, {} tokens{advice}",
        step.name,
        plural(step.samples as usize, "sample"),
        step.gate_rejected,
        step.completion_tokens
    )
}

fn ended(report: &RunReport) -> Vec<String> {
    let mut out: Vec<String> = report.layers.iter().map(layers::layer).collect();
    out.push(crate::commands::run::outcome_line(report));
    out.push(format!("{FAINT}{}{FAINT:#}", when::span(report.elapsed_ms)));
    out
}

fn export(ui: Ui, name: &str, out: Option<&Path>) -> Result<Exit, CliError> {
    let export = journal()?.export(name).map_err(refused)?;
    let Some(out) = out else {
        ui.json_result(&export)?;
        return Ok(Exit::Clean);
    };
    let text = serde_json::to_string_pretty(&export).map_err(|e| CliError::bug(e.to_string()))?;
    files::write_new(out, &format!("{text}\n"))?;
    ui.note(&format!("written to {}", out.display()));
    Ok(Exit::Clean)
}
