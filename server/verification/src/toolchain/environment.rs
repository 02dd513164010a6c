//! The private Python environment as it stands on disk, described by the stamp its build left last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{REMEDY, Tool};
use crate::languages::CheckError;

/// The pinned tools, `config/python-tools.txt`.
pub const REQUIREMENTS: &str = include_str!("../../../../config/python-tools.txt");

/// How mypy is run, when its cache of the standard library is filled and when that is used: other
/// flags would make it read everything anew. The file format, unlike the database that mypy
/// prefers, can be used where it cannot be written.
pub(crate) const MYPY_FLAGS: &[&str] =
    &["-I", "-m", "mypy", "--output=json", "--no-error-summary", "--follow-imports=silent", "--no-sqlite-cache"];

/// File that marks a finished environment. A folder without it counts as missing.
const STAMP: &str = "zeroerr-stamp.json";

/// What the build found out, so that nothing has to be run to know it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Hash of [`REQUIREMENTS`] and of the stamp's own layout.
    pub requirements: String,
    /// Version of the interpreter, `3.11.7`.
    pub python: String,
    /// Resolved prefix of the interpreter that the environment was made from.
    pub base: PathBuf,
    /// Packages with their versions.
    pub packages: BTreeMap<String, String>,
}

impl Stamp {
    /// Hash that a finished environment must carry to be up to date.
    pub fn expected() -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"layout 2\n");
        hasher.update(REQUIREMENTS);
        hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Marks an environment as finished; the write is atomic.
    pub fn write(&self, root: &Path) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(root)?;
        std::io::Write::write_all(&mut file, &serde_json::to_vec_pretty(self)?)?;
        file.persist(root.join(STAMP)).map_err(|e| e.error)?;
        Ok(())
    }

    /// Takes the mark away, before a rebuild.
    pub fn remove(root: &Path) -> std::io::Result<()> {
        match std::fs::remove_file(root.join(STAMP)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// The private Python environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonEnv {
    /// Its interpreter: absolute, a symlink into `base`.
    pub interpreter: PathBuf,
    /// What a sandboxed job must be able to read to run it: the environment and the interpreter's
    /// own prefix. Never the home folder as such.
    pub readable: Vec<PathBuf>,
    /// Version of the interpreter, `3.11.7`.
    pub version: String,
    /// Installed packages and their versions.
    pub versions: BTreeMap<String, String>,
    /// The environment's folder.
    pub root: PathBuf,
}

impl PythonEnv {
    /// Where the environment of a data folder lives.
    pub fn root_in(data_dir: &Path) -> PathBuf {
        data_dir.join("tools").join("python")
    }

    /// Reads the stamp and looks whether what it describes is still there.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub(super) fn load(data_dir: &Path) -> Result<Self, CheckError> {
        let root = Self::root_in(data_dir);
        let Ok(text) = std::fs::read(root.join(STAMP)) else {
            return Err(CheckError(format!("the Python tools are not installed in {}; {REMEDY}", root.display())));
        };
        let stamp: Stamp = serde_json::from_slice(&text)
            .map_err(|e| CheckError(format!("{} is damaged ({e}); {REMEDY}", root.join(STAMP).display())))?;
        if stamp.requirements != Stamp::expected() {
            return Err(CheckError(format!(
                "the Python tools in {} belong to another version of zeroerr; {REMEDY}",
                root.display()
            )));
        }
        let interpreter = interpreter_of(&root);
        if !interpreter.exists() {
            return Err(CheckError(format!("{} points to a Python that is gone; {REMEDY}", interpreter.display())));
        }
        let readable = vec![root.clone(), stamp.base];
        Ok(Self { interpreter, readable, version: stamp.python, versions: stamp.packages, root })
    }

    /// A program by its package's name.
    ///
    /// # Errors
    /// One sentence with the remedy when the package or its program is not there.
    pub fn tool(&self, name: &str) -> Result<Tool, CheckError> {
        let (name, program) = match name {
            "crosshair" | "crosshair-tool" => ("crosshair-tool", "crosshair"),
            other => (other, other),
        };
        let path = self.bin().join(program);
        match self.versions.get(name) {
            Some(version) if path.exists() => Ok(Tool { path, version: format!("{name} {version}") }),
            _ => Err(CheckError(format!("{name} is missing from {}; {REMEDY}", self.root.display()))),
        }
    }

    /// `name version` of a package, `python 3.11.7` for `python`, or the bare name.
    pub fn named(&self, package: &str) -> String {
        match self.versions.get(package) {
            Some(version) => format!("{package} {version}"),
            None if package == "python" => format!("python {}", self.version),
            None => package.to_string(),
        }
    }

    /// mypy's cache of the standard library, read by every job and written by none.
    pub fn mypy_cache(&self) -> PathBuf {
        Self::mypy_cache_in(&self.root)
    }

    pub(super) fn mypy_cache_in(root: &Path) -> PathBuf {
        root.join("mypy-cache")
    }

    /// Folder of the programs.
    pub fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }
}

/// The interpreter of an environment.
pub(super) fn interpreter_of(root: &Path) -> PathBuf {
    root.join("bin").join("python")
}
