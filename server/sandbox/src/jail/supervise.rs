//! The stage outside the sandbox: starts bubblewrap, watches the limits, kills, cleans up, reports.
//!
//! It talks to the server over its stdin, a socket. End of file there means that the server has
//! lost interest or is dead; either way the tree is killed. It has one thread when it forks, so the
//! parent-death signal that bubblewrap relies on cannot fire because a thread of ours ended.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::cgroup::Groups;
use super::starter::Starter;
use super::{scratch, tree};
use crate::resident::LIFE;
use crate::wire::{self, Plan, Report, Shape};
use crate::{Exit, LimitKind};

/// How often limits that nobody announces are looked at.
const TICK: Duration = Duration::from_millis(25);

/// How long a pid 1 that has reported may take to be gone.
const LAST_BREATH: Duration = Duration::from_millis(50);

/// First uid of jobs started by root: above every range that systemd and subuid hand out.
pub(crate) const FIRST_UID: u32 = 0x7000_0000;

/// What the watching threads tell the main one.
enum Event {
    /// The stdin of a job that was held has come.
    Begin(Vec<u8>),
    /// The server closed its side.
    ServerGone,
    /// Pid 1 reported.
    Ended(Result<Exit, String>),
    /// Pid 1 is gone.
    Silent,
}

/// When the job began, from where its wall time counts, and how the watch ended.
type Watched = (Instant, End);

/// How the watch ended.
enum End {
    /// Pid 1 said how the job ended, and is going.
    Reported(Result<Exit, String>),
    /// Something else did; what is left must be killed.
    Stopped(Result<Exit, String>),
}

/// Runs one job whose plan comes over stdin; `args` may say that nothing will be walled in.
///
/// All that does not depend on the plan is done before it comes, so that a supervisor kept in
/// reserve starts a job at once: entering a cgroup alone takes the kernel some 20 ms.
pub(super) fn main(args: &[OsString]) -> ExitCode {
    let is_plain = args.first().is_some_and(|arg| arg == wire::PLAIN_ARG);
    let Ok(control) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else {
        return ExitCode::FAILURE;
    };
    let groups = if is_plain { Groups::default() } else { Groups::create() };
    let starter = match Starter::fork(&groups) {
        Ok(starter) => starter,
        Err(error) => return answer(&control, &Report::failed(format!("cannot start the sandbox: {error}"))),
    };
    match wire::decode(&mut &control) {
        Ok((plan, stdin)) => answer(&control, &supervise(plan, &stdin, &control, starter, groups)),
        // Not needed after all, or started by hand.
        Err(_) => {
            drop(starter);
            tree::kill_all();
            ExitCode::FAILURE
        }
    }
}

/// Tells the server; when it is gone there is nobody else to tell.
fn answer(control: &UnixStream, report: &Report) -> ExitCode {
    let _ = serde_json::to_vec(report).map(|bytes| (&*control).write_all(&bytes));
    ExitCode::SUCCESS
}

fn supervise(mut plan: Plan, stdin: &[u8], control: &UnixStream, starter: Starter, mut groups: Groups) -> Report {
    if !starter.has_entered() || groups.limit(&plan.limits).is_err() {
        groups.give_up();
    }
    plan.uid = FIRST_UID + std::process::id();
    plan.memory_cgroup = groups.has_memory();
    plan.foreign_tasks = if counts_users_tasks(plan.shape) { tree::tasks_of_user() } else { 0 };

    let lent = Lent::new(&plan);
    let (begun, end) = start_and_watch(&lent, stdin, control, starter, &groups)
        .unwrap_or_else(|error| (Instant::now(), End::Stopped(Err(format!("cannot start the sandbox: {error}")))));
    let elapsed = begun.elapsed();
    let (outcome, going) = match end {
        End::Reported(outcome) => (outcome, plan.shape != Shape::Plain),
        End::Stopped(outcome) => (outcome, false),
    };
    if !(going && tree::reap_all(LAST_BREATH)) {
        tree::kill_all();
    }
    drop(lent);
    Report { outcome: blame(outcome, &groups), elapsed, cgroups: groups.names() }
}

/// Whether the kernel counts what the user runs outside against `RLIMIT_NPROC` inside a user
/// namespace, as it did before 5.14.
fn counts_users_tasks(shape: Shape) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.trim().parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    shape == Shape::UserNamespace && version < (5, 14)
}

/// Names the limit behind an end that only looks like the program's own.
fn blame(outcome: Result<Exit, String>, groups: &Groups) -> Result<Exit, String> {
    match outcome {
        Ok(Exit::Code(0) | Exit::Limit(_)) => outcome,
        _ if groups.out_of_memory() => Ok(Exit::Limit(LimitKind::Memory)),
        Ok(_) if groups.out_of_tasks() => Ok(Exit::Limit(LimitKind::Processes)),
        outcome => outcome,
    }
}

fn start_and_watch(
    lent: &Lent<'_>,
    stdin: &[u8],
    control: &UnixStream,
    starter: Starter,
    groups: &Groups,
) -> io::Result<Watched> {
    let (sender, events) = channel();
    let control = control.try_clone()?;
    let begun = Instant::now();
    let (status, feed) = starter.start(lent.plan, stdin)?;
    let (server, is_held) = (sender.clone(), lent.plan.held);
    std::thread::spawn(move || {
        if is_held && let Ok(stdin) = wire::decode_stdin(&mut &control) {
            let _ = server.send(Event::Begin(stdin));
        }
        let _ = (&control).read(&mut [0; 1]);
        let _ = server.send(Event::ServerGone);
    });
    std::thread::spawn(move || listen(status, &sender));
    Ok(watch(begun, lent, groups, &events, feed))
}

/// Lets a job begin that was held: what was put into its folder since becomes its own, and its stdin comes.
fn begin(lent: &Lent<'_>, stdin: Vec<u8>, feed: Option<PipeWriter>) {
    lent.give();
    if let Some(mut feed) = feed {
        // A job that does not read it blocks this thread and nobody else.
        std::thread::spawn(move || feed.write_all(&stdin));
    }
}

/// Passes on what pid 1 reports; empty lines are its heartbeat.
fn listen(status: PipeReader, sender: &Sender<Event>) {
    for line in BufReader::new(status).lines().map_while(Result::ok) {
        if let Ok(outcome) = serde_json::from_str(&line) {
            let _ = sender.send(Event::Ended(outcome));
        }
    }
    let _ = sender.send(Event::Silent);
}

/// Waits for the end of the job or for the first limit that it passes.
fn watch(
    mut begun: Instant,
    lent: &Lent<'_>,
    groups: &Groups,
    events: &Receiver<Event>,
    mut feed: Option<PipeWriter>,
) -> Watched {
    let plan = lent.plan;
    let mut deadline = begun + if plan.held { LIFE } else { plan.limits.wall };
    // What is written while it waits, the caller writes.
    let mut disk = Disk::new(plan, plan.nursery || plan.held);
    loop {
        let wait = TICK.min(deadline.saturating_duration_since(Instant::now()));
        match events.recv_timeout(wait) {
            Ok(Event::Begin(stdin)) => {
                disk = Disk::new(plan, false);
                begin(lent, stdin, feed.take());
                begun = Instant::now();
                deadline = begun + plan.limits.wall;
            }
            Ok(Event::Ended(outcome)) => return (begun, End::Reported(outcome)),
            Ok(Event::ServerGone) => return (begun, End::Stopped(Err("the job was cancelled".to_owned()))),
            Ok(Event::Silent) | Err(RecvTimeoutError::Disconnected) => {
                return (begun, End::Stopped(Err("the sandbox ended without a report".to_owned())));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let passed = if Instant::now() >= deadline {
            Some(LimitKind::Wall)
        } else if groups.out_of_memory() {
            Some(LimitKind::Memory)
        } else if groups.out_of_tasks() {
            Some(LimitKind::Processes)
        } else if disk.is_full() {
            Some(LimitKind::FileSize)
        } else {
            None
        };
        if let Some(kind) = passed {
            return (begun, End::Stopped(Ok(Exit::Limit(kind))));
        }
    }
}

/// Watches how much a job adds to its scratch folder.
struct Disk {
    folder: PathBuf,
    limit: u64,
    next: Instant,
}

impl Disk {
    fn new(plan: &Plan, is_free: bool) -> Self {
        let folder = PathBuf::from(&plan.scratch);
        let limit = if is_free { u64::MAX } else { scratch::size(&folder).saturating_add(plan.limits.disk) };
        Self { folder, limit, next: Instant::now() + TICK * 4 }
    }

    /// A large folder takes long to walk, so it is walked less often: at most a tenth of the time.
    fn is_full(&mut self) -> bool {
        let start = Instant::now();
        if start < self.next || self.limit == u64::MAX {
            return false;
        }
        let full = scratch::size(&self.folder) > self.limit;
        self.next = Instant::now() + (TICK * 4).max(start.elapsed() * 10);
        full
    }
}

/// A plan whose scratch folder belongs to the job's uid for a while; taken back when dropped.
struct Lent<'plan> {
    plan: &'plan Plan,
    folder: Option<&'plan Path>,
}

impl<'plan> Lent<'plan> {
    fn new(plan: &'plan Plan) -> Self {
        // The folder of a nursery holds the scratch folders of its jobs; each is lent for its job.
        let folder = (plan.shape == Shape::Dropped && !plan.nursery).then(|| Path::new(&plan.scratch));
        let lent = Self { plan, folder };
        lent.give();
        lent
    }

    /// Gives all that is in the folder now.
    fn give(&self) {
        if let Some(folder) = self.folder {
            scratch::give(folder, self.plan.uid);
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(folder) = self.folder {
            scratch::give(folder, nix::unistd::getuid().as_raw());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_the_kernel_enforced_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let groups = Groups::pretend(dir.path());
        let write = |file: &str, text: &str| std::fs::write(dir.path().join(file), text).unwrap();
        write("memory.events", "max 3\noom 0\noom_kill 0\n");
        write("pids.events", "max 0\n");
        assert_eq!(blame(Ok(Exit::Signal(9)), &groups), Ok(Exit::Signal(9)));
        write("pids.events", "max 2\n");
        assert_eq!(blame(Ok(Exit::Code(1)), &groups), Ok(Exit::Limit(LimitKind::Processes)));
        write("memory.events", "max 3\noom 1\noom_kill 1\n");
        assert_eq!(blame(Ok(Exit::Signal(9)), &groups), Ok(Exit::Limit(LimitKind::Memory)));
        // Pid 1 itself may be the victim, and then reports nothing.
        assert_eq!(blame(Err("silent".to_owned()), &groups), Ok(Exit::Limit(LimitKind::Memory)));
        // A program that coped is not accused.
        assert_eq!(blame(Ok(Exit::Code(0)), &groups), Ok(Exit::Code(0)));
    }
}
