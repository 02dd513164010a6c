//! The jail helper alone, so that tests of any crate find it without building the whole server.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if zeroerr_sandbox::is_jail_invocation(&args) {
        return zeroerr_sandbox::jail_main(&args);
    }
    eprintln!("zeroerr-jail is started by zeroerr itself and does nothing alone");
    ExitCode::from(2)
}
