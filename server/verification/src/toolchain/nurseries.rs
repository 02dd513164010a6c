//! Interpreters that wait with their imports done, one jail each, and fork once for every job.
//!
//! The first job of a kind starts its interpreter and runs in it; the second costs a fork. Whatever
//! does not go well for a reason that is not the job's own is run once more by itself, so a worker that
//! hangs, dies or was never possible here changes how long a verdict takes and never what it says.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroerr_sandbox::{Exit, Job, Nursery, Output, SandboxError};

use super::Toolchain;
use crate::languages::CheckError;

/// How long an interpreter waits for its next job.
const IDLE: Duration = Duration::from_secs(90);
/// Interpreters of one kind that wait; more are started when more jobs come at once, and end with them.
const WAITING: usize = 2;
/// Jobs after which an interpreter is replaced.
const JOBS: u32 = 500;
/// After so many that could not be used in a row there are none: this machine cannot have them.
const FAILURES: u32 = 3;

/// What an interpreter has loaded before a job comes.
#[derive(Debug, Clone, Copy)]
pub struct Loaded<'a> {
    /// The folder with `zygote.py`.
    pub harness: &'a Path,
    /// How many of the job's arguments are the interpreter's own flags.
    pub flags: usize,
    /// Modules that are imported.
    pub modules: &'static [&'static str],
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Nurseries {
    waiting: Mutex<HashMap<String, Vec<Waiting>>>,
    failures: AtomicU32,
    /// Whether somebody looks after those that wait.
    watched: AtomicBool,
}

#[derive(Debug)]
struct Waiting {
    nursery: Nursery,
    jobs: u32,
    since: Instant,
}

impl Nurseries {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, key: &str) -> Option<Waiting> {
        self.lock().get_mut(key)?.pop()
    }

    fn put(self: &Arc<Self>, key: String, mut waiting: Waiting) {
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
    fn dismiss(&self, idle: Duration) -> usize {
        let mut all = self.lock();
        all.values_mut().for_each(|kind| kind.retain(|w| w.since.elapsed() < idle));
        all.retain(|_, kind| !kind.is_empty());
        all.values().map(Vec::len).sum()
    }

    fn are_possible(&self) -> bool {
        self.failures.load(Ordering::Acquire) < FAILURES
    }

    fn failed(&self, error: &SandboxError) {
        tracing::debug!(%error, "a job is run by itself");
        if self.failures.fetch_add(1, Ordering::AcqRel) + 1 == FAILURES {
            tracing::info!(%error, "jobs are run by themselves from now on: no interpreter can wait for them here");
        }
    }
}

impl Toolchain {
    /// Ends the interpreters that have waited for so long; says how many go on waiting.
    pub fn dismiss(&self, idle: Duration) -> usize {
        self.nurseries.as_ref().map_or(0, |n| n.dismiss(idle))
    }

    /// Runs a job of the interpreter as [`run_tool`](Self::run_tool) does, in one that waits where that is possible.
    ///
    /// # Errors
    /// As [`run_tool`](Self::run_tool).
    pub(crate) async fn run_loaded(
        &self,
        name: &str,
        job: Job,
        loaded: Loaded<'_>,
        fault: impl Fn(&Output) -> Option<String>,
    ) -> Result<Output, CheckError> {
        if let Some(output) = self.forked(&job, loaded, &fault).await {
            return self.has_run(name, output, fault);
        }
        self.run_tool(name, job, fault).await
    }

    /// What the job gives in an interpreter that waits; `None` when it must be run by itself. That is so after an end
    /// that is neither a result nor a limit of the job's own, too: what the kernel holds for a whole jail (memory,
    /// tasks) shows only in one where there is nothing else.
    async fn forked(&self, job: &Job, loaded: Loaded<'_>, fault: impl Fn(&Output) -> Option<String>) -> Option<Output> {
        let nurseries = self.nurseries.as_ref().filter(|n| n.are_possible())?;
        let sandbox = self.sandbox().ok()?;
        let folder = self.scratches().ok()?;
        // A harness in a scratch folder is seen by the one job that it was put there for.
        if loaded.harness.starts_with(&folder) || job.scratch.parent() != Some(folder.as_path()) {
            return None;
        }
        let (flags, args) = job.args.split_at_checked(loaded.flags)?;
        let env = starting(&job.env);
        let key = format!("{:?}", (&job.program, flags, loaded.modules, &env, &job.readable, loaded.harness));
        let mut waiting = match nurseries.take(&key) {
            Some(waiting) => waiting,
            None => {
                let start = starter(job, flags, loaded, &folder);
                match sandbox.nursery(start).await {
                    Ok(nursery) => Waiting { nursery, jobs: 0, since: Instant::now() },
                    Err(error) => {
                        nurseries.failed(&error);
                        return None;
                    }
                }
            }
        };
        match waiting.nursery.run(job, args).await {
            Ok(output) => {
                nurseries.failures.store(0, Ordering::Release);
                let is_result = matches!(output.exit, Exit::Code(_)) && fault(&output).is_none();
                if is_result {
                    nurseries.put(key, waiting);
                } else {
                    waiting.nursery.end().await;
                }
                (is_result || matches!(output.exit, Exit::Limit(_))).then_some(output)
            }
            Err(error) => {
                waiting.nursery.end().await;
                nurseries.failed(&error);
                None
            }
        }
    }
}

/// What an interpreter reads of its environment when it starts; the rest is each job's own.
fn starting(env: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    env.iter().filter(|(name, _)| name.to_str().is_some_and(|n| n.starts_with("PYTHON"))).cloned().collect()
}

/// The job that waits for jobs of this kind.
fn starter(job: &Job, flags: &[OsString], loaded: Loaded<'_>, folder: &Path) -> Job {
    let mut args = flags.to_vec();
    args.push(loaded.harness.join("zygote.py").into());
    args.extend(loaded.modules.iter().map(OsString::from));
    Job { args, env: starting(&job.env), stdin: Vec::new(), scratch: folder.to_path_buf(), ..job.clone() }
}
