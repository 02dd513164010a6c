//! Development aid: installs the tools into `ZEROERR_HOME` and tries each, as `zeroerr doctor --fix` does.

use std::path::PathBuf;

use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::toolchain::Toolchain;

#[tokio::main]
async fn main() {
    let Some(home) = std::env::var_os("ZEROERR_HOME").map(PathBuf::from) else {
        eprintln!("set ZEROERR_HOME to the folder that shall hold the tools");
        std::process::exit(2);
    };
    if let Err(error) = Toolchain::install(&home, &|line| println!("{line}")).await {
        eprintln!("{error}");
        std::process::exit(3);
    }
    let options = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
    for check in Toolchain::detect(&home, Sandbox::detect(&options)).checks().await {
        println!("{:<16} {:?} {} {}", check.name, check.status, check.detail, check.remedy);
    }
}
