//! The two commands of the README.

use std::process::Command;

use crate::run::{Outcome, cargo, root, run, zeroerr};
use crate::{editors, machine};

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
    let emacs = editors::install()?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", "--no-fail-fast"]).args(args).env("ZEROERR_E2E", "1");
    if let Some(emacs) = emacs {
        tests.env("ZEROERR_E2E_EMACS", emacs);
    }
    run(&mut tests)
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
