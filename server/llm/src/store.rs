//! The model files on this machine: `<data>/models/<name>.gguf`, listed in `manifest.json`.
//!
//! A file that the manifest names is complete and had the recorded SHA-256 when it was put there.
//! Everything else (partial downloads, rewritten copies) lies in `.work/` and may be deleted.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::source::{Source, SourceError};

/// Why a model could not be fetched, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The source text is wrong.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The name cannot be a file name.
    #[error("`{0}` cannot be a model's name: use letters, digits, `.`, `-` and `_`")]
    BadName(String),
    /// Nothing of this name is here.
    #[error("there is no model `{name}` in {place}; fetch it with `zeroerr models pull {name}`")]
    NotHere {
        /// The model.
        name: String,
        /// The store's folder.
        place: PathBuf,
    },
    /// The source has no such file.
    #[error("{source_text} does not exist ({detail}); check owner, repository, revision and file name")]
    NoSuchSource {
        /// The source.
        source_text: String,
        /// What the other side said.
        detail: String,
    },
    /// The source wants to know who asks.
    #[error("{0} may not be read without a token; accept its licence on the hub and set HF_TOKEN")]
    Forbidden(String),
    /// The network or the other side failed; what came is kept and the next pull goes on from there.
    #[error("fetching {source_text} failed: {detail}; run the same command again, it continues where it stopped")]
    Network {
        /// The source.
        source_text: String,
        /// What happened.
        detail: String,
    },
    /// The file is not the one that was asked for.
    #[error(
        "{source_text} has the wrong SHA-256: expected {expected}, got {actual}; the file was not kept: pull again, or mend the sum in the configuration if the model was meant to change"
    )]
    Checksum {
        /// The source.
        source_text: String,
        /// What was expected.
        expected: String,
        /// What came.
        actual: String,
    },
    /// Python or pip is missing, or pip failed.
    #[error("pip could not fetch {source_text}: {detail}")]
    Pip {
        /// The source.
        source_text: String,
        /// The last lines of pip.
        detail: String,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The manifest is damaged.
    #[error("{path} is damaged ({detail}); delete it and pull the models again")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Where it is damaged.
        detail: String,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        move |error| StoreError::Io { action, path, error }
    }
}

/// One model of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub source: Source,
    /// SHA-256 of its file, lower-case hex.
    pub sha256: String,
    /// Size of its file in bytes.
    pub size: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Manifest {
    models: Vec<Entry>,
}

/// The store; cheap to make, holds no file open.
#[derive(Debug, Clone)]
pub struct ModelStore {
    root: PathBuf,
}

impl ModelStore {
    /// The store below a data folder; nothing is created before the first pull.
    pub fn new(data_dir: &Path) -> Self {
        Self { root: data_dir.join("models") }
    }

    /// The folder of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every model, by name.
    ///
    /// # Errors
    /// A damaged or unreadable manifest.
    pub fn list(&self) -> Result<Vec<Entry>, StoreError> {
        let mut models = self.manifest()?.models;
        models.retain(|m| self.file_of(&m.name).is_file());
        models.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(models)
    }

    /// One model by name.
    ///
    /// # Errors
    /// [`StoreError::NotHere`] with the command that fetches it.
    pub fn get(&self, name: &str) -> Result<Entry, StoreError> {
        let here = self.list()?.into_iter().find(|m| m.name == name);
        here.ok_or_else(|| StoreError::NotHere { name: name.to_owned(), place: self.root.clone() })
    }

    /// The file of a model that is in the store.
    ///
    /// # Errors
    /// [`StoreError::NotHere`] with the command that fetches it.
    pub fn path_of(&self, name: &str) -> Result<PathBuf, StoreError> {
        self.get(name).map(|_| self.file_of(name))
    }

    /// Removes a model, its partial download and everything derived from it. Returns the bytes freed.
    ///
    /// # Errors
    /// [`StoreError::NotHere`] when there is nothing of that name; file system errors.
    pub fn remove(&self, name: &str) -> Result<u64, StoreError> {
        check_name(name)?;
        let mut freed = 0;
        let mut forget = |path: &Path| -> Result<(), StoreError> {
            match fs::metadata(path) {
                Ok(meta) => freed += meta.len(),
                Err(_) => return Ok(()),
            }
            fs::remove_file(path).map_err(StoreError::io("remove", path))
        };
        forget(&self.file_of(name))?;
        for entry in fs::read_dir(self.work()).into_iter().flatten().flatten() {
            let belongs = entry
                .file_name()
                .to_str()
                .is_some_and(|f| f.strip_prefix(name).is_some_and(|rest| rest.starts_with("..")));
            if belongs {
                forget(&entry.path())?;
            }
        }
        let known = self.update(|models| {
            let before = models.len();
            models.retain(|m| m.name != name);
            before != models.len()
        })?;
        if !known && freed == 0 {
            return Err(StoreError::NotHere { name: name.to_owned(), place: self.root.clone() });
        }
        Ok(freed)
    }

    /// Where a finished model lies.
    pub(crate) fn file_of(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.gguf"))
    }

    /// A working file of a model: `<name>..<kind>`; two dots, so that no model's name contains it.
    pub fn work_file(&self, name: &str, kind: &str) -> PathBuf {
        self.work().join(format!("{name}..{kind}"))
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join(".work")
    }

    pub(crate) fn record(&self, entry: Entry) -> Result<(), StoreError> {
        self.update(|models| {
            models.retain(|m| m.name != entry.name);
            models.push(entry);
        })
    }

    fn manifest_path(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    fn manifest(&self) -> Result<Manifest, StoreError> {
        let path = self.manifest_path();
        match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|e| StoreError::Manifest { path, detail: e.to_string() })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Manifest::default()),
            Err(e) => Err(StoreError::io("read", &path)(e)),
        }
    }

    /// Changes the manifest under a lock shared by all processes, and replaces it in one step.
    fn update<T>(&self, change: impl FnOnce(&mut Vec<Entry>) -> T) -> Result<T, StoreError> {
        let work = self.work();
        fs::create_dir_all(&work).map_err(StoreError::io("create", &work))?;
        let lock_path = work.join("manifest.lock");
        let lock = File::create(&lock_path).map_err(StoreError::io("create", &lock_path))?;
        lock.lock().map_err(StoreError::io("lock", &lock_path))?;
        let mut manifest = self.manifest()?;
        let out = change(&mut manifest.models);
        let path = self.manifest_path();
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|e| StoreError::Manifest { path: path.clone(), detail: e.to_string() })?;
        let mut temporary =
            tempfile::NamedTempFile::new_in(&work).map_err(StoreError::io("create a file in", &work))?;
        temporary
            .write_all(&text)
            .and_then(|()| temporary.as_file().sync_all())
            .map_err(StoreError::io("write", &path))?;
        temporary.persist(&path).map_err(|e| StoreError::io("write", &path)(e.error))?;
        Ok(out)
    }
}

/// A model's name becomes a file name: letters, digits, `.`, `-`, `_`, none of them doubled dots.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let fine = !name.is_empty()
        && name.len() <= 128
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    if fine { Ok(()) } else { Err(StoreError::BadName(name.to_owned())) }
}

/// SHA-256 of a file, lower-case hex.
///
/// # Errors
/// File system errors.
pub fn sha256_of(path: &Path) -> Result<String, StoreError> {
    let mut hasher = Hasher::default();
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer).map_err(StoreError::io("read", path))?;
        if n == 0 {
            return Ok(hasher.hex());
        }
        hasher.add(&buffer[..n]);
    }
}

/// A running SHA-256.
#[derive(Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    pub(crate) fn hex(self) -> String {
        self.0.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry { name: name.into(), source: "file:/tmp/x.gguf".parse().unwrap(), sha256: "00".into(), size: 1 }
    }

    #[test]
    fn a_model_is_listed_only_while_its_file_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let store = ModelStore::new(dir.path());
        assert_eq!(store.list().unwrap(), [], "a store that does not exist is empty, not an error");
        store.record(entry("a")).unwrap();
        assert_eq!(store.list().unwrap(), []);
        fs::write(store.file_of("a"), "x").unwrap();
        assert_eq!(store.list().unwrap(), [entry("a")]);
        assert!(store.path_of("b").unwrap_err().to_string().contains("zeroerr models pull b"));
    }

    #[test]
    fn removing_takes_the_file_and_what_was_made_of_it_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = ModelStore::new(dir.path());
        for name in ["a", "a-b"] {
            store.record(entry(name)).unwrap();
            fs::write(store.file_of(name), "12345").unwrap();
            fs::write(store.work_file(name, "part"), "123").unwrap();
        }
        assert_eq!(store.remove("a").unwrap(), 8);
        assert_eq!(store.list().unwrap(), [entry("a-b")]);
        assert!(store.work_file("a-b", "part").exists());
        assert!(matches!(store.remove("a"), Err(StoreError::NotHere { .. })));
        assert!(matches!(store.remove("../../etc/passwd"), Err(StoreError::BadName(_))));
    }

    #[test]
    fn a_damaged_manifest_is_named_with_the_remedy() {
        let dir = tempfile::tempdir().unwrap();
        let store = ModelStore::new(dir.path());
        fs::create_dir_all(store.root()).unwrap();
        fs::write(store.manifest_path(), "{\"models\": [").unwrap();
        let error = store.list().unwrap_err().to_string();
        assert!(error.contains("manifest.json is damaged") && error.contains("delete it"), "{error}");
    }

    #[test]
    fn manifests_written_at_once_keep_every_entry() {
        let dir = tempfile::tempdir().unwrap();
        let store = ModelStore::new(dir.path());
        std::thread::scope(|scope| {
            for i in 0..8 {
                let store = store.clone();
                scope.spawn(move || store.record(entry(&format!("m{i}"))).unwrap());
            }
        });
        assert_eq!(store.manifest().unwrap().models.len(), 8);
    }
}
