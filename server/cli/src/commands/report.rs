//! `zeroerr report`: one run as a page that needs no network and no other file.

use std::ffi::OsString;
use std::path::Path;

use zeroerr_engine::page::page;
use zeroerr_sandbox::trusted;

use super::runs::{journal, refused};
use crate::args::{Global, ReportArgs};
use crate::context::{Ui, data_dir};
use crate::exit::{CliError, Exit};
use crate::files;

/// Programs that show a file the way the user likes, with the arguments before it.
const OPENERS: &[(&str, &[&str])] = &[("xdg-open", &[]), ("open", &[]), ("wslview", &[]), ("gio", &["open"])];

/// Writes the page and prints where it is.
///
/// # Errors
/// A run that is not there, a file that cannot be written, no program to open it with.
pub fn main(global: &Global, args: &ReportArgs) -> Result<Exit, CliError> {
    let ui = Ui::new(global);
    let export = journal()?.export(&args.run).map_err(refused)?;
    let html = page(&export).map_err(|e| CliError::bug(e.to_string()))?;
    if args.out.as_deref() == Some(Path::new("-")) {
        ui.result(&html)?;
        return Ok(Exit::Clean);
    }
    let path = match &args.out {
        Some(path) => path.clone(),
        None => data_dir()?.join("reports").join(format!("{}.html", export.run.id)),
    };
    files::write_new(&path, &html)?;
    if ui.json {
        ui.json_result(&serde_json::json!({ "run": export.run.id, "file": path }))?;
    } else {
        ui.result(&path.display().to_string())?;
    }
    if args.open {
        open(&path)?;
    }
    Ok(Exit::Clean)
}

fn open(path: &Path) -> Result<(), CliError> {
    let found = OPENERS.iter().find_map(|(name, args)| trusted::which(name).map(|program| (program, *args)));
    let Some((program, args)) = found else {
        return Err(CliError::machine(format!(
            "there is no program to open it with (xdg-open, open); open {} in a browser yourself",
            path.display()
        )));
    };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let args: Vec<OsString> = args.iter().map(OsString::from).chain([path.into_os_string()]).collect();
    trusted::hand_over(&program, &args).map_err(|e| CliError::machine(e.to_string()))
}
