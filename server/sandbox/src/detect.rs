//! Finds out what this machine can enforce, by trying it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::jail::Findings;
use crate::reserve::Reserve;
use crate::wire::{HELPER_INSIDE, JAIL_ARG, Report, Shape};
use crate::{Exit, Job, find, run};

/// Whether jobs are walled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Mode {
    /// They are, or nothing runs.
    #[default]
    On,
    /// The user said in their own configuration that limits are enough.
    Off,
}

/// What [`Sandbox::detect`] needs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SandboxOptions {
    /// Whether jobs are walled in.
    pub mode: Mode,
    /// Path of bubblewrap, when it is not to be looked for.
    pub bwrap: Option<PathBuf>,
    /// Folders to look for `bwrap` in before PATH, such as the private tools folder's `bin`.
    pub places: Vec<PathBuf>,
    /// Path of the jail helper, when it is not to be looked for.
    pub helper: Option<PathBuf>,
}

/// Nothing here can wall a program in: why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("generated code cannot be run safely here: {reason}; {remedy}")]
pub struct SandboxUnavailable {
    /// What is missing.
    pub reason: String,
    /// One sentence on how to get it.
    pub remedy: String,
}

impl SandboxUnavailable {
    pub(crate) fn new(reason: String, remedy: String) -> Self {
        Self { reason, remedy }
    }

    pub(crate) fn no_bubblewrap(reason: String) -> Self {
        Self::new(
            reason,
            "install it (`apt install bubblewrap`, `dnf install bubblewrap`) or run `zeroerr doctor --fix`".to_owned(),
        )
    }
}

/// What holds a job here, and what does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// What is in force, for people.
    pub mechanisms: Vec<String>,
    /// What a job could still do, for people.
    pub cannot_stop: Vec<String>,
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held by {}", self.mechanisms.join(", "))?;
        if !self.cannot_stop.is_empty() {
            write!(f, "; cannot stop {}", self.cannot_stop.join(", "))?;
        }
        Ok(())
    }
}

/// Runs jobs behind the walls that [`Sandbox::detect`] has tried. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox(pub(crate) Arc<Walls>);

/// What a job is started with.
#[derive(Debug)]
pub(crate) struct Walls {
    pub(crate) shape: Shape,
    pub(crate) bwrap: PathBuf,
    pub(crate) helper: PathBuf,
    pub(crate) reserve: Reserve,
    capabilities: Capabilities,
}

impl Sandbox {
    /// Finds bubblewrap and the helper, runs a job that inspects its own walls, and remembers the
    /// answer for these options until the process ends; a failure is tried again when asked again.
    ///
    /// Blocks for some ten milliseconds the first time.
    ///
    /// # Errors
    /// When anything that must hold a job does not, with the remedy.
    pub fn detect(options: &SandboxOptions) -> Result<Self, SandboxUnavailable> {
        static KNOWN: OnceLock<Mutex<HashMap<SandboxOptions, Sandbox>>> = OnceLock::new();
        let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sandbox) = known.get(options) {
            return Ok(sandbox.clone());
        }
        let sandbox = Self::try_out(options)?;
        known.insert(options.clone(), sandbox.clone());
        Ok(sandbox)
    }

    /// What holds a job here, and what does not.
    pub fn describe(&self) -> Capabilities {
        self.0.capabilities.clone()
    }

    fn try_out(options: &SandboxOptions) -> Result<Self, SandboxUnavailable> {
        let helper = find::helper(options.helper.as_deref())?;
        if options.mode == Mode::Off {
            return try_shape(Shape::Plain, Path::new(""), &helper);
        }
        let bwrap = find::bubblewrap(options.bwrap.as_deref(), &options.places)?;
        if !nix::unistd::geteuid().is_root() {
            return try_shape(Shape::UserNamespace, &bwrap, &helper);
        }
        // Root without the right to make namespaces, as in a container, may still make them as a user.
        try_shape(Shape::Dropped, &bwrap, &helper)
            .or_else(|first| try_shape(Shape::UserNamespace, &bwrap, &helper).map_err(|_| first))
    }
}

fn try_shape(shape: Shape, bwrap: &Path, helper: &Path) -> Result<Sandbox, SandboxUnavailable> {
    let mut walls = Walls {
        shape,
        bwrap: bwrap.to_path_buf(),
        helper: helper.to_path_buf(),
        reserve: Reserve::default(),
        capabilities: Capabilities::default(),
    };
    let scratch = tempfile::tempdir()
        .map_err(|error| SandboxUnavailable::new(format!("no temporary folder: {error}"), "set TMPDIR".to_owned()))?;
    let job = Job {
        program: if shape == Shape::Plain { helper.to_path_buf() } else { PathBuf::from(HELPER_INSIDE) },
        args: [JAIL_ARG, "probe"].map(OsString::from).to_vec(),
        scratch: scratch.path().to_path_buf(),
        ..Job::default()
    };
    let (report, stdout, stderr) = run::blocking(&walls, &job).map_err(|error| refused(&error.to_string(), ""))?;
    let told = String::from_utf8_lossy(&stderr).trim().to_owned();
    match &report.outcome {
        Ok(Exit::Code(0)) => {}
        Ok(exit) => return Err(refused(&format!("the trial job ended with {exit:?}"), &told)),
        Err(why) => return Err(refused(why, &told)),
    }
    let findings: Findings =
        serde_json::from_slice(&stdout).map_err(|_| refused("the trial job did not answer", &told))?;
    if let (true, Some(missing)) = (shape != Shape::Plain, findings.missing()) {
        return Err(refused(missing, &told));
    }
    walls.capabilities = capabilities(shape, &report, &findings);
    Ok(Sandbox(Arc::new(walls)))
}

fn refused(why: &str, told: &str) -> SandboxUnavailable {
    let reason = if told.is_empty() { why.to_owned() } else { format!("{why} ({told})") };
    let remedy = "allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000 \
                  kernel.apparmor_restrict_unprivileged_userns=0`; in a container, start it with them), \
                  then see `zeroerr doctor`";
    SandboxUnavailable::new(reason, remedy.to_owned())
}

fn capabilities(shape: Shape, report: &Report, findings: &Findings) -> Capabilities {
    let mut found = Capabilities::default();
    if shape == Shape::Plain {
        found.mechanisms = ["rlimits", "wall clock", "process tree kill"].map(str::to_owned).to_vec();
        found.cannot_stop.push(
            "anything else: the sandbox is off by the user's configuration, so generated code may read and write all \
             that the user may, and use the network"
                .to_owned(),
        );
        return found;
    }
    found.mechanisms.push("bubblewrap namespaces (mount, pid, net, ipc, uts)".to_owned());
    found.mechanisms.push(match shape {
        Shape::Dropped => "an unused uid without capabilities".to_owned(),
        _ => "a user namespace without capabilities".to_owned(),
    });
    found.mechanisms.extend(["seccomp", "no_new_privs", "rlimits"].map(str::to_owned));
    if findings.landlocked {
        found.mechanisms.push("landlock".to_owned());
    } else {
        let second = "what a mistake in the file system view would let through (this kernel has no Landlock)";
        found.cannot_stop.push(second.to_owned());
    }
    found.mechanisms.extend(report.cgroups.iter().cloned());
    if !report.cgroups.iter().any(|name| name.ends_with("memory")) {
        found.cannot_stop.push("short excess of memory by several processes together (sampled every 50 ms)".to_owned());
    }
    if !report.cgroups.iter().any(|name| name.ends_with("pids")) {
        found.cannot_stop.push("short excess of processes by at most 8 (sampled every 50 ms)".to_owned());
    }
    found
        .cannot_stop
        .push("short excess of disk space (sampled every 100 ms) by files within the file size limit".to_owned());
    found.cannot_stop.push("an attack on the kernel through the system calls that are left".to_owned());
    found
}
