//! Where the helper and bubblewrap are.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::SandboxUnavailable;

/// The environment variable that names the helper.
const HELPER_ENV: &str = "ZEROERR_JAIL";

/// Names under which the helper is built.
const HELPER_NAMES: [&str; 2] = ["zeroerr-jail", "zeroerr"];

/// The helper: as told, from the environment, this very program, or a neighbour of it.
pub(crate) fn helper(told: Option<&Path>) -> Result<PathBuf, SandboxUnavailable> {
    let env = std::env::var_os(HELPER_ENV).map(PathBuf::from);
    if let Some(path) = told.map(Path::to_path_buf).or(env) {
        return if is_program(&path) {
            real(&path)
        } else {
            Err(SandboxUnavailable::new(
                format!("the jail helper {} is not a program", path.display()),
                format!("correct the setting or {HELPER_ENV}"),
            ))
        };
    }
    let own = std::env::current_exe().unwrap_or_default();
    if own.file_name() == Some(OsStr::new("zeroerr")) {
        return real(&own);
    }
    // A test binary is in target/debug/deps, its helper in target/debug.
    let folders = own.ancestors().skip(1).take(2);
    let neighbours = folders.flat_map(|folder| HELPER_NAMES.map(|name| folder.join(name)));
    match neighbours.into_iter().find(|path| is_program(path)) {
        Some(path) => real(&path),
        None => Err(SandboxUnavailable::new(
            format!("no jail helper (zeroerr-jail or zeroerr) is beside {}", own.display()),
            format!("build it with `cargo build -p zeroerr-sandbox` or set {HELPER_ENV} to it"),
        )),
    }
}

/// Bubblewrap: as told, in `places`, or on PATH.
pub(crate) fn bubblewrap(told: Option<&Path>, places: &[PathBuf]) -> Result<PathBuf, SandboxUnavailable> {
    if let Some(path) = told {
        return if is_program(path) {
            real(path)
        } else {
            Err(SandboxUnavailable::no_bubblewrap(format!("{} is not a program", path.display())))
        };
    }
    let placed = places.iter().map(|place| place.join("bwrap")).find(|path| is_program(path));
    match placed.or_else(|| crate::trusted::which("bwrap")) {
        Some(path) => real(&path),
        None => Err(SandboxUnavailable::no_bubblewrap("bubblewrap (bwrap) is not installed".to_owned())),
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Absolute and without links, so that it can be bound and started from any folder.
fn real(path: &Path) -> Result<PathBuf, SandboxUnavailable> {
    path.canonicalize().map_err(|error| {
        SandboxUnavailable::new(
            format!("{} cannot be opened: {error}", path.display()),
            "check its folder's mode".to_owned(),
        )
    })
}
