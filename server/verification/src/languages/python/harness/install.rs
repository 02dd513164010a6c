//! Puts the harness where jobs can read it, compiled once: compiling it anew in both interpreters
//! of a judgement takes 40 % of their CPU time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroerr_sandbox::{Exit, Job, Limits};

use super::FILES;
use crate::languages::CheckError;
use crate::toolchain::{PythonEnv, Toolchain};

/// The folder to start. It lies in the private environment, which jobs can read and not write; in
/// `scratch`, not compiled, when the environment's folder cannot be written.
///
/// # Errors
/// One sentence when not even the scratch folder can be written.
pub async fn installed(tools: &Toolchain, environment: &PythonEnv, scratch: &Path) -> Result<PathBuf, CheckError> {
    let folder = environment.root.join("harness").join(version(environment));
    if folder.is_dir() {
        return Ok(folder);
    }
    let fresh = scratch.join("harness");
    write(&fresh)?;
    if compile(tools, environment, scratch, &fresh).await && publish(&fresh, &folder).is_ok() {
        Ok(folder)
    } else {
        Ok(fresh)
    }
}

/// Names the harness and the Python that compiles it.
fn version(environment: &PythonEnv) -> String {
    let mut hasher = Sha256::new();
    hasher.update(&environment.version);
    for (name, text) in FILES {
        hasher.update(name);
        hasher.update(text);
    }
    hasher.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
}

fn write(folder: &Path) -> Result<(), CheckError> {
    let wrong = |e: std::io::Error| {
        CheckError(format!("cannot write {}: {e}; free some space or set TMPDIR", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(wrong)?;
    FILES.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text)).map_err(wrong)
}

/// Compiles in the sandbox; the result does not depend on file times, since it will be moved.
async fn compile(tools: &Toolchain, environment: &PythonEnv, scratch: &Path, folder: &Path) -> bool {
    let Ok(sandbox) = tools.sandbox() else { return false };
    let mut args: Vec<std::ffi::OsString> =
        ["-s", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"].map(Into::into).to_vec();
    args.push(folder.into());
    let limits = Limits { wall: Duration::from_secs(30), ..Limits::default() };
    let (program, readable) = (environment.interpreter.clone(), environment.readable.clone());
    let job = Job { program, args, readable, scratch: scratch.to_path_buf(), limits, ..Job::default() };
    sandbox.run(job).await.is_ok_and(|output| output.exit == Exit::Code(0))
}

/// Moves a finished copy into place in one step, so that no job ever starts half a harness.
fn publish(from: &Path, to: &Path) -> std::io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    std::fs::create_dir_all(parent)?;
    let copy = tempfile::tempdir_in(parent)?;
    for part in ["", "__pycache__"] {
        let target = copy.path().join("harness").join(part);
        std::fs::create_dir_all(&target)?;
        for entry in std::fs::read_dir(from.join(part))?.flatten().filter(|e| e.path().is_file()) {
            std::fs::copy(entry.path(), target.join(entry.file_name()))?;
        }
    }
    match std::fs::rename(copy.path().join("harness"), to) {
        Err(_) if to.is_dir() => Ok(()), // another job was faster
        done => done,
    }
}
