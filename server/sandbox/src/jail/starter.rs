//! The process that becomes bubblewrap: forked early, it enters the cgroups and waits for the plan.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::ForkResult;

use super::cgroup::Groups;
use super::mounts;
use crate::wire::{self, Plan, Shape};

/// The supervisor's side of a waiting starter.
pub(super) struct Starter {
    /// Takes the plan.
    plan: PipeWriter,
    /// Gives one byte once the cgroups are entered, none if they could not be.
    entered: PipeReader,
    /// Gives what pid 1 reports.
    status: PipeReader,
    /// What the program reads as its stdin, should the plan say that it comes later.
    stdin: PipeWriter,
}

impl Starter {
    /// Forks it. This process must have one thread, and takes over the orphans of the job.
    #[expect(unsafe_code, reason = "fork: a cgroup must be entered before the job exists, or the job escapes it")]
    pub(super) fn fork(groups: &Groups) -> io::Result<Self> {
        prctl::set_child_subreaper(true)?;
        let (plan_reader, plan) = io::pipe()?;
        let (entered, entered_writer) = io::pipe()?;
        let (stdin_reader, stdin) = io::pipe()?;
        // Inherited across exec, unlike the others: pid 1 writes to it.
        let (status, status_writer) = nix::unistd::pipe()?;
        // SAFETY: there is one thread, so the child may do whatever the parent may.
        match unsafe { nix::unistd::fork() }? {
            ForkResult::Parent { .. } => Ok(Self { plan, entered, status: PipeReader::from(status), stdin }),
            ForkResult::Child => {
                drop((plan, entered, status, stdin));
                let inherited = Inherited { status: status_writer.into(), stdin: stdin_reader };
                let error = wait_and_start(plan_reader, entered_writer, inherited, groups);
                eprintln!("cannot start the sandbox: {error}");
                // Without destructors: the groups are the supervisor's to remove.
                std::process::exit(1)
            }
        }
    }

    /// Whether the job will be held by the cgroups; waits until that is known.
    pub(super) fn has_entered(&self) -> bool {
        (&self.entered).read_exact(&mut [0; 1]).is_ok()
    }

    /// Lets it start the job; gives the reading end of pid 1's reports, and for a job that is held the
    /// writing end of its stdin.
    pub(super) fn start(mut self, plan: &Plan, stdin: &[u8]) -> io::Result<(PipeReader, Option<PipeWriter>)> {
        self.plan.write_all(&wire::encode(plan, stdin)?)?;
        // From here on only the job holds its output, so its end is the end of that too.
        let null = File::options().read(true).write(true).open("/dev/null")?;
        nix::unistd::dup2_stdout(&null)?;
        nix::unistd::dup2_stderr(&null)?;
        Ok((self.status, plan.held.then_some(self.stdin)))
    }
}

/// What the starter has from the supervisor for the job.
struct Inherited {
    /// Takes pid 1's reports.
    status: File,
    /// Gives the stdin that comes later.
    stdin: PipeReader,
}

/// Runs in the child; returns only when it fails.
fn wait_and_start(mut plan: PipeReader, entered: PipeWriter, inherited: Inherited, groups: &Groups) -> io::Error {
    if let Err(errno) = prctl::set_pdeathsig(Signal::SIGKILL) {
        return errno.into();
    }
    if groups.enter().is_ok() {
        let _ = (&entered).write_all(b"y");
    }
    drop(entered);
    match wire::decode(&mut plan) {
        Ok((plan, stdin)) => exec(&plan, &stdin, inherited).unwrap_or_else(|error| error),
        // The supervisor was not needed.
        Err(_) => std::process::exit(0),
    }
}

/// Becomes bubblewrap, or pid 1's stage alone; the `Ok` is why that failed.
fn exec(plan: &Plan, stdin: &[u8], inherited: Inherited) -> io::Result<io::Error> {
    let plan_file = memory_file(&serde_json::to_vec(plan)?)?;
    let descriptors = [&plan_file, &inherited.status].map(|file| file.as_raw_fd().to_string());
    // Kept open until bubblewrap has inherited them.
    let mut files = Vec::new();
    let mut command = if plan.shape == Shape::Plain {
        Command::new(&plan.helper)
    } else {
        let mut command = Command::new(&plan.bwrap);
        command.args(mounts::bubblewrap_args(plan, &mut |content| {
            let file = memory_file(content.as_bytes())?;
            let fd = file.as_raw_fd();
            files.push(file);
            Ok(fd)
        })?);
        command.args(["--", wire::HELPER_INSIDE]);
        command
    };
    let stdin = if plan.held { Stdio::from(inherited.stdin) } else { Stdio::from(reopened(stdin)?) };
    command.args([wire::JAIL_ARG, "init"]).args(descriptors).env_clear().stdin(stdin);
    Ok(command.exec())
}

/// A file without a name that is inherited across exec.
fn memory_file(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"zeroerr", MFdFlags::empty())?);
    file.write_all(content)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The job's stdin: a file, so that nobody has to feed it and a job that ignores it blocks nobody.
fn reopened(content: &[u8]) -> io::Result<File> {
    if content.is_empty() {
        return File::open("/dev/null");
    }
    let file = memory_file(content)?;
    File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
