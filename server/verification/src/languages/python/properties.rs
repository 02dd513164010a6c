//! `@property` laws of a Python function, falsified by Hypothesis.

use serde_json::json;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::load::hindered;
use super::probe::read;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::properties::{Facts, judge, nothing};
use crate::toolchain::Toolchain;
use crate::verdict_cache;

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    if subject.task.spec.properties.is_empty() {
        return nothing();
    }
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Properties),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let environment = tools.python()?;
    let step = step(subject);
    let mut answer =
        harness::ask(tools, subject, Mode::Properties, json!({"cases_known": tools.cases.of(&step)})).await?;
    tools.cases.keep(step, answer["cases"].take());
    let facts: Facts = read(answer)?;
    if let Some(error) = hindered(subject, facts.broken.as_ref()) {
        return Err(error.into());
    }
    Ok(LayerReport { tools: vec![environment.named("hypothesis")], ..judge(subject, &facts) })
}

/// A name for the step that the subject is a candidate of: all of its candidates are tried on the same cases.
fn step(subject: &Subject) -> String {
    let task = &subject.task;
    let place = format!("{:?} {} {:?}", task.file, task.signature.name, task.class);
    verdict_cache::key_of([place.as_str(), &subject.previous, &task.spec.hash()])
}
