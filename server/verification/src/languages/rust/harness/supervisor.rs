//! The parent: it starts the child, asks, waits no longer than it should, and starts a new child when
//! the old one is gone or does not answer.

use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::wire::{self, json};
use crate::{CHILD, contracts, judge, laws, timing};

/// What was asked for.
pub struct Request {
    /// `judge`, `claims`, `contracts`, `laws`, `timing`.
    pub mode: String,
    /// Comes back with the answer.
    pub nonce: String,
    /// Seed of the inputs.
    pub seed: u64,
    /// Everything else, as `key=value`.
    options: Vec<(String, String)>,
    /// What the child is told of the spec's values.
    pub hints: Vec<String>,
}

impl Request {
    fn read(parts: &[String]) -> Option<Self> {
        let [mode, nonce, seed, rest @ ..] = parts else { return None };
        let options = rest.iter().filter_map(|p| p.strip_prefix("o:")?.split_once('='));
        Some(Self {
            mode: mode.clone(),
            nonce: nonce.clone(),
            seed: seed.parse().ok()?,
            options: options.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            hints: rest.iter().filter(|p| !p.starts_with("o:")).cloned().collect(),
        })
    }

    /// An option's text; empty when it was not given.
    pub fn option(&self, name: &str) -> &str {
        self.options.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v)
    }

    /// An option as a number.
    pub fn number(&self, name: &str, otherwise: usize) -> usize {
        self.option(name).parse().unwrap_or(otherwise)
    }

    /// Whether a claim is among those asked for; all are when none are named.
    pub fn wanted(&self, index: &str) -> bool {
        let only = self.option("claims");
        only.is_empty() || only.split(' ').any(|i| i == index)
    }
}

/// What the child said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its words.
    Parts(Vec<String>),
    /// Nothing in time; it is gone now.
    TimedOut,
    /// It ended: how.
    Ended(String),
}

impl Answer {
    /// The words, if the first of them is this.
    pub fn of(&self, kind: &str) -> Option<&[String]> {
        match self {
            Answer::Parts(parts) if parts.first().is_some_and(|p| p == kind) => parts.get(1..),
            _ => None,
        }
    }
}

/// A child and the way to it.
pub struct Worker {
    program: std::path::PathBuf,
    hints: Vec<String>,
    running: Option<(Child, UnixStream)>,
    tags: Tags,
    /// How many children could not even say what they can do.
    failed: usize,
}

/// Names that the code under test cannot guess.
struct Tags(Option<std::fs::File>, u64);

impl Tags {
    fn next(&mut self) -> String {
        let mut bytes = [0; 16];
        let read = self.0.as_mut().is_some_and(|f| f.read_exact(&mut bytes).is_ok());
        self.1 += 1;
        let random: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        if read { random } else { format!("{:?}{}", Instant::now(), self.1) }
    }
}

/// Where a child's last words go.
const LOG: &str = "child.log";

impl Worker {
    /// A worker that runs this program, or another one that was built as this one.
    pub fn new(request: &Request, program: Option<&str>) -> Self {
        let own = || std::env::current_exe().unwrap_or_default();
        Self {
            program: program.map_or_else(own, Into::into),
            hints: request.hints.clone(),
            running: None,
            tags: Tags(std::fs::File::open("/dev/urandom").ok(), 0),
            failed: 0,
        }
    }

    fn start(&mut self) -> std::io::Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let (ours, theirs) = UnixStream::pair()?;
        let log = std::fs::File::create(LOG)?;
        let mut command = Command::new(&self.program);
        command.arg(CHILD).stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(log);
        command.env("RUST_BACKTRACE", "0");
        let child = command.spawn()?;
        // Ours now: the command keeps a copy of the child's end, without which we could not see it close.
        drop(command);
        self.running = Some((child, ours));
        if let Some((_, stream)) = &mut self.running {
            wire::send(stream, &self.hints)?;
        }
        Ok(())
    }

    /// Asks one thing.
    pub fn ask(&mut self, job: &[&str], seconds: f64) -> Answer {
        if let Err(error) = self.start() {
            self.stop();
            return Answer::Ended(format!("could not be started: {error}"));
        }
        let tag = self.tags.next();
        let mut parts = vec![tag.clone()];
        parts.extend(job.iter().map(|p| (*p).to_owned()));
        let deadline = Instant::now() + Duration::from_secs_f64(seconds.max(0.01));
        let Some((_, stream)) = &mut self.running else { return Answer::TimedOut };
        if wire::send(stream, &parts).is_err() {
            return self.ending();
        }
        let mut timed = Timed { stream, deadline };
        match wire::receive(&mut timed) {
            Ok(parts) if parts.first() == Some(&tag) => Answer::Parts(parts.into_iter().skip(1).collect()),
            Ok(_) => {
                self.stop();
                Answer::Ended("answered for itself".to_owned())
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                self.stop();
                Answer::TimedOut
            }
            Err(_) => self.ending(),
        }
    }

    /// What the child says it can do; empty when it says nothing.
    pub fn describe(&mut self, what: &str) -> Vec<String> {
        match self.ask(&["describe", what], 5.0) {
            Answer::Parts(parts) => parts,
            _ => {
                self.failed += 1;
                Vec::new()
            }
        }
    }

    /// How the child ended.
    fn ending(&mut self) -> Answer {
        let Some((mut child, _)) = self.running.take() else { return Answer::TimedOut };
        let patience = Instant::now() + Duration::from_millis(500);
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < patience => std::thread::sleep(Duration::from_millis(2)),
                _ => break None,
            }
        };
        let _ = child.kill();
        let _ = child.wait();
        let words = std::fs::read_to_string(LOG).unwrap_or_default();
        Answer::Ended(match status {
            _ if words.contains("has overflowed its stack") => "stack overflow".to_owned(),
            _ if words.contains("memory allocation of") => "out of memory".to_owned(),
            Some(status) => match (status.signal(), status.code()) {
                (Some(6), _) => "abort".to_owned(),
                (Some(signal), _) => format!("signal {signal}"),
                (None, code) => format!("exit code {}", code.unwrap_or(0)),
            },
            None => "it closed the channel".to_owned(),
        })
    }

    /// Ends the child.
    pub fn stop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A stream that is read until a point in time.
struct Timed<'s> {
    stream: &'s mut UnixStream,
    deadline: Instant,
}

impl Read for Timed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(into)
    }
}

/// The facts of one request, as JSON.
pub fn answer(parts: &[String]) -> String {
    let Some(request) = Request::read(parts) else { return "{}".to_owned() };
    let mut worker = Worker::new(&request, None);
    let facts = match request.mode.as_str() {
        "judge" => judge::facts(&mut worker, &request),
        "claims" => format!("\"examples\":{}", crate::claims::facts(&mut worker, &request, false, 20.0)),
        "contracts" => contracts::facts(&mut worker, &request),
        "laws" => laws::facts(&mut worker, &request),
        "timing" => timing::facts(&mut worker, &request),
        _ => "\"unknown\":true".to_owned(),
    };
    format!("{{\"nonce\":{},{facts}}}", json(&request.nonce))
}
