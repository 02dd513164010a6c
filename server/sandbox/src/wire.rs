//! What the server, the supervisor and the jail say to each other.
//!
//! One version only: all three are the same build. A plan is one JSON header and the raw stdin.

use std::ffi::OsString;
use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Exit, Limits};

/// Where the helper is seen inside the sandbox.
pub(crate) const HELPER_INSIDE: &str = "/run/zeroerr-jail";

/// The hidden first argument that turns the binary into the jail helper.
pub(crate) const JAIL_ARG: &str = "__jail";

/// Tells a supervisor that it will get a job of [`Shape::Plain`].
pub(crate) const PLAIN_ARG: &str = "plain";

/// How the job is walled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// We are real root: namespaces without a user namespace, then a switch to an unused uid.
    Dropped,
    /// We are a user: everything inside a user namespace.
    UserNamespace,
    /// The user said `sandbox.mode: off`: limits only.
    Plain,
}

/// Everything the helper needs to know about one job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// How it is walled in.
    pub(crate) shape: Shape,
    /// Path of bubblewrap; empty for [`Shape::Plain`].
    pub(crate) bwrap: OsString,
    /// Host path of the helper.
    pub(crate) helper: OsString,
    /// The program.
    pub(crate) program: OsString,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Its environment, complete.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// What it may read.
    pub(crate) readable: Vec<OsString>,
    /// Where it may write.
    pub(crate) scratch: OsString,
    /// Its limits.
    pub(crate) limits: Limits,
    /// The uid and gid it runs as under [`Shape::Dropped`]; set by the supervisor.
    pub(crate) uid: u32,
    /// Whether a memory cgroup holds it; set by the supervisor.
    pub(crate) memory_cgroup: bool,
    /// Whether the program is trusted to wait and to wall in each job that it forks: see [`crate::Nursery`].
    pub(crate) nursery: bool,
    /// Whether its stdin comes later, over the control socket ([`encode_stdin`]): see [`crate::Held`].
    pub(crate) held: bool,
    /// Tasks of this user that the kernel counts against the job's own limit; set by the supervisor.
    pub(crate) foreign_tasks: u64,
}

/// What the supervisor answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    /// How the job ended, or why it could not start.
    pub(crate) outcome: Result<Exit, String>,
    /// From the start of bubblewrap to the end of the program.
    pub(crate) elapsed: Duration,
    /// The cgroup controllers that held it.
    pub(crate) cgroups: Vec<String>,
}

impl Report {
    /// Of a job that never started.
    pub(crate) fn failed(why: String) -> Self {
        Self { outcome: Err(why), elapsed: Duration::ZERO, cgroups: Vec::new() }
    }
}

/// A plan and the job's stdin as bytes.
///
/// # Errors
/// When the plan cannot be written as JSON.
pub(crate) fn encode(plan: &Plan, stdin: &[u8]) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(plan)?;
    let mut bytes = Vec::with_capacity(header.len() + stdin.len() + 16);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend((stdin.len() as u64).to_le_bytes());
    bytes.extend(header);
    bytes.extend(stdin);
    Ok(bytes)
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// When the sender is gone or wrote something else.
pub(crate) fn decode(source: &mut impl Read) -> io::Result<(Plan, Vec<u8>)> {
    let (mut header_len, mut stdin_len) = ([0; 8], [0; 8]);
    source.read_exact(&mut header_len)?;
    source.read_exact(&mut stdin_len)?;
    let header = read_exactly(source, u64::from_le_bytes(header_len))?;
    let stdin = read_exactly(source, u64::from_le_bytes(stdin_len))?;
    Ok((serde_json::from_slice(&header)?, stdin))
}

/// The stdin of a job that was held, as bytes.
pub(crate) fn encode_stdin(stdin: &[u8]) -> Vec<u8> {
    [&(stdin.len() as u64).to_le_bytes(), stdin].concat()
}

/// Reads what [`encode_stdin`] wrote.
///
/// # Errors
/// When the sender is gone before all of it came.
pub(crate) fn decode_stdin(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut len = [0; 8];
    source.read_exact(&mut len)?;
    read_exactly(source, u64::from_le_bytes(len))
}

/// Reads `len` bytes without trusting `len` for the allocation.
fn read_exactly(source: &mut impl Read, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
