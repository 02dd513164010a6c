//! What a user sees of settings: which layer wins, and what is said about a mistake.

mod errors;
mod fresh;
mod layers;

use crate::{Loaded, Sources, load};

/// Sources with one user file of this text, kept alive by the folder.
fn user(text: &str) -> (tempfile::TempDir, Sources) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    (dir, Sources { user_file: Some(path), ..Sources::default() })
}

/// Adds a project file.
fn with_project(dir: &tempfile::TempDir, mut sources: Sources, text: &str) -> Sources {
    let path = dir.path().join(".zeroerr.yaml");
    std::fs::write(&path, text).unwrap();
    sources.project_file = Some(path);
    sources
}

fn good(sources: &Sources) -> Loaded {
    load(sources).unwrap_or_else(|e| panic!("{e}"))
}

/// The error, with the temporary folder cut out.
fn bad(dir: &tempfile::TempDir, sources: &Sources) -> String {
    let text = load(sources).err().map_or_else(|| "no error".into(), |e| e.to_string());
    text.replace(&format!("{}/", dir.path().display()), "")
}
