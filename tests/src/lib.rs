//! Helpers shared by the test targets of this package.

use std::path::PathBuf;

/// The `zeroerr` binary that belongs to this build: `ZEROERR_BIN`, else the one beside the running
/// test in the target folder.
///
/// # Panics
/// When it has not been built; the message says how.
pub fn zeroerr() -> PathBuf {
    let name = format!("zeroerr{}", std::env::consts::EXE_SUFFIX);
    // A test runs in target/<profile>/deps.
    let beside = || std::env::current_exe().ok()?.ancestors().nth(2).map(|profile| profile.join(name));
    let path = std::env::var_os("ZEROERR_BIN").map(PathBuf::from).or_else(beside);
    match path {
        Some(path) if path.is_file() => path,
        other => missing(other),
    }
}

#[expect(clippy::panic, reason = "a test without its binary cannot go on")]
fn missing(path: Option<PathBuf>) -> ! {
    let path = path.map_or_else(|| "the binary".to_owned(), |p| p.display().to_string());
    panic!("{path} is missing: run `cargo build --workspace`, or name one in ZEROERR_BIN")
}
