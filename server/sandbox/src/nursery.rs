//! A program that waits with everything loaded and forks once for every job, so that a job costs a fork
//! and not a start.
//!
//! The program is ours and trusted: it runs no code under test and reads none of it, what it passes
//! on is bytes to it. It lives in a jail like any other but without Landlock and seccomp, because it
//! makes new namespaces for every job, and it is asked and answers over the socket that is its stdout.
//! What a job is walled in with goes along with the job ([`Request`]); that the program obeys is tested
//! by the same escapes that are tried from jobs of their own (docs/decisions/0010).

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use seccompiler::sock_filter;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::detect::{Sandbox, Walls};
use crate::jail::confine::{Rights, limits_tasks, rlimits};
use crate::jail::scratch;
use crate::jail::seccomp;
use crate::jail::supervise::FIRST_UID;
use crate::reserve::Started;
use crate::resident::Resident;
use crate::run::environment;
use crate::wire::Shape;
use crate::{Exit, Job, LimitKind, Limits, Output, SandboxError};

/// How long it may say nothing; it is heard once a second.
const SILENCE: Duration = Duration::from_secs(10);
/// How often the size of a scratch folder is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Memory that the waiting program may hold beside what a job may.
const OWN_MEMORY: u64 = 512 << 20;

/// A program that waits, and its jail. Dropping it kills both and the job that runs.
#[derive(Debug)]
pub struct Nursery {
    resident: Resident,
    shape: Shape,
    uid: u32,
    readable: Vec<PathBuf>,
    folder: PathBuf,
}

/// One job, as the waiting program reads it.
#[derive(Debug, Serialize)]
struct Request<'a> {
    args: Vec<&'a str>,
    env: Vec<(String, String)>,
    scratch: &'a Path,
    readable: &'a [PathBuf],
    uid: u32,
    disk: u64,
    output: usize,
    cpu: f64,
    rlimits: Vec<(&'static str, u64, u64)>,
    handled: [u64; 3],
    rights: Vec<(u64, Vec<&'a str>)>,
    seccomp: Vec<String>,
}

/// How it ended, as the waiting program tells it.
#[derive(Debug, Deserialize)]
struct Answer {
    code: i32,
    /// `output` or `cpu` when the program stopped it.
    limit: String,
    /// Why it could not be walled in; empty when it was.
    trouble: String,
}

impl Sandbox {
    /// Starts `job.program`, which is to wait for jobs. `job.scratch` is the folder in which the scratch
    /// folders of its jobs are; `job.limits` are the largest that a job may have.
    ///
    /// # Errors
    /// When it could not be started or does not say that it waits; never with the sandbox off.
    pub async fn nursery(&self, job: Job) -> Result<Nursery, SandboxError> {
        let walls = &self.0;
        let limits = Limits {
            memory: job.limits.memory.saturating_add(OWN_MEMORY),
            processes: job.limits.processes.saturating_add(8),
            ..job.limits.clone()
        };
        let (readable, folder) = (job.readable.clone(), job.scratch.clone());
        let resident = self.waiting(Job { limits, ..job }, true).await?;
        let uid = inside_uid(walls, &resident.started);
        Ok(Nursery { resident, shape: walls.shape, uid, readable, folder })
    }
}

/// The uid that its jobs have, as they see it.
fn inside_uid(walls: &Walls, started: &Started) -> u32 {
    if walls.shape == Shape::Dropped { FIRST_UID + started.id() } else { nix::unistd::getuid().as_raw() }
}

impl Nursery {
    /// Runs one job to its end: `args` are what an interpreter would be given behind its own flags; program
    /// and readable folders are those of the nursery. One at a time; dropping the future without
    /// dropping the nursery leaves it unusable.
    ///
    /// # Errors
    /// When the nursery is gone, garbled, late, or cannot wall the job in. It must be dropped then, as
    /// after a job that passed a limit.
    pub async fn run(&mut self, job: &Job, args: &[OsString]) -> Result<Output, SandboxError> {
        let start = Instant::now();
        let message = self.request(job, args)?;
        if self.shape == Shape::Dropped {
            scratch::give(&job.scratch, self.uid);
        }
        let mut channel = self.resident.channel()?;
        let told = tokio::select! {
            told = tokio::time::timeout(job.limits.wall, converse(&mut channel, &message, job.limits.output)) => told,
            () = grows(&job.scratch, job.limits.disk) => return Ok(ended(Exit::Limit(LimitKind::FileSize), vec![], start)),
        };
        let Ok(told) = told else { return Ok(ended(Exit::Limit(LimitKind::Wall), vec![], start)) };
        // A jail that is gone says nothing of this job: an earlier one may have used up what they share.
        let (answer, stdout, stderr) = told?;
        // Its namespace is gone, and with it every process that could be in the folder.
        if self.shape == Shape::Dropped {
            scratch::give(&job.scratch, nix::unistd::getuid().as_raw());
        }
        if !answer.trouble.is_empty() {
            return Err(SandboxError::Setup(answer.trouble));
        }
        let exit = match answer.limit.as_str() {
            "output" => Exit::Limit(LimitKind::Output),
            "cpu" => Exit::Limit(LimitKind::Cpu),
            _ if answer.code < 0 => Exit::Signal(-answer.code),
            _ => Exit::Code(answer.code),
        };
        Ok(Output { stderr, ..ended(exit, stdout, start) })
    }

    /// Kills it and all that runs in it; returns when nothing is left, or after a while.
    pub async fn end(self) {
        self.resident.end().await;
    }

    fn request(&self, job: &Job, args: &[OsString]) -> Result<Vec<u8>, SandboxError> {
        let bad = |why: &str| SandboxError::BadJob { program: job.program.clone(), why: why.to_owned() };
        if job.scratch.parent() != Some(self.folder.as_path()) {
            return Err(bad("its scratch folder is not in the folder of the nursery"));
        }
        let text = |s: &OsStr| s.to_str().map(str::to_owned).ok_or_else(|| bad("its environment is not Unicode"));
        let env: Vec<(String, String)> =
            environment(job).iter().map(|(k, v)| Ok((text(k)?, text(v)?))).collect::<Result<_, SandboxError>>()?;
        let rights = Rights::new(self.readable.iter().map(|p| p.as_os_str()), job.scratch.as_os_str());
        let rights = rights
            .0
            .into_iter()
            .map(|(access, paths)| (access.bits(), paths.into_iter().filter_map(OsStr::to_str).collect::<Vec<_>>()));
        let tasks = limits_tasks(&job.limits);
        let request = Request {
            args: args
                .iter()
                .map(|a| a.to_str().ok_or_else(|| bad("an argument is not Unicode")))
                .collect::<Result<_, _>>()?,
            env,
            scratch: &job.scratch,
            readable: &self.readable,
            uid: self.uid,
            disk: job.limits.disk,
            output: job.limits.output,
            cpu: job.limits.cpu.as_secs_f64(),
            rlimits: rlimits(&job.limits)
                .into_iter()
                .map(|(_, name, soft, hard)| (name, soft, hard))
                .chain([("RLIMIT_NPROC", tasks, tasks)])
                .collect(),
            handled: Rights::handled(),
            rights: rights.collect(),
            seccomp: seccomp::programs()?.iter().map(|program| hex(program)).collect(),
        };
        let header = serde_json::to_vec(&request).map_err(io::Error::from)?;
        let mut message = Vec::with_capacity(header.len() + job.stdin.len() + 16);
        message.extend((header.len() as u64).to_le_bytes());
        message.extend((job.stdin.len() as u64).to_le_bytes());
        message.extend(header);
        message.extend(&job.stdin);
        Ok(message)
    }
}

fn ended(exit: Exit, stdout: Vec<u8>, start: Instant) -> Output {
    Output { exit, stdout, stderr: Vec::new(), elapsed: start.elapsed() }
}

async fn converse(
    channel: &mut tokio::net::UnixStream,
    message: &[u8],
    output: usize,
) -> Result<(Answer, Vec<u8>, Vec<u8>), SandboxError> {
    channel.write_all(message).await?;
    let mut sizes = [0; 3];
    // An empty head is a sign of life. Without one the waiting program itself hangs, whatever the job does.
    while sizes[0] == 0 {
        let heard = tokio::time::timeout(SILENCE, channel.read_u64_le()).await;
        sizes[0] = heard.map_err(|_| SandboxError::Setup("the waiting program gives no sign of life".to_owned()))??;
    }
    for size in &mut sizes[1..] {
        *size = channel.read_u64_le().await?;
    }
    let garbled = || SandboxError::Setup("the waiting program answered something else than asked".to_owned());
    if sizes[0] > 1 << 16 || sizes[1..].iter().any(|size| *size > output as u64) {
        return Err(garbled());
    }
    let mut parts = [vec![], vec![], vec![]];
    for (part, size) in parts.iter_mut().zip(sizes) {
        part.resize(usize::try_from(size).unwrap_or(0), 0);
        channel.read_exact(part).await?;
    }
    let [head, stdout, stderr] = parts;
    Ok((serde_json::from_slice(&head).map_err(|_| garbled())?, stdout, stderr))
}

/// Ends when the folder has grown by more than `limit`.
async fn grows(folder: &Path, limit: u64) {
    let limit = scratch::size(folder).saturating_add(limit);
    loop {
        let start = Instant::now();
        if scratch::size(folder) > limit {
            return;
        }
        // A large folder takes long to walk, so it is walked less often.
        tokio::time::sleep(TICK.max(start.elapsed() * 10)).await;
    }
}

fn hex(program: &[sock_filter]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(program.len() * 16);
    for step in program {
        let words = [step.code.to_ne_bytes().to_vec(), vec![step.jt, step.jf], step.k.to_ne_bytes().to_vec()];
        for byte in words.concat() {
            let _ = write!(text, "{byte:02x}");
        }
    }
    text
}
