//! Node programs that stay, with compiler and linter loaded, and are asked about one text after the other.
//!
//! They run no code under test: to them it is text, and they answer in facts. Whatever does not go well is done
//! once more by a process of its own, so a resident changes how long a verdict takes and never what it says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use zeroerr_sandbox::{Job, Limits, Resident};

use super::pool::{Pool, Waiting};
use super::{NodeEnv, Toolchain};

/// See the module.
pub(super) type Residents = Pool<Kept>;

/// How long an answer may take; what takes longer is given the time that a process of its own has.
const ANSWER: Duration = Duration::from_secs(20);
/// Bytes of an answer.
const MOST: usize = 16 << 20;

/// A program that stays, and the folder it works in.
#[derive(Debug)]
pub(super) struct Kept {
    resident: Resident,
    _scratch: tempfile::TempDir,
}

impl Toolchain {
    /// What `script`, loaded once, answers to a question; `None` when it must be asked otherwise. `packages` is a
    /// folder that it may read beside Node's own.
    pub(crate) async fn ask_resident(
        &self,
        node: &NodeEnv,
        script: &Path,
        packages: Option<&PathBuf>,
        question: &Value,
    ) -> Option<Value> {
        let residents = self.residents.as_ref().filter(|r| r.is_possible())?;
        let key = format!("{script:?} {packages:?}");
        let _running = self.running();
        let mut kept = match residents.take(&key) {
            Some(kept) => kept,
            None => Waiting::new(self.start_resident(node, script, packages).await?),
        };
        match kept.program.resident.ask(question.to_string().as_bytes(), ANSWER, MOST).await {
            Ok(answer) => {
                residents.worked();
                let answer: Value = serde_json::from_slice(&answer).ok()?;
                if let Some(trouble) = answer["trouble"].as_str() {
                    tracing::debug!(trouble, "a question is asked of a process of its own");
                    return None;
                }
                residents.put(key, kept);
                Some(answer)
            }
            Err(error) => {
                residents.failed(&error);
                None
            }
        }
    }

    async fn start_resident(&self, node: &NodeEnv, script: &Path, packages: Option<&PathBuf>) -> Option<Kept> {
        if self.scratches().is_ok_and(|folder| script.starts_with(folder)) {
            return None; // seen by the one job that it was put there for
        }
        let scratch = self.scratch().ok()?;
        let job = Job {
            program: node.node.clone(),
            args: vec!["--no-warnings".into(), "--max-old-space-size=1536".into(), script.into()],
            env: [("TZ", "UTC"), ("LANG", "C.UTF-8")].map(|(k, v)| (k.into(), v.into())).to_vec(),
            readable: node.readable.iter().chain(packages).cloned().collect(),
            scratch: scratch.path().to_path_buf(),
            limits: Limits { memory: 3 << 30, processes: 64, ..Limits::default() },
            ..Job::default()
        };
        match self.sandbox().ok()?.resident(job).await {
            Ok(resident) => Some(Kept { resident, _scratch: scratch }),
            Err(error) => {
                self.residents.as_ref()?.failed(&error);
                None
            }
        }
    }

    /// Ends the programs that have waited for so long; says how many go on waiting.
    pub fn dismiss(&self, idle: Duration) -> usize {
        let interpreters = self.nurseries.as_ref().map_or(0, |n| n.dismiss(idle));
        let residents = self.residents.as_ref().map_or(0, |r| r.dismiss(idle));
        interpreters + residents + self.standbys.as_ref().map_or(0, |s| s.dismiss(idle))
    }
}
