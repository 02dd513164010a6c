//! Programs that the user asked for by name (pip, git), without a sandbox.
//!
//! They run as the user, with the user's environment and network. What is kept is the promise that
//! nothing is left behind: the whole process tree ends with the call, with its future, and with us.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::find;
use crate::wire::JAIL_ARG;

/// Bytes kept of one line and of each output; more is dropped from the front.
const KEPT: usize = 1 << 20;

/// Which output a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a trusted program left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOutput {
    /// Its exit code; 128 + n when signal n ended it.
    pub code: i32,
    /// The last megabyte of its stdout.
    pub stdout: String,
    /// The last megabyte of its stderr.
    pub stderr: String,
}

impl TrustedOutput {
    /// Whether it said that it succeeded.
    pub fn success(&self) -> bool {
        self.code == 0
    }
}

/// A trusted program that did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum TrustedError {
    /// It could not be started.
    #[error("cannot start {program}: {source}; is it installed and on PATH?", program = program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its output could not be read.
    #[error("cannot read what {program} says: {source}", program = program.display())]
    Read {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It took too long and was killed with all it had started.
    #[error("{program} was stopped after {seconds} s without an end", program = program.display(), seconds = after.as_secs())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The time it was given.
        after: Duration,
    },
}

/// Runs `program` with our environment plus `env`, in `cwd`, for at most `timeout`, and hands every
/// line to `on_line` as it comes (a carriage return ends a line too, for progress bars).
///
/// Dropping the future kills the whole tree.
///
/// # Errors
/// When it cannot be started, read, or does not end in time; a bad exit code is not an error.
pub async fn run(
    program: &Path,
    args: &[OsString],
    env: &[(OsString, OsString)],
    cwd: Option<&Path>,
    timeout: Duration,
    on_line: impl Fn(Stream, &str) + Send + Sync,
) -> Result<TrustedOutput, TrustedError> {
    let start = |source| TrustedError::Start { program: program.to_path_buf(), source };
    let read = |source| TrustedError::Read { program: program.to_path_buf(), source };
    let found = if program.components().count() == 1 {
        which(program.as_os_str()).ok_or_else(|| start(io::ErrorKind::NotFound.into()))?
    } else {
        program.to_path_buf()
    };
    let (mut command, is_watched) = watched(&found, args);
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let mut child = command.spawn().map_err(start)?;
    // The open end of its stdin is what tells the watcher that we live; a watcher must not be
    // killed, since it has the tree to kill first.
    let _lifeline = child.stdin.take();
    let group = child.id().filter(|_| !is_watched);
    let _group = group.and_then(|id| i32::try_from(id).ok()).map(KillGroup);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let lines = async {
            tokio::try_join!(collect(stdout, Stream::Stdout, &on_line), collect(stderr, Stream::Stderr, &on_line))
        };
        let (lines, status) = tokio::join!(lines, child.wait());
        lines.and_then(|lines| Ok((lines, status?)))
    };
    let timed_out = |_| TrustedError::TimedOut { program: program.to_path_buf(), after: timeout };
    let ((stdout, stderr), status) = tokio::time::timeout(timeout, all).await.map_err(timed_out)?.map_err(read)?;
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(TrustedOutput { code, stdout, stderr })
}

/// Starts a program that is the user's from then on, a browser for instance: it outlives us, and we
/// hear no more of it.
///
/// # Errors
/// When it cannot be started.
pub fn hand_over(program: &Path, args: &[OsString]) -> Result<(), TrustedError> {
    let mut command = std::process::Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: Ctrl-C in our terminal is not meant for it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let start = |source| TrustedError::Start { program: program.to_path_buf(), source };
    command.spawn().map(drop).map_err(start)
}

/// The program `name` on PATH.
pub fn which(name: impl AsRef<std::ffi::OsStr>) -> Option<PathBuf> {
    which::which(name).ok()
}

/// Below the helper's eyes, which outlive us; without a helper, at least in a group of its own.
fn watched(program: &Path, args: &[OsString]) -> (Command, bool) {
    if let Ok(helper) = find::helper(None) {
        let mut command = Command::new(helper);
        command.args([JAIL_ARG, "watch"]).arg(program).args(args).stdin(Stdio::piped());
        return (command, true);
    }
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    (command, false)
}

/// Kills a process group when dropped.
struct KillGroup(i32);

impl Drop for KillGroup {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.0), Signal::SIGKILL);
    }
}

async fn collect(
    source: Option<impl AsyncRead + Unpin>,
    stream: Stream,
    on_line: &(impl Fn(Stream, &str) + Send + Sync),
) -> io::Result<String> {
    let Some(source) = source else { return Ok(String::new()) };
    let (mut reader, mut kept, mut line) = (BufReader::new(source), String::new(), Vec::new());
    loop {
        let chunk = reader.fill_buf().await?;
        let (used, ended) = match chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(end) => (end + 1, true),
            None => (chunk.len(), line.len() + chunk.len() > KEPT),
        };
        line.extend(chunk.get(..used).unwrap_or_default());
        let last = used == 0;
        reader.consume(used);
        if ended || (last && !line.is_empty()) {
            let text = String::from_utf8_lossy(&line).into_owned();
            on_line(stream, text.trim_end_matches(['\n', '\r']));
            kept.push_str(&text);
            line.clear();
            // Not at each line: what stays is moved.
            if kept.len() > 2 * KEPT {
                shorten(&mut kept);
            }
        }
        if last {
            shorten(&mut kept);
            return Ok(kept);
        }
    }
}

/// Keeps the last [`KEPT`] bytes, cut at a character.
fn shorten(text: &mut String) {
    let mut cut = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(cut) {
        cut += 1;
    }
    text.drain(..cut);
}
