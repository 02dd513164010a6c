//! `@property` laws of a TypeScript function, falsified by fast-check.

use serde_json::json;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::probe::{missing_import, read};
use super::said;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::properties::{Facts, judge, nothing};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    if subject.task.spec.properties.is_empty() {
        return nothing();
    }
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Properties),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let node = tools.node()?;
    let extra = json!({"own": said::of_body(&subject.task)});
    let facts: Facts = read(harness::ask(tools, subject, Mode::Properties, extra).await?)?;
    if let Some(error) = missing_import(subject, facts.broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error.into());
    }
    Ok(LayerReport { tools: vec![node.named("node"), node.named("fast-check")], ..judge(subject, &facts) })
}
