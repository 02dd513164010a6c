//! The last steps inside the job's own process, in the order in which each still allows the next.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{confine, seccomp};
use crate::wire::{Plan, Shape};

/// Becomes the program; returns only on failure, with one sentence that says why.
pub(super) fn become_program(plan: &Plan) -> String {
    match prepare(plan) {
        Ok(()) => {
            let error = Command::new(&plan.program)
                .args(&plan.args)
                .env_clear()
                .envs(plan.env.iter().map(|(name, value)| (name, value)))
                .exec();
            explain(plan, &error)
        }
        Err((step, error)) => format!("cannot confine the program ({step}): {error}"),
    }
}

fn prepare(plan: &Plan) -> Result<(), (&'static str, io::Error)> {
    let at = |step: &'static str| move |error: io::Error| (step, error);
    confine::offer_to_oom_killer();
    if plan.shape == Shape::Dropped {
        confine::drop_root(plan.uid).map_err(at("user id"))?;
    }
    std::env::set_current_dir(&plan.scratch).map_err(at("scratch folder"))?;
    confine::set_rlimits(plan).map_err(at("rlimits"))?;
    confine::close_descriptors().map_err(at("descriptors"))?;
    nix::sys::prctl::set_no_new_privs().map_err(io::Error::from).map_err(at("no_new_privs"))?;
    // A nursery makes namespaces and mounts for its jobs, which either would forbid; each job gets both.
    if plan.shape != Shape::Plain && !plan.nursery {
        confine::landlock(plan).map_err(at("landlock"))?;
        seccomp::apply().map_err(at("seccomp"))?;
    }
    Ok(())
}

fn explain(plan: &Plan, error: &io::Error) -> String {
    let program = Path::new(&plan.program).display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!(
                "cannot run {program}: it, or the interpreter it names, is not visible in the sandbox; add its folder to what the job may read"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "cannot run {program}: it is not executable for the job; add its folder to what the job may read and check its mode"
            )
        }
        _ => format!("cannot run {program}: {error}"),
    }
}
