//! Supervisors: the one of a running job, and a few that wait for the next.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::wire::{JAIL_ARG, PLAIN_ARG, Shape};

/// Supervisors kept waiting. They sleep in a read, and end when our end of their socket closes.
const SPARES: usize = 2;

/// The time a supervisor has to kill and clean up before it is killed itself.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Supervisors that have entered their cgroups and wait for a plan.
#[derive(Debug, Default)]
pub(crate) struct Reserve(Mutex<Vec<Started>>);

impl Reserve {
    /// One that waits, else a new one.
    pub(crate) fn take(&self, helper: &Path, shape: Shape) -> io::Result<Started> {
        while let Some(mut spare) = self.lock().pop() {
            if !spare.is_dead() {
                return Ok(spare);
            }
        }
        Started::new(helper, shape)
    }

    /// Starts one for the next job, if not enough wait; what fails now will fail and be told then.
    pub(crate) fn refill(&self, helper: &Path, shape: Shape) {
        if self.lock().len() >= SPARES {
            return;
        }
        if let Ok(spare) = Started::new(helper, shape) {
            self.lock().push(spare);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Started>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running supervisor. When dropped it sees the end of its socket, kills the job and ends; a
/// thread waits for that, so that not even a zombie is left.
#[derive(Debug)]
pub(crate) struct Started {
    child: Option<Child>,
    control: UnixStream,
}

impl Started {
    /// Starts one, with nothing to do yet.
    pub(crate) fn new(helper: &Path, shape: Shape) -> io::Result<Self> {
        Self::with_stdout(helper, shape, Stdio::piped())
    }

    /// Starts one whose program has a socket for its stdout, to be asked and to answer on.
    pub(crate) fn conversing(helper: &Path, shape: Shape) -> io::Result<(Self, UnixStream)> {
        let (ours, theirs) = UnixStream::pair()?;
        let started = Self::with_stdout(helper, shape, Stdio::from(OwnedFd::from(theirs)))?;
        Ok((started, ours))
    }

    /// The supervisor's process id, from which the uid of its jobs follows.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    fn with_stdout(helper: &Path, shape: Shape, stdout: Stdio) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let child = Command::new(helper)
            .args([JAIL_ARG, "supervise"])
            .args((shape == Shape::Plain).then_some(PLAIN_ARG))
            .env_clear()
            .current_dir("/")
            // Ctrl-C in our terminal is for us; the supervisor learns of our end by itself.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(Self { child: Some(child), control })
    }

    /// Its stdout and stderr, which are the job's; can be taken once.
    pub(crate) fn outputs(&mut self) -> io::Result<(OwnedFd, OwnedFd)> {
        let child = self.child.as_mut();
        let (stdout, stderr) = child.map(|child| (child.stdout.take(), child.stderr.take())).unwrap_or_default();
        match (stdout, stderr) {
            (Some(stdout), Some(stderr)) => Ok((stdout.into(), stderr.into())),
            _ => Err(io::Error::other("its output was taken before")),
        }
    }

    /// The socket for a conversation within a runtime.
    pub(crate) fn control(&self) -> io::Result<tokio::net::UnixStream> {
        let control = self.control.try_clone()?;
        control.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(control)
    }
}

impl Started {
    /// Whether it has ended already.
    fn is_dead(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// The socket for a conversation without a runtime.
    pub(crate) fn blocking_control(&mut self) -> &mut UnixStream {
        &mut self.control
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // A shutdown, because clones of the socket may live a moment longer.
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        let Some(mut child) = self.child.take() else { return };
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::spawn(move || {
            for _ in 0..GRACE.as_millis() / 5 {
                if !matches!(child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        });
    }
}
