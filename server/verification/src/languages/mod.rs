//! One adapter per language behind one trait: a fourth language is a folder and a line in [`all`].

pub(crate) mod blocks;
pub(crate) mod braces;
pub(crate) mod brackets;
pub(crate) mod carried;
pub(crate) mod comments;
pub(crate) mod faults;
pub(crate) mod items;
pub(crate) mod pieces;
pub mod python;
pub(crate) mod reparse;
pub(crate) mod response;
pub mod rust;
pub(crate) mod tree;
pub mod typescript;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, FileAnalysis, LanguageId, ScopeName, Task, TextEdit, TextRange};
use zeroerr_core::decomposition_engine::mentions::words;
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::question::{Answer, Question};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{Layer, LayerReport};
use zeroerr_core::voting_engine::Fingerprint;

use crate::toolchain::ToolCheck;

/// Every adapter that is offered.
pub fn all() -> Vec<Box<dyn Language>> {
    vec![Box::new(python::Python), Box::new(rust::Rust::default()), Box::new(typescript::TypeScript)]
}

/// What a layer looks at: a task in the text it will live in.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The task as analysed in `task.source`, which has the edit applied.
    pub task: Task,
    /// The file before the edit; equal to `task.source` when existing code is verified.
    pub previous: Arc<str>,
    /// The project's root, if the file belongs to one.
    pub workspace: Option<PathBuf>,
}

/// What the gate and the fingerprint say of a candidate.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It fails an example (which, and how) and does not vote.
    GateRejected(String),
    /// It fails exactly one example (which, and how) and holds all others; it does not vote either.
    NearMiss(String),
    /// It does not vote for a reason that says nothing about the examples: it does not fit its file, or answers
    /// differently from call to call.
    Unfit(String),
    /// It votes for this behaviour.
    Votes(Fingerprint),
}

/// One class of candidates that behave alike, by the candidate that represents it.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// The candidate, standing in its file.
    pub subject: Subject,
    /// What it does on the step's shared inputs.
    pub fingerprint: Fingerprint,
    /// Votes for it.
    pub votes: u32,
}

/// How candidates are observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Chooses the inputs.
    pub seed: u64,
    /// How many; 0 asks the gate alone. `None` is as many as for live candidates.
    pub inputs: Option<usize>,
    /// Seconds that one example may take; `None` is as for live candidates.
    pub seconds: Option<u32>,
}

impl Probe {
    /// What a live candidate is asked.
    pub fn live(seed: u64) -> Self {
        Self { seed, inputs: None, seconds: None }
    }
}

/// What one candidate does, and what the gate says of it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Observation {
    /// Which example it fails, and how; `None` when it may vote.
    pub objection: Option<String>,
    /// Whether that is the only one it fails.
    pub is_near: bool,
    /// Whether the objection is to something else than an example.
    pub is_unfit: bool,
    /// What it does; `None` when it could not be run.
    pub behaviour: Option<Fingerprint>,
    /// Its syntax tree with the locals renamed; `None` where the adapter makes none.
    pub tree: Option<String>,
}

impl From<Observation> for Judgement {
    fn from(seen: Observation) -> Self {
        match (seen.objection, seen.behaviour) {
            (Some(why), _) if seen.is_unfit => Judgement::Unfit(why),
            (Some(why), _) if seen.is_near => Judgement::NearMiss(why),
            (Some(why), _) => Judgement::GateRejected(why),
            (None, Some(fingerprint)) => Judgement::Votes(fingerprint),
            (None, None) => Judgement::Unfit("it could not be run".into()),
        }
    }
}

impl Observation {
    /// Of a candidate that does not vote and of which nothing else is known.
    pub fn rejected(why: String) -> Self {
        Self { objection: Some(why), is_near: false, is_unfit: false, behaviour: None, tree: None }
    }
}

impl From<Judgement> for Observation {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::GateRejected(why) => Self::rejected(why),
            Judgement::NearMiss(why) => Self { is_near: true, ..Self::rejected(why) },
            Judgement::Unfit(why) => Self { is_unfit: true, ..Self::rejected(why) },
            Judgement::Votes(fingerprint) => {
                Self { objection: None, is_near: false, is_unfit: false, behaviour: Some(fingerprint), tree: None }
            }
        }
    }
}

/// A check that could not be made: sandbox or tool missing. One sentence with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(pub String);

/// Everything that is particular to one language.
pub trait Language: Send + Sync {
    /// Which language.
    fn id(&self) -> LanguageId;

    /// Finds functions with specs. Pure, total, fast enough for every keystroke.
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis;

    /// Makes a task of a selection and an instruction.
    ///
    /// # Errors
    /// One sentence when the selection holds no function.
    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String>;

    /// The names that a file binds at its top level, for whoever writes a spec there. Pure and total.
    fn names(&self, _source: &str) -> Vec<ScopeName> {
        Vec::new()
    }

    /// Whether a text is free of faults of syntax, as far as the adapter can tell without a tool.
    fn parses(&self, _source: &str) -> bool {
        true
    }

    /// The start of the line where the outermost item around a place begins (modules are no items), with what
    /// belongs to it above. `None` when nothing can be put there. The default finds none.
    fn outermost_item(&self, _source: &str, _at: usize) -> Option<usize> {
        None
    }

    /// Names that a new function at top level must not take. The default, too cautious, is every
    /// identifier that stands in no line comment.
    fn names_taken(&self, source: &str) -> HashSet<String> {
        let code =
            source.lines().filter(|l| !["//", "#", "*", "/*"].iter().any(|mark| l.trim_start().starts_with(mark)));
        code.flat_map(words).map(|w| w.text.to_owned()).collect()
    }

    /// Takes the candidate out of a model's response, or says why it is discarded.
    ///
    /// # Errors
    /// The red flag.
    fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag>;

    /// The edits that put the candidate into the file: body, and imports that are not there yet.
    ///
    /// # Errors
    /// One sentence when the task's text cannot take it.
    fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String>;

    /// Gate and fingerprint of a candidate that stands in `subject`; inputs depend on the spec,
    /// the signature and `seed` only, so that all candidates of a step see the same ones.
    fn judge<'a>(
        &'a self,
        tools: &'a crate::toolchain::Toolchain,
        subject: &'a Subject,
        seed: u64,
    ) -> BoxFuture<'a, Result<Judgement, CheckError>>;

    /// Small calls on which behaviours differ, with the answers of each: the call that tells most
    /// votes apart first, then what that leaves together. The default does not make calls smaller: it
    /// takes the shortest of the fingerprints'.
    fn questions<'a>(
        &'a self,
        _tools: &'a crate::toolchain::Toolchain,
        behaviours: &'a [Behaviour],
        _seed: u64,
    ) -> BoxFuture<'a, Result<Vec<Question>, CheckError>> {
        Box::pin(std::future::ready(Ok(crate::questions::from_fingerprints(behaviours))))
    }

    /// What a candidate answers to one call; `None` when the call is not allowed. The default knows the
    /// calls of the fingerprint.
    fn answer<'a>(
        &'a self,
        _tools: &'a crate::toolchain::Toolchain,
        behaviour: &'a Behaviour,
        call: &'a str,
    ) -> BoxFuture<'a, Result<Option<Answer>, CheckError>> {
        Box::pin(std::future::ready(Ok(crate::questions::known_answer(behaviour, call))))
    }

    /// Gate and behaviour of many candidates of one task, as [`judge`](Self::judge) would say; an
    /// adapter that can runs many in one job.
    fn observe<'a>(
        &'a self,
        tools: &'a crate::toolchain::Toolchain,
        subjects: &'a [Subject],
        probe: Probe,
    ) -> BoxFuture<'a, Vec<Result<Observation, CheckError>>> {
        Box::pin(async move {
            let mut all = Vec::with_capacity(subjects.len());
            for subject in subjects {
                all.push(self.judge(tools, subject, probe.seed).await.map(Observation::from));
            }
            all
        })
    }

    /// What candidates make of claims that nobody vouches for: one trial per claim for each, or none for
    /// one that could not be tried. The default tries none, and then such claims change nothing.
    fn examine<'a>(
        &'a self,
        _tools: &'a crate::toolchain::Toolchain,
        subjects: &'a [Subject],
        _claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Vec<Trial>>, CheckError>> {
        Box::pin(std::future::ready(Ok(vec![Vec::new(); subjects.len()])))
    }

    /// Whether the tools that everything needs are there; asked before a model is.
    ///
    /// # Errors
    /// One sentence with the remedy.
    fn ready(&self, _tools: &crate::toolchain::Toolchain) -> Result<(), CheckError> {
        Ok(())
    }

    /// What `zeroerr doctor` says of tools that this language brings beside the private environment.
    fn tool_checks<'a>(&'a self, _tools: &'a crate::toolchain::Toolchain) -> BoxFuture<'a, Vec<ToolCheck>> {
        Box::pin(async { Vec::new() })
    }

    /// Makes what the last layer will need, while others are at work. It runs nothing of the code, and may be
    /// dropped at any time.
    fn prepare<'a>(&'a self, _tools: &'a crate::toolchain::Toolchain, _subject: &'a Subject) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Runs one layer.
    fn check<'a>(
        &'a self,
        tools: &'a crate::toolchain::Toolchain,
        subject: &'a Subject,
        layer: Layer,
    ) -> BoxFuture<'a, LayerReport>;

    /// A hash of everything outside of the file that can change what a layer that reads it says
    /// (configuration, imported modules, tool versions); `None` when that cannot be named, and then
    /// nothing is remembered.
    fn surroundings(&self, _tools: &crate::toolchain::Toolchain, _subject: &Subject) -> Option<String> {
        None
    }

    /// The same for a layer that runs the code: what the code, its tests and their tools read beside the file.
    fn surroundings_of_runs(
        &self,
        _tools: &crate::toolchain::Toolchain,
        _subject: &Subject,
        _layer: Layer,
    ) -> Option<String> {
        None
    }
}
