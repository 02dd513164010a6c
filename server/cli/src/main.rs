//! The `zeroerr` binary: reads arguments and settings, puts the parts together, prints. No logic.
//!
//! Exit codes: 0 done and clean; 1 findings or an abstention; 2 wrong usage or configuration;
//! 3 something the machine lacks; 4 our bug; 130 cancelled with Ctrl-C.

mod args;
mod commands;
mod compose;
mod context;
mod cpu;
mod exit;
mod files;
mod interrupt;
mod projects;
mod render;
mod targets;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // Before any thread, log or runtime exists: the sandbox starts this very binary as its helper.
    if zeroerr_sandbox::is_jail_invocation(&args) {
        return zeroerr_sandbox::jail_main(&args);
    }
    install_panic_hook();
    if let Some(missing) = cpu::missing() {
        context::complain(&format!(
            "this processor lacks {missing}, which this build needs; build with RUSTFLAGS=\"-C target-cpu=native\""
        ));
        return Exit::Machine.into();
    }
    catch_unwind(AssertUnwindSafe(|| start(args))).unwrap_or(Exit::Bug).into()
}

fn start(args: Vec<OsString>) -> Exit {
    let cli = match args::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors to clap's exit code, and go to standard output.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Clean };
        }
    };
    match commands::dispatch(cli) {
        Ok(exit) => exit,
        Err(error) => {
            context::complain(&error.message);
            error.exit
        }
    }
}

/// One line instead of a backtrace: the user can do nothing with the latter.
fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let what = info.payload_as_str().unwrap_or("no message");
        let place = info.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
        context::complain(&format!(
            "internal error{place}: {what}; this is a bug in zeroerr {}: please report it in the project's issue tracker with this line",
            env!("CARGO_PKG_VERSION")
        ));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|v| v != "0") {
            context::complain(&std::backtrace::Backtrace::force_capture().to_string());
        }
    }));
}
