//! What was found out about a task's recorded samples, kept in a folder: the next replay starts where
//! this one ended, and one that was cancelled goes on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroerr_verification::languages::Observation;

/// Everything about one task that takes a sandbox to find out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Per candidate, gate and behaviour.
    pub seen: Vec<Observation>,
    /// Per candidate, the hidden test.
    pub right: Vec<bool>,
    /// The reference solution; `None` when it cannot be run or does not pass the hidden test.
    pub reference: Option<Observation>,
    /// What the layers say, by candidate.
    pub stack: BTreeMap<usize, StackWord>,
}

impl Known {
    /// The candidates that pass the examples and can vote.
    pub fn may_vote(&self) -> Vec<usize> {
        let may_vote = |seen: &Observation| seen.objection.is_none() && seen.behaviour.is_some();
        self.seen.iter().enumerate().filter(|(_, seen)| may_vote(seen)).map(|(n, _)| n).collect()
    }
}

/// What the layers say of one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackWord {
    /// The layer that refuses it.
    pub refused_by: Option<String>,
    /// Layers that could not be asked, and what is missing.
    pub not_checked: Vec<String>,
}

/// A folder of what is known; without one nothing is kept.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// A cache in this folder, which is made when needed.
    ///
    /// # Errors
    /// One sentence when it cannot be made.
    pub fn new(folder: Option<&Path>) -> Result<Self, String> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder).map_err(|e| format!("cannot make the cache {}: {e}", folder.display()))?;
        }
        Ok(Self { folder: folder.map(Path::to_owned) })
    }

    /// What is known under a key; what cannot be read counts as unknown.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let text = std::fs::read(self.file(key)?).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps it. A file is whole or absent, whatever interrupts the writing.
    ///
    /// # Errors
    /// One sentence when it cannot be written.
    pub fn put<T: Serialize>(&self, key: &str, known: &T) -> Result<(), String> {
        let Some(file) = self.file(key) else { return Ok(()) };
        let refused = |e: std::io::Error| format!("cannot write the cache {}: {e}", file.display());
        let text = serde_json::to_vec(known).map_err(|e| format!("internal error: {e}"))?;
        let part = file.with_extension("part");
        std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &file)).map_err(refused)
    }

    fn file(&self, key: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{key}.json")))
    }
}

/// A key over everything that could change what is found out.
pub fn key(parts: &[String]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}
