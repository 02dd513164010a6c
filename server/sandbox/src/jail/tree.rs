//! The process tree below us, read from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// What a tree uses now.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU time of its living processes and of the children they have reaped.
    pub(crate) cpu: Duration,
    /// Threads.
    pub(crate) tasks: u64,
    /// Bytes of anonymous memory, plus the largest shared mapping.
    pub(crate) memory: u64,
}

/// What `/proc/<pid>/stat` says about one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    dead: bool,
    ticks: u64,
    threads: u64,
}

/// The living descendants of `root`, without itself.
pub(crate) fn descendants(root: i32) -> Vec<i32> {
    walk(root).into_iter().map(|(pid, _)| pid).collect()
}

/// What the descendants of `root` use; memory only when asked, since it costs another read.
pub(crate) fn usage(root: i32, with_memory: bool) -> Usage {
    let tick = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100).max(1);
    let (mut total, mut ticks, mut shared) = (Usage::default(), 0, 0);
    for (pid, stat) in walk(root) {
        ticks += stat.ticks;
        total.tasks += stat.threads;
        if with_memory {
            let (anonymous, shmem) = resident(pid);
            total.memory += anonymous;
            shared = shared.max(shmem);
        }
    }
    total.memory += shared;
    total.cpu = Duration::from_millis(ticks.saturating_mul(1000) / tick.unsigned_abs());
    total
}

/// Kills every descendant of this process and reaps what becomes its child on the way.
///
/// The caller is a child subreaper, so that an orphan cannot leave its tree; returns when no child
/// is left. Pid 1 of a namespace counts as dead only after the kernel has emptied the namespace.
pub(crate) fn kill_all() {
    loop {
        for pid in descendants(i32::try_from(std::process::id()).unwrap_or(i32::MAX)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            _ => {}
        }
    }
}

/// Waits at most `limit` until no child is left; says whether none is.
///
/// The cheap way to the end of a namespace whose pid 1 has said that it goes.
pub(crate) fn reap_all(limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return true,
            Ok(WaitStatus::StillAlive) if Instant::now() > deadline => return false,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_micros(200)),
            _ => {}
        }
    }
}

/// Threads of all processes with our uid, as the kernel counts them for `RLIMIT_NPROC`.
pub(crate) fn tasks_of_user() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let uid = nix::unistd::getuid().as_raw();
    pids()
        .filter(|pid| fs::metadata(format!("/proc/{pid}")).is_ok_and(|meta| meta.uid() == uid))
        .filter_map(stat)
        .map(|stat| stat.threads)
        .sum()
}

fn walk(root: i32) -> Vec<(i32, Stat)> {
    let mut children: HashMap<i32, Vec<(i32, Stat)>> = HashMap::new();
    for (pid, stat) in pids().filter_map(|pid| Some((pid, stat(pid)?))) {
        children.entry(stat.parent).or_default().push((pid, stat));
    }
    let (mut found, mut open) = (Vec::new(), vec![root]);
    while let Some(parent) = open.pop() {
        for (pid, stat) in children.remove(&parent).unwrap_or_default() {
            open.push(pid);
            if !stat.dead {
                found.push((pid, stat));
            }
        }
    }
    found
}

fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// One read: a line is at most some 350 bytes, and this runs for every process of the machine.
fn stat(pid: i32) -> Option<Stat> {
    let mut line = [0; 1024];
    let len = fs::File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut line).ok()?;
    parse_stat(&String::from_utf8_lossy(line.get(..len)?))
}

/// Fields are counted after the last `)`: the name before it may hold anything.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        dead: matches!(*fields.first()?, "Z" | "X" | "x"),
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        threads: number(17)?,
    })
}

/// Anonymous and shared-memory bytes that are resident or swapped out.
fn resident(pid: i32) -> (u64, u64) {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib << 10)
    };
    let (anonymous, swapped) = (field("RssAnon:").unwrap_or(0), field("VmSwap:").unwrap_or(0));
    (anonymous + swapped, field("RssShmem:").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_cannot_hide_behind_its_name() {
        let line = "7 (a) R 1 (b)) S 3 7 7 0 -1 0 0 0 0 0 10 20 1 2 20 0 5 0 100 0 0";
        assert_eq!(parse_stat(line), Some(Stat { parent: 3, dead: false, ticks: 33, threads: 5 }));
        assert_eq!(parse_stat("7 (no end"), None);
    }

    #[test]
    fn we_are_among_the_descendants_of_pid_1() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(descendants(1).contains(&me));
        assert!(tasks_of_user() > 0);
    }
}
