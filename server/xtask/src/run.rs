//! Starting programs, with what they are shown before they run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What went wrong, for people.
pub type Outcome = Result<(), String>;

/// The repository: the one that cargo was asked in, as a folder of builds may be shared by several copies of it.
pub fn root() -> PathBuf {
    let told = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = told.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    here.ancestors().nth(2).unwrap_or(&here).to_path_buf()
}

/// Where cargo puts what it builds.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|d| !d.is_empty()) {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The binary that `cargo build` made.
pub fn zeroerr() -> PathBuf {
    target_dir().join("debug").join(format!("zeroerr{}", std::env::consts::EXE_SUFFIX))
}

/// cargo, the one that started us, in the environment that a shell would give it: build scripts
/// look at what `cargo run` tells about this package (`ring` watches `CARGO_PKG_NAME`), and would
/// have mistral.rs compiled again by whoever next types `cargo test` (4 minutes).
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    let ours = |name: &str| ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|p| name.starts_with(p));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    command
}

/// Shows the command, runs it with our own input and output, and wants success.
pub fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` could not be started: {error}")),
    }
}

/// What a command prints, or `None` when it fails or is not there.
pub fn output(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|o| o.status.success())?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some(String::from_utf8_lossy(&text).trim().to_owned())
}

fn shown(command: &Command) -> String {
    let short = |part: &OsStr| {
        let text = part.to_string_lossy();
        let relative = Path::new(part).strip_prefix(root()).map(|p| p.display().to_string());
        relative.unwrap_or_else(|_| text.into_owned())
    };
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program.to_string_lossy().into_owned())
        .chain(command.get_args().map(short))
        .collect::<Vec<_>>()
        .join(" ")
}
