//! Starts the supervisor for a job and collects what comes out of it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::Notify;

use crate::detect::{Sandbox, Walls};
use crate::reserve::{GRACE, Started};
use crate::wire::{self, Plan, Report, Shape};
use crate::{Exit, Job, LimitKind, Limits, Output};

/// What a job finds as PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A job that could not be run. What the program itself does wrong is an [`Exit`].
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The job makes no sense or would open a hole.
    #[error("cannot run {program}: {why}", program = program.display())]
    BadJob {
        /// The program of the job.
        program: PathBuf,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// The sandbox could not be set up, or the program not started in it.
    #[error("{0}")]
    Setup(String),
    /// The supervisor could not be started or did not answer.
    #[error("the sandbox supervisor failed: {0}; see `zeroerr doctor`")]
    Supervisor(#[from] io::Error),
}

impl Sandbox {
    /// Runs one job to its end. Dropping the future kills the whole tree.
    ///
    /// # Errors
    /// When the job could not be started; how a started program ends is in [`Output::exit`].
    pub async fn run(&self, job: Job) -> Result<Output, SandboxError> {
        let plan = plan(&self.0, &job)?;
        let message = wire::encode(&plan, &job.stdin)?;
        let walls = &self.0;
        let mut started = walls.reserve.take(&walls.helper, walls.shape)?;
        let outputs = started.outputs()?;
        // While the job runs, so that it costs the next one nothing.
        let refill = async { walls.reserve.refill(&walls.helper, walls.shape) };
        tokio::join!(collect(&started, &message, outputs, &job.limits), refill).0
    }
}

/// Sends the last that a job waits for and collects what comes out of it until its end.
pub(crate) async fn collect(
    started: &Started,
    message: &[u8],
    (stdout, stderr): (OwnedFd, OwnedFd),
    limits: &Limits,
) -> Result<Output, SandboxError> {
    let limit = limits.output;
    let flood = Notify::new();
    let all = async {
        tokio::join!(
            converse(started.control()?, message, &flood),
            read_bounded(pipe::Receiver::from_owned_fd(stdout)?, limit, &flood),
            read_bounded(pipe::Receiver::from_owned_fd(stderr)?, limit, &flood),
        )
        .into_result()
    };
    let (report, stdout, stderr) = tokio::time::timeout(limits.wall + GRACE, all)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")))?;
    let flooded = stdout.len() > limit || stderr.len() > limit;
    let kept = |mut bytes: Vec<u8>| {
        bytes.truncate(limit);
        bytes
    };
    let (stdout, stderr) = (kept(stdout), kept(stderr));
    let exit = if flooded { Exit::Limit(LimitKind::Output) } else { report.exit(&stderr)? };
    Ok(Output { exit, stdout, stderr, elapsed: report.elapsed })
}

impl Report {
    /// The exit, or the error of the stage that failed, with what bubblewrap had to say.
    fn exit(&self, stderr: &[u8]) -> Result<Exit, SandboxError> {
        self.outcome.clone().map_err(|why| {
            let said = String::from_utf8_lossy(stderr);
            SandboxError::Setup(if said.trim().is_empty() { why } else { format!("{why}: {}", said.trim()) })
        })
    }
}

/// All three results, or the first error.
trait IntoResult {
    type All;
    fn into_result(self) -> io::Result<Self::All>;
}

impl<A, B, C> IntoResult for (io::Result<A>, io::Result<B>, io::Result<C>) {
    type All = (A, B, C);
    fn into_result(self) -> io::Result<Self::All> {
        Ok((self.0?, self.1?, self.2?))
    }
}

/// Runs one job without a runtime, for the trial: it is trusted to write little.
pub(crate) fn blocking(walls: &Walls, job: &Job) -> Result<(Report, Vec<u8>, Vec<u8>), SandboxError> {
    let plan = plan(walls, job)?;
    let mut started = walls.reserve.take(&walls.helper, walls.shape)?;
    let (stdout, stderr) = started.outputs()?;
    started.blocking_control().write_all(&wire::encode(&plan, &job.stdin)?)?;
    let mut report = Vec::new();
    started.blocking_control().read_to_end(&mut report)?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    std::fs::File::from(stdout).read_to_end(&mut out)?;
    std::fs::File::from(stderr).read_to_end(&mut err)?;
    Ok((serde_json::from_slice(&report).map_err(io::Error::from)?, out, err))
}

/// Sends the message and waits for the report; asks for an early end when the output floods.
async fn converse(mut control: tokio::net::UnixStream, message: &[u8], flood: &Notify) -> io::Result<Report> {
    control.write_all(message).await?;
    let mut report = Vec::new();
    let stopped = {
        let read = control.read_to_end(&mut report);
        tokio::select! {
            end = read => { end?; false }
            () = flood.notified() => true,
        }
    };
    if stopped {
        control.shutdown().await?;
        control.read_to_end(&mut report).await?;
    }
    Ok(serde_json::from_slice(&report)?)
}

/// Reads up to one byte more than `limit`, which tells a flood from a full house.
async fn read_bounded(source: impl AsyncRead + Unpin, limit: usize, flood: &Notify) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    if bytes.len() > limit {
        flood.notify_one();
    }
    Ok(bytes)
}

/// Everything the helper needs, checked.
pub(crate) fn plan(walls: &Walls, job: &Job) -> Result<Plan, SandboxError> {
    let bad = |why: String| SandboxError::BadJob { program: job.program.clone(), why };
    for path in job.readable.iter().chain([&job.program, &job.scratch]) {
        if !path.is_absolute() {
            return Err(bad(format!("{} is not an absolute path", path.display())));
        }
    }
    if !job.scratch.is_dir() {
        return Err(bad(format!("its scratch folder {} is not a folder; make it first", job.scratch.display())));
    }
    if let Some(hole) = job.readable.iter().chain([&job.scratch]).find(|path| holds_home(path)) {
        return Err(bad(format!("{} holds the home folder; name the folders in it that it needs", hole.display())));
    }
    let readable = job.readable.iter().filter(|path| path.exists() || walls.shape == Shape::Plain);
    Ok(Plan {
        shape: walls.shape,
        bwrap: walls.bwrap.clone().into(),
        helper: walls.helper.clone().into(),
        program: job.program.clone().into(),
        args: job.args.clone(),
        env: environment(job),
        readable: readable.map(|path| path.clone().into()).collect(),
        scratch: job.scratch.clone().into(),
        limits: job.limits.clone(),
        uid: 0,
        memory_cgroup: false,
        foreign_tasks: 0,
        nursery: false,
        held: false,
    })
}

/// Whether `path` is the home folder or contains it.
fn holds_home(path: &Path) -> bool {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let home = std::env::home_dir().filter(|home| home.is_absolute() && home.parent().is_some());
    let home = home.and_then(|home| home.canonicalize().ok());
    real.parent().is_none() || home.is_some_and(|home| home.starts_with(&real))
}

pub(crate) fn environment(job: &Job) -> Vec<(OsString, OsString)> {
    let scratch = job.scratch.clone().into_os_string();
    let minimal = [
        ("PATH", OsString::from(PATH)),
        ("HOME", scratch.clone()),
        ("TMPDIR", scratch),
        ("LANG", OsString::from("C.UTF-8")),
    ];
    // What comes later wins.
    minimal.into_iter().map(|(name, value)| (name.into(), value)).chain(job.env.iter().cloned()).collect()
}
