//! Contracts of a TypeScript function, checked while it runs on hundreds of generated inputs.

use serde_json::json;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::probe::{missing_import, read};
use super::said;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::contracts::{Facts, applies, judge, nothing};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    if !applies(subject) {
        return nothing();
    }
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Contracts),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let node = tools.node()?;
    let extra = json!({"examples": harness::raises_of(subject), "own": said::of_body(&subject.task)});
    let facts: Facts = read(harness::ask(tools, subject, Mode::Contracts, extra).await?)?;
    if let Some(error) = missing_import(subject, facts.broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error.into());
    }
    Ok(LayerReport { tools: vec![node.named("node")], ..judge(subject, &facts, None) })
}
