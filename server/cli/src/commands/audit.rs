//! `zeroerr audit`: certified functions, re-checked with today's tools. No model, no network.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;
use zeroerr_core::code::line_of;
use zeroerr_core::report::RunEvent;
use zeroerr_core::verdict::Layer;
use zeroerr_engine::accept::{Audited, Certified, Standing, certified};
use zeroerr_engine::journal::AcceptedBy;
use zeroerr_verification::verification_stack::LayerEvent;

use crate::args::{AuditArgs, Global};
use crate::commands::run::read_all;
use crate::commands::runs::refused;
use crate::compose::Composed;
use crate::context::{Context, LogTo, Ui, complain};
use crate::exit::{CliError, Exit};
use crate::render::json::LayerOut;
use crate::render::progress::Progress;
use crate::render::{BAD, FAINT, GOOD, STRONG, WARN, when};
use crate::targets::{Source, no_such_function};
use crate::{files, interrupt};

/// One function in `audit --json`.
#[derive(Debug, Serialize)]
struct Function {
    file: String,
    function: String,
    line: Option<usize>,
    standing: Standing,
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
    let composed = Composed::new(&context.loaded.settings, &context.data_dir, Arc::new(drop))?;
    let workbench = composed.workbench.as_ref();
    let mut worst = Exit::Clean;
    let sources = read_all(workbench, &files::find(&args.paths)?, &mut worst);
    let journal = workbench
        .journal()
        .ok_or_else(|| CliError::machine("the journal cannot be opened; `zeroerr doctor` says why"))?;
    let mut wanted: Vec<(&Source, Certified)> = Vec::new();
    for source in &sources {
        let absolute = std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone());
        let all = match certified(journal, &absolute, &source.analysis).map_err(refused) {
            Ok(all) => all,
            // One certificate that cannot be read keeps no other from being audited.
            Err(error) => {
                complain(&format!("{}: {}", source.path.display(), error.message));
                worst = worst.max(error.exit);
                continue;
            }
        };
        wanted.extend(all.into_iter().filter(|c| named(c, args.function.as_deref())).map(|c| (source, c)));
    }
    if let Some(name) = args.function.as_deref().filter(|_| wanted.is_empty())
        && sources.iter().all(|s| s.named(name).is_empty())
    {
        return Err(no_such_function(name, &sources));
    }
    let cancel = interrupt::token();
    let mut functions = Vec::new();
    for (source, certified) in &wanted {
        let audited = tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(Exit::Cancelled),
            audited = one(ui, workbench, source, certified) => audited,
        };
        worst = worst.max(exit_of(audited.standing));
        if !ui.json {
            ui.result(&line(certified, &audited))?;
        }
        functions.push(function(source, certified, &audited));
    }
    if ui.json {
        ui.json_result(&serde_json::json!({ "functions": functions }))?;
    } else if functions.is_empty() && worst == Exit::Clean {
        ui.note("nothing to audit: no function there has a certificate; `zeroerr run --apply` and editors leave one with each edit");
    }
    Ok(worst)
}

/// `name` or `Class.name`, as `--function` takes it everywhere.
fn named(certified: &Certified, wanted: Option<&str>) -> bool {
    let function = certified.function.as_str();
    wanted.is_none_or(|w| w == function || function.rsplit('.').next() == Some(w))
}

async fn one(
    ui: Ui,
    workbench: &zeroerr_engine::local::LocalWorkbench,
    source: &Source,
    certified: &Certified,
) -> Audited {
    let mut progress = Progress::new(ui, &format!("{}: {}", source.path.display(), certified.function));
    let (events, mut inbox) = unbounded_channel();
    let tell = move |event| {
        let event = match event {
            LayerEvent::Started(layer) => RunEvent::LayerStarted { layer },
            LayerEvent::Finished(report) => RunEvent::LayerFinished { report },
        };
        let _ = events.send(event);
    };
    let audit = workbench.audit(certified, &tell);
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

fn function(source: &Source, certified: &Certified, audited: &Audited) -> Function {
    let acceptance = &certified.acceptance;
    let then = &acceptance.certificate;
    Function {
        file: source.path.display().to_string(),
        function: certified.function.clone(),
        line: certified.task.as_ref().map(|t| line_of(&source.text, t.function_range.start)),
        standing: audited.standing,
        objection: audited.objection.clone(),
        passed: audited.stack.passed(),
        of: Layer::ALL.len(),
        layers: audited.stack.layers.iter().map(LayerOut::new).collect(),
        certificate: Certificate {
            run: acceptance.run.clone(),
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

fn line(certified: &Certified, audited: &Audited) -> String {
    let day = when::minute(certified.acceptance.accepted_ms);
    let today = match &audited.objection {
        None => format!("{} of {} checks pass today", audited.stack.passed(), Layer::ALL.len()),
        Some(objection) => format!("as it is, {objection}"),
    };
    let (mark, style, said) = match audited.standing {
        Standing::Valid => ("✓", GOOD, format!("valid: as accepted on {day} UTC; {today}")),
        Standing::Changed => ("✗", BAD, format!("changed since it was accepted on {day} UTC; {today}")),
        Standing::SpecChanged => ("✗", BAD, format!("spec changed since it was accepted on {day} UTC; {today}")),
        Standing::Failing => ("✗", BAD, format!("no longer passes: {today}")),
        Standing::Unchecked => ("!", WARN, format!("cannot be checked: {today}")),
        Standing::Gone => {
            ("–", WARN, format!("gone: there is no function of that name with a spec (accepted on {day} UTC)"))
        }
    };
    let mut out = format!("{style}{mark}{style:#} {STRONG}{}{STRONG:#} {said}", certified.function);
    let (then, now) = (tools(&certified.acceptance.certificate.layers), tools(&audited.stack.layers));
    let new: Vec<&str> = now.iter().filter(|t| !then.contains(t)).map(String::as_str).collect();
    if !new.is_empty() && audited.standing != Standing::Gone {
        out.push_str(&format!("\n    {FAINT}not the tools of then: {}{FAINT:#}", new.join(", ")));
    }
    out
}

/// A function that is gone has nothing left that could be wrong.
fn exit_of(standing: Standing) -> Exit {
    match standing {
        Standing::Valid | Standing::Gone => Exit::Clean,
        Standing::Changed | Standing::SpecChanged | Standing::Failing => Exit::Findings,
        Standing::Unchecked => Exit::Machine,
    }
}
