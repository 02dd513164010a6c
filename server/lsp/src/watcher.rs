//! A watch over files, for what the client does not tell of.
//!
//! Settings files lie outside of what clients watch; sources are watched here only for clients that
//! cannot. Folders that git ignores are not watched: `node_modules` alone would use up the machine's
//! watches.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;
use zeroerr_core::code::LanguageId;

use crate::state::Event;

/// More folders than these are not watched.
const MOST: usize = 8_192;

/// What is to be watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// Files, there or not yet.
    pub(crate) files: Vec<PathBuf>,
    /// Folders whose sources matter, with all below.
    pub(crate) folders: Vec<PathBuf>,
}

/// A running watch; dropping it ends it.
pub(crate) struct Watch {
    _watcher: RecommendedWatcher,
}

/// Begins a watch; each change becomes an event. Reads the folders, so it belongs into a worker.
///
/// # Errors
/// When the system gives no watch at all.
pub(crate) fn begin(watched: &Watched, events: UnboundedSender<Event>) -> notify::Result<Watch> {
    let files: HashSet<PathBuf> = watched.files.iter().cloned().collect();
    let sources = !watched.folders.is_empty();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let matters =
            |p: &PathBuf| files.contains(p) || (sources && (LanguageId::from_path(p).is_some() || p.is_dir()));
        let paths: Vec<PathBuf> = event.paths.into_iter().filter(matters).collect();
        if !paths.is_empty() {
            drop(events.send(Event::FilesChanged(paths)));
        }
    })?;
    let beside = watched.files.iter().filter_map(|f| f.parent()).map(Path::to_owned);
    let mut places: Vec<PathBuf> = beside.chain(watched.folders.iter().flat_map(|f| folders_below(f))).collect();
    places.sort();
    places.dedup();
    for place in places.into_iter().take(MOST).filter(|p| p.is_dir()) {
        if let Err(error) = watcher.watch(&place, RecursiveMode::NonRecursive) {
            tracing::info!("{} is not watched: {error}", place.display());
        }
    }
    Ok(Watch { _watcher: watcher })
}

fn folders_below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let all = WalkBuilder::new(folder).build().flatten();
    all.filter(|e| e.file_type().is_some_and(|t| t.is_dir())).map(ignore::DirEntry::into_path).take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test]
    async fn a_file_that_appears_or_changes_is_told_and_its_neighbours_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("src")).unwrap();
        let settings = root.join(".zeroerr.yaml");
        let (events, mut told) = unbounded_channel();
        let watched = Watched { files: vec![settings.clone()], folders: vec![root.join("src")] };
        let _watch = begin(&watched, events).unwrap();
        std::fs::write(root.join("other.txt"), "x").unwrap();
        std::fs::write(root.join("src/notes.md"), "x").unwrap();
        std::fs::write(&settings, "voting: {}").unwrap();
        std::fs::write(root.join("src/a.py"), "x = 1").unwrap();
        let mut seen = HashSet::new();
        while !(seen.contains(&settings) && seen.contains(&root.join("src/a.py"))) {
            let event = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.unwrap().unwrap();
            let Event::FilesChanged(paths) = event else { panic!("another event") };
            seen.extend(paths);
        }
        assert_eq!(seen.len(), 2, "{seen:?}");
    }
}
