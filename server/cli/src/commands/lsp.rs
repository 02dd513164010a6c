//! `zeroerr lsp`: the language server on standard input and output.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroerr_lsp::{ServerOptions, serve};
use zeroerr_settings::paths::PROJECT_FILE;
use zeroerr_settings::{Llm, Sources, load};

use crate::args::{Global, LspArgs};
use crate::commands::{in_background, runtime};
use crate::compose::{Composed, run_options};
use crate::context::{Context, complain};
use crate::exit::{CliError, Exit};

/// Serves one client until it goes.
///
/// # Errors
/// No data folder, or no threads.
pub fn main(global: &Global, _: &LspArgs) -> Result<Exit, CliError> {
    let (context, error) = Context::for_server(global, Path::new("."))?;
    if let Some(error) = error {
        // The editor's user hears of it too: `on_settings` reads the same files.
        complain(&format!("{error}; the built-in settings are used until this is mended"));
        tracing::error!(error, "settings cannot be used");
    }
    let (runtime, runs) = (runtime()?, in_background()?);
    let code = runtime.block_on(async {
        let on_event = Arc::new(|event| tracing::info!(?event, "model pool"));
        let composed = {
            let _on = runs.enter();
            Composed::new(&context.loaded.settings, &context.data_dir, on_event)?
        };
        let mut options = ServerOptions::new(composed.workbench.clone());
        options.runs_on = Some(runs.handle().clone());
        options.apply_patience = Duration::from_secs(context.loaded.settings.lsp.apply_patience_seconds);
        options.reports = Some(context.data_dir.join("reports"));
        options.settings_files = settings_files(&context.sources);
        options.confirm_edits.store(context.loaded.settings.lsp.confirm_edits, Ordering::Relaxed);
        let confirm = options.confirm_edits.clone();
        options.on_settings =
            on_settings(composed, context.sources.clone(), context.loaded.settings.llm.clone(), confirm);
        Ok::<_, CliError>(serve(tokio::io::stdin(), tokio::io::stdout(), options).await.code())
    })?;
    // Neither a read of standard input nor the loading of a model can be interrupted, and a runtime
    // that is dropped waits for both: the editor is gone, and so are we.
    runs.shutdown_background();
    runtime.shutdown_background();
    // What is still buffered of the log is written now: leaving like this drops nothing.
    drop(context);
    std::process::exit(i32::from(code))
}

/// The files whose changes count at once: the user's and the project's, there or not yet.
fn settings_files(sources: &Sources) -> Vec<PathBuf> {
    let here = || std::path::absolute(PROJECT_FILE).ok();
    let project = sources.project_file.clone().and_then(|p| std::path::absolute(p).ok()).or_else(here);
    sources.config.iter().chain(&sources.user_file).cloned().chain(project).collect()
}

/// Reads all layers again with what the editor sent. Runs that begin later obey.
fn on_settings(composed: Composed, sources: Sources, llm: Llm, confirm: Arc<AtomicBool>) -> zeroerr_lsp::OnSettings {
    let composed = Arc::new(composed);
    Box::new(move |editor| {
        // A project's file may have come into being since the start.
        let project_file = sources.project_file.clone().or_else(|| Some(PathBuf::from(PROJECT_FILE)));
        let sources = Sources { editor: Some(editor), project_file, ..sources.clone() };
        let loaded = load(&sources).map_err(|e| e.to_string())?;
        confirm.store(loaded.settings.lsp.confirm_edits, Ordering::Relaxed);
        composed.workbench.set_options(run_options(&loaded.settings).map_err(|e| e.message)?);
        if loaded.settings.llm.backend == llm.backend && loaded.settings.llm.models == llm.models {
            Ok(())
        } else {
            Err("another backend or model was chosen; restart the server to use it".to_owned())
        }
    })
}
