//! Runs of the harness that were started ahead: judge and first worker wait with everything loaded but what is to be
//! judged, which is put into their folder when it is known (docs/decisions/0014).

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use zeroerr_sandbox::{Exit, Output};

use super::super::project::{Mirror, packages, root_in};
use super::{Mode, Trouble, beside, facts, job, run, told};
use crate::languages::Subject;
use crate::toolchain::{Kind, Standby, Toolchain};

/// Runs one mode on what `prepare` makes of a copy of the subject's project: in a run that was started ahead, where
/// there is one and it gives an answer, else in one of its own, in a copy of its own. The answer, and what else
/// `prepare` gave; `None` when that found nothing to ask.
///
/// # Errors
/// [`Trouble`].
pub(in super::super) async fn ask_with<T>(
    tools: &Toolchain,
    subject: &Subject,
    mode: Mode,
    prepare: impl Fn(&Mirror) -> Result<Option<(Value, T)>, Trouble>,
) -> Result<Option<(Value, T)>, Trouble> {
    let kind = kind(tools, subject, mode);
    if let Some((kind, standby)) = kind.as_ref().and_then(|kind| Some((kind, tools.standby(kind)?))) {
        match asked(tools, subject, mode, standby, &prepare).await? {
            Asked::Nothing => return Ok(None),
            Asked::Answered(answer, more) => {
                tools.start_ahead(kind.clone());
                return Ok(Some((answer, more)));
            }
            Asked::InVain => {}
        }
    }
    let mirror = Mirror::make(tools, subject, &subject.task.source)?;
    let Some((request, more)) = prepare(&mirror)? else { return Ok(None) };
    if let Some(kind) = kind {
        tools.start_ahead(kind);
    }
    Ok(Some((run(tools, &mirror, mode, request).await?, more)))
}

/// What came of a run that was started ahead.
enum Asked<T> {
    /// There was nothing to ask.
    Nothing,
    /// The answer, and what else was prepared.
    Answered(Value, T),
    /// It ended in another way than with an answer.
    InVain,
}

async fn asked<T>(
    tools: &Toolchain,
    subject: &Subject,
    mode: Mode,
    standby: Standby,
    prepare: impl Fn(&Mirror) -> Result<Option<(Value, T)>, Trouble>,
) -> Result<Asked<T>, Trouble> {
    let (held, scratch) = standby.parts();
    let mirror = Mirror::make_in(scratch, subject, &subject.task.source)?;
    let Some((request, more)) = prepare(&mirror)? else { return Ok(Asked::Nothing) };
    let scratch = mirror.scratch();
    let is_result = |output: &Output| facts(output, &scratch).filter(|_| output.exit == Exit::Code(0));
    let answer = tools.run_standby("node", held, &told(request, mode, &scratch), is_result).await;
    Ok(answer.map_or(Asked::InVain, |answer| Asked::Answered(answer, more)))
}

/// The kind of run that a mode needs for a subject; `None` where none is started ahead: where the harness lies in a
/// scratch folder, and for modes of which one follows the other seldom.
fn kind(tools: &Toolchain, subject: &Subject, mode: Mode) -> Option<Kind> {
    if matches!(mode, Mode::Batch | Mode::Questions | Mode::Lint) {
        return None;
    }
    let node = tools.node().ok()?;
    let folder = beside(&node)?;
    let packages: Vec<PathBuf> = packages(subject).into_iter().collect();
    let fast_check = if mode == Mode::Properties { node.tool("fast-check").ok()?.path } else { PathBuf::new() };
    // What it was shown when it started must be what is there now: a folder that was made anew is another one.
    let shown: Vec<_> = packages.iter().chain(&node.readable).map(|path| (path, identity(path))).collect();
    let key = format!("{} {folder:?} {:?} {shown:?}", mode.name(), node.version);
    let make = move |scratch: &Path| {
        let mut job = job(&node, &folder, mode, packages.clone(), scratch);
        let args = [mode.name().into(), scratch.into(), fast_check.clone().into(), root_in(scratch).into()];
        job.args.extend(args.into_iter().chain(packages.iter().map(|p| p.clone().into_os_string())));
        job
    };
    Some(Kind { key, job: Arc::new(make) })
}

/// What tells a file or folder from another that has its place later.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}
