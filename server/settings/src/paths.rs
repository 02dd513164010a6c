//! Where configuration and data of a user live.

use std::path::{Component, Path, PathBuf};

/// Folder of models, tools, journal and logs: `ZEROERR_HOME`, else the platform's data folder.
///
/// `None` when neither exists (no home folder).
pub fn data_dir() -> Option<PathBuf> {
    if let Some(home) = std::env::var_os("ZEROERR_HOME").filter(|h| !h.is_empty()) {
        return Some(absolute(PathBuf::from(home)));
    }
    directories::ProjectDirs::from("", "", "zeroerr").map(|dirs| dirs.data_dir().to_path_buf())
}

/// The user's own settings: `$XDG_CONFIG_HOME/zeroerr/config.yaml`, or the platform's equivalent.
pub fn user_file() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "zeroerr").map(|dirs| dirs.config_dir().join("config.yaml"))
}

/// Name of a project's settings file.
pub const PROJECT_FILE: &str = ".zeroerr.yaml";

/// The nearest [`PROJECT_FILE`] in `start` or a folder above it, not above the folder that holds
/// `.git`: a file further up belongs to somebody else.
pub fn project_file(start: &Path) -> Option<PathBuf> {
    let start = absolute(start.to_path_buf());
    for folder in start.ancestors() {
        let candidate = folder.join(PROJECT_FILE);
        if candidate.is_file() {
            return Some(candidate);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// A path from the root, without `..`: what lies above `/a/../b` is not `/a`. Links stay, but for those of folders that a
/// `..` comes after.
pub fn absolute(path: PathBuf) -> PathBuf {
    let path = std::path::absolute(&path).unwrap_or(path);
    if path.components().all(|c| c != Component::ParentDir) {
        return path;
    }
    let (folder, name) = (path.parent().and_then(|p| p.canonicalize().ok()), path.file_name());
    match (folder, name) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.canonicalize().unwrap_or(path),
    }
}
