//! `zeroerr audit`: certified functions, re-checked with today's tools. No model, no network.

mod whereabouts;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;
use zeroerr_core::code::line_of;
use zeroerr_core::report::RunEvent;
use zeroerr_core::verdict::Layer;
use zeroerr_engine::accept::{Audited, Certified, Standing, certified, vanished};
use zeroerr_engine::journal::{Acceptance, AcceptedBy, Journal};
use zeroerr_settings::Settings;
use zeroerr_verification::verification_stack::LayerEvent;

use crate::args::{AuditArgs, Global};
use crate::commands::run::read_all;
use crate::commands::runs::refused;
use crate::compose::Composed;
use crate::context::{Context, LogTo, Ui, complain};
use crate::exit::{CliError, Exit};
use crate::projects::Projects;
use crate::render::json::LayerOut;
use crate::render::progress::Progress;
use crate::render::{BAD, FAINT, GOOD, STRONG, WARN, when};
use crate::targets::{Source, no_such_function};
use crate::{files, interrupt};

use whereabouts::Found;

/// One function in `audit --json`.
#[derive(Debug, Serialize)]
struct Function {
    file: String,
    function: String,
    line: Option<usize>,
    standing: Standing,
    /// Where a function that is gone stands today.
    now_at: Option<String>,
    objection: Option<String>,
    passed: usize,
    of: usize,
    layers: Vec<LayerOut>,
    certificate: Certificate,
}

/// What the certificate says.
#[derive(Debug, Serialize)]
struct Certificate {
    run: String,
    /// Where the function stood then.
    file: String,
    accepted_ms: i64,
    by: AcceptedBy,
    passed: usize,
    tools: Vec<String>,
    models: Vec<String>,
}

/// Audits every function with a certificate in the files.
///
/// # Errors
/// Usage and configuration errors, and what the machine lacks.
pub async fn main(global: &Global, args: &AuditArgs) -> Result<Exit, CliError> {
    let place = args.paths.first().map_or(Path::new("."), |p| if p.is_dir() { p } else { p.parent().unwrap_or(p) });
    let context = Context::load(global, place, &[], LogTo::Settings)?;
    let ui = context.ui;
    let compose = |settings: &Settings| Composed::new(settings, &context.data_dir, Arc::new(drop));
    let there: Vec<PathBuf> = args.paths.iter().filter(|p| p.exists()).cloned().collect();
    let projects = Projects::of_files(global, &context, &files::find(&there)?, compose)?;
    let workbench = projects.first().composed.workbench.as_ref();
    let journal = workbench.journal().map_err(CliError::machine)?;
    let mut worst = Exit::Clean;
    let places = still_there(journal, &args.paths, &mut worst)?;
    let (sources, _) = read_all(workbench, &files::find(&places)?, &mut worst);
    let mut cases = cases(journal, &sources, &places, args.function.as_deref(), &mut worst)?;
    for case in cases.iter_mut().filter(|c| c.certified.task.is_none()) {
        case.found = whereabouts::find(workbench, journal, &case.certified.acceptance);
    }
    if let Some(name) = args.function.as_deref().filter(|_| cases.is_empty() && !places.is_empty())
        && sources.iter().all(|s| s.named(name).is_empty())
    {
        return Err(no_such_function(name, &sources));
    }
    let cancel = interrupt::token();
    let mut functions = Vec::new();
    for case in &cases {
        let project = case.source.map_or(projects.first(), |s| projects.of(&s.path));
        let audited = tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(Exit::Cancelled),
            audited = one(ui, &project.composed.workbench, case) => audited,
        };
        worst = worst.max(exit_of(audited.standing));
        if !ui.json {
            ui.result(&line(case, &audited))?;
        }
        functions.push(function(case, &audited));
    }
    if ui.json {
        ui.json_result(&serde_json::json!({ "functions": functions }))?;
    } else if functions.is_empty() && worst == Exit::Clean {
        ui.note("nothing to audit: no function there has a certificate; `zeroerr run --apply` and editors leave one with each edit");
    }
    Ok(worst)
}

/// One function with a certificate, and where it stands today.
struct Case<'a> {
    /// `None`: its file is not there any more.
    source: Option<&'a Source>,
    certified: Certified,
    /// Where it may be, when it is gone.
    found: Option<Found>,
}

impl Case<'_> {
    /// The file, as the user named or would name it.
    fn file(&self) -> String {
        self.source.map_or_else(|| self.certified_as(), |s| s.path.display().to_string())
    }

    /// The file that the certificate was given for, as the user would name it.
    fn certified_as(&self) -> String {
        below_here(Path::new(&self.certified.acceptance.file))
    }

    /// The file of then, if the function stands in another one today.
    fn moved_from(&self) -> Option<String> {
        let today = self.source?.path.canonicalize().ok()?;
        (today != Path::new(&self.certified.acceptance.file)).then(|| self.certified_as())
    }
}

/// A file, from here where it is below here.
fn below_here(file: &Path) -> String {
    let here = std::env::current_dir().and_then(|d| d.canonicalize()).unwrap_or_default();
    file.strip_prefix(here).unwrap_or(file).display().to_string()
}

/// The paths without those that are not there any more, but have left certificates: these are told.
fn still_there(journal: &Journal, paths: &[PathBuf], worst: &mut Exit) -> Result<Vec<PathBuf>, CliError> {
    let mut there = Vec::new();
    for path in paths {
        let lost = if path.exists() { Vec::new() } else { vanished(journal, &absolute(path)).map_err(refused)? };
        if lost.is_empty() {
            there.push(path.clone());
            continue;
        }
        let one = |a: &Acceptance| format!("`{}` (accepted on {} UTC)", a.function, when::minute(a.accepted_ms));
        complain(&format!(
            "{} is not there any more, and its certificates cannot be checked: {}; if it was moved, audit it where it is now",
            path.display(),
            lost.iter().map(one).collect::<Vec<_>>().join(", ")
        ));
        *worst = Exit::Usage;
    }
    Ok(there)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// What is to be audited: the functions of the sources, then those of files that the folders hold no more.
fn cases<'a>(
    journal: &Journal,
    sources: &'a [Source],
    places: &[PathBuf],
    wanted: Option<&str>,
    worst: &mut Exit,
) -> Result<Vec<Case<'a>>, CliError> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for source in sources {
        match certified(journal, &absolute(&source.path), &source.analysis).map_err(refused) {
            Ok(all) => {
                cases.extend(all.into_iter().map(|certified| Case { source: Some(source), certified, found: None }))
            }
            // One certificate that cannot be read keeps no other from being audited.
            Err(error) => {
                complain(&format!("{}: {}", source.path.display(), error.message));
                *worst = (*worst).max(error.exit);
            }
        }
    }
    let of = |c: &Case<'_>| (c.certified.acceptance.file.clone(), c.certified.acceptance.function.clone());
    let found: Vec<_> = cases.iter().filter(|c| c.certified.task.is_some()).map(of).collect();
    cases.retain(|c| c.certified.task.is_some() || !found.contains(&of(c)));
    for folder in places.iter().filter(|p| p.is_dir()) {
        for acceptance in vanished(journal, &absolute(folder)).map_err(refused)? {
            if cases.iter().all(|c| of(c) != (acceptance.file.clone(), acceptance.function.clone())) {
                let certified = Certified { function: acceptance.function.clone(), acceptance, task: None };
                cases.push(Case { source: None, certified, found: None });
            }
        }
    }
    cases.retain(|case| named(&case.certified, wanted));
    Ok(cases)
}

/// `name` or `Class.name`, as `--function` takes it everywhere.
fn named(certified: &Certified, wanted: Option<&str>) -> bool {
    let function = certified.function.as_str();
    wanted.is_none_or(|w| w == function || function.rsplit('.').next() == Some(w))
}

async fn one(ui: Ui, workbench: &zeroerr_engine::local::LocalWorkbench, case: &Case<'_>) -> Audited {
    let mut progress = Progress::new(ui, &format!("{}: {}", case.file(), case.certified.function));
    let (events, mut inbox) = unbounded_channel();
    let tell = move |event| {
        let event = match event {
            LayerEvent::Started(layer) => RunEvent::LayerStarted { layer },
            LayerEvent::Finished(report) => RunEvent::LayerFinished { report },
        };
        let _ = events.send(event);
    };
    let audit = workbench.audit(&case.certified, &tell);
    tokio::pin!(audit);
    let audited = loop {
        tokio::select! {
            biased;
            Some(event) = inbox.recv() => progress.event(&event),
            audited = &mut audit => break audited,
        }
    };
    while let Ok(event) = inbox.try_recv() {
        progress.event(&event);
    }
    progress.finish();
    audited
}

fn function(case: &Case<'_>, audited: &Audited) -> Function {
    let certified = &case.certified;
    let acceptance = &certified.acceptance;
    let then = &acceptance.certificate;
    Function {
        file: case.file(),
        function: certified.function.clone(),
        line: certified.task.as_ref().map(|t| line_of(&t.source, t.function_range.start)),
        standing: audited.standing,
        now_at: case.found.as_ref().filter(|f| f.is_certain).map(|f| f.at.clone()),
        objection: audited.objection.clone(),
        passed: audited.stack.passed(),
        of: Layer::ALL.len(),
        layers: audited.stack.layers.iter().map(LayerOut::new).collect(),
        certificate: Certificate {
            run: acceptance.run.clone(),
            file: acceptance.file.clone(),
            accepted_ms: acceptance.accepted_ms,
            by: acceptance.by,
            passed: zeroerr_core::verdict::StackReport { layers: then.layers.clone() }.passed(),
            tools: tools(&then.layers),
            models: then.models.clone(),
        },
    }
}

fn tools(layers: &[zeroerr_core::verdict::LayerReport]) -> Vec<String> {
    let mut all: Vec<String> = layers.iter().flat_map(|l| l.tools.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

fn line(case: &Case<'_>, audited: &Audited) -> String {
    let certified = &case.certified;
    let mut day = format!("{} UTC", when::minute(certified.acceptance.accepted_ms));
    if let Some(then) = case.moved_from() {
        day.push_str(&format!(" in {then}"));
    }
    let today = match &audited.objection {
        None => format!("{} of {} checks pass today", audited.stack.passed(), Layer::ALL.len()),
        Some(objection) => format!("as it is, {objection}"),
    };
    let (mark, style, said) = match audited.standing {
        Standing::Valid => ("✓", GOOD, format!("valid: as accepted on {day}; {today}")),
        Standing::Changed => ("✗", BAD, format!("changed since it was accepted on {day}; {today}")),
        Standing::SpecChanged => ("✗", BAD, format!("spec changed since it was accepted on {day}; {today}")),
        Standing::Failing => ("✗", BAD, format!("no longer passes: {today}")),
        Standing::Unchecked => ("!", WARN, format!("cannot be checked: {today}")),
        Standing::Gone => ("–", WARN, format!("gone: {}", gone(case, &day))),
    };
    let mut out = format!("{style}{mark}{style:#} {STRONG}{}{STRONG:#} {said}", certified.function);
    let (then, now) = (tools(&certified.acceptance.certificate.layers), tools(&audited.stack.layers));
    let new: Vec<&str> = now.iter().filter(|t| !then.contains(t)).map(String::as_str).collect();
    if !new.is_empty() && audited.standing != Standing::Gone {
        out.push_str(&format!("\n    {FAINT}not the tools of then: {}{FAINT:#}", new.join(", ")));
    }
    out
}

fn gone(case: &Case<'_>, day: &str) -> String {
    let (why, unknown) = match case.source {
        Some(_) => ("there is no function of that name with a spec".to_owned(), ""),
        None => {
            (format!("{} is not there any more", case.certified_as()), "; if it was moved, audit it where it is now")
        }
    };
    let now = match &case.found {
        None => unknown.to_owned(),
        Some(found) if found.is_certain => format!("; it stands in {} now: audit it there", found.at),
        Some(found) => {
            format!("; {} has a function of that name and signature, with another spec and other code", found.at)
        }
    };
    format!("{why} (accepted on {day}){now}")
}

/// A function that is gone has nothing left that could be wrong.
fn exit_of(standing: Standing) -> Exit {
    match standing {
        Standing::Valid | Standing::Gone => Exit::Clean,
        Standing::Changed | Standing::SpecChanged | Standing::Failing => Exit::Findings,
        Standing::Unchecked => Exit::Machine,
    }
}
