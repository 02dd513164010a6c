//! The tools of this machine, as every test that runs them wants them.

use std::path::PathBuf;

use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::toolchain::Toolchain;

/// The private tools and the sandbox.
///
/// # Panics
/// Where one is missing: the message has the remedy.
pub fn tools() -> Toolchain {
    let home = std::env::var_os("ZEROERR_HOME").map(PathBuf::from);
    let user = || directories::ProjectDirs::from("", "", "zeroerr").map(|d| d.data_dir().to_path_buf());
    let home = home.or_else(user).expect("a home folder");
    let options = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
    let tools = Toolchain::detect(&home, Sandbox::detect(&options));
    if let Err(error) = tools.python().and(tools.sandbox()) {
        panic!("{error}");
    }
    tools
}
