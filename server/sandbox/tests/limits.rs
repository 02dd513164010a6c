//! Programs that use up what they can: each is stopped, and the limit is named.

mod common;

use std::time::{Duration, Instant};

use common::{Case, marker, processes_with, sandbox};
use zeroerr_sandbox::{Exit, LimitKind, Limits, Mode, Sandbox, SandboxOptions};

const LIMIT: fn(LimitKind) -> Exit = Exit::Limit;

/// Whether a cgroup controller holds the jobs of this machine.
fn has(controller: &str) -> bool {
    sandbox().describe().mechanisms.iter().any(|name| name.starts_with("cgroup") && name.ends_with(controller))
}

/// No cgroup of a finished job may be left anywhere.
fn cgroups_left() -> Vec<std::path::PathBuf> {
    fn walk(dir: &std::path::Path, own: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let name = entry.file_name();
                let pid = name.to_str().and_then(|name| name.strip_prefix("zeroerr-"));
                if pid.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()) {
                    own.push(entry.path());
                }
                walk(&entry.path(), own);
            }
        }
    }
    let mut found = Vec::new();
    walk(std::path::Path::new("/sys/fs/cgroup"), &mut found);
    found
}

#[test]
fn a_sleeper_meets_the_wall() {
    let start = Instant::now();
    let ran = Case::sh("echo before; sleep 60").limits(|limits| limits.wall = Duration::from_millis(500)).run();
    assert_eq!((ran.exit(), ran.stdout().as_str()), (LIMIT(LimitKind::Wall), "before\n"));
    assert!(ran.0.elapsed >= Duration::from_millis(500) && start.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_endless_loop_uses_up_its_cpu_time() {
    let ran = Case::python("while True: pass").limits(|limits| limits.cpu = Duration::from_millis(700)).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Cpu));
    assert!(ran.0.elapsed < Duration::from_secs(10));
}

#[test]
fn an_endless_loop_that_ignores_sigxcpu_ends_all_the_same() {
    let script = "
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: pass
";
    let ran = Case::python(script).limits(|limits| limits.cpu = Duration::from_secs(1)).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Cpu));
}

#[test]
fn cpu_time_is_counted_for_the_tree_not_for_each_process() {
    // Each process stays far below the limit; together they pass it.
    let script = "i=0; while [ $i -lt 200 ]; do (j=0; while [ $j -lt 60000 ]; do j=$((j+1)); done); i=$((i+1)); done";
    let ran = Case::sh(script).limits(|limits| limits.cpu = Duration::from_millis(800)).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Cpu));
}

#[test]
fn one_process_that_wants_too_much_memory_gets_a_memory_error() {
    let script = "
try: data = bytearray(900 << 20)
except MemoryError: print('refused')
else: print('GOT', len(data))
";
    Case::python(script).limits(|limits| limits.memory = 256 << 20).run().prints("refused\n");
}

#[test]
fn several_processes_cannot_share_a_memory_hog() {
    let script = "
import os, time
for _ in range(8):
    if os.fork() == 0:
        data = bytearray(os.urandom(1 << 20)) * 100
        time.sleep(30)
time.sleep(30)
";
    let ran = Case::python(script).limits(|limits| limits.memory = 256 << 20).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Memory), "{}", ran.stderr());
}

#[test]
fn memory_hidden_in_files_of_the_temporary_folder_counts() {
    let script = "
import os, time
try:
    for index in range(40):
        with open(f'/tmp/{index}', 'wb') as file: file.write(os.urandom(1 << 20) * 16)
except OSError as error:
    print('refused', error.errno)
";
    let ran = Case::python(script).limits(|limits| limits.disk = 64 << 20).run();
    ran.prints("refused 28\n");
}

#[test]
fn a_fork_bomb_is_stopped_at_once_and_nothing_of_it_is_left() {
    let marker = marker("bomb");
    let start = Instant::now();
    let script = format!(": {marker}; f() {{ f | f & f; }}; f; sleep 60");
    let ran = Case::sh(&script).limits(|limits| limits.processes = 32).run();
    // Where no cgroup counts, a shell may give up by itself before it is counted.
    let gave_up = !has("pids") && ran.exit() == Exit::Code(2) && ran.stderr().contains("Cannot fork");
    assert!(gave_up || ran.exit() == LIMIT(LimitKind::Processes), "{ran:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[test]
fn a_bomb_of_threads_is_stopped_too() {
    let script = "
import threading, time
while True: threading.Thread(target=time.sleep, args=(60,)).start()
";
    let ran = Case::python(script).limits(|limits| limits.processes = 32).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Processes), "{}", ran.stderr());
}

#[test]
fn exactly_as_many_processes_as_allowed_are_fine() {
    let script = "
import os, sys, time
pids = []
for _ in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0: time.sleep(0.3); os._exit(0)
    pids.append(pid)
print(sum(os.waitpid(pid, 0)[1] for pid in pids))
";
    Case::python(script).arg("15").limits(|limits| limits.processes = 16).run().prints("0\n");
    let ran = Case::python(script).arg("16").limits(|limits| limits.processes = 16).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::Processes), "{}", ran.stderr());
}

#[test]
fn output_is_read_to_the_limit_and_then_the_job_is_killed() {
    for (script, is_stderr) in [("yes", false), ("yes >&2", true)] {
        let start = Instant::now();
        let ran = Case::sh(script).limits(|limits| limits.output = 10_000).run();
        assert_eq!(ran.exit(), LIMIT(LimitKind::Output));
        let (flood, other) = if is_stderr { (ran.stderr(), ran.stdout()) } else { (ran.stdout(), ran.stderr()) };
        assert_eq!((flood.len(), other.as_str()), (10_000, ""));
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    // One byte less than too much is not too much.
    let ran = Case::sh("head -c 10000 /dev/zero").limits(|limits| limits.output = 10_000).run();
    assert_eq!((ran.exit(), ran.0.stdout.len()), (Exit::Code(0), 10_000));
}

#[test]
fn one_huge_file_and_many_small_ones_are_both_stopped() {
    let ran = Case::sh("exec dd if=/dev/zero of=big bs=1M count=500 2>/dev/null")
        .limits(|limits| limits.file_size = 4 << 20)
        .run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::FileSize));
    let fill = "i=0; while :; do head -c 1000000 /dev/zero > f$i; i=$((i+1)); done";
    let ran = Case::sh(fill).limits(|limits| limits.disk = 20 << 20).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::FileSize));
    let ran = Case::sh("i=0; while :; do : > e$i; i=$((i+1)); done").limits(|limits| limits.disk = 4 << 20).run();
    assert_eq!(ran.exit(), LIMIT(LimitKind::FileSize));
}

#[test]
fn descriptors_run_out() {
    let script = "
files = []
try:
    while True: files.append(open('/dev/null'))
except OSError as error: print(error.errno, len(files) < 64)
";
    Case::python(script).limits(|limits| limits.open_files = 64).run().prints("24 True\n");
}

#[test]
fn limits_cannot_be_raised_again() {
    let script = "
import resource
for name in ['RLIMIT_NPROC', 'RLIMIT_DATA', 'RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE', 'RLIMIT_CORE']:
    limit = getattr(resource, name)
    soft, hard = resource.getrlimit(limit)
    try: resource.setrlimit(limit, (hard + 1, hard + 1))
    except (OSError, ValueError): print(name, 'held')
    else: print(name, 'GOT')
";
    Case::python(script).run().prints(
        "RLIMIT_NPROC held\nRLIMIT_DATA held\nRLIMIT_CPU held\nRLIMIT_FSIZE held\nRLIMIT_NOFILE held\n\
         RLIMIT_CORE held\n",
    );
}

#[test]
fn a_signal_of_its_own_is_reported_as_such() {
    assert_eq!(Case::sh("kill -SEGV $$").run().exit(), Exit::Signal(11));
    assert_eq!(Case::sh("kill -KILL $$").run().exit(), Exit::Signal(9));
}

#[test]
fn without_the_kernels_groups_the_tree_is_sampled() {
    // With the sandbox off there is no cgroup and no RLIMIT_NPROC: what is left is the sampling.
    let off = Sandbox::detect(&SandboxOptions { mode: Mode::Off, ..SandboxOptions::default() }).unwrap();
    let hog = "
import os, time
for _ in range(8):
    if os.fork() == 0:
        data = bytearray(os.urandom(1 << 20)) * 60
        time.sleep(30)
time.sleep(30)
";
    let ran = Case::python(hog).limits(|limits| limits.memory = 256 << 20).run_in(&off);
    assert_eq!(ran.exit(), LIMIT(LimitKind::Memory));
    let many = "i=0; while [ $i -lt 40 ]; do sleep 30 & i=$((i+1)); done; wait";
    let ran = Case::sh(many).limits(|limits| limits.processes = 32).run_in(&off);
    assert_eq!(ran.exit(), LIMIT(LimitKind::Processes));
}

#[test]
fn no_cgroup_is_left_behind() {
    let _ = sandbox();
    // What a killed supervisor of somebody else left is theirs to sweep, when they start again.
    let before = cgroups_left();
    let new = || cgroups_left().into_iter().filter(|group| !before.contains(group)).collect::<Vec<_>>();
    for script in ["true", "sleep 60", ": & : & kill -9 $$"] {
        let _ = Case::sh(script).limits(|limits: &mut Limits| limits.wall = Duration::from_millis(300)).run();
    }
    // Other tests of this machine may be between the death of a supervisor and nothing.
    assert!(common::eventually(Duration::from_secs(3), || new().is_empty()), "{:?}", new());
}
