//! TypeScript and JavaScript, on tree-sitter: the pure half (specs, extraction, splicing) and the tools
//! that judge.

mod analysis;
mod capabilities;
mod checks;
mod comments;
mod contracts;
mod derived;
mod doctests;
mod escapes;
mod examine;
mod expressions;
mod extract;
mod forbidden;
mod forms;
mod functions;
mod globals;
mod harness;
mod imports;
mod jsdoc;
mod kinds;
mod layout;
mod lexis;
mod literals;
mod monorepo;
mod names;
mod performance;
mod probe;
mod project;
mod properties;
mod questions;
mod reach;
mod reaching;
mod said;
mod security;
mod session;
mod signature;
mod specs;
mod splice;
mod stacks;
mod syntax;
pub mod tests;
mod tree;
mod tsconfig;
mod types;

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
use crate::toolchain::{ToolCheck, Toolchain};

/// The adapter for TypeScript and JavaScript. It holds no state: parsers are cheap to make.
#[derive(Debug, Clone, Copy, Default)]
pub struct TypeScript;

impl Language for TypeScript {
    fn id(&self) -> LanguageId {
        LanguageId::TypeScript
    }

    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        specs::analyse(path, source)
    }

    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        specs::task_for_selection(path, source, selection, instruction)
    }

    fn names(&self, source: &str) -> Vec<ScopeName> {
        names::names(source)
    }

    fn parses(&self, source: &str) -> bool {
        tree::parse_any(source).is_some_and(|t| !t.root_node().has_error())
    }

    fn outermost_item(&self, source: &str, at: usize) -> Option<usize> {
        items::outermost(tree::parse_any(source)?.root_node(), source, at, |_| false)
    }

    fn names_taken(&self, source: &str) -> HashSet<String> {
        let bound = names::names(source).into_iter().map(|n| n.name);
        bound.chain(globals::GLOBALS.iter().map(|n| (*n).to_owned())).collect()
    }

    fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        extract::extract(response, task)
    }

    fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        splice::splice(task, candidate)
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

    fn examine<'a>(
        &'a self,
        tools: &'a Toolchain,
        subjects: &'a [Subject],
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Vec<Trial>>, CheckError>> {
        Box::pin(examine::examine(tools, subjects, claims))
    }

    fn observe<'a>(
        &'a self,
        tools: &'a Toolchain,
        subjects: &'a [Subject],
        probe: Probe,
    ) -> BoxFuture<'a, Vec<Result<Observation, CheckError>>> {
        Box::pin(probe::observe(tools, subjects, probe))
    }

    fn check<'a>(&'a self, tools: &'a Toolchain, subject: &'a Subject, layer: Layer) -> BoxFuture<'a, LayerReport> {
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
        session::ready(tools)
    }

    fn tool_checks<'a>(&'a self, tools: &'a Toolchain) -> BoxFuture<'a, Vec<ToolCheck>> {
        Box::pin(session::tool_checks(tools))
    }

    fn surroundings(&self, tools: &Toolchain, subject: &Subject) -> Option<String> {
        session::surroundings(tools, subject)
    }
}
