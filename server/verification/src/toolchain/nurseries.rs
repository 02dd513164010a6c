//! Interpreters that wait with their imports done, one jail each, and fork once for every job.
//!
//! The first job of a kind starts its interpreter and runs in it; the second costs a fork. Whatever
//! does not go well for a reason that is not the job's own is run once more by itself, so a worker that
//! hangs, dies or was never possible here changes how long a verdict takes and never what it says.

use std::ffi::OsString;
use std::path::Path;

use zeroerr_sandbox::{Exit, Job, Nursery, Output};

use super::Toolchain;
use super::pool::{Pool, Waiting};
use crate::languages::CheckError;

/// See the module.
pub(super) type Nurseries = Pool<Nursery>;

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

impl Toolchain {
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
        let nurseries = self.nurseries.as_ref().filter(|n| n.is_possible())?;
        let sandbox = self.sandbox().ok()?;
        let folder = self.scratches().ok()?;
        // A harness in a scratch folder is seen by the one job that it was put there for.
        if loaded.harness.starts_with(&folder) || job.scratch.parent() != Some(folder.as_path()) {
            return None;
        }
        let (flags, args) = job.args.split_at_checked(loaded.flags)?;
        let env = starting(&job.env);
        let key = format!("{:?}", (&job.program, flags, loaded.modules, &env, &job.readable, loaded.harness));
        let _running = self.running();
        let mut waiting = match nurseries.take(&key) {
            Some(waiting) => waiting,
            None => {
                let start = starter(job, flags, loaded, &folder);
                match sandbox.nursery(start).await {
                    Ok(nursery) => Waiting::new(nursery),
                    Err(error) => {
                        nurseries.failed(&error);
                        return None;
                    }
                }
            }
        };
        match waiting.program.run(job, args).await {
            Ok(output) => {
                nurseries.worked();
                let is_result = matches!(output.exit, Exit::Code(_)) && fault(&output).is_none();
                if is_result {
                    nurseries.put(key, waiting);
                } else {
                    waiting.program.end().await;
                }
                (is_result || matches!(output.exit, Exit::Limit(_))).then_some(output)
            }
            Err(error) => {
                waiting.program.end().await;
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
