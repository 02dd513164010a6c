//! Python 3, on tree-sitter: the pure half (specs, extraction, splicing) and the tools that judge.

pub mod analysis;
mod bindings;
mod capabilities;
mod checks;
mod config;
pub mod contracts;
mod data;
mod docstring;
mod examine;
mod expressions;
mod extends;
mod extract;
mod forbidden;
mod functions;
pub mod harness;
mod imports;
mod layout;
mod lexis;
mod literals;
mod load;
mod metadata;
pub mod mutants;
mod names;
mod newer;
mod options;
pub mod performance;
mod place;
pub mod probe;
pub mod project;
pub mod properties;
mod prose;
pub mod questions;
mod reach;
pub mod security;
mod session;
mod signature;
mod specs;
mod splice;
pub mod syntax;
pub mod tests;
mod tree;
pub mod types;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, FileAnalysis, LanguageId, ScopeName, Task, TextEdit, TextRange};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::question::{Answer, Question};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::{Behaviour, CheckError, Judgement, Language, Observation, Probe, Subject, items};
use crate::toolchain::Toolchain;

/// The adapter for Python. It holds no state: parsers are cheap to make.
#[derive(Debug, Clone, Copy, Default)]
pub struct Python;

impl Python {
    /// Finds functions with specs. Pure and total: broken, huge or empty text gives what there is.
    pub fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        specs::analyse(path, source)
    }

    /// Makes a task of a selection and an instruction.
    ///
    /// # Errors
    /// One sentence when the selection holds no function, or more than one.
    pub fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        specs::task_for_selection(path, source, selection, instruction)
    }

    /// Takes the candidate out of a model's response, or says why it is discarded.
    ///
    /// # Errors
    /// The red flag.
    pub fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        extract::extract(response, task)
    }

    /// The edits that put the candidate into the file.
    ///
    /// # Errors
    /// One sentence when the task's ranges do not fit its text.
    pub fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        splice::splice(task, candidate)
    }
}

impl Language for Python {
    fn id(&self) -> LanguageId {
        LanguageId::Python
    }

    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        Python::analyse(self, path, source)
    }

    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        Python::task_for_selection(self, path, source, selection, instruction)
    }

    fn names(&self, source: &str) -> Vec<ScopeName> {
        names::names(source)
    }

    fn parses(&self, source: &str) -> bool {
        tree::parse(source).is_some_and(|t| !t.root_node().has_error())
    }

    fn outermost_item(&self, source: &str, at: usize) -> Option<usize> {
        items::outermost(tree::parse(source)?.root_node(), source, at, |_| false)
    }

    fn names_taken(&self, source: &str) -> HashSet<String> {
        let tree = tree::parse(source);
        let index = tree.as_ref().map(|t| functions::FileIndex::new(t.root_node(), source));
        let bound = index.iter().flat_map(|i| i.names_at_top_level()).chain(expressions::BUILTINS.iter().copied());
        bound.map(str::to_owned).collect()
    }

    fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        Python::extract(self, response, task)
    }

    fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        Python::splice(self, task, candidate)
    }

    fn judge<'a>(
        &'a self,
        tools: &'a Toolchain,
        subject: &'a Subject,
        seed: u64,
    ) -> BoxFuture<'a, Result<Judgement, CheckError>> {
        Box::pin(probe::judge(tools, subject, seed))
    }

    fn questions<'a>(
        &'a self,
        tools: &'a Toolchain,
        behaviours: &'a [Behaviour],
        seed: u64,
    ) -> BoxFuture<'a, Result<Vec<Question>, CheckError>> {
        Box::pin(questions::questions(tools, behaviours, seed))
    }

    fn answer<'a>(
        &'a self,
        tools: &'a Toolchain,
        behaviour: &'a Behaviour,
        call: &'a str,
    ) -> BoxFuture<'a, Result<Option<Answer>, CheckError>> {
        Box::pin(questions::answer(tools, behaviour, call))
    }

    fn observe<'a>(
        &'a self,
        tools: &'a Toolchain,
        subjects: &'a [Subject],
        probe: Probe,
    ) -> BoxFuture<'a, Vec<Result<Observation, CheckError>>> {
        Box::pin(probe::observe(tools, subjects, probe))
    }

    fn examine<'a>(
        &'a self,
        tools: &'a Toolchain,
        subjects: &'a [Subject],
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Vec<Trial>>, CheckError>> {
        Box::pin(examine::examine(tools, subjects, claims))
    }

    fn check<'a>(&'a self, tools: &'a Toolchain, subject: &'a Subject, layer: Layer) -> BoxFuture<'a, LayerReport> {
        if let Some(report) = newer::report(tools, subject, layer) {
            return Box::pin(std::future::ready(report));
        }
        match layer {
            Layer::Syntax => Box::pin(syntax::check(tools, subject)),
            Layer::Types => Box::pin(types::check(tools, subject)),
            Layer::Analysis => Box::pin(analysis::check(tools, subject)),
            Layer::Security => Box::pin(security::check(tools, subject)),
            Layer::Contracts => Box::pin(contracts::check(tools, subject)),
            Layer::Tests => Box::pin(tests::check(tools, subject)),
            Layer::Properties => Box::pin(properties::check(tools, subject)),
            Layer::Performance => Box::pin(performance::check(tools, subject)),
        }
    }

    fn ready(&self, tools: &Toolchain) -> Result<(), CheckError> {
        tools.python().map(drop)
    }

    fn surroundings(&self, tools: &Toolchain, subject: &Subject) -> Option<String> {
        let python = tools.python().ok()?;
        Some(format!("{} {:?} {}", python.version, python.versions, project::surroundings_hash(subject)))
    }

    fn surroundings_of_runs(&self, tools: &Toolchain, subject: &Subject, layer: Layer) -> Option<String> {
        let read = self.surroundings(tools, subject)?;
        let tests = if layer == Layer::Tests { tests::project_hash(subject) } else { String::new() };
        Some(format!("{read} {} {tests}", harness::sources_hash()))
    }
}
