//! `@budget` and `@complexity` of a Python function, measured in the sandbox.

use serde_json::json;
use zeroerr_core::code::{Task, line_of};
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::load::hindered;
use super::probe::read;
use super::specs;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::performance::{Facts, TOO_NOISY, judge, nothing};
use crate::toolchain::Toolchain;

/// How often is measured at most: what else the machine does comes and goes.
const MEASUREMENTS: u32 = 3;

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    let spec = &subject.task.spec;
    let replaced = replaced(subject);
    if spec.budgets.is_empty() && spec.complexity.is_none() && replaced.is_none() {
        return nothing();
    }
    for _ in 1..MEASUREMENTS {
        match run(tools, subject, replaced.clone()).await {
            Ok(report) if report.detail.contains(TOO_NOISY) => continue,
            Ok(report) => return report,
            Err(trouble) => return Failure::from(trouble).report(Layer::Performance),
        }
    }
    run(tools, subject, replaced).await.unwrap_or_else(|trouble| Failure::from(trouble).report(Layer::Performance))
}

async fn run(tools: &Toolchain, subject: &Subject, replaced: Option<Task>) -> Result<LayerReport, Trouble> {
    let environment = tools.python()?;
    let spec = &subject.task.spec;
    let extra = json!({
        "budgets": spec.budgets.iter().map(|b| b.call.clone()).collect::<Vec<_>>(),
        "budget_milliseconds": spec.budgets.iter().map(|b| b.milliseconds).collect::<Vec<_>>(),
        "complexity": spec.complexity.as_ref().map(|c| format!("{:?}", c.bound)),
        "previous": replaced.as_ref().map(|_| subject.previous.to_string()),
        "previous_line": replaced.as_ref().map(|t| line_of(&t.source, t.body_range.start)),
    });
    let facts: Facts = read(harness::ask(tools, subject, Mode::Performance, extra).await?)?;
    if let Some(error) = hindered(subject, facts.broken.as_ref()) {
        return Err(error.into());
    }
    Ok(LayerReport { tools: vec![environment.named("python")], ..judge(subject, &facts) })
}

/// The function as it was before the edit, when it had a body worth comparing with.
pub fn replaced(subject: &Subject) -> Option<Task> {
    if !subject.is_edit() {
        return None;
    }
    let before = specs::analyse(&subject.task.file, &subject.previous);
    let same = |t: &Task| t.signature.name == subject.task.signature.name && t.class == subject.task.class;
    before.tasks.into_iter().find(same).filter(|t| !t.is_stub)
}
