//! Certificates: kept when an edit stands in its file, re-checked whenever somebody asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroerr_core::certificate::code_hash;
use zeroerr_core::code::{FileAnalysis, LanguageId, Task};
use zeroerr_core::report::RunReport;
use zeroerr_core::verdict::{StackReport, Verdict};
use zeroerr_verification::languages::{self, Subject};
use zeroerr_verification::verification_stack::{OnEvent, subject_as_is, workspace_of};

use crate::journal::{Acceptance, AcceptedBy, Journal, JournalError, now_ms, qualified};
use crate::local::LocalWorkbench;

/// A verified edit that now stands in its file.
#[derive(Debug, Clone)]
pub struct AcceptedEdit {
    /// The run's end.
    pub report: RunReport,
    /// The task that the run was given.
    pub task: Task,
    /// Who put it there.
    pub by: AcceptedBy,
    /// The document's version that first shows it, if an editor has it open.
    pub doc_version: Option<i64>,
}

/// What has become of a certified function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Code and spec are what was certified, and today's tools agree.
    Valid,
    /// The code is not what was certified.
    Changed,
    /// The spec is not what was certified.
    SpecChanged,
    /// Nothing was changed, and today's tools object.
    Failing,
    /// Nothing was changed, and a layer could not be asked.
    Unchecked,
    /// There is no function of that name with a spec any more, or its file is not there any more.
    Gone,
}

/// A function with a certificate.
#[derive(Debug, Clone)]
pub struct Certified {
    /// `Class.name`, or the bare name.
    pub function: String,
    /// The certificate.
    pub acceptance: Acceptance,
    /// The function as it is today; `None` when it is gone.
    pub task: Option<Task>,
}

/// What an audit says of one function.
#[derive(Debug, Clone)]
pub struct Audited {
    /// What has become of it.
    pub standing: Standing,
    /// The eight layers of today; empty when it is gone.
    pub stack: StackReport,
    /// Why the code as it is may not be called verified today.
    pub objection: Option<String>,
}

/// The name that a file is remembered by: without links, as far as it exists.
fn remembered(file: &Path) -> PathBuf {
    let known = file.ancestors().find_map(|a| Some((a, a.canonicalize().ok()?)));
    let rest = known.and_then(|(ancestor, real)| Some((file.strip_prefix(ancestor).ok()?, real)));
    match rest {
        Some((rest, real)) if rest.as_os_str().is_empty() => real,
        Some((rest, real)) => real.join(rest),
        None => file.to_path_buf(),
    }
}

/// Whether there is surely no such file any more; a folder that may not be looked into proves nothing.
fn has_vanished(file: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    std::fs::symlink_metadata(file).is_err_and(|e| matches!(e.kind(), NotFound | NotADirectory))
}

/// Whether a file that is there has no function of that name with a spec any more; one that cannot be read
/// proves nothing.
fn has_left(file: &Path, function: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let language = LanguageId::from_path(file).and_then(|id| languages::all().into_iter().find(|l| l.id() == id));
    let tasks = language.map(|l| l.analyse(file, &text.into()).tasks);
    tasks.is_some_and(|t| t.iter().all(|t| qualified(t.class.as_deref(), &t.signature.name) != function))
}

/// The certificates of files at or below `place` that are not there any more: of each function the newest,
/// by file and name. Those that a file which is there has taken over are among them.
///
/// # Errors
/// When the journal cannot be read.
pub fn vanished(journal: &Journal, place: &Path) -> Result<Vec<Acceptance>, JournalError> {
    let mut newest = BTreeMap::new();
    for acceptance in journal.certificates_below(&remembered(place))? {
        if has_vanished(Path::new(&acceptance.file)) {
            newest.insert((acceptance.file.clone(), acceptance.function.clone()), acceptance);
        }
    }
    Ok(newest.into_values().collect())
}

/// The certificate of a function that was moved to `file` and then changed: by its name, and by its spec or its
/// code; where its old file is not there any more, by its place, too.
fn moved(
    journal: &Journal,
    file: &Path,
    function: &str,
    (code, spec): (&str, &str),
) -> Result<Option<Acceptance>, JournalError> {
    let likeness = |a: &Acceptance| {
        let (theirs, then) = (Path::new(&a.file), &a.certificate);
        let near = theirs.parent() == file.parent() || theirs.file_name() == file.file_name();
        (then.spec_hash == spec || then.code_hash == code, near)
    };
    let named = journal.certificates_named(function)?;
    let is_it = |a: &Acceptance| {
        let ((same, near), theirs) = (likeness(a), Path::new(&a.file));
        (same || near) && (has_vanished(theirs) || (same && has_left(theirs, function)))
    };
    // `max_by_key` takes the last of equals: the newest.
    Ok(named.into_iter().filter(is_it).max_by_key(likeness))
}

/// Pairs the functions of a file with their certificates, in file order, then those that are gone.
///
/// Of several certificates of one function the one for the code as it is wins, else the newest. A
/// file that was moved is recognised by its code, and when that was changed, too, by what else is left.
///
/// # Errors
/// When the journal cannot be read.
pub fn certified(journal: &Journal, file: &Path, analysis: &FileAnalysis) -> Result<Vec<Certified>, JournalError> {
    let file = remembered(file);
    let known = journal.certificates_of(&file)?;
    let mut out = Vec::new();
    for task in &analysis.tasks {
        let function = qualified(task.class.as_deref(), &task.signature.name);
        let is_like = |t: &Task| qualified(t.class.as_deref(), &t.signature.name) == function;
        let is_only = analysis.tasks.iter().filter(|t| is_like(t)).count() == 1;
        let (code, spec) = (code_hash(task.function_range.slice(&task.source)), task.spec.hash());
        let fit = |a: &&Acceptance| {
            let same_code = a.certificate.code_hash == code;
            (same_code && a.certificate.spec_hash == spec, same_code)
        };
        // `max_by_key` takes the last of equals: the newest.
        // Of several functions of one name it is the one with the same code, or with the same spec.
        let may_be = |a: &&Acceptance| is_only || a.certificate.code_hash == code || a.certificate.spec_hash == spec;
        let own = known.iter().filter(|a| a.function == function).filter(may_be).max_by_key(fit).cloned();
        let acceptance = match own {
            Some(own) => Some(own),
            None => match journal.certificates_for(&code, &spec)?.pop() {
                Some(same) => Some(same),
                None => moved(journal, &file, &function, (&code, &spec))?,
            },
        };
        if let Some(acceptance) = acceptance {
            out.push(Certified { function, acceptance, task: Some(task.clone()) });
        }
    }
    for acceptance in known.into_iter().rev() {
        if out.iter().all(|c| c.function != acceptance.function) {
            out.push(Certified { function: acceptance.function.clone(), acceptance, task: None });
        }
    }
    Ok(out)
}

impl LocalWorkbench {
    /// Keeps the certificate of an edit.
    ///
    /// # Errors
    /// Why it could not be kept, with the remedy.
    pub(crate) fn keep_certificate(&self, edit: AcceptedEdit) -> Result<(), String> {
        let AcceptedEdit { report, task, by, doc_version } = edit;
        let mut certificate = report.certificate.ok_or("the run gave no certificate")?;
        certificate.doc_version = doc_version;
        let journal = self.journal()?;
        let acceptance = Acceptance {
            run: report.id,
            file: remembered(&task.file).display().to_string(),
            function: qualified(task.class.as_deref(), &task.signature.name),
            accepted_ms: now_ms(),
            by,
            before: task.function_range.slice(&task.source).to_owned(),
            certificate,
        };
        journal.accept(&acceptance).map_err(|e| e.to_string())
    }

    /// Re-checks one certificate with today's tools. Nothing is asked of a model or of the network.
    pub async fn audit(&self, certified: &Certified, on_event: OnEvent<'_>) -> Audited {
        let Some(task) = &certified.task else {
            return Audited { standing: Standing::Gone, stack: StackReport::default(), objection: None };
        };
        let stack = self.stack().verify_all(&subject_since(task, &certified.acceptance), on_event).await;
        let objection = stack.objection(&self.options().policy.of(task.language));
        let then = &certified.acceptance.certificate;
        let failed = stack.layers.iter().any(|l| matches!(l.verdict, Verdict::Failed | Verdict::TimedOut));
        let standing = if task.spec.hash() != then.spec_hash {
            Standing::SpecChanged
        } else if code_hash(task.function_range.slice(&task.source)) != then.code_hash {
            Standing::Changed
        } else if objection.is_none() {
            Standing::Valid
        } else if failed {
            Standing::Failing
        } else {
            Standing::Unchecked
        };
        Audited { standing, stack, objection }
    }
}

/// The function as an edit of today's file: what a linter said of it before, it may still say.
fn subject_since(task: &Task, acceptance: &Acceptance) -> Subject {
    let mut subject = subject_as_is(task, workspace_of(&task.file));
    let range = task.function_range;
    if let (Some(head), Some(tail)) = (task.source.get(..range.start), task.source.get(range.end..)) {
        subject.previous = format!("{head}{}{tail}", acceptance.before).into();
    }
    subject
}
