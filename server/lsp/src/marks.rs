//! What was last found out about a function, and for which text: the source of lenses, hovers
//! and findings. A mark never claims anything for a text other than the one it was made for.

use std::collections::HashMap;

use lsp_types::Uri;
use zeroerr_core::certificate::code_hash;
use zeroerr_core::code::Task;
use zeroerr_core::question::Question;
use zeroerr_core::report::RunReport;
use zeroerr_core::verdict::{Layer, StackReport, Verdict};

use crate::document::Snapshot;

/// What kind of work a mark comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// A verified edit stands in the document.
    Applied,
    /// The function was verified as it stood.
    Verified,
    /// A run ended without an edit.
    Abstained,
}

/// The last word on one function.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) kind: MarkKind,
    /// The document's version at that time.
    pub(crate) version: i32,
    /// The verdicts; for an abstention those on the candidate that was verified last, if any.
    pub(crate) stack: StackReport,
    /// The run, if it was one.
    pub(crate) run: Option<RunReport>,
    /// The 1-based line of the function and of its spec at that time: findings move with them.
    pub(crate) function_line: usize,
    pub(crate) spec_line: usize,
    code: String,
    spec: String,
}

impl Mark {
    /// A mark for a task as it stands in a snapshot.
    pub(crate) fn new(
        kind: MarkKind,
        snapshot: &Snapshot,
        task: &Task,
        stack: StackReport,
        run: Option<RunReport>,
    ) -> Self {
        Self {
            kind,
            version: snapshot.version,
            stack,
            run,
            function_line: snapshot.line_at(task.function_range.start) + 1,
            spec_line: snapshot.line_at(task.spec_range.start) + 1,
            code: code_hash(task.function_range.slice(&snapshot.text)),
            spec: task.spec.hash(),
        }
    }

    /// The same mark, but about this function text in this version: what was verified, in case
    /// the user has typed on since.
    pub(crate) fn about(mut self, version: i32, function: &str) -> Self {
        self.version = version;
        self.code = code_hash(function);
        self
    }

    /// Whether the mark is about exactly this text and spec.
    pub(crate) fn holds_for(&self, snapshot: &Snapshot, task: &Task) -> bool {
        self.spec == task.spec.hash() && self.code == code_hash(task.function_range.slice(&snapshot.text))
    }

    /// "7/8 checks @v42 · 5 votes, ahead by 3".
    pub(crate) fn headline(&self) -> String {
        let parts = [Some(self.checks()), self.votes()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// "7/8 checks @v42", and what failed.
    pub(crate) fn checks(&self) -> String {
        let mut out = match self.kind {
            MarkKind::Abstained => format!("no edit @v{}", self.version),
            MarkKind::Applied | MarkKind::Verified => {
                format!("{}/{} checks @v{}", self.stack.passed(), Layer::ALL.len(), self.version)
            }
        };
        let failed: Vec<_> =
            self.stack.layers.iter().filter(|l| l.verdict == Verdict::Failed).map(|l| l.layer.name()).collect();
        if !failed.is_empty() && self.kind != MarkKind::Abstained {
            out.push_str(&format!(", {} failed", failed.join(" and ")));
        }
        out
    }

    /// "5 votes, ahead by 3", when it comes from a run.
    pub(crate) fn votes(&self) -> Option<String> {
        let step = self.run.as_ref().and_then(|r| r.steps.last())?;
        let votes: u32 = step.tally.iter().map(|c| c.votes).sum();
        let word = if votes == 1 { "vote" } else { "votes" };
        Some(if votes > 0 { format!("{votes} {word}, ahead by {}", step.margin) } else { format!("{votes} {word}") })
    }

    /// Guesses at what would be evidence, of what the last run's winner does.
    pub(crate) fn suggestions(&self) -> impl Iterator<Item = &str> {
        self.run.iter().flat_map(|r| &r.steps).flat_map(|s| &s.suggestions).map(String::as_str)
    }

    /// What the last run's candidates could not agree on.
    pub(crate) fn questions(&self) -> impl Iterator<Item = &Question> {
        self.run.iter().flat_map(|r| &r.steps).flat_map(|s| &s.questions)
    }
}

/// The marks of all functions, open or not.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// By document, then by function: a document without marks costs one look.
    by_function: HashMap<Uri, HashMap<String, Mark>>,
    last: Option<(Uri, String)>,
}

impl Marks {
    /// Replaces a function's mark.
    pub(crate) fn set(&mut self, uri: &Uri, function: &str, mark: Mark) {
        self.last = Some((uri.clone(), function.to_owned()));
        self.by_function.entry(uri.clone()).or_default().insert(function.to_owned(), mark);
    }

    /// A task's mark.
    pub(crate) fn of(&self, uri: &Uri, snapshot: &Snapshot, task: &Task) -> Option<&Mark> {
        self.by_function.get(uri)?.get(&snapshot.name_of(task))
    }

    /// A function's mark.
    pub(crate) fn named(&self, uri: &Uri, function: &str) -> Option<&Mark> {
        self.by_function.get(uri)?.get(function)
    }

    /// The newest mark, with its document and function.
    pub(crate) fn last(&self) -> Option<(&Uri, &str, &Mark)> {
        let (uri, function) = self.last.as_ref()?;
        Some((uri, function, self.named(uri, function)?))
    }
}
