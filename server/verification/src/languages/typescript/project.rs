//! The part of a project that a tool needs to judge one file, copied into a scratch folder: the edited file
//! under its own name and place, the configuration files above it and the project's modules that it
//! imports, directly or not. Packages are not copied: the folder that holds them is linked and may be read.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::imports::{resolve, specifiers};
use super::monorepo;
use super::tree::Dialect;
use super::tsconfig::TsConfig;
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// Files that configure a tool, beside `tsconfig*.json` and `eslint.config.*`.
const CONFIGS: &[&str] = &["package.json", "jsconfig.json", ".oxlintrc.json", "oxlint.config.ts"];
/// Largest configuration or module that is copied, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Most modules that are copied.
const MAX_MODULES: usize = 400;
/// What npm, pnpm and yarn write into a folder of packages about what they put there.
const LISTS: [&str; 4] = [".package-lock.json", ".pnpm/lock.yaml", ".yarn-state.yml", ".yarn-integrity"];
/// Files of a package that say what its types are.
const DECLARATIONS: [&str; 4] = [".d.ts", ".d.mts", ".d.cts", "package.json"];
/// Most files of a package that are looked at.
const MAX_DECLARATIONS: usize = 5000;

/// A copy of the part of a project that matters for one file.
#[derive(Debug)]
pub(super) struct Mirror {
    scratch: tempfile::TempDir,
    /// The edited file.
    pub file: PathBuf,
    /// The folder that stands for the project's root.
    pub root: PathBuf,
    /// The folder that stands for what holds the project, itself where it stands alone.
    pub top: PathBuf,
    /// Configuration files that were copied, nearest first.
    pub configs: Vec<PathBuf>,
    /// The project's modules that were copied.
    pub modules: Vec<PathBuf>,
    /// The nearest folder with packages, where it really is.
    pub packages: Option<PathBuf>,
    /// What the project's compiler options say.
    pub tsconfig: TsConfig,
}

impl Mirror {
    /// Copies what matters for `text` in the place of the subject's file.
    ///
    /// # Errors
    /// One sentence when the scratch folder cannot be written, or `package.json` cannot be read, which says how the code is
    /// to be read.
    pub fn make(tools: &Toolchain, subject: &Subject, text: &str) -> Result<Self, CheckError> {
        Self::make_in(tools.scratch()?, subject, text)
    }

    /// The same in a scratch folder that is there.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn make_in(scratch: tempfile::TempDir, subject: &Subject, text: &str) -> Result<Self, CheckError> {
        let top = root_in(scratch.path());
        let root = top.join(below_top(subject));
        let file = root.join(relative_file(subject));
        let found = around(subject, text);
        let mut mirror = Self {
            scratch,
            file,
            root,
            top,
            configs: Vec::new(),
            modules: Vec::new(),
            packages: packages(subject),
            tsconfig: TsConfig::default(),
        };
        for (from, below) in found.configs {
            mirror.configs.push(mirror.copy(&from, &below)?);
        }
        for (from, below) in found.modules {
            mirror.modules.push(mirror.copy(&from, &below)?);
        }
        write(&mirror.file, text.as_bytes())?;
        if let Some(packages) = &mirror.packages {
            for link_to in mirror.links() {
                link(packages, &link_to)?;
            }
        }
        mirror.tsconfig = TsConfig::of(&mirror.file, &mirror.top);
        mirror.tsconfig.aliases.extend(
            found
                .neighbours
                .into_iter()
                .map(|(name, places)| (name, places.into_iter().map(|below| mirror.top.join(below)).collect())),
        );
        mirror.package_is_read()?;
        Ok(mirror)
    }

    fn package_is_read(&self) -> Result<(), CheckError> {
        let Some(path) = self.config(|name| name == "package.json") else { return Ok(()) };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let read = serde_json::from_str::<serde::de::IgnoredAny>(text.trim_start_matches('\u{feff}'));
        read.map(drop).map_err(|why| self.broken(path, &why.to_string()))
    }

    /// Whether the `tsconfig.json` that holds is one, for whoever goes by its rules.
    ///
    /// # Errors
    /// One sentence when it cannot be read: what tsc would say then is no word about the code.
    pub fn tsconfig_is_read(&self) -> Result<(), CheckError> {
        self.tsconfig.broken.as_ref().map_or(Ok(()), |(path, why)| Err(self.broken(path, why)))
    }

    fn broken(&self, path: &Path, why: &str) -> CheckError {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        CheckError(format!("{} is no JSON ({why}); mend it", path.display()))
    }

    fn copy(&self, from: &Path, below: &Path) -> Result<PathBuf, CheckError> {
        let to = self.top.join(below);
        let bytes = std::fs::read(from).map_err(|e| CheckError(format!("cannot read {}: {e}", from.display())))?;
        write(&to, &bytes)?;
        Ok(to)
    }

    /// Where the packages are linked.
    pub fn links(&self) -> Vec<PathBuf> {
        let mut places = vec![self.root.join("node_modules"), self.top.join("node_modules")];
        places.dedup();
        places
    }

    /// Whether modules of other packages were copied.
    pub fn has_neighbours(&self) -> bool {
        self.modules.iter().any(|m| !m.starts_with(&self.root))
    }

    /// The scratch folder; a job may write here.
    pub fn scratch(&self) -> PathBuf {
        self.scratch.path().to_path_buf()
    }

    /// The nearest of the copied configuration files whose name is wanted.
    pub fn config(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&Path> {
        let named = |p: &&PathBuf| p.file_name().and_then(|n| n.to_str()).is_some_and(&is_wanted);
        self.configs.iter().find(named).map(PathBuf::as_path)
    }

    /// The texts of the copied modules, for whoever reads types.
    pub fn texts(&self) -> Vec<(PathBuf, String)> {
        self.modules.iter().filter_map(|p| Some((p.clone(), std::fs::read_to_string(p).ok()?))).collect()
    }
}

/// The folder of a scratch folder that stands for what holds the project.
pub(super) fn root_in(scratch: &Path) -> PathBuf {
    scratch.join("project")
}

/// A hash of everything around the file that [`Mirror::make`] would copy, of the names and versions of the packages beside
/// it, and of the declarations of those that it imports. `None` where packages may change and nothing would show it:
/// without a list of what is installed, and where one is a link to somebody's working copy.
pub(super) fn surroundings_hash(subject: &Subject) -> Option<String> {
    let found = around(subject, &subject.task.source);
    let mut hasher = Sha256::new();
    let mut imported = specifiers(&subject.task.source, Dialect::of(&subject.task.file));
    for (from, below) in found.configs.into_iter().chain(found.modules) {
        let bytes = std::fs::read(&from).unwrap_or_default();
        hasher.update(below.as_os_str().as_encoded_bytes());
        hasher.update([0]);
        hasher.update(&bytes);
        hasher.update([0]);
        imported.extend(specifiers(&String::from_utf8_lossy(&bytes), Dialect::of(&from)));
    }
    if let Some(packages) = packages(subject) {
        let lists = LISTS.iter().filter_map(|list| std::fs::read(packages.join(list)).ok());
        hasher.update(lists.into_iter().next()?);
        for package in imported_packages(&packages, &imported) {
            let real = package.canonicalize().ok()?;
            if !real.components().any(|c| c.as_os_str() == "node_modules") {
                return None;
            }
            hash_declarations(&real, &mut hasher)?;
        }
    }
    Some(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// The folders of the packages among some specifiers, and of their types, each once and in order.
fn imported_packages(packages: &Path, specifiers: &[String]) -> BTreeSet<PathBuf> {
    let bare = specifiers.iter().filter(|s| !s.starts_with(['.', '/', '#']) && !s.starts_with("node:"));
    let name = |s: &String| s.splitn(3, '/').take(if s.starts_with('@') { 2 } else { 1 }).collect::<Vec<_>>().join("/");
    let folders = bare.map(name).flat_map(|n| {
        let types = format!("@types/{}", n.trim_start_matches('@').replace('/', "__"));
        [packages.join(n), packages.join(types)]
    });
    folders.filter(|p| p.is_dir()).collect()
}

/// Adds where declarations lie, how long they are and when they were written; `None` when there are too many.
fn hash_declarations(package: &Path, hasher: &mut Sha256) -> Option<()> {
    let mut open = vec![package.to_path_buf()];
    let mut left = MAX_DECLARATIONS;
    while let Some(folder) = open.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            left = left.checked_sub(1)?;
            let (path, kind) = (entry.path(), entry.file_type().ok()?);
            if kind.is_dir() && entry.file_name() != "node_modules" {
                open.push(path);
            } else if DECLARATIONS.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                let meta = entry.metadata().ok()?;
                let written = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
                hasher.update(path.as_os_str().as_encoded_bytes());
                hasher.update(format!("\0{} {}\0", meta.len(), written.as_nanos()));
            }
        }
    }
    Some(())
}

/// The file's place below the project's root; its bare name when it belongs to no project.
pub(super) fn relative_file(subject: &Subject) -> PathBuf {
    let file = &subject.task.file;
    let below = subject.workspace.as_ref().and_then(|w| file.strip_prefix(w).ok());
    let plain = below.filter(|p| p.components().all(|c| matches!(c, Component::Normal(_))));
    plain
        .map(Path::to_path_buf)
        .or_else(|| file.file_name().map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("edited.ts"))
}

/// The folder that a file's modules, configuration and packages may lie in: what holds its project, or its own folder when
/// it belongs to none.
fn home(subject: &Subject) -> Option<PathBuf> {
    let own = || subject.task.file.parent().filter(|folder| folder.is_absolute()).map(Path::to_path_buf);
    let holds = |workspace: &&Path| subject.task.file.starts_with(workspace);
    subject.workspace.as_deref().filter(holds).map(monorepo::top_of).or_else(|| subject.workspace.clone()).or_else(own)
}

/// The project's place in what holds it.
fn below_top(subject: &Subject) -> PathBuf {
    let below = subject.workspace.as_ref().zip(home(subject)).and_then(|(w, home)| w.strip_prefix(home).ok());
    below.map(Path::to_path_buf).unwrap_or_default()
}

/// The nearest `node_modules` above the file that has what it imports; the nearest, where none has any of it.
pub(super) fn packages(subject: &Subject) -> Option<PathBuf> {
    let home = home(subject)?;
    let folders = subject.task.file.ancestors().skip(1).take_while(|f| f.starts_with(&home));
    let found: Vec<PathBuf> = folders.map(|f| f.join("node_modules")).filter(|p| p.is_dir()).collect();
    let imported = || specifiers(&subject.task.source, Dialect::of(&subject.task.file));
    let best = match found.as_slice() {
        [] | [_] => found.first(),
        several => {
            let imported = imported();
            let most = several.iter().map(|p| imported_packages(p, &imported).len()).max().unwrap_or(0);
            several.iter().find(|p| imported_packages(p, &imported).len() == most)
        }
    };
    best?.canonicalize().ok()
}

/// What lies around a file and matters: where it is, and where it goes.
#[derive(Default)]
struct Around {
    configs: Vec<(PathBuf, PathBuf)>,
    modules: Vec<(PathBuf, PathBuf)>,
    /// What the names of packages beside its own stand for.
    neighbours: Vec<(String, Vec<PathBuf>)>,
}

fn around(subject: &Subject, text: &str) -> Around {
    let Some(home) = home(subject) else { return Around::default() };
    let folders = subject.task.file.ancestors().skip(1).take_while(|f| f.starts_with(&home));
    let configs = folders.flat_map(configs_in).filter(|p| is_readable_inside(p, &home));
    let below = |from: PathBuf| from.strip_prefix(&home).map(Path::to_path_buf).ok().map(|to| (from, to));
    let neighbours = subject.workspace.as_ref().map_or_else(Vec::new, |_| monorepo::neighbours(&home));
    let modules = modules(subject, text, &home, &neighbours);
    let place = |p: &PathBuf| p.strip_prefix(&home).map(Path::to_path_buf).ok();
    Around {
        configs: configs.filter_map(below).collect(),
        neighbours: neighbours.iter().map(|(name, to)| (name.clone(), to.iter().filter_map(place).collect())).collect(),
        modules: modules.into_iter().filter_map(below).collect(),
    }
}

/// The configuration files of one folder, in a fixed order.
fn configs_in(folder: &Path) -> Vec<PathBuf> {
    let names =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok());
    let mut found: Vec<String> = names.filter(|n| is_config(n)).collect();
    // `tsconfig.json` stands before `tsconfig.base.json`.
    found.sort_by_key(|n| (n.len(), n.clone()));
    found.into_iter().map(|n| folder.join(n)).collect()
}

fn is_config(name: &str) -> bool {
    CONFIGS.contains(&name)
        || (name.starts_with("tsconfig") && name.ends_with(".json"))
        || name.starts_with("eslint.config.")
        || name.ends_with(".d.ts")
}

/// The project's modules that the file imports, directly or not, nearest first.
fn modules(subject: &Subject, text: &str, workspace: &Path, neighbours: &[(String, Vec<PathBuf>)]) -> Vec<PathBuf> {
    let mut config = TsConfig::of(&subject.task.file, workspace);
    config.aliases.extend(neighbours.iter().cloned());
    let mut seen: HashSet<PathBuf> = HashSet::from([subject.task.file.clone()]);
    let mut found = Vec::new();
    let mut queue = VecDeque::from([(subject.task.file.clone(), text.to_string())]);
    while let Some((file, text)) = queue.pop_front() {
        if file.extension().is_some_and(|e| e == "json") {
            continue;
        }
        for specifier in specifiers(&text, Dialect::of(&file)) {
            let relative = resolve(&file, &specifier);
            let meant = if relative.is_empty() { config.candidates(&specifier) } else { relative };
            for module in meant.into_iter().filter(|p| is_readable_inside(p, workspace)) {
                if found.len() >= MAX_MODULES {
                    return found;
                }
                if seen.insert(module.clone()) {
                    let text = std::fs::read_to_string(&module).unwrap_or_default();
                    found.push(module.clone());
                    queue.push_back((module, text));
                }
            }
        }
    }
    found
}

/// Whether it is a file of modest size that really lies in the project: no link leads out of it.
fn is_readable_inside(path: &Path, workspace: &Path) -> bool {
    let Ok(meta) = std::fs::metadata(path) else { return false };
    let (Ok(real), Ok(home)) = (path.canonicalize(), workspace.canonicalize()) else { return false };
    meta.is_file() && meta.len() <= MAX_FILE && real.starts_with(home)
}

/// A link to a folder that a job is shown at its own place.
pub(super) fn link(to: &Path, place: &Path) -> Result<(), CheckError> {
    match std::os::unix::fs::symlink(to, place) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(CheckError(format!("cannot link {}: {e}; free some space or set TMPDIR", place.display())))
        }
        _ => Ok(()),
    }
}

/// Writes a file of the copy.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CheckError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, bytes))
        .map_err(|e| CheckError(format!("cannot write {}: {e}; free some space or set TMPDIR", path.display())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::specs::analyse;
    use super::*;

    #[test]
    fn a_file_of_no_project_has_the_modules_beside_and_below_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("mine");
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        for (file, text) in [("mine/types.ts", "import './deep/more';\n"), ("mine/deep/more.ts", ""), ("above.ts", "")]
        {
            std::fs::write(root.path().join(file), text).unwrap();
        }
        let source = "import { A } from './types';\nimport '../above';\n// @spec F.\nfunction f(a: A): void {}\n";
        let task = analyse(&folder.join("f.ts"), &Arc::from(source)).tasks.remove(0);
        let subject = Subject { previous: Arc::clone(&task.source), task, workspace: None };
        let names: Vec<PathBuf> = around(&subject, source).modules.into_iter().map(|(_, below)| below).collect();
        assert_eq!(names, [Path::new("types.ts"), Path::new("deep/more.ts")]);
    }

    #[test]
    fn a_package_that_changes_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let source = "import { f } from '@a/dep/more';\n// @spec F.\nfunction g(): number { return f(); }\n";
        write("a.ts", source);
        let task = analyse(&root.path().join("a.ts"), &Arc::from(source)).tasks.remove(0);
        let workspace = Some(root.path().to_path_buf());
        let subject = Subject { previous: Arc::clone(&task.source), task, workspace };
        assert!(surroundings_hash(&subject).is_some(), "there is no package that could change");
        write("node_modules/@a/dep/index.d.ts", "export function f(): number;\n");
        assert_eq!(surroundings_hash(&subject), None, "nothing says what is installed");
        write("node_modules/.yarn-integrity", "{}");
        let before = surroundings_hash(&subject);
        assert!(before.is_some());
        assert_eq!(surroundings_hash(&subject), before);
        write("node_modules/@a/dep/index.d.ts", "export function f(): string;\nexport {};\n");
        assert_ne!(surroundings_hash(&subject), before);
        let elsewhere = root.path().join("packages/dep");
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::remove_dir_all(root.path().join("node_modules/@a/dep")).unwrap();
        std::os::unix::fs::symlink(elsewhere, root.path().join("node_modules/@a/dep")).unwrap();
        assert_eq!(surroundings_hash(&subject), None, "a link to a working copy");
    }
}
