//! The tools that the layers run: where they are, which version, and what to do when one is missing.
//!
//! Python's tools live in a private environment, `<data>/tools/python`, which
//! [`Toolchain::install`] builds from the pinned list in `config/python-tools.txt`; those for TypeScript
//! in `<data>/tools/node`, from `config/node-tools/`. The user's own environments are never changed and
//! never trusted with a verdict.

mod cases;
mod checks;
mod environment;
mod health;
mod install;
mod node;
mod nurseries;
mod pool;
mod residents;
mod standbys;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use zeroerr_sandbox::{Sandbox, SandboxUnavailable};

pub use checks::{ToolCheck, ToolStatus};
pub use environment::{PythonEnv, REQUIREMENTS};
pub use health::{OnHealth, ToolHealth};
pub use install::InstallError;
pub use node::NodeEnv;
pub use nurseries::Loaded;
pub use standbys::Ahead;
pub(crate) use standbys::{Kind, Standby};

use crate::languages::CheckError;

/// What mends a missing or broken tool.
pub const REMEDY: &str = "run `zeroerr doctor --fix`";

/// One program that a layer runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Absolute path of the program.
    pub path: PathBuf,
    /// `name version`, as it stands in reports and certificates.
    pub version: String,
}

/// Everything the layers need from the machine. Asking is cheap; nothing is run to answer.
#[derive(Debug)]
pub struct Toolchain {
    data_dir: PathBuf,
    sandbox: Result<Sandbox, SandboxUnavailable>,
    known: checks::Known,
    watch: health::Watch,
    nurseries: Option<Arc<nurseries::Nurseries>>,
    residents: Option<Arc<residents::Residents>>,
    standbys: Option<Arc<standbys::Standbys>>,
    /// How many jobs run.
    running: tokio::sync::watch::Sender<usize>,
    folder: OnceLock<tempfile::TempDir>,
    /// What Hypothesis made up for a step's candidates.
    pub(crate) cases: cases::Cases,
}

impl Toolchain {
    /// Looks at what is there. Never fails: what is missing is said when it is asked for.
    pub fn detect(data_dir: &Path, sandbox: Result<Sandbox, SandboxUnavailable>) -> Self {
        let (known, watch) = (checks::Known::default(), health::Watch::default());
        let (nurseries, residents) = (Some(Arc::default()), Some(Arc::default()));
        Self {
            data_dir: data_dir.to_path_buf(),
            sandbox,
            known,
            watch,
            nurseries,
            residents,
            standbys: Some(Arc::default()),
            running: tokio::sync::watch::Sender::new(0),
            folder: OnceLock::new(),
            cases: cases::Cases::default(),
        }
    }

    /// The same, starting a process for every job and keeping none.
    pub fn cold(mut self) -> Self {
        self.nurseries = None;
        self.residents = None;
        self.standbys = None;
        self.cases = cases::Cases::none();
        self
    }

    /// The same, telling when a tool is left alone after repeated failures, and when it works again.
    pub fn on_health(mut self, tell: OnHealth) -> Self {
        self.watch.on_change = Some(tell);
        self
    }

    /// How every tool that was run so far is doing.
    pub fn health(&self) -> Vec<ToolHealth> {
        self.watch.all()
    }

    /// Folder to look for `bwrap` in: [`zeroerr_sandbox::SandboxOptions::places`].
    pub fn bwrap_place(data_dir: &Path) -> PathBuf {
        PythonEnv::root_in(data_dir).join("bin")
    }

    /// The folder for what is installed, compiled and kept from one run to the next.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The sandbox that every tool and all generated code runs in.
    ///
    /// # Errors
    /// One sentence with the remedy when this machine has none.
    pub fn sandbox(&self) -> Result<&Sandbox, CheckError> {
        self.sandbox.as_ref().map_err(|e| CheckError(e.to_string()))
    }

    /// The private Python environment.
    ///
    /// # Errors
    /// One sentence with the remedy when it is missing, half built, out of date or damaged.
    pub fn python(&self) -> Result<PythonEnv, CheckError> {
        PythonEnv::load(&self.data_dir)
    }

    /// Node and its packages.
    ///
    /// # Errors
    /// One sentence with the remedy when they are missing, half built, out of date or damaged.
    pub fn node(&self) -> Result<NodeEnv, CheckError> {
        NodeEnv::load(&self.data_dir)
    }

    /// A program of the private environment by its package's name (`ruff`, `crosshair-tool`).
    ///
    /// # Errors
    /// One sentence with the remedy when it is missing.
    pub fn tool(&self, name: &str) -> Result<Tool, CheckError> {
        self.python()?.tool(name)
    }

    /// A fresh folder for one job, removed when dropped. Its name holds no secret and no clock.
    ///
    /// # Errors
    /// One sentence when the system's temporary folder cannot be written.
    pub fn scratch(&self) -> Result<tempfile::TempDir, CheckError> {
        let made = self.scratches().and_then(|folder| tempfile::Builder::new().prefix("zeroerr-").tempdir_in(folder));
        made.map_err(|e| {
            CheckError(format!(
                "cannot make a scratch folder in {}: {e}; free some space or set TMPDIR",
                std::env::temp_dir().display()
            ))
        })
    }

    /// A text without the scratch folders in its paths: they have other names each time, and mean nothing to a reader.
    pub(crate) fn without_scratch(&self, text: &str) -> String {
        let Some(folder) = self.folder.get() else { return text.to_owned() };
        let before = format!("{}/zeroerr-", folder.path().display());
        let mut parts = text.split(before.as_str());
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            out.push_str(rest.strip_prefix("project/").unwrap_or(rest));
        }
        out
    }

    /// The folder in which every scratch folder is made: jobs are forked in jails that see it from their start.
    fn scratches(&self) -> std::io::Result<PathBuf> {
        if let Some(folder) = self.folder.get().filter(|f| f.path().is_dir()) {
            return Ok(folder.path().to_path_buf());
        }
        // Jobs of root's are another user: they may pass through, and look at their own.
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        let made = tempfile::Builder::new().prefix("zeroerr-").permissions(passable).tempdir()?;
        Ok(self.folder.get_or_init(|| made).path().to_path_buf())
    }
}
