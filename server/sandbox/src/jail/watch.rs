//! Runs a trusted program as a whole tree: it ends when the program ends or when the server does.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use super::tree;

/// `args`: the program and its arguments. Stdin is a pipe that the server keeps open.
pub(super) fn main(args: &[OsString]) -> ExitCode {
    let Some((program, args)) = args.split_first() else { return ExitCode::FAILURE };
    let _ = nix::sys::prctl::set_child_subreaper(true);
    let mut child = match Command::new(program).args(args).stdin(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("cannot run {}: {error}", program.display());
            return ExitCode::from(127);
        }
    };
    std::thread::spawn(|| {
        // Nothing is ever written to it, so any answer is the end.
        let _ = io::stdin().read(&mut [0; 1]);
        tree::kill_all();
        std::process::exit(137)
    });
    let status = child.wait();
    tree::kill_all();
    let code = status.ok().and_then(|status| status.code().or(status.signal().map(|signal| 128 + signal)));
    ExitCode::from(u8::try_from(code.unwrap_or(1)).unwrap_or(1))
}
