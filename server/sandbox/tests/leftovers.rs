//! Nothing is left: not of programs that hide, nor when we lose interest, nor when we are killed.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Case, eventually, marker, processes_with, sandbox};
use zeroerr_sandbox::{Exit, LimitKind};

const SOON: Duration = Duration::from_secs(3);

#[test]
fn a_daemon_is_dead_when_its_parent_has_ended() {
    let marker = marker("daemon");
    let script = "
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2): os.close(fd)
        time.sleep(60)
    os._exit(0)
time.sleep(0.2)
print('parent done')
";
    Case::python(script).arg(&marker).run().prints("parent done\n");
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[test]
fn a_daemon_that_keeps_the_output_open_does_not_keep_us_waiting() {
    let marker = marker("holder");
    let start = Instant::now();
    Case::sh(&format!("setsid sh -c 'sleep 60; : {marker}' & echo done")).run().prints("done\n");
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[test]
fn signals_reach_nobody_but_the_job_itself() {
    let bystander = marker("bystander");
    let mut host = Command::new("sh").args(["-c", "sleep 30; : $0", &bystander]).spawn().unwrap();
    let script = "
import os, signal, sys
for target in (1, os.getppid(), int(sys.argv[1]), int(sys.argv[2])):
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try: os.kill(target, number)
        except OSError: pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try: os.kill(-1, signal.SIGTERM)
except OSError: pass
print('alone')
";
    let ran = Case::python(script).arg(host.id().to_string()).arg(std::process::id().to_string()).run();
    ran.prints("alone\n");
    assert!(host.try_wait().unwrap().is_none(), "the job reached a process of the host");
    host.kill().unwrap();
    host.wait().unwrap();
}

#[test]
fn a_job_that_kills_all_it_sees_kills_itself() {
    let ran = Case::sh("kill -9 -1; echo still here; kill -9 $$").run();
    assert!(matches!(ran.exit(), Exit::Signal(9) | Exit::Code(0)), "{ran:?}");
}

#[test]
fn a_job_that_stops_itself_and_its_parent_meets_the_wall() {
    let marker = marker("stopped");
    let script = format!(": {marker}; kill -STOP 1; kill -STOP $PPID; kill -STOP $$; echo resumed");
    let ran = Case::sh(&script).limits(|limits| limits.wall = Duration::from_secs(1)).run();
    assert_eq!((ran.exit(), ran.stdout().as_str()), (Exit::Limit(LimitKind::Wall), ""));
    assert_eq!(processes_with(&marker), Vec::<u32>::new());
}

#[test]
fn dropping_the_future_kills_everything() {
    let marker = marker("dropped");
    let case = Case::sh(&format!("setsid sh -c 'sleep 60; : {marker}' & sleep 60; : {marker}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = sandbox();
        let running = running.run(case.job.clone());
        tokio::select! {
            _ = running => panic!("it ended by itself"),
            () = async { while processes_with(&marker).len() < 2 { tokio::time::sleep(Duration::from_millis(10)).await } } => {}
        }
    });
    assert!(eventually(SOON, || processes_with(&marker).is_empty()), "{:?}", processes_with(&marker));
    assert!(eventually(SOON, || our_children().is_empty()), "zombies: {:?}", our_children());
    // The folder is ours again.
    use std::os::unix::fs::MetadataExt;
    let owner = || std::fs::metadata(&case.job.scratch).unwrap().uid();
    assert!(eventually(SOON, || owner() == nix::unistd::getuid().as_raw()), "owner {}", owner());
}

#[test]
fn when_we_are_killed_the_job_dies_with_us() {
    const ENV: &str = "ZEROERR_TEST_VICTIM";
    if let Ok(marker) = std::env::var(ENV) {
        println!("ready");
        Case::sh(&format!("setsid sh -c 'sleep 60; : {marker}' & sleep 60; : {marker}")).run();
        return;
    }
    let marker = marker("orphan");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "when_we_are_killed_the_job_dies_with_us", "--nocapture"])
        .env(ENV, &marker)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("ready")));
    assert!(eventually(SOON, || processes_with(&marker).len() >= 2), "the job did not start");
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(eventually(SOON, || processes_with(&marker).is_empty()), "{:?}", processes_with(&marker));
}

#[test]
fn when_the_supervisor_is_killed_the_job_dies_too_and_it_is_an_error() {
    let marker = marker("headless");
    let case = Case::sh(&format!("sleep 60; : {marker}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let job = case.job.clone();
    let running = runtime.spawn(async move { sandbox().run(job).await });
    assert!(eventually(SOON, || processes_with(&marker).iter().any(|pid| is_stage(*pid, "sh"))));
    let pid = processes_with(&marker).into_iter().find_map(supervisor_of).expect("a supervisor above the job");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    let error = runtime.block_on(running).unwrap().unwrap_err();
    assert!(error.to_string().contains("supervisor"), "{error}");
    assert!(eventually(SOON, || processes_with(&marker).is_empty()), "{:?}", processes_with(&marker));
}

#[test]
fn many_dropped_jobs_leave_no_process_and_no_descriptor() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let marker = marker("churn");
    let sandbox = sandbox();
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    runtime.block_on(async {
        for step in 0..20 {
            let case = Case::sh(&format!("sleep 60; : {marker}"));
            let _ = tokio::time::timeout(Duration::from_millis(step * 4), sandbox.run(case.job.clone())).await;
        }
    });
    assert!(eventually(SOON, || processes_with(&marker).is_empty()), "{:?}", processes_with(&marker));
    // Other tests of this binary run beside this one, so a few may be open for them.
    assert!(eventually(SOON, || descriptors() <= before + 60), "{} then {}", before, descriptors());
}

fn our_children() -> Vec<String> {
    let pid = std::process::id();
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| stat.contains(") Z ") && stat.contains(&format!(") Z {pid} ")))
        .collect()
}

fn is_stage(pid: u32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
}

/// The nearest ancestor that runs `__jail supervise`.
fn supervisor_of(mut pid: u32) -> Option<i32> {
    loop {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        if String::from_utf8_lossy(&line).contains("supervise") {
            return i32::try_from(pid).ok();
        }
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        pid = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
    }
}
