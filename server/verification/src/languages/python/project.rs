//! The part of a project that a tool needs to judge one file, copied into a scratch folder.
//!
//! Tools never see the user's tree: they get the edited file under its own name and relative
//! place, the configuration files above it, and the project's modules that it imports, directly or
//! not. The copy is bounded; what lies beyond the bound is an unresolved import, as it would be in
//! a file of its own.

use std::collections::{HashSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::extends::{extended, plain, ups, way};
use super::place::{folders_above, imports};
use super::{data, metadata};
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// Files that configure a tool.
const CONFIGS: &[&str] = &[
    "pyproject.toml",
    "ruff.toml",
    ".ruff.toml",
    "setup.cfg",
    "mypy.ini",
    ".mypy.ini",
    "ty.toml",
    ".bandit",
    "tox.ini",
];
/// Largest configuration or module that is copied, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Most modules that are copied.
const MAX_MODULES: usize = 400;
/// Folders that are nobody's project, whatever lies around them.
const NOBODYS: [&str; 3] = ["node_modules", "site-packages", "__pycache__"];
/// Folders that are nobody's project, unless they are packages of it.
const MOSTLY_NOBODYS: [&str; 4] = ["venv", "env", "build", "dist"];

/// What is copied beside the file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Configuration files.
    Configs,
    /// Configuration files and the modules it imports.
    Imports,
    /// The modules it imports, without any configuration.
    ImportsOnly,
}

/// A copy of the part of a project that matters for one file.
#[derive(Debug)]
pub struct Mirror {
    scratch: tempfile::TempDir,
    /// The edited file.
    pub file: PathBuf,
    /// The folder that stands for the project's root.
    pub root: PathBuf,
    /// Configuration files that were copied, nearest first.
    pub configs: Vec<PathBuf>,
}

impl Mirror {
    /// Copies what `extent` says, with `text` in the place of the subject's file.
    ///
    /// # Errors
    /// One sentence when the scratch folder cannot be written.
    pub fn make(tools: &Toolchain, subject: &Subject, text: &str, extent: Extent) -> Result<Self, CheckError> {
        let scratch = tools.scratch()?;
        let around = surroundings(subject, text, extent);
        // What lies above the project lies above its copy too, and still in the scratch folder.
        let up = around.iter().map(|(_, relative)| ups(relative)).max().unwrap_or(0);
        let root =
            std::iter::repeat_n("above", up).fold(scratch.path().to_path_buf(), |at, f| at.join(f)).join("project");
        let file = root.join(relative_file(subject));
        let mut mirror = Self { scratch, file: file.clone(), root, configs: Vec::new() };
        for (from, relative) in around {
            let to = plain(&mirror.root.join(&relative));
            copy(&from, &to)?;
            if is_config(&to) && ups(&relative) == 0 {
                mirror.configs.push(to);
            }
        }
        write(&file, text.as_bytes())?;
        if extent == Extent::ImportsOnly {
            metadata::install(subject, &mirror.root).map_err(|e| unwritable(&mirror.root, &e))?;
        }
        Ok(mirror)
    }

    /// The scratch folder; a job may write here.
    pub fn scratch(&self) -> PathBuf {
        self.scratch.path().to_path_buf()
    }

    /// The nearest of the copied configuration files that has this name and holds this text.
    pub fn config_with(&self, name: &str, text: &str) -> Option<&Path> {
        let holds = |p: &&PathBuf| p.ends_with(name) && std::fs::read_to_string(p).is_ok_and(|t| t.contains(text));
        self.configs.iter().find(holds).map(PathBuf::as_path)
    }
}

/// A hash of everything around the file that [`Mirror::make`] would copy, for the verdict cache.
pub fn surroundings_hash(subject: &Subject) -> String {
    let mut hasher = Sha256::new();
    for (from, relative) in surroundings(subject, &subject.task.source, Extent::Imports) {
        hasher.update(relative.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(std::fs::read(&from).unwrap_or_default());
        hasher.update([0]);
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The folder that stands for the project's root: of a file that belongs to no project the one that its outermost
/// package lies in.
pub(super) fn home(subject: &Subject) -> PathBuf {
    let file = &subject.task.file;
    if let Some(workspace) = subject.workspace.as_deref().filter(|w| file.starts_with(w)) {
        return workspace.to_path_buf();
    }
    let folders = || file.ancestors().skip(1);
    let home = folders().find(|f| !f.join("__init__.py").is_file()).or_else(|| folders().last());
    home.filter(|f| !f.as_os_str().is_empty()).unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// The file's place below the project's root; its bare name when it has none there.
pub(super) fn relative_file(subject: &Subject) -> PathBuf {
    let file = &subject.task.file;
    let below = file.strip_prefix(home(subject)).ok();
    let plain = below.filter(|p| p.components().all(|c| matches!(c, Component::Normal(_))));
    plain
        .map(Path::to_path_buf)
        .or_else(|| file.file_name().map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("edited.py"))
}

/// What lies around the file and matters: `(where it is, where it goes)`, nearest configurations first.
fn surroundings(subject: &Subject, text: &str, extent: Extent) -> Vec<(PathBuf, PathBuf)> {
    let mut found = Vec::new();
    if let Some(workspace) = subject.workspace.as_deref().filter(|_| extent != Extent::ImportsOnly) {
        let folders = folders_above(&subject.task.file, workspace);
        let all = folders.flat_map(|f| CONFIGS.iter().map(move |c| f.join(c)));
        found.extend(all.filter(|p| is_readable_inside(p, workspace)));
        found.extend(extended(&found));
    }
    let home = home(subject);
    if extent != Extent::Configs {
        found.extend(neighbours(subject, text));
    }
    found.into_iter().filter_map(|from| way(&home, &from).map(|to| (from, to))).collect()
}

/// The project's modules that the file imports, directly or not, nearest first, then the data that they read.
pub(super) fn neighbours(subject: &Subject, text: &str) -> Vec<PathBuf> {
    let home = home(subject);
    let modules = modules(subject, text, &home);
    let own = (subject.task.file.as_path(), text);
    let all = std::iter::once(own).chain(modules.iter().map(|(path, text)| (path.as_path(), text.as_str())));
    let data = data::beside(all, subject.workspace.is_none());
    let data = data.into_iter().filter(|p| is_readable_inside(p, &home));
    let (mut found, data): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), data.collect());
    found.extend(modules.into_iter().map(|(path, _)| path));
    found.extend(data);
    found
}

/// The modules among them with their texts.
fn modules(subject: &Subject, text: &str, home: &Path) -> Vec<(PathBuf, String)> {
    let mut roots =
        vec![subject.task.file.parent().unwrap_or(home).to_path_buf(), home.to_path_buf(), home.join("src")];
    let above: Vec<PathBuf> = folders_above(&subject.task.file, home).filter(|f| !roots.contains(f)).collect();
    roots.extend(above);
    let mut seen: HashSet<PathBuf> = HashSet::from([subject.task.file.clone()]);
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    let mut queue = VecDeque::from([(subject.task.file.clone(), text.to_string())]);
    while let Some((file, text)) = queue.pop_front() {
        for module in imported_files(&file, &text, home, &roots) {
            if found.len() >= MAX_MODULES {
                return found;
            }
            if is_readable_inside(&module, home) && seen.insert(module.clone()) {
                let text = std::fs::read_to_string(&module).unwrap_or_default();
                found.push((module.clone(), text.clone()));
                queue.push_back((module, text));
            }
        }
    }
    found
}

/// Files that the imports of one file may mean, packages' `__init__` and stubs included.
fn imported_files(file: &Path, text: &str, home: &Path, roots: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = package_inits(file, home);
    for (module, name) in imports(text) {
        let dots = module.chars().take_while(|&c| c == '.').count();
        let dotted = &module[dots..];
        let bases: Vec<PathBuf> = match dots {
            0 => roots.to_vec(),
            n => file.ancestors().nth(n).map(Path::to_path_buf).into_iter().collect(),
        };
        let mut parts: Vec<&str> = dotted.split('.').filter(|p| !p.is_empty()).collect();
        parts.extend(name.as_deref().filter(|n| *n != "*"));
        for base in bases {
            let mut at = base;
            for part in &parts {
                at.push(part);
                found.extend(["py", "pyi"].map(|e| at.with_extension(e)));
                found.extend(["__init__.py", "__init__.pyi", "py.typed"].map(|f| at.join(f)));
            }
        }
    }
    found.retain(|p| p.is_file());
    found
}

/// The `__init__` files of the packages a file lies in.
fn package_inits(file: &Path, home: &Path) -> Vec<PathBuf> {
    folders_above(file, home).map(|f| f.join("__init__.py")).take_while(|p| p.is_file()).collect()
}

/// Whether a folder holds what is nobody's project: virtual environments, what was built or fetched. A package of the
/// project may be called so too.
pub(super) fn is_foreign(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let is_package = |f: &Path| f.join("__init__.py").is_file();
    let is_environment = folder.join("pyvenv.cfg").is_file() || folder.join("conda-meta").is_dir();
    let is_ours = || is_package(folder) || folder.parent().is_some_and(is_package);
    NOBODYS.contains(&name) || is_environment || (MOSTLY_NOBODYS.contains(&name) && !is_ours())
}

/// Whether it is a file of modest size that really lies in the project: no link leads out of it.
fn is_readable_inside(path: &Path, workspace: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    let (Ok(real), Ok(home)) = (path.canonicalize(), workspace.canonicalize()) else { return false };
    meta.is_file() && meta.len() <= MAX_FILE && real.starts_with(home)
}

fn is_config(path: &Path) -> bool {
    path.file_name().and_then(|n| n.to_str()).is_some_and(|n| CONFIGS.contains(&n))
}

fn copy(from: &Path, to: &Path) -> Result<(), CheckError> {
    let bytes = std::fs::read(from).map_err(|e| CheckError(format!("cannot read {}: {e}", from.display())))?;
    write(to, &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(path, bytes)).map_err(|e| unwritable(path, &e))
}

/// The complaint about a scratch folder that cannot be written.
pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> CheckError {
    CheckError(format!("cannot write {}: {error}; free some space or set TMPDIR", path.display()))
}
