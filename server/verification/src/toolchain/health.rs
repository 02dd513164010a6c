//! How the tools are doing: a sandbox that could not start one is asked again after a jittered pause,
//! and a tool that fails several times in a row is left alone for a while.
//!
//! What the code under test does to a tool (time and memory limits) says nothing about the tool.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroerr_core::circuit_breaker::{BreakerConfig, BreakerState, CircuitBreaker};
use zeroerr_core::error_handler::{ErrorClass, RetryBudget, RetryPolicy};
use zeroerr_sandbox::{Job, Output, SandboxError};

use super::Toolchain;
use crate::languages::CheckError;

/// Attempts to start one job, and the pauses between them.
const RETRY: RetryPolicy = RetryPolicy { max_attempts: 3, base_ms: 100, cap_ms: 1_000 };

/// One tool, for `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolHealth {
    /// Its name in reports.
    pub name: String,
    /// Its breaker.
    pub breaker: BreakerState,
    /// How long it is still left alone, in milliseconds; 0 when it is not.
    pub open_for_ms: u64,
    /// Times it was run.
    pub runs: u64,
    /// Times it failed.
    pub failures: u64,
    /// Times it was tried again.
    pub retries: u64,
    /// The last failure.
    pub last_error: Option<String>,
}

/// Who is told when a breaker opens or closes.
pub type OnHealth = Arc<dyn Fn(&ToolHealth) + Send + Sync>;

/// See the module.
pub(super) struct Watch {
    tools: Mutex<BTreeMap<String, Tracked>>,
    epoch: Instant,
    pub(super) on_change: Option<OnHealth>,
}

struct Tracked {
    breaker: CircuitBreaker,
    budget: RetryBudget,
    runs: u64,
    failures: u64,
    retries: u64,
    last_error: Option<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { tools: Mutex::default(), epoch: Instant::now(), on_change: None }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Tracked>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn with<T>(&self, name: &str, f: impl FnOnce(&mut Tracked) -> T) -> T {
        let mut tools = self.lock();
        let tracked = tools.entry(name.to_owned()).or_insert_with(|| Tracked {
            breaker: CircuitBreaker::new(BreakerConfig::default()),
            budget: RetryBudget::default(),
            runs: 0,
            failures: 0,
            retries: 0,
            last_error: None,
        });
        f(tracked)
    }

    fn shown(&self, name: &str, t: &Tracked) -> ToolHealth {
        let (breaker, now) = (t.breaker.state(), self.now_ms());
        let open_for_ms = if let BreakerState::Open { until_ms } = breaker { until_ms.saturating_sub(now) } else { 0 };
        let last_error = t.last_error.clone();
        let (runs, failures, retries) = (t.runs, t.failures, t.retries);
        ToolHealth { name: name.to_owned(), breaker, open_for_ms, runs, failures, retries, last_error }
    }

    pub(super) fn all(&self) -> Vec<ToolHealth> {
        self.lock().iter().map(|(name, t)| self.shown(name, t)).collect()
    }

    /// The breaker lets the call through, or one sentence why not.
    fn begin<'a>(&'a self, name: &'a str) -> Result<Call<'a>, CheckError> {
        let now = self.now_ms();
        self.with(name, |t| {
            if t.breaker.try_acquire(now) {
                t.runs += 1;
                return Ok(Call { watch: self, name, ended: false });
            }
            let last = t.last_error.as_deref().unwrap_or("unknown");
            Err(CheckError(format!("{name} is left alone for a while after repeated failures; the last: {last}")))
        })
    }

    fn ended(&self, name: &str, failure: Option<String>) {
        let now = self.now_ms();
        let changed = self.with(name, |t| {
            let before = t.breaker.state();
            t.breaker.record(failure.is_none(), now);
            match failure {
                None => t.budget.deposit(),
                Some(why) => {
                    t.failures += 1;
                    t.last_error = Some(why);
                }
            }
            (before != t.breaker.state()).then(|| self.shown(name, t))
        });
        if let Some((health, tell)) = changed.zip(self.on_change.as_ref()) {
            tell(&health);
        }
    }

    /// The pause before the next attempt, when there is to be one.
    fn pause(&self, name: &str, class: ErrorClass, failed: u32) -> Option<Duration> {
        // A keyed hash of nothing is as random as a pause needs.
        let random = (RandomState::new().hash_one(failed) >> 11) as f64 / (1u64 << 53) as f64;
        let pause = RETRY.pause_ms(class, failed, random)?;
        self.with(name, |t| {
            t.budget.try_spend().then(|| {
                t.retries += 1;
                Duration::from_millis(pause)
            })
        })
    }
}

/// One call that the breaker let through; dropped without an end, it was cancelled.
struct Call<'a> {
    watch: &'a Watch,
    name: &'a str,
    ended: bool,
}

impl Call<'_> {
    fn end(mut self, failure: Option<String>) {
        self.ended = true;
        self.watch.ended(self.name, failure);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let now = self.watch.now_ms();
            self.watch.with(self.name, |t| t.breaker.release(now));
        }
    }
}

/// A machine that is short of something for a moment may have it in the next.
fn class_of(error: &SandboxError) -> ErrorClass {
    match error {
        SandboxError::BadJob { .. } => ErrorClass::Bug,
        SandboxError::Setup(_) | SandboxError::Supervisor(_) => ErrorClass::Transient,
    }
}

impl Toolchain {
    /// Runs a job of the tool `name` in the sandbox, through its breaker. `fault` says of an end whether
    /// the tool is to blame, and why.
    ///
    /// # Errors
    /// One sentence when the breaker is open, there is no sandbox, or the tool could not be started,
    /// however often it was tried.
    pub(crate) async fn run_tool(
        &self,
        name: &str,
        job: Job,
        fault: impl Fn(&Output) -> Option<String>,
    ) -> Result<Output, CheckError> {
        let sandbox = self.sandbox()?;
        let _running = self.running();
        self.watched(name, || sandbox.run(job.clone()), fault).await
    }

    /// The end of a job that was started elsewhere, told to the breaker of its tool.
    pub(super) fn has_run(
        &self,
        name: &str,
        output: Output,
        fault: impl Fn(&Output) -> Option<String>,
    ) -> Result<Output, CheckError> {
        self.watch.begin(name)?.end(fault(&output));
        Ok(output)
    }

    async fn watched<F>(
        &self,
        name: &str,
        start: impl Fn() -> F,
        fault: impl Fn(&Output) -> Option<String>,
    ) -> Result<Output, CheckError>
    where
        F: Future<Output = Result<Output, SandboxError>>,
    {
        let call = self.watch.begin(name)?;
        let mut failed = 0;
        loop {
            let error = match start().await {
                Ok(output) => {
                    call.end(fault(&output));
                    return Ok(output);
                }
                Err(error) => error,
            };
            failed += 1;
            let Some(pause) = self.watch.pause(name, class_of(&error), failed) else {
                let tried = if failed > 1 { format!(", tried {failed} times") } else { String::new() };
                let why = format!("{name} could not be started{tried}: {error}");
                call.end(Some(why.clone()));
                return Err(CheckError(why));
            };
            tracing::warn!(%error, tool = name, ?pause, "the sandbox is asked again");
            tokio::time::sleep(pause).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use zeroerr_sandbox::{Exit, SandboxUnavailable};

    use super::*;

    fn toolchain() -> Toolchain {
        let none = SandboxUnavailable { reason: "not needed".into(), remedy: "none".into() };
        Toolchain::detect(Path::new("/nowhere"), Err(none))
    }

    fn ended(code: i32) -> Output {
        Output { exit: Exit::Code(code), stdout: vec![], stderr: vec![], elapsed: Duration::ZERO }
    }

    fn fault(output: &Output) -> Option<String> {
        (output.exit != Exit::Code(0)).then(|| format!("ended with {:?}", output.exit))
    }

    #[tokio::test]
    async fn a_tool_that_keeps_failing_is_left_alone_and_the_others_are_not() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&told);
        let tools = toolchain().on_health(Arc::new(move |h: &ToolHealth| {
            note.lock().unwrap().push((h.name.clone(), h.breaker != BreakerState::Closed));
        }));
        let started = Cell::new(0);
        let run = |name: &'static str, code| {
            let started = &started;
            let start = move || {
                started.set(started.get() + 1);
                std::future::ready(Ok(ended(code)))
            };
            tools.watched(name, start, fault)
        };
        for _ in 0..5 {
            assert_eq!(run("ruff", 3).await.unwrap().exit, Exit::Code(3), "how it ended is the layer's to judge");
        }
        let refused = run("ruff", 0).await.unwrap_err().to_string();
        assert_eq!(refused, "ruff is left alone for a while after repeated failures; the last: ended with Code(3)");
        assert_eq!(started.get(), 5, "it is really left alone");
        assert!(run("ty", 0).await.is_ok());
        assert_eq!(*told.lock().unwrap(), [("ruff".to_owned(), true)]);
        let ruff = tools.health().remove(0);
        assert_eq!((ruff.runs, ruff.failures, ruff.open_for_ms > 29_000), (5, 5, true));
    }

    #[tokio::test]
    async fn a_sandbox_that_stumbles_is_asked_again_within_its_budget() {
        let tools = toolchain();
        let stumble = || SandboxError::Setup("no pid left".into());
        let tries = Cell::new(0);
        let once = || {
            tries.set(tries.get() + 1);
            std::future::ready(if tries.get() == 1 { Err(stumble()) } else { Ok(ended(0)) })
        };
        assert!(tools.watched("ruff", once, fault).await.is_ok());
        assert_eq!((tries.get(), tools.health()[0].retries, tools.health()[0].failures), (2, 1, 0));
        let never = || std::future::ready(Err(stumble()));
        let why = tools.watched("ruff", never, fault).await.unwrap_err().to_string();
        assert_eq!(why, "ruff could not be started, tried 3 times: no pid left");
        let bad = || std::future::ready(Err(SandboxError::BadJob { program: "x".into(), why: "it is no path".into() }));
        assert!(tools.watched("ty", bad, fault).await.is_err());
        assert_eq!(tools.health()[1].retries, 0, "our own fault is not tried again");
    }

    #[tokio::test]
    async fn a_cancelled_call_says_nothing_about_the_tool() {
        let tools = toolchain();
        let hang = tools.watched("ruff", std::future::pending, fault);
        assert!(tokio::time::timeout(Duration::from_millis(20), hang).await.is_err());
        assert_eq!((tools.health()[0].breaker, tools.health()[0].failures), (BreakerState::Closed, 0));
    }
}
