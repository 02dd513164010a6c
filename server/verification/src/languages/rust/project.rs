//! A file without a `Cargo.toml`: compiled alone, with the modules that lie beside it.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::modules;
use crate::languages::{CheckError, Subject};

/// Most modules that are copied, and the largest in bytes.
const MAX_MODULES: usize = 200;
const MAX_FILE: u64 = 1 << 20;

/// Puts the file, with `text` in its place, and the modules that it declares into a scratch folder;
/// returns its name there.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn alone(subject: &Subject, text: &str, scratch: &Path) -> Result<PathBuf, CheckError> {
    let name = PathBuf::from(subject.task.file.file_name().unwrap_or("edited.rs".as_ref()));
    for (relative, source) in modules_beside(subject, text) {
        write(&scratch.join(relative), &source)?;
    }
    write(&scratch.join(&name), text)?;
    Ok(name)
}

/// A hash of the modules that the file is compiled with.
pub(super) fn surroundings_hash(subject: &Subject) -> String {
    let mut hasher = Sha256::new();
    for (relative, source) in modules_beside(subject, &subject.task.source) {
        hasher.update(relative.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(source);
        hasher.update([0]);
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The modules that a file declares, directly or not: where they lie beside it, and their texts.
fn modules_beside(subject: &Subject, text: &str) -> Vec<(PathBuf, String)> {
    let file = &subject.task.file;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut out = Vec::new();
    let mut seen = HashSet::from([file.clone()]);
    let mut open = vec![(file.clone(), text.to_owned(), true)];
    while let Some((at, source, is_root)) = open.pop() {
        for found in modules::declared(&source, &at, is_root) {
            let inside = found.file.starts_with(folder) && is_plain_file(&found.file);
            if !inside || seen.len() > MAX_MODULES || !seen.insert(found.file.clone()) {
                continue;
            }
            let Ok(source) = std::fs::read_to_string(&found.file) else { continue };
            if let Ok(relative) = found.file.strip_prefix(folder) {
                out.push((relative.to_path_buf(), source.clone()));
            }
            open.push((found.file, source, false));
        }
    }
    out
}

/// Whether it is a file of modest size itself, not a link to one.
fn is_plain_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_file() && m.len() <= MAX_FILE)
}

/// Writes a file and the folders above it.
///
/// # Errors
/// One sentence.
pub(super) fn write(path: &Path, text: &str) -> Result<(), CheckError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|e| CheckError(format!("cannot write {}: {e}; free some space or set TMPDIR", path.display())))
}

/// What the compiler is told of a file of its own: the edition that a new project has, and a name.
pub(super) fn flags(subject: &Subject) -> Vec<OsString> {
    ["--edition", "2024", "--crate-name"].map(OsString::from).into_iter().chain([crate_name(subject).into()]).collect()
}

/// The name of the crate that a file of its own is.
pub(super) fn crate_name(subject: &Subject) -> String {
    let stem = subject.task.file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("subject_{name}") };
    // A crate may not be called like one of the compiler's own.
    if matches!(name.as_str(), "std" | "core" | "alloc" | "test" | "main") { format!("{name}_file") } else { name }
}
