//! Files that modules read beside themselves: a table in JSON, a template, a list of words.
//!
//! They are carried only where a module looks as if it reads some. Of a file that belongs to no project only what it
//! names itself is: what else lies in its folder is nobody's business.

use std::path::{Path, PathBuf};

use super::project::is_foreign;
use crate::languages::carried::data_below;

/// What a module says that reads files of its own.
const READS: [&str; 8] =
    ["__file__", "open(", "read_text", "read_bytes", "resources", "pkgutil", "get_data", "importlib.util"];
/// Endings of code.
const CODE: [&str; 3] = ["py", "pyi", "pyc"];

/// Data below the packages of the modules that read some; `is_loose` says that the modules belong to no project.
pub(super) fn beside<'m>(modules: impl Iterator<Item = (&'m Path, &'m str)>, is_loose: bool) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for (module, text) in modules.filter(|(_, text)| READS.iter().any(|word| text.contains(word))) {
        let Some(folder) = package(module) else { continue };
        if !is_loose && seen.contains(&folder) {
            continue;
        }
        let depth = if is_loose { 1 } else { 4 };
        let names = |path: &Path| path.file_name().and_then(|n| n.to_str()).is_some_and(|name| text.contains(name));
        let data = data_below(&folder, depth, is_foreign, |ending| CODE.contains(&ending));
        for path in data.into_iter().filter(|path| !is_loose || names(path)) {
            if !found.contains(&path) {
                found.push(path);
            }
        }
        seen.push(folder);
    }
    found
}

/// The outermost package that a module lies in, or its folder.
fn package(module: &Path) -> Option<PathBuf> {
    let folder = module.parent()?;
    let packages = folder.ancestors().take_while(|f| f.join("__init__.py").is_file());
    Some(packages.last().unwrap_or(folder).to_path_buf())
}
