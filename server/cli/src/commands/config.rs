//! `zeroerr config {show,schema,check}`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use zeroerr_settings::{Loaded, Sources, load, paths, reference};

use crate::args::{ConfigCommand, Global};
use crate::context::{Ui, sources};
use crate::exit::{CliError, Exit};

/// Shows or checks settings.
///
/// # Errors
/// Settings that cannot be used.
pub fn main(global: &Global, command: &ConfigCommand) -> Result<Exit, CliError> {
    let ui = Ui::new(global);
    if matches!(command, ConfigCommand::Schema) {
        ui.json_result(&reference::schema())?;
        return Ok(Exit::Clean);
    }
    let sources = sources(global, Path::new("."), &[]);
    let loaded = load(&sources)?;
    match (command, ui.json) {
        (ConfigCommand::Check, true) => ui.json_result(&json!({ "ok": true, "notes": loaded.notes }))?,
        (ConfigCommand::Check, false) => {
            loaded.notes.iter().for_each(|note| ui.note(&format!("note: {note}")));
            ui.result("settings are fine")?;
        }
        (_, true) => ui.json_result(
            &json!({ "settings": loaded.settings, "origins": loaded.origins, "files": files(&sources) }),
        )?,
        (_, false) => ui.result(&show(&sources, &loaded)?)?,
    }
    Ok(Exit::Clean)
}

/// The files that are read, whether they exist or not.
fn files(sources: &Sources) -> serde_json::Value {
    let shown = |p: &Option<std::path::PathBuf>| p.as_ref().map(|p| p.display().to_string());
    let data = paths::data_dir();
    json!({ "config": shown(&sources.config), "user": shown(&sources.user_file), "project": shown(&sources.project_file), "data": shown(&data) })
}

/// YAML that could be read back, with the origins in comments. Secrets print as `<redacted>`.
fn show(sources: &Sources, loaded: &Loaded) -> Result<String, CliError> {
    let mut out = String::new();
    let rows = [
        ("your file", &sources.user_file),
        ("project file", &sources.project_file),
        ("data folder", &paths::data_dir()),
    ];
    for (name, path) in rows {
        let shown = path.as_ref().map_or_else(
            || "none".to_owned(),
            |p| format!("{}{}", p.display(), if p.exists() { "" } else { " (does not exist)" }),
        );
        let _ = writeln!(out, "# {name}: {shown}");
    }
    out.push_str(
        &serde_yaml::to_string(&loaded.settings)
            .map_err(|e| CliError::bug(format!("settings cannot be printed: {e}")))?,
    );
    out.push_str("\n# where each value that is not the default comes from:\n");
    for (key, origin) in &loaded.origins {
        let _ = writeln!(out, "# {key}: {origin}");
    }
    Ok(out)
}
