//! One run of a compiler, cargo or clippy in the sandbox, and why it may give nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroerr_sandbox::{Exit, Job, LimitKind, Limits, Output};

use crate::languages::CheckError;
use crate::layers::Failure;
use crate::toolchain::Toolchain;

/// Why there is no program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BuildError {
    /// The file itself does not compile: its first error, and its line.
    Broken(String, usize),
    /// It was not finished in its time.
    TimedOut(String),
    /// It could not be tried.
    Unavailable(String),
}

impl From<CheckError> for BuildError {
    fn from(error: CheckError) -> Self {
        BuildError::Unavailable(error.0)
    }
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable(why) => BuildError::Unavailable(why),
            Failure::TimedOut(why) => BuildError::TimedOut(why),
        }
    }
}

/// One run of a compiler.
pub(super) struct Run {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it may read.
    pub readable: Vec<PathBuf>,
    /// CPU time; the wall time is four times that, for a machine that is busy.
    pub seconds: u64,
}

/// Runs a compiler in the sandbox.
///
/// # Errors
/// When it is stopped at a limit, or cannot be started.
pub(super) async fn run(tools: &Toolchain, run: Run, scratch: &Path) -> Result<Output, BuildError> {
    let Run { program, args, env, readable, seconds } = run;
    let cpu = Duration::from_secs(seconds);
    let limits = Limits {
        wall: cpu * 4,
        cpu,
        memory: 4 << 30,
        file_size: 512 << 20,
        disk: 4 << 30,
        output: 16 << 20,
        processes: 256,
        open_files: 1024,
    };
    let name = program.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let job = Job { program, args, env, readable, scratch: scratch.to_path_buf(), limits, ..Job::default() };
    // What it says of the code under test is no fault of its own.
    let output = tools.run_tool(&name, job, |_| None).await?;
    match output.exit {
        Exit::Limit(LimitKind::Wall | LimitKind::Cpu) => {
            Err(BuildError::TimedOut(format!("{name} did not end within {seconds} seconds of work")))
        }
        Exit::Limit(kind) => Err(BuildError::Unavailable(
            format!("{name} was stopped at the sandbox's limit of {kind:?}").to_lowercase(),
        )),
        _ => Ok(output),
    }
}
