//! Pid 1 of a job: starts the program, counts what the tree uses, reports how it ended.
//!
//! When it ends, the kernel kills everything else in its pid namespace. Under root it stays uid 0
//! (without capabilities that matter), so the job can neither signal nor trace it; under a user the
//! kernel protects it as pid 1, and it is not dumpable.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::TimeValLike;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::{exec, nursery, tree};
use crate::wire::{Plan, Shape};
use crate::{Exit, LimitKind};

/// How often the tree is counted.
const TICK: Duration = Duration::from_millis(50);

/// `args`: the descriptors of the plan and of the report pipe.
pub(super) fn main(args: &[OsString]) -> ExitCode {
    let fd = |index: usize| args.get(index).and_then(|arg| arg.to_str()?.parse::<u32>().ok());
    let (Some(plan_fd), Some(report_fd)) = (fd(0), fd(1)) else { return ExitCode::FAILURE };
    let Ok(report) = File::options().write(true).open(format!("/proc/self/fd/{report_fd}")) else {
        return ExitCode::FAILURE;
    };
    let reporter = Reporter(Mutex::new(report));
    reporter.end(match run(plan_fd, &reporter) {
        Ok(exit) => Ok(exit),
        Err(error) => Err(error.to_string()),
    })
}

/// The one who may speak last: whoever reports first ends the process.
struct Reporter(Mutex<File>);

impl Reporter {
    fn end(&self, outcome: Result<Exit, String>) -> ! {
        let guard = self.0.lock();
        if let (Ok(mut file), Ok(line)) = (guard, serde_json::to_string(&outcome)) {
            let _ = file.write_all(format!("{line}\n").as_bytes());
            std::process::exit(0)
        }
        std::process::exit(1)
    }

    /// Fails when the supervisor is gone.
    fn beat(&self) -> io::Result<()> {
        self.0.lock().map_or(Ok(()), |mut file| file.write_all(b"\n"))
    }
}

fn run(plan_fd: u32, reporter: &Reporter) -> io::Result<Exit> {
    let plan: Plan = serde_json::from_slice(&fs::read(format!("/proc/self/fd/{plan_fd}"))?)?;
    protect(plan.shape)?;
    if plan.nursery && plan.shape == Shape::Dropped {
        nursery::uncover_proc()?;
    }
    let (mut trouble, writer) = io::pipe()?;
    let child = fork_program(&plan, writer)?;
    std::thread::scope(|scope| {
        scope.spawn(|| sample(&plan, reporter));
        let mut message = String::new();
        trouble.read_to_string(&mut message)?;
        if !message.is_empty() {
            reporter.end(Err(message));
        }
        let exit = match name_limit(wait(child)?, &plan) {
            Exit::Code(0) => Exit::Code(0),
            // A program that gave up at a limit may have done so between two samples.
            exit => passed(&plan).map_or(exit, Exit::Limit),
        };
        reporter.end(Ok(exit))
    })
}

/// Makes this process hard to reach for the job and easy to kill for the supervisor.
fn protect(shape: Shape) -> io::Result<()> {
    prctl::set_dumpable(false)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if shape == Shape::Plain {
        prctl::set_child_subreaper(true)?;
    }
    Ok(())
}

#[expect(unsafe_code, reason = "fork: pid 1 must stay behind to count, reap and report")]
fn fork_program(plan: &Plan, trouble: io::PipeWriter) -> io::Result<Pid> {
    // SAFETY: there is one thread, so the child may allocate and take locks.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Parent { child } => Ok(child),
        nix::unistd::ForkResult::Child => {
            let message = exec::become_program(plan);
            let _ = (&trouble).write_all(message.as_bytes());
            std::process::exit(127)
        }
    }
}

/// Reaps everything until the program itself ends.
fn wait(child: Pid) -> io::Result<Exit> {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return Ok(Exit::Code(code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => return Ok(Exit::Signal(signal as i32)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The limit that a signal stands for.
fn name_limit(exit: Exit, plan: &Plan) -> Exit {
    match exit {
        Exit::Signal(signal) if signal == Signal::SIGXFSZ as i32 => Exit::Limit(LimitKind::FileSize),
        Exit::Signal(signal) if signal == Signal::SIGXCPU as i32 => Exit::Limit(LimitKind::Cpu),
        Exit::Signal(signal) if signal == Signal::SIGKILL as i32 && reaped_cpu() >= plan.limits.cpu => {
            Exit::Limit(LimitKind::Cpu)
        }
        exit => exit,
    }
}

/// Ends the job when its tree passes a limit that the kernel holds only for single processes.
fn sample(plan: &Plan, reporter: &Reporter) {
    loop {
        std::thread::sleep(TICK);
        if reporter.beat().is_err() {
            std::process::exit(1);
        }
        if let Some(kind) = passed(plan) {
            reporter.end(Ok(Exit::Limit(kind)));
        }
    }
}

/// The limit that the tree is beyond now.
fn passed(plan: &Plan) -> Option<LimitKind> {
    let me = i32::try_from(std::process::id()).unwrap_or(1);
    let usage = tree::usage(me, !plan.memory_cgroup);
    if reaped_cpu() + usage.cpu > plan.limits.cpu {
        Some(LimitKind::Cpu)
    } else if usage.tasks > plan.limits.processes {
        Some(LimitKind::Processes)
    } else if usage.memory > plan.limits.memory {
        Some(LimitKind::Memory)
    } else {
        None
    }
}

/// CPU time of the children that are gone.
fn reaped_cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}
