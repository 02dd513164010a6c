//! A job that is started ahead: all that it does before it reads its stdin is done before anyone waits for it.
//!
//! It is a job like any other, with the same walls and limits, and runs once. What is put into its scratch
//! folder while it waits is its own when its stdin comes, and only then does its wall time begin. Until
//! then it must be the caller's own program with nothing of anybody else's in it: under root, its folder is
//! given to it once more while it is there (docs/decisions/0014).

use std::os::fd::OwnedFd;

use tokio::net::unix::pipe;

use crate::detect::Sandbox;
use crate::reserve::Started;
use crate::resident::begin;
use crate::run::{collect, plan};
use crate::wire::{self, Shape};
use crate::{Job, Limits, Output, SandboxError};

/// A job that waits for its stdin. Dropping it kills it.
#[derive(Debug)]
pub struct Held {
    started: Started,
    outputs: (OwnedFd, OwnedFd),
    limits: Limits,
}

impl Sandbox {
    /// Starts a job that writes one byte to stdout when it has made ready and only then reads its stdin, which
    /// [`Held::run`] gives it; `job.stdin` is not looked at. It waits for an hour at most.
    ///
    /// # Errors
    /// When it could not be started or does not say that it waits; never with the sandbox off.
    pub async fn hold(&self, job: Job) -> Result<Held, SandboxError> {
        let walls = &self.0;
        if walls.shape == Shape::Plain {
            return Err(SandboxError::Setup("without a sandbox no job is started ahead".to_owned()));
        }
        let mut plan = plan(walls, &job)?;
        plan.held = true;
        let mut started = walls.reserve.take(&walls.helper, walls.shape)?;
        let outputs = started.outputs()?;
        begin(&started, &plan, pipe::Receiver::from_owned_fd(outputs.0.try_clone()?)?).await?;
        walls.reserve.refill(&walls.helper, walls.shape);
        Ok(Held { started, outputs, limits: job.limits })
    }
}

impl Held {
    /// Gives it its stdin and runs it to its end, as [`Sandbox::run`] does from here on; the byte by which it said that
    /// it waits is no part of its output. Dropping the future kills the whole tree.
    ///
    /// # Errors
    /// As [`Sandbox::run`], and when it is gone already.
    pub async fn run(self, stdin: &[u8]) -> Result<Output, SandboxError> {
        collect(&self.started, &wire::encode_stdin(stdin), self.outputs, &self.limits).await
    }
}
