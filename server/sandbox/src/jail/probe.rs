//! A job that looks around from inside and says what it found: how `detect` knows instead of hoping.

use std::fs;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::wire::HELPER_INSIDE;

/// What a job sees of its own walls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    /// It has no capability.
    pub(crate) powerless: bool,
    /// It cannot gain rights by exec.
    pub(crate) no_new_privs: bool,
    /// A system call filter is on it.
    pub(crate) filtered: bool,
    /// It sees its own processes only.
    pub(crate) alone: bool,
    /// It has no network interface but loopback.
    pub(crate) offline: bool,
    /// It can write neither `/usr` nor `/`.
    pub(crate) read_only: bool,
    /// Landlock holds it too.
    pub(crate) landlocked: bool,
}

impl Findings {
    /// The wall that is missing, if one that must stand is.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        let must = [
            (self.powerless, "the job kept capabilities"),
            (self.no_new_privs, "the job could gain rights by exec"),
            (self.filtered, "the system call filter is not on"),
            (self.alone, "the job sees other processes"),
            (self.offline, "the job has a network interface"),
            (self.read_only, "the job can write outside its scratch folder"),
        ];
        must.into_iter().find_map(|(stands, what)| (!stands).then_some(what))
    }
}

/// Prints [`Findings`] as JSON.
pub(super) fn main() -> ExitCode {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map_or("", str::trim);
    let none = |name: &str| !field(name).is_empty() && field(name).bytes().all(|digit| digit == b'0');
    let findings = Findings {
        powerless: none("CapEff:") && none("CapPrm:") && none("CapAmb:"),
        no_new_privs: field("NoNewPrivs:") == "1",
        filtered: field("Seccomp:") == "2",
        // Pid 1 and this process.
        alone: super::tree::descendants(0).len() <= 2,
        offline: interfaces().iter().all(|name| name == "lo"),
        read_only: ["/usr", "/", "/etc"].iter().all(|dir| fs::File::create(format!("{dir}/.zeroerr-probe")).is_err()),
        landlocked: landlocked(),
    };
    match serde_json::to_string(&findings) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

fn interfaces() -> Vec<String> {
    let text = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// Nothing but Landlock forbids to list `/run`, in which only the helper may be read.
fn landlocked() -> bool {
    fs::read_dir("/run").is_err() && fs::File::open(HELPER_INSIDE).is_ok()
}
