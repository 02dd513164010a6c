//! What `zeroerr doctor` says of the tools: each is really started, where it will be used.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use futures::future::join_all;
use serde::Serialize;
use zeroerr_sandbox::{Exit, Job, Limits};

use super::{PythonEnv, REMEDY, Toolchain};

/// How a tool is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolStatus {
    /// It starts and says its version.
    Ok,
    /// It is not there.
    Missing,
    /// It is there and does not work.
    Broken,
}

/// One line of the doctor's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolCheck {
    /// The tool.
    pub name: String,
    /// How it is doing.
    pub status: ToolStatus,
    /// Its version, or what is wrong.
    pub detail: String,
    /// What to do; empty when nothing is to be done.
    pub remedy: String,
}

/// The tools and how each says its version.
const ASKED: &[(&str, &[&str])] = &[
    ("python", &["python", "-I", "--version"]),
    ("ruff", &["ruff", "--version"]),
    ("ty", &["ty", "--version"]),
    ("mypy", &["python", "-I", "-m", "mypy", "--version"]),
    ("bandit", &["python", "-I", "-m", "bandit", "--version"]),
    ("crosshair-tool", &["python", "-I", "-c", "import crosshair.main, z3; print(z3.get_version_string())"]),
    ("pytest", &["python", "-I", "-m", "pytest", "--version"]),
    ("hypothesis", &["python", "-I", "-c", "import hypothesis; print(hypothesis.__version__)"]),
];

/// Answers that were given, by program and its time of change.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<(&'static str, PathBuf, SystemTime), ToolCheck>>);

impl Toolchain {
    /// Starts every tool in the sandbox and reports how it went, in a fixed order. A tool that was
    /// fine and has not changed since is not started again.
    pub async fn checks(&self) -> Vec<ToolCheck> {
        let env = match self.python() {
            Ok(env) => env,
            Err(error) => {
                let gone = |(name, _): &(&str, _)| ToolCheck {
                    name: (*name).to_string(),
                    status: ToolStatus::Missing,
                    detail: error.0.trim_end_matches(REMEDY).trim_end_matches([';', ' ']).to_string(),
                    remedy: REMEDY.to_string(),
                };
                return ASKED.iter().map(gone).collect();
            }
        };
        join_all(ASKED.iter().map(|&(name, command)| self.check_one(&env, name, command))).await
    }

    async fn check_one(&self, env: &PythonEnv, name: &'static str, command: &[&str]) -> ToolCheck {
        let program = env.bin().join(command.first().copied().unwrap_or(name));
        let Ok(changed) = std::fs::metadata(&program).and_then(|m| m.modified()) else {
            return unhappy(name, ToolStatus::Missing, format!("{} is not there", program.display()), REMEDY);
        };
        let key = (name, program.clone(), changed);
        if let Some(known) = self.known.0.lock().ok().and_then(|k| k.get(&key).cloned()) {
            return known;
        }
        let check = self.start(env, name, program, command).await;
        if check.status == ToolStatus::Ok
            && let Ok(mut known) = self.known.0.lock()
        {
            known.insert(key, check.clone());
        }
        check
    }

    async fn start(&self, env: &PythonEnv, name: &str, program: PathBuf, command: &[&str]) -> ToolCheck {
        let (sandbox, scratch) = match (self.sandbox(), self.scratch()) {
            (Ok(sandbox), Ok(scratch)) => (sandbox, scratch),
            (Err(e), _) | (_, Err(e)) => {
                return unhappy(name, ToolStatus::Broken, format!("installed, and cannot be tried: {e}"), "");
            }
        };
        let limits = Limits {
            wall: Duration::from_secs(30),
            cpu: Duration::from_secs(30),
            memory: 2 << 30,
            ..Limits::default()
        };
        let args: Vec<OsString> = command.iter().skip(1).map(OsString::from).collect();
        let job = Job {
            program,
            args,
            readable: env.readable.clone(),
            scratch: scratch.path().to_path_buf(),
            limits,
            ..Job::default()
        };
        match sandbox.run(job).await {
            Ok(output) if output.exit == Exit::Code(0) => ToolCheck {
                name: name.to_string(),
                status: ToolStatus::Ok,
                detail: env.named(name),
                remedy: String::new(),
            },
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
                unhappy(name, ToolStatus::Broken, format!("it ended with {:?}: {}", output.exit, last.trim()), REMEDY)
            }
            Err(error) => unhappy(name, ToolStatus::Broken, error.to_string(), REMEDY),
        }
    }
}

fn unhappy(name: &str, status: ToolStatus, detail: String, remedy: &str) -> ToolCheck {
    ToolCheck { name: name.to_string(), status, detail, remedy: remedy.to_string() }
}
