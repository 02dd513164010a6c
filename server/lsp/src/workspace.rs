//! The folders that the client has open, and the faults of specs in their files.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use ignore::WalkBuilder;
use lsp_types::*;
use ropey::Rope;
use zeroerr_core::code::LanguageId;
use zeroerr_engine::Workbench;

use crate::client::ClientProfile;
use crate::diagnostics;
use crate::document::Snapshot;
use crate::requests::diagnostic::result_id;
use crate::state::Reply;

/// Larger files are not read: nobody writes them by hand.
const LARGEST: u64 = 1024 * 1024;
/// More files than these are not read.
const MOST: usize = 50_000;

/// What is known of the client's folders.
#[derive(Default)]
pub(crate) struct Workspace {
    /// The folders.
    pub(crate) folders: Vec<Uri>,
    /// `workspace/diagnostic` requests that wait for news.
    pub(crate) questions: Vec<Question>,
    /// Whether a worker reads the folders now.
    pub(crate) searching: bool,
    /// Whether it has to again when it is back.
    pub(crate) again: bool,
    /// Whether a search will begin when changes pause.
    pub(crate) due: bool,
    /// Whether any question was answered yet.
    pub(crate) answered: bool,
    /// What was found in files that have not changed since.
    pub(crate) known: Arc<Mutex<Known>>,
}

/// A `workspace/diagnostic` request.
pub(crate) struct Question {
    pub(crate) params: WorkspaceDiagnosticParams,
    pub(crate) reply: Reply<WorkspaceDiagnosticReportResult>,
    /// The display of progress that has to end.
    pub(crate) progress: Option<ProgressToken>,
}

/// Faults by file, with what tells whether the file has changed.
pub(crate) type Known = HashMap<PathBuf, (Stamp, Option<Arc<FileFaults>>)>;

/// What changes when a file does.
type Stamp = (Option<SystemTime>, u64);

/// The faults of a file's specs.
#[derive(Debug)]
pub(crate) struct FileFaults {
    pub(crate) uri: Uri,
    pub(crate) result_id: String,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Workspace {
    /// The folders of `initialize`.
    pub(crate) fn opened(&mut self, params: &InitializeParams) {
        #[expect(deprecated, reason = "older clients say their root in no other way")]
        let root = params.root_uri.clone();
        let folders = params.workspace_folders.iter().flatten().map(|f| f.uri.clone());
        self.folders = folders.collect();
        if self.folders.is_empty() {
            self.folders.extend(root);
        }
    }

    /// Folders came and went.
    pub(crate) fn changed(&mut self, event: &WorkspaceFoldersChangeEvent) {
        self.folders.retain(|f| !event.removed.iter().any(|r| r.uri == *f));
        for added in &event.added {
            if !self.folders.contains(&added.uri) {
                self.folders.push(added.uri.clone());
            }
        }
    }

    /// The folders that lie on a disk.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.folders.iter().filter_map(|u| u.to_file_path().map(|p| p.into_owned())).collect()
    }
}

/// What a worker needs.
pub(crate) struct Search {
    pub(crate) folders: Vec<PathBuf>,
    /// Files that are open: their text is the editor's.
    pub(crate) open: HashSet<PathBuf>,
    pub(crate) profile: ClientProfile,
    pub(crate) workbench: Arc<dyn Workbench>,
    pub(crate) known: Arc<Mutex<Known>>,
}

/// Reads the files of the folders, those that have changed since the last time, and gives those
/// whose specs have faults. What git ignores is left out.
pub(crate) fn search(wanted: &Search) -> Vec<Arc<FileFaults>> {
    let mut known = wanted.known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut now = Known::new();
    for folder in &wanted.folders {
        let mut walk = WalkBuilder::new(folder);
        // What npm installed is nobody's to mend, even where no .gitignore says so.
        walk.filter_entry(|e| e.depth() == 0 || e.file_name() != "node_modules");
        let files = walk.build().flatten().filter(|e| e.file_type().is_some_and(|t| t.is_file()));
        for entry in files.take(MOST) {
            let path = entry.path();
            if LanguageId::from_path(path).is_none() || wanted.open.contains(path) || now.contains_key(path) {
                continue;
            }
            let Ok(meta) = entry.metadata() else { continue };
            let stamp = (meta.modified().ok(), meta.len());
            let faults = match known.remove(path) {
                Some((then, faults)) if then == stamp => faults,
                _ if meta.len() > LARGEST => None,
                _ => faults_of(wanted, path),
            };
            now.insert(path.to_owned(), (stamp, faults));
        }
    }
    let mut found: Vec<_> = now.values().filter_map(|(_, faults)| faults.clone()).collect();
    *known = now;
    found.sort_by(|a, b| a.uri.as_str().cmp(b.uri.as_str()));
    found
}

fn faults_of(wanted: &Search, path: &Path) -> Option<Arc<FileFaults>> {
    let text = std::fs::read_to_string(path).ok()?;
    let uri = Uri::from_file_path(path)?;
    let text: Arc<str> = Arc::from(text);
    let analysis = wanted.workbench.analyse(path, &text);
    if analysis.diagnostics.is_empty() {
        return None;
    }
    let snapshot = Snapshot::new((0, 0), Rope::from_str(&text), text, analysis);
    let fault = |f| diagnostics::of_spec(&uri, &snapshot, &wanted.profile, f);
    let diagnostics: Vec<_> = snapshot.analysis.diagnostics.iter().map(fault).collect();
    Some(Arc::new(FileFaults { result_id: result_id(&diagnostics), uri, diagnostics }))
}
