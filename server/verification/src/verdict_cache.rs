//! Verdicts that are remembered, in memory and, where the caller says so, on disk from one process to the next.
//!
//! A key is a hash of everything that can change a verdict; what cannot be named is not remembered. On disk
//! a verdict is one file, written in one step under a name that is its key, so a process that is killed
//! leaves whole verdicts or none, and a killed `zeroerr verify` goes on where it was. What cannot be
//! read or belongs to another key is a verdict that is not known.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::layers::TOO_LONG;

/// Verdicts that are kept in memory.
const IN_MEMORY: usize = 4096;
/// Verdicts that are kept on disk, some 2 KiB each; when there are more, the oldest go until half are left.
const ON_DISK: usize = 20_000;
/// How many are written between two looks at how many there are.
const BETWEEN_LOOKS: usize = 500;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct VerdictCache {
    known: DashMap<String, LayerReport>,
    folder: Option<PathBuf>,
    written: AtomicUsize,
}

/// A file of the cache.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    key: String,
    report: LayerReport,
}

impl VerdictCache {
    /// One that also keeps verdicts in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let cache = Self { folder: Some(folder.to_path_buf()), ..Self::default() };
        cache.prune(ON_DISK);
        cache
    }

    /// The verdict under a key.
    pub(crate) fn get(&self, key: &str) -> Option<LayerReport> {
        if let Some(known) = self.known.get(key) {
            return Some(known.clone());
        }
        let path = self.path(key)?;
        let stored: Stored = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        if stored.key != key || !may_be_kept(&stored.report) {
            return None;
        }
        // Used again: not among the oldest any more.
        if let Ok(file) = std::fs::File::open(&path) {
            let _ = file.set_modified(SystemTime::now());
        }
        self.known.insert(key.to_owned(), stored.report.clone());
        Some(stored.report)
    }

    /// Remembers a verdict, if it is one that asking again would give again.
    pub(crate) fn put(&self, key: String, report: &LayerReport) {
        if !may_be_kept(report) {
            return;
        }
        if self.known.len() >= IN_MEMORY {
            self.known.clear();
        }
        self.known.insert(key.clone(), report.clone());
        if let Some(path) = self.path(&key) {
            // A disk that is full or read-only costs time, never a verdict.
            if let Err(error) = write(&path, &Stored { key, report: report.clone() }) {
                tracing::debug!(%error, path = %path.display(), "a verdict is not kept");
            }
            if self.written.fetch_add(1, Ordering::Relaxed) % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
                self.prune(ON_DISK);
            }
        }
    }

    /// `<folder>/ab/abcdef….json`.
    fn path(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(key.get(..2)?).join(format!("{key}.json")))
    }

    /// Takes the oldest away when there are more than `most`.
    fn prune(&self, most: usize) {
        let Some(folder) = &self.folder else { return };
        let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<(SystemTime, PathBuf)> = entries(folder)
            .flat_map(|shard| entries(&shard.path()))
            .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
            .collect();
        if files.len() <= most {
            return;
        }
        files.sort();
        for (_, path) in files.iter().take(files.len() - most / 2) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether asking again gives the same: a tool that was missing may be there next time, and a measurement that
/// failed, or a call that took too long, may have been disturbed.
fn may_be_kept(report: &LayerReport) -> bool {
    match report.verdict {
        Verdict::Passed => true,
        Verdict::Failed => {
            let was_late = |f: &Finding| f.message.contains(TOO_LONG);
            report.layer != Layer::Performance && !report.findings.iter().any(was_late)
        }
        Verdict::NotApplicable | Verdict::Unavailable | Verdict::TimedOut => false,
    }
}

fn write(path: &Path, stored: &Stored) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, &serde_json::to_vec(stored)?)?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A hash of parts, each told apart from the next.
pub(crate) fn key_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Names this build: another one may judge otherwise.
pub(crate) fn build() -> String {
    let program = std::env::current_exe().and_then(|path| path.metadata());
    let stamp = program.map(|m| format!("{} {:?}", m.len(), m.modified().ok())).unwrap_or_default();
    format!("{} {stamp}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(layer: Layer, verdict: Verdict) -> LayerReport {
        LayerReport::new(layer, verdict, "said")
    }

    #[test]
    fn a_verdict_outlives_its_process_and_a_torn_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let key = key_of(["a", "b"]);
        VerdictCache::in_folder(folder.path()).put(key.clone(), &report(Layer::Tests, Verdict::Failed));
        let next = VerdictCache::in_folder(folder.path());
        assert_eq!(next.get(&key), Some(report(Layer::Tests, Verdict::Failed)));
        assert_eq!(next.get(&key_of(["ab"])), None);
        let path = next.path(&key).unwrap();
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert_eq!(VerdictCache::in_folder(folder.path()).get(&key), None, "half a file");
        // One that was copied to where another belongs says nothing of that.
        let other = next.path(&key_of(["c"])).unwrap();
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        std::fs::write(&other, &text).unwrap();
        assert_eq!(VerdictCache::in_folder(folder.path()).get(&key_of(["c"])), None);
    }

    #[test]
    fn what_may_be_otherwise_next_time_is_not_kept() {
        let cache = VerdictCache::default();
        for (layer, verdict) in [
            (Layer::Types, Verdict::Unavailable),
            (Layer::Types, Verdict::TimedOut),
            (Layer::Performance, Verdict::Failed),
        ] {
            cache.put("k".into(), &report(layer, verdict.clone()));
            assert_eq!(cache.get("k"), None, "{layer} {}", verdict.name());
        }
        let finding = Finding {
            code: "tests.project".into(),
            message: format!("f(1) {TOO_LONG}"),
            line: 1,
            counterexample: None,
            spec_line: None,
            url: None,
        };
        let late = LayerReport { findings: vec![finding], ..report(Layer::Tests, Verdict::Failed) };
        cache.put("k".into(), &late);
        assert_eq!(cache.get("k"), None, "a call that took too long");
    }

    #[test]
    fn the_oldest_go_first_and_what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = VerdictCache::in_folder(folder.path());
        let keys: Vec<String> = (0..6).map(|i| key_of([i.to_string().as_str()])).collect();
        for (age, key) in keys.iter().enumerate() {
            cache.put(key.clone(), &report(Layer::Types, Verdict::Passed));
            let file = std::fs::File::open(cache.path(key).unwrap()).unwrap();
            let hours = std::time::Duration::from_secs(3600 * (10 - age as u64));
            file.set_modified(SystemTime::now() - hours).unwrap();
        }
        let fresh = VerdictCache::in_folder(folder.path());
        assert!(fresh.get(&keys[0]).is_some(), "the oldest is used again");
        fresh.prune(5);
        let left: Vec<bool> = keys.iter().map(|k| VerdictCache::in_folder(folder.path()).get(k).is_some()).collect();
        assert_eq!(left, [true, false, false, false, false, true], "half of five is left");
    }
}
