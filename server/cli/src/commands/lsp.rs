//! `zeroerr lsp`: the language server on standard input and output.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use zeroerr_lsp::{ServerOptions, serve};
use zeroerr_settings::{Llm, Sources, load};

use crate::args::{Global, LspArgs};
use crate::commands::runtime;
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
    let (runtime, runs) = (runtime()?, runtime()?);
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
        options.on_settings = on_settings(composed, context.sources.clone(), context.loaded.settings.llm.clone());
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

/// Reads all layers again with what the editor sent. Runs that begin later obey.
fn on_settings(composed: Composed, sources: Sources, llm: Llm) -> zeroerr_lsp::OnSettings {
    let composed = Arc::new(composed);
    Box::new(move |editor| {
        let sources = Sources { editor: Some(editor), ..sources.clone() };
        let loaded = load(&sources).map_err(|e| e.to_string())?;
        composed.workbench.set_options(run_options(&loaded.settings).map_err(|e| e.message)?);
        if loaded.settings.llm.backend == llm.backend && loaded.settings.llm.models == llm.models {
            Ok(())
        } else {
            Err("another backend or model was chosen; restart the server to use it".to_owned())
        }
    })
}
