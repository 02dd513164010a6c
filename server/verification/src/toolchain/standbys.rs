//! Jobs that are started before there is anything for them to do, and wait for it with everything loaded. Each is used
//! once: what is saved is the time in which a fresh process would start, and nothing of one job can be left for another.
//!
//! Once a kind of job was used, one is started ahead for the next, when no job runs here: so that it takes nothing from
//! the layers of the candidate under test, but from the time in which a model writes the next. What does not go well
//! with one is done once more by a job of its own: it changes how long a verdict takes and never what it says.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use zeroerr_sandbox::{Held, Job, Output, Sandbox};

use super::Toolchain;
use super::pool::{Pool, Waiting};

/// How long nothing must have run before one is started.
const QUIET: Duration = Duration::from_millis(60);
/// How many wait in all: each holds the memory of a program with everything loaded.
const MOST: usize = 5;

/// A job for this scratch folder.
type MakeJob = Arc<dyn Fn(&Path) -> Job + Send + Sync>;

/// One kind of job.
#[derive(Clone)]
pub(crate) struct Kind {
    /// What tells it from others: all that it depends on.
    pub key: String,
    /// The job that waits, for its scratch folder.
    pub job: MakeJob,
}

/// One that waits, and its folder.
#[derive(Debug)]
pub(crate) struct Standby {
    held: Held,
    /// Where it may write; what it is to judge is put here.
    scratch: tempfile::TempDir,
}

/// What was started ahead, for whoever wants to see that it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// How many wait now.
    pub waiting: usize,
    /// How many have given a result.
    pub used: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Standbys {
    pool: Arc<Pool<Standby>>,
    wanted: Mutex<Wanted>,
    used: AtomicU64,
}

/// The kinds of which one is to be started.
#[derive(Default)]
struct Wanted {
    kinds: BTreeMap<String, Kind>,
    /// Whether somebody sees to it.
    is_watched: bool,
}

impl fmt::Debug for Standbys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standbys").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Standbys {
    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that one of the kind is wanted; whether somebody must be found who sees to it.
    fn want(&self, kind: Kind) -> bool {
        let mut wanted = self.wanted();
        wanted.kinds.insert(kind.key.clone(), kind);
        !std::mem::replace(&mut wanted.is_watched, true)
    }

    /// The next that is to be started; `None` ends the watch.
    fn next(&self) -> Option<Kind> {
        let mut wanted = self.wanted();
        while let Some((key, kind)) = wanted.kinds.pop_first() {
            if !self.pool.has(&key) {
                return Some(kind);
            }
        }
        wanted.is_watched = false;
        None
    }

    async fn start(&self, kind: Kind, sandbox: &Sandbox, folder: &Path) {
        if !self.pool.is_possible() {
            return;
        }
        let made = tempfile::Builder::new().prefix("zeroerr-").tempdir_in(folder);
        let Ok(scratch) = made else { return };
        match sandbox.hold((kind.job)(scratch.path())).await {
            Ok(held) => {
                self.pool.make_room(MOST);
                self.pool.put(kind.key, Waiting::new(Standby { held, scratch }));
            }
            Err(error) => self.pool.failed(&error),
        }
    }

    pub fn dismiss(&self, idle: Duration) -> usize {
        self.wanted().kinds.clear();
        self.pool.dismiss(idle)
    }
}

/// Starts what is wanted, one after the other, whenever nothing has run for a while.
async fn see_to(standbys: Weak<Standbys>, mut running: watch::Receiver<usize>, sandbox: Sandbox, folder: PathBuf) {
    loop {
        if running.wait_for(|jobs| *jobs == 0).await.is_err() {
            return; // the toolchain is gone
        }
        if tokio::time::timeout(QUIET, running.wait_for(|jobs| *jobs > 0)).await.is_ok() {
            continue;
        }
        let Some(standbys) = standbys.upgrade() else { return };
        let Some(kind) = standbys.next() else { return };
        standbys.start(kind, &sandbox, &folder).await;
    }
}

/// A job runs while this lives.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a watch::Sender<usize>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|jobs| *jobs = jobs.saturating_sub(1));
    }
}

impl Toolchain {
    /// Notes that a job runs, until what this gives is dropped.
    pub(super) fn running(&self) -> Running<'_> {
        self.running.send_modify(|jobs| *jobs += 1);
        Running(&self.running)
    }

    /// One of this kind that waits.
    pub(crate) fn standby(&self, kind: &Kind) -> Option<Standby> {
        let waiting = self.standbys.as_ref()?.pool.take(&kind.key)?;
        Some(waiting.program)
    }

    /// Has one of this kind started for the next job, once nothing runs.
    pub(crate) fn start_ahead(&self, kind: Kind) {
        let Some(standbys) = self.standbys.as_ref().filter(|s| s.pool.is_possible()) else { return };
        let (Ok(sandbox), Ok(folder)) = (self.sandbox(), self.scratches()) else { return };
        if standbys.want(kind) {
            let running = self.running.subscribe();
            tokio::spawn(see_to(Arc::downgrade(standbys), running, sandbox.clone(), folder));
        }
    }

    /// What a job that was started ahead gives for its stdin, when `is_result` says of its output that it is one; else it
    /// must be asked of a job of its own: this one may have ended while it waited.
    pub(crate) async fn run_standby<T>(
        &self,
        name: &str,
        held: Held,
        stdin: &[u8],
        is_result: impl Fn(&Output) -> Option<T>,
    ) -> Option<T> {
        let standbys = self.standbys.as_ref()?;
        let _running = self.running();
        match held.run(stdin).await {
            Ok(output) => {
                standbys.pool.worked();
                let result = is_result(&output)?;
                self.has_run(name, output, |_| None).ok()?;
                standbys.used.fetch_add(1, Ordering::Relaxed);
                Some(result)
            }
            Err(error) => {
                standbys.pool.failed(&error);
                None
            }
        }
    }

    /// What was started ahead.
    pub fn ahead(&self) -> Ahead {
        let standbys = self.standbys.as_ref();
        Ahead {
            waiting: standbys.map_or(0, |s| s.pool.count()),
            used: standbys.map_or(0, |s| s.used.load(Ordering::Relaxed)),
        }
    }

    /// Starts now what is wanted, whatever runs, and comes back when it waits.
    pub async fn fill_ahead(&self) {
        let Some(standbys) = &self.standbys else { return };
        let (Ok(sandbox), Ok(folder)) = (self.sandbox(), self.scratches()) else { return };
        let kinds = std::mem::take(&mut standbys.wanted().kinds);
        for kind in kinds.into_values().filter(|kind| !standbys.pool.has(&kind.key)) {
            standbys.start(kind, sandbox, &folder).await;
        }
    }
}

impl Standby {
    /// The job, and its folder, which must outlive it.
    pub(crate) fn parts(self) -> (Held, tempfile::TempDir) {
        (self.held, self.scratch)
    }
}
