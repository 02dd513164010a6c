//! Contracts of a Python function: checked while it runs, then searched by CrossHair.

use serde_json::json;
use zeroerr_core::verdict::{Layer, LayerReport, Verdict};

use super::harness::{self, Mode, Trouble};
use super::load::hindered;
use super::probe::read;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::contracts::{Facts, applies, judge, nothing};
use crate::toolchain::Toolchain;

/// Runs the layer. CrossHair's own failures and time-outs are told in the detail, never a verdict.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    if !applies(subject) {
        return nothing();
    }
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Contracts),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let environment = tools.python()?;
    let answer = harness::ask(tools, subject, Mode::Contracts, json!({"examples": harness::raises(subject)})).await?;
    let facts: Facts = read(answer)?;
    if let Some(error) = hindered(subject, facts.broken.as_ref()) {
        return Err(error.into());
    }
    let mut named = vec![environment.named("python")];
    let report = judge(subject, &facts, None);
    let has_held = report.verdict == Verdict::Passed || !report.hollow.is_empty();
    if !has_held || subject.task.spec.ensures.is_empty() || !environment.versions.contains_key("crosshair-tool") {
        return Ok(LayerReport { tools: named, ..report });
    }
    named.push(environment.named("crosshair-tool"));
    let symbolic = match harness::ask(tools, subject, Mode::Symbolic, json!({})).await {
        Ok(answer) => read(answer)?,
        Err(Trouble::TimedOut(_)) => Facts { status: "timed out".into(), ..Facts::default() },
        Err(Trouble::Unavailable(_) | Trouble::BroughtDown(_)) => {
            Facts { status: "failed to run".into(), ..Facts::default() }
        }
    };
    Ok(LayerReport { tools: named, ..judge(subject, &facts, Some(&symbolic)) })
}
