//! A program in a jail that lives on and is asked again and again, over the socket that is its stdout.
//!
//! Like any job it is walled in for good: what it reads of code under test is text to it, and what one
//! question leaves behind in it must not matter to the next (docs/decisions/0012). A [`Nursery`](crate::Nursery)
//! is the same program for another purpose: it makes the walls of the jobs that it forks.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::detect::Sandbox;
use crate::reserve::{GRACE, Started};
use crate::run::plan;
use crate::wire::{self, Plan, Shape};
use crate::{Job, Limits, SandboxError};

/// How long it may live, whatever it is asked.
pub(crate) const LIFE: Duration = Duration::from_secs(3600);
/// How long it may take until it can be asked.
const START: Duration = Duration::from_secs(30);

/// The program and its jail. Dropping it kills both.
#[derive(Debug)]
pub struct Resident {
    pub(crate) started: Started,
    channel: std::os::unix::net::UnixStream,
}

impl Sandbox {
    /// Starts `job.program`, which writes one byte when it can be asked, and then reads questions and writes
    /// answers, each behind its length as eight bytes, the lowest first. Memory, processes and files of
    /// `job.limits` hold for all of its life.
    ///
    /// # Errors
    /// When it could not be started or does not say that it waits; never with the sandbox off.
    pub async fn resident(&self, job: Job) -> Result<Resident, SandboxError> {
        self.waiting(job, false).await
    }

    /// The same; a program that walls in what it forks keeps the rights to do so.
    pub(crate) async fn waiting(&self, job: Job, is_nursery: bool) -> Result<Resident, SandboxError> {
        let walls = &self.0;
        if walls.shape == Shape::Plain {
            return Err(SandboxError::Setup("without a sandbox every job is started by itself".to_owned()));
        }
        let limits = Limits { wall: LIFE, cpu: LIFE, ..job.limits.clone() };
        let mut plan = plan(walls, &Job { limits, ..job })?;
        plan.nursery = is_nursery;
        let (started, channel) = Started::conversing(&walls.helper, walls.shape)?;
        let resident = Resident { started, channel };
        begin(&resident.started, &plan, resident.channel()?).await?;
        Ok(resident)
    }
}

/// Sends the plan and waits for the byte by which the program says that it waits.
pub(crate) async fn begin(
    started: &Started,
    plan: &Plan,
    mut channel: impl AsyncRead + Unpin,
) -> Result<(), SandboxError> {
    let mut control = started.control()?;
    let plan = wire::encode(plan, &[])?;
    let hello = async {
        control.write_all(&plan).await?;
        if channel.read_u8().await.is_ok() {
            return Ok(None);
        }
        let mut report = Vec::new();
        control.read_to_end(&mut report).await.map(|_| Some(report))
    };
    match tokio::time::timeout(START, hello).await {
        Ok(Ok(None)) => Ok(()),
        Ok(Ok(Some(report))) => {
            let why = serde_json::from_slice::<wire::Report>(&report).map(|r| format!("{:?}", r.outcome));
            Err(SandboxError::Setup(why.unwrap_or_else(|_| "it ended at once".to_owned())))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(SandboxError::Setup("it does not say that it waits".to_owned())),
    }
}

impl Resident {
    /// The socket for a conversation within the runtime that runs now.
    pub(crate) fn channel(&self) -> io::Result<tokio::net::UnixStream> {
        let channel = self.channel.try_clone()?;
        channel.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(channel)
    }

    /// Asks one thing and waits for the answer, of at most so many bytes. One at a time; after an error, and when
    /// the future was dropped, it must be dropped too: an answer may be under way.
    ///
    /// # Errors
    /// When it is gone, late, or says too much.
    pub async fn ask(&mut self, question: &[u8], wall: Duration, most: usize) -> Result<Vec<u8>, SandboxError> {
        let mut channel = self.channel()?;
        let talk = async {
            channel.write_all(&(question.len() as u64).to_le_bytes()).await?;
            channel.write_all(question).await?;
            let size = channel.read_u64_le().await?;
            if size > most as u64 {
                return Err(io::Error::other("it says too much"));
            }
            let mut answer = vec![0; usize::try_from(size).unwrap_or(0)];
            channel.read_exact(&mut answer).await?;
            Ok(answer)
        };
        match tokio::time::timeout(wall, talk).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(SandboxError::Setup("it does not answer in its time".to_owned())),
        }
    }

    /// Kills it and all that runs in it; returns when nothing is left, or after a while.
    pub async fn end(mut self) {
        let Ok(mut control) = self.started.control() else { return };
        let _ = self.started.blocking_control().shutdown(std::net::Shutdown::Write);
        let mut report = Vec::new();
        let _ = tokio::time::timeout(GRACE, control.read_to_end(&mut report)).await;
    }
}
