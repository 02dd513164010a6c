//! The helper binary: the stages that stand between the server and an untrusted program.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::wire::JAIL_ARG;

mod cgroup;
pub(crate) mod confine;
mod exec;
mod init;
mod mounts;
pub(crate) mod nursery;
mod probe;
pub(crate) mod scratch;
pub(crate) mod seccomp;
mod starter;
pub(crate) mod supervise;
mod tree;
mod watch;

pub(crate) use probe::Findings;

/// Whether this process was started as the jail helper: `args` is the whole argument vector.
///
/// `main` asks first thing, before any thread, log or runtime exists.
pub fn is_jail_invocation(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|arg| arg == JAIL_ARG)
}

/// Runs the stage that `args` name and returns what the process shall exit with.
pub fn jail_main(args: &[OsString]) -> ExitCode {
    let stage = args.get(2).and_then(|arg| arg.to_str()).unwrap_or_default();
    let rest = args.get(3..).unwrap_or_default();
    match stage {
        "supervise" => supervise::main(rest),
        "init" => init::main(rest),
        "probe" => probe::main(),
        "watch" => watch::main(rest),
        _ => {
            eprintln!("unknown jail stage {stage:?}: the helper and the server are of different builds");
            ExitCode::from(2)
        }
    }
}
