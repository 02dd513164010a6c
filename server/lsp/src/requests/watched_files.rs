//! `workspace/didChangeWatchedFiles`, and the same from our own watch.

use std::path::PathBuf;

use lsp_types::*;

use super::{configuration, workspace_diagnostic};
use crate::state::{Event, State};
use crate::watcher::{self, Watched};

/// The files that specs live in.
const SOURCES: &str = "**/*.{py,pyi,rs,ts,tsx,js,jsx,mts,cts,mjs,cjs}";
const REGISTRATION: &str = "zeroerr-sources";

/// Begins to watch what matters to this client, or begins anew when its folders are others.
pub(crate) fn watch(state: &mut State) {
    // Only `workspace/diagnostic` looks at files that are not open.
    let sources = state.profile.diagnostics.pulled;
    if sources && state.profile.watches_files && !std::mem::replace(&mut state.registered_files, true) {
        let watchers = vec![FileSystemWatcher { glob_pattern: GlobPattern::String(SOURCES.to_owned()), kind: None }];
        let options = DidChangeWatchedFilesRegistrationOptions { watchers };
        let registration = Registration {
            id: REGISTRATION.into(),
            method: "workspace/didChangeWatchedFiles".into(),
            register_options: serde_json::to_value(options).ok(),
        };
        state
            .outbox
            .request::<request::RegisterCapability>(RegistrationParams { registrations: vec![registration] }, |_| None);
    }
    let own = if sources && !state.profile.watches_files { state.workspace.paths() } else { Vec::new() };
    let watched = Watched { files: state.options.settings_files.clone(), folders: own };
    if watched.files.is_empty() && watched.folders.is_empty() {
        return;
    }
    let events = state.events.clone();
    tokio::task::spawn_blocking(move || match watcher::begin(&watched, events.clone()) {
        Ok(watch) => drop(events.send(Event::Watching(watch))),
        Err(error) => tracing::warn!("files cannot be watched: {error}"),
    });
}

/// The client's news.
pub(crate) fn told(state: &mut State, params: DidChangeWatchedFilesParams) {
    let path = |e: FileEvent| e.uri.to_file_path().map(|p| p.into_owned());
    changed(state, &params.changes.into_iter().filter_map(path).collect::<Vec<_>>());
}

/// Files are others now.
pub(crate) fn changed(state: &mut State, paths: &[PathBuf]) {
    if paths.iter().any(|p| state.options.settings_files.contains(p)) {
        configuration::reload(state);
    }
    if paths.iter().any(|p| !state.options.settings_files.contains(p)) {
        workspace_diagnostic::changed(state);
    }
}
