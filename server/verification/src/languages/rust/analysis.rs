//! Layer 6 for Rust: the compiler's warnings and clippy, with the project's own lints where it has some.

use zeroerr_core::verdict::{Layer, LayerReport};

use super::compiler::Message;
use super::diagnose::{self, Diagnosis};
use super::forbidden::offences;
use super::session::State;
use super::types::failure;
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, analysis};
use crate::toolchain::Toolchain;

/// Lints about a line whose fault is elsewhere: what an edit no longer uses.
const LEFT_BEHIND: &[&str] = &["unused_imports", "dead_code", "unused_macros"];

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(state, tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Analysis),
    }
}

async fn judge(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let rust = state.rust(tools).await?;
    rust.program("clippy-driver")?;
    let said = diagnose::of(state, tools, subject, &subject.task.source).await.map_err(failure)?;
    if said.own.iter().any(Message::is_own) || !said.elsewhere.is_empty() {
        let why = said.own.iter().find(|m| m.is_own()).map(|m| m.text.clone()).or(said.elsewhere.first().cloned());
        let why = format!("clippy reads only what compiles, and this does not: {}", why.unwrap_or_default());
        return Err(Failure::Unavailable(why));
    }
    let mut after = remarks(&said);
    after.retain(|r| !analysis::left_behind(subject, r, LEFT_BEHIND));
    let before = if after.is_empty() || !subject.is_edit() {
        Vec::new()
    } else {
        remarks(&diagnose::of(state, tools, subject, &subject.previous).await.map_err(failure)?)
    };
    let mut found = layers::objections(Layer::Analysis, subject, &before, after);
    found.extend(analysis::forbidden(subject, offences(subject)));
    let whose = if said.configured { "with the project's lints" } else { "with the default lints" };
    let clean = format!("clippy has no new objection, {whose}");
    Ok(layers::report(Layer::Analysis, found, clean, vec![rust.named("clippy")]))
}

fn remarks(said: &Diagnosis) -> Vec<Remark> {
    said.own.iter().filter(|m| !m.is_own()).map(Message::remark).collect()
}
