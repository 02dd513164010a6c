//! Rust, on tree-sitter: the pure half (specs, extraction, splicing) and the tools that judge.

mod analysis;
mod build;
mod capabilities;
mod checks;
mod comments;
mod compiler;
mod compiling;
mod contracts;
mod diagnose;
mod doctests;
mod equality;
mod examine;
mod expressions;
mod extract;
mod forbidden;
mod functions;
mod glue;
mod hinted;
mod hollow;
mod idle;
mod imports;
mod judge;
mod layout;
mod lexis;
mod literals;
mod modules;
mod performance;
mod project;
mod properties;
mod reaching;
mod release;
mod security;
mod session;
mod signature;
mod specs;
mod splice;
mod syntax;
mod targets;
mod tests;
mod toolchain;
mod tree;
mod types;
mod workspace;

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::code::{Candidate, FileAnalysis, LanguageId, Task, TextEdit, TextRange};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{Layer, LayerReport};

use self::build::Speed;
use self::session::State;
use super::{CheckError, Judgement, Language, Subject, items};
use crate::toolchain::{ToolCheck, Toolchain};

/// The adapter for Rust. It keeps where the compiler is and what was compiled last.
#[derive(Debug, Default)]
pub struct Rust(State);

impl Language for Rust {
    fn id(&self) -> LanguageId {
        LanguageId::Rust
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

    fn parses(&self, source: &str) -> bool {
        tree::parse(source).is_some_and(|t| !t.root_node().has_error())
    }

    fn outermost_item(&self, source: &str, at: usize) -> Option<usize> {
        let is_module = |node: tree_sitter::Node<'_>| node.parent().is_some_and(|p| p.kind() == "mod_item");
        items::outermost(tree::parse(source)?.root_node(), source, at, is_module)
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
        Box::pin(judge::judge(&self.0, tools, subject, seed))
    }

    fn examine<'a>(
        &'a self,
        tools: &'a Toolchain,
        subjects: &'a [Subject],
        claims: &'a [Claim],
    ) -> BoxFuture<'a, Result<Vec<Vec<Trial>>, CheckError>> {
        Box::pin(examine::examine(&self.0, tools, subjects, claims))
    }

    fn check<'a>(&'a self, tools: &'a Toolchain, subject: &'a Subject, layer: Layer) -> BoxFuture<'a, LayerReport> {
        let state = &self.0;
        match layer {
            Layer::Syntax => Box::pin(syntax::check(state, tools, subject)),
            Layer::Types => Box::pin(types::check(state, tools, subject)),
            Layer::Analysis => Box::pin(analysis::check(state, tools, subject)),
            Layer::Security => Box::pin(async move { security::check(subject) }),
            Layer::Contracts => Box::pin(contracts::check(state, tools, subject)),
            Layer::Tests => Box::pin(tests::check(state, tools, subject)),
            Layer::Properties => Box::pin(properties::check(state, tools, subject)),
            Layer::Performance => Box::pin(performance::check(state, tools, subject)),
        }
    }

    fn prepare<'a>(&'a self, tools: &'a Toolchain, subject: &'a Subject) -> BoxFuture<'a, ()> {
        Box::pin(performance::prepare(&self.0, tools, subject))
    }

    fn ready(&self, _tools: &Toolchain) -> Result<(), CheckError> {
        toolchain::is_there()
    }

    fn tool_checks<'a>(&'a self, tools: &'a Toolchain) -> BoxFuture<'a, Vec<ToolCheck>> {
        Box::pin(async move {
            if toolchain::is_there().is_err() {
                return toolchain::nothing_there();
            }
            toolchain::checks(self.0.rust(tools).await)
        })
    }

    fn surroundings(&self, tools: &Toolchain, subject: &Subject) -> Option<String> {
        // What a project holds beside the file is cargo's to know.
        let alone = self.0.projects.of(tools, subject, Speed::Checked).is_none();
        alone.then(|| format!("{} {}", project::surroundings_hash(subject), toolchain::stamp()))
    }
}
