//! `zeroerr models {list,pull,remove}`.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use zeroerr_llm::pull::{PullEvent, PullOptions, PullRequest};
use zeroerr_llm::store::{Entry, StoreError};
use zeroerr_settings::{ModelEntry, Settings};

use crate::args::{Global, ModelsCommand};
use crate::compose::{store, store_name};
use crate::context::{Context, LogTo, Ui};
use crate::exit::{CliError, Exit};
use crate::interrupt;
use crate::render::{FAINT, GOOD};

/// One model in `models list --json`.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    source: String,
    /// What the catalogue pins, or what was recorded when it was fetched.
    sha256: Option<String>,
    /// Whether the catalogue pins the sum, so that a download can be checked.
    pinned: bool,
    size: Option<u64>,
    here: bool,
    license: String,
}

/// Lists, fetches or removes models.
///
/// # Errors
/// A name that is not in the catalogue, or of nothing that is here (2); a fetch that failed (3).
pub async fn main(global: &Global, command: &ModelsCommand) -> Result<Exit, CliError> {
    let context = Context::load(global, Path::new("."), &[], LogTo::Settings)?;
    let (ui, settings, data_dir) = (context.ui, &context.loaded.settings, context.data_dir.as_path());
    match command {
        ModelsCommand::List => list(ui, settings, data_dir)?,
        ModelsCommand::Pull { name } => {
            let cancel = interrupt::token();
            let pulled = tokio::select! {
                pulled = pull(ui, settings, data_dir, name) => pulled,
                () = cancel.cancelled() => return Ok(Exit::Cancelled),
            }?;
            report(ui, &pulled)?;
        }
        ModelsCommand::Remove { name } => {
            let freed = store(data_dir).remove(&store_name(name)).map_err(|e| match e {
                StoreError::NotHere { place, .. } => CliError::usage(format!(
                    "there is no model `{name}` in {}; `zeroerr models list` shows what is here",
                    place.display()
                )),
                other => failed(&other),
            })?;
            if ui.json {
                ui.json_result(&serde_json::json!({ "removed": name, "freed": freed }))?;
            } else {
                ui.result(&format!("{name} is removed, {} MB are free again", freed / 1_000_000))?;
            }
        }
    }
    Ok(Exit::Clean)
}

fn report(ui: Ui, entry: &Entry) -> Result<(), CliError> {
    if ui.json {
        ui.json_result(entry)
    } else {
        ui.result(&format!("{} is here, {} MB, SHA-256 {}", entry.name, entry.size / 1_000_000, entry.sha256))
    }
}

fn list(ui: Ui, settings: &Settings, data_dir: &Path) -> Result<(), CliError> {
    let have = store(data_dir).list().map_err(|e| failed(&e))?;
    let listed: Vec<Listed> = settings
        .models
        .iter()
        .map(|(name, model)| listed(name, model, have.iter().find(|e| e.name == store_name(name))))
        .collect();
    if ui.json {
        return ui.json_result(&serde_json::json!({ "models": listed }));
    }
    let width = listed.iter().map(|m| m.name.len()).max().unwrap_or_default();
    let row = |m: &Listed| {
        let here = if m.here { format!("{GOOD}✓{GOOD:#}") } else { " ".into() };
        let size = m.size.map_or_else(|| "      ?".into(), |s| format!("{:>4} MB", s / 1_000_000));
        let pinned = if m.pinned { "" } else { "  (SHA-256 not pinned)" };
        format!("{here} {:<width$}  {size}  {FAINT}{}{pinned}{FAINT:#}", m.name, m.source)
    };
    ui.result(&listed.iter().map(row).collect::<Vec<_>>().join("\n"))
}

fn listed(name: &str, model: &ModelEntry, here: Option<&Entry>) -> Listed {
    Listed {
        name: name.to_owned(),
        source: model.source.clone(),
        sha256: model.sha256.clone().or_else(|| here.map(|e| e.sha256.clone())),
        pinned: model.sha256.is_some(),
        size: model.size.or_else(|| here.map(|e| e.size)),
        here: here.is_some(),
        license: model.license.clone(),
    }
}

/// Fetches a model of the catalogue, with a progress bar on a terminal.
///
/// # Errors
/// A name that is not in the catalogue (2); everything that can go wrong on the way (3).
pub async fn pull(ui: Ui, settings: &Settings, data_dir: &Path, name: &str) -> Result<Entry, CliError> {
    let (name, model) = find(settings, name)?;
    let source = model.source.parse().map_err(|e| CliError::usage(format!("`models.{name}.source`: {e}")))?;
    let request = PullRequest { name: store_name(name), source, sha256: model.sha256.clone() };
    let options = PullOptions::from_env();
    let bar = bar(ui);
    let on_event = |event: PullEvent| show(ui, &bar, event);
    let pulled = store(data_dir).pull(&request, &options, &on_event).await.map_err(|e| failed(&e));
    bar.finish_and_clear();
    pulled
}

/// The entry, by its name in the catalogue or in the store.
fn find<'a>(settings: &'a Settings, name: &str) -> Result<(&'a str, &'a ModelEntry), CliError> {
    let found = settings.models.iter().find(|(key, _)| *key == name || store_name(key) == name);
    found.map(|(key, model)| (key.as_str(), model)).ok_or_else(|| {
        let names: Vec<&str> = settings.models.keys().map(String::as_str).collect();
        CliError::usage(format!("there is no model `{name}` in the catalogue; it has {}", names.join(", ")))
    })
}

fn bar(ui: Ui) -> ProgressBar {
    let target = if ui.live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template(
        "  {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta} {wide_msg}",
    ) {
        bar.set_style(style);
    }
    bar
}

fn show(ui: Ui, bar: &ProgressBar, event: PullEvent) {
    match event {
        PullEvent::Waiting => bar.suspend(|| ui.note("  waiting: another process fetches the same model")),
        PullEvent::Bytes { done, total } => {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
        PullEvent::Note(line) if ui.live => bar.set_message(line),
        PullEvent::Note(line) => ui.note(&format!("  {FAINT}{line}{FAINT:#}")),
        PullEvent::Checking => bar.set_message("checking its SHA-256"),
    }
}

/// The user can mend a name or a source; everything else is the machine's.
fn failed(error: &StoreError) -> CliError {
    match error {
        StoreError::Source(_) | StoreError::BadName(_) => CliError::usage(error.to_string()),
        _ => CliError::machine(error.to_string()),
    }
}
