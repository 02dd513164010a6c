//! Puts the harness where jobs can read it, compiled once: compiling it anew in both interpreters
//! of a judgement takes 40 % of their CPU time. With it goes what mypy has read of the standard library.

use std::ffi::OsString;
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

/// Compiles in the sandbox; the result does not depend on file times, since it will be moved. Without mypy's
/// cache, mypy is slower.
async fn compile(tools: &Toolchain, environment: &PythonEnv, scratch: &Path, folder: &Path) -> bool {
    let compiling = ["-s", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"].map(OsString::from);
    let filling = ["-s".into(), "-B".into(), folder.join("checker.py").into(), "--fill".into()];
    let cache = folder.join("mypy-cache");
    let is_compiled = done(tools, environment, scratch, compiling, folder).await;
    if is_compiled && !done(tools, environment, scratch, filling, &cache).await {
        let _ = std::fs::remove_dir_all(cache);
    }
    is_compiled
}

/// Whether the interpreter, in the sandbox, did what it was told with a folder.
async fn done<const N: usize>(
    tools: &Toolchain,
    environment: &PythonEnv,
    scratch: &Path,
    args: [OsString; N],
    folder: &Path,
) -> bool {
    let Ok(sandbox) = tools.sandbox() else { return false };
    let args = args.into_iter().chain([folder.into()]).collect();
    let limits = Limits { wall: Duration::from_secs(60), memory: 2 << 30, ..Limits::default() };
    let (program, readable) = (environment.interpreter.clone(), environment.readable.clone());
    let job = Job { program, args, readable, scratch: scratch.to_path_buf(), limits, ..Job::default() };
    sandbox.run(job).await.is_ok_and(|output| output.exit == Exit::Code(0))
}

/// Moves a finished copy into place in one step, so that no job ever starts half a harness.
fn publish(from: &Path, to: &Path) -> std::io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    std::fs::create_dir_all(parent)?;
    let copy = tempfile::tempdir_in(parent)?;
    copied(from, &copy.path().join("harness"))?;
    match std::fs::rename(copy.path().join("harness"), to) {
        Err(_) if to.is_dir() => Ok(()), // another job was faster
        done => done,
    }
}

/// A copy with the times of the original, by which mypy knows its cache.
fn copied(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)?.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copied(&path, &target)?;
        } else if path.is_file() {
            std::fs::copy(&path, &target)?;
            std::fs::File::options().write(true).open(&target)?.set_modified(entry.metadata()?.modified()?)?;
        }
    }
    Ok(())
}
