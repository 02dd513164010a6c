//! Programs that wait to be asked again, by kind: taken for a job, put back after it, ended when nobody needs them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroerr_sandbox::SandboxError;

/// How long one waits for its next job.
const IDLE: Duration = Duration::from_secs(90);
/// How many of one kind wait; more are started when more jobs come at once, and end with them.
const WAITING: usize = 2;
/// Jobs after which one is replaced.
const JOBS: u32 = 500;
/// After so many that could not be used in a row there are none: this machine cannot have them.
const FAILURES: u32 = 3;

/// See the module.
#[derive(Debug)]
pub(super) struct Pool<W> {
    waiting: Mutex<HashMap<String, Vec<Waiting<W>>>>,
    failures: AtomicU32,
    /// Whether somebody looks after those that wait.
    watched: AtomicBool,
}

impl<W> Default for Pool<W> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), failures: AtomicU32::new(0), watched: AtomicBool::new(false) }
    }
}

/// One program.
#[derive(Debug)]
pub(super) struct Waiting<W> {
    pub program: W,
    jobs: u32,
    since: Instant,
}

impl<W> Waiting<W> {
    /// One that was just started.
    pub fn new(program: W) -> Self {
        Self { program, jobs: 0, since: Instant::now() }
    }
}

impl<W: Send + 'static> Pool<W> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Waiting<W>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of a kind that waits.
    pub fn take(&self, key: &str) -> Option<Waiting<W>> {
        let mut all = self.lock();
        let kind = all.get_mut(key)?;
        let one = kind.pop();
        if kind.is_empty() {
            all.remove(key);
        }
        one
    }

    /// Puts one back after a job.
    pub fn put(self: &Arc<Self>, key: String, mut waiting: Waiting<W>) {
        waiting.jobs += 1;
        waiting.since = Instant::now();
        if waiting.jobs >= JOBS {
            return;
        }
        let mut all = self.lock();
        let kind = all.entry(key).or_default();
        if kind.len() < WAITING {
            kind.push(waiting);
        }
        drop(all);
        if !self.watched.swap(true, Ordering::AcqRel) {
            let all = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(IDLE / 4).await;
                    let Some(all) = all.upgrade() else { return };
                    if all.dismiss(IDLE) == 0 {
                        all.watched.store(false, Ordering::Release);
                        return;
                    }
                }
            });
        }
    }

    /// Ends those that have waited for so long; says how many are left.
    pub fn dismiss(&self, idle: Duration) -> usize {
        let mut all = self.lock();
        all.values_mut().for_each(|kind| kind.retain(|w| w.since.elapsed() < idle));
        all.retain(|_, kind| !kind.is_empty());
        all.values().map(Vec::len).sum()
    }

    /// Whether one of a kind waits.
    pub fn has(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    /// Ends those that have waited longest, until one more makes no more than so many.
    pub fn make_room(&self, most: usize) {
        let mut all = self.lock();
        while all.values().map(Vec::len).sum::<usize>() >= most {
            let oldest = all.iter().min_by_key(|(_, kind)| kind.iter().map(|w| w.since).min());
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            all.remove(&key);
        }
    }

    /// Whether it is worth a try.
    pub fn is_possible(&self) -> bool {
        self.failures.load(Ordering::Acquire) < FAILURES
    }

    /// One was used well, whether it is put back or not.
    pub fn worked(&self) {
        self.failures.store(0, Ordering::Release);
    }

    /// One could not be used.
    pub fn failed(&self, error: &SandboxError) {
        tracing::debug!(%error, "a job is run by itself");
        if self.failures.fetch_add(1, Ordering::AcqRel) + 1 == FAILURES {
            tracing::info!(%error, "jobs are run by themselves from now on: nothing can wait for them here");
        }
    }
}
