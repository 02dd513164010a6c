//! Runs untrusted programs; the only crate that spawns a process.
//!
//! [`Sandbox::run`] executes one [`Job`] with no network, no write outside its scratch folder, no
//! view of the home folder or of secrets, and limits on everything that can be used up. The whole
//! process tree is gone when the future resolves or is dropped. [`trusted`] starts programs that
//! the user asked for by name (pip, git), without a sandbox.
//!
//! Four processes stand between us and the program, each for one reason:
//!
//! | process | why it exists |
//! |---|---|
//! | `jail supervise` | outlives us: sees our death as end of file, kills the tree, removes cgroups, gives scratch back |
//! | `bwrap` | makes the namespaces and the file system view |
//! | `jail init` | pid 1 of the job: counts what the tree uses; when it ends, the kernel kills the rest |
//! | the program | started with Landlock, seccomp and rlimits on itself |
//!
//! The `jail` stages are one helper binary: `zeroerr` itself, or `zeroerr-jail`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod background;
mod detect;
mod find;
mod held;
mod jail;
mod nursery;
mod reserve;
mod resident;
mod run;
pub mod trusted;
mod wire;

pub use background::give_way;
pub use detect::{Capabilities, Mode, Sandbox, SandboxOptions, SandboxUnavailable};
pub use held::Held;
pub use jail::{is_jail_invocation, jail_main};
pub use nursery::Nursery;
pub use resident::Resident;
pub use run::SandboxError;

/// What a job may use up. Every limit is enforced for the job as a whole tree where the kernel
/// lets us, else per process (see [`Sandbox::describe`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall time.
    pub wall: Duration,
    /// CPU time.
    pub cpu: Duration,
    /// Memory in bytes.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u64,
    /// Largest file it may write, in bytes.
    pub file_size: u64,
    /// Bytes it may add to scratch in all, and hold in its private `/tmp`.
    pub disk: u64,
    /// Open descriptors.
    pub open_files: u64,
    /// Bytes kept of each of stdout and stderr; a job that writes more is killed.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(10),
            cpu: Duration::from_secs(10),
            memory: 1 << 30,
            processes: 64,
            file_size: 64 << 20,
            disk: 256 << 20,
            open_files: 256,
            output: 1 << 20,
        }
    }
}

/// One program to run.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The only environment it sees, beside a minimal PATH, HOME and TMPDIR inside scratch.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads on stdin.
    pub stdin: Vec<u8>,
    /// Host folders or files it may read, seen at the same path, beside the system's `/usr`.
    /// When we are root the job is not: what only root may read stays unreadable below them.
    pub readable: Vec<PathBuf>,
    /// Host folder it may write, seen at the same path; also its working folder. While the job
    /// runs as root's guest the folder belongs to the job's own uid, afterwards to the caller again.
    pub scratch: PathBuf,
    /// Limits.
    pub limits: Limits,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// Stopped by us at a limit.
    Limit(LimitKind),
}

/// Which limit stopped a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitKind {
    /// Wall time.
    Wall,
    /// CPU time.
    Cpu,
    /// Memory.
    Memory,
    /// Processes.
    Processes,
    /// Output.
    Output,
    /// Size of one file, or of all files together.
    FileSize,
}

/// What a job left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote to stdout, at most `limits.output` bytes.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, at most `limits.output` bytes.
    pub stderr: Vec<u8>,
    /// Wall time.
    pub elapsed: Duration,
}
