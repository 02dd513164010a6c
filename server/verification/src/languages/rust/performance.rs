//! `@budget` and `@complexity` of a Rust function, compiled as it will be shipped and measured in the
//! sandbox.

use std::sync::Arc;

use serde_json::Value;
use zeroerr_core::code::Task;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::build::{Built, Speed};
use super::glue::Probe;
use super::session::{LAYER_SEED, Question, State, Trouble, ask, broken, read, spec_fault};
use super::specs;
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::performance::{Facts, judge, nothing};
use crate::toolchain::Toolchain;
use crate::verification_stack::subject_as_is;

/// Whether there is something to measure, the code that is replaced being something.
fn applies(subject: &Subject, replaced: Option<&Task>) -> bool {
    let spec = &subject.task.spec;
    !spec.budgets.is_empty() || spec.complexity.is_some() || replaced.is_some()
}

/// Compiles what will be measured; what comes of it is for the layer to say.
pub(super) async fn prepare(state: &State, tools: &Toolchain, subject: &Subject) {
    let replaced = replaced(subject);
    if applies(subject, replaced.as_ref()) {
        let _ = programs(state, tools, subject, replaced).await;
    }
}

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    let replaced = replaced(subject);
    if !applies(subject, replaced.as_ref()) {
        return nothing();
    }
    match run(state, tools, subject, replaced).await {
        Ok(report) => report,
        Err(Trouble::Broken(why, _)) => match read(serde_json::json!({"budgets": [], "broken": broken(&why)})) {
            Ok(facts) => judge(subject, &facts),
            Err(error) => Failure::from(error).report(Layer::Performance),
        },
        Err(trouble) => Failure::from(trouble).report(Layer::Performance),
    }
}

async fn run(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    replaced: Option<Task>,
) -> Result<LayerReport, Trouble> {
    let spec = &subject.task.spec;
    let (built, before) = programs(state, tools, subject, replaced).await?;
    if let Some(fault) = spec_fault(subject, &built, |p| matches!(p, Probe::Budget(_))) {
        return Err(fault.into());
    }
    let mut options: Vec<String> = spec.complexity.iter().map(|c| format!("complexity={:?}", c.bound)).collect();
    // The processor's time of one thread says nothing of code that has others work for it.
    let text = &subject.task.source;
    let shares = ["thread", "rayon", "spawn", "tokio", "par_iter"].iter().any(|w| text.contains(w));
    options.extend((!shares).then(|| "clock=processor".to_owned()));
    // Calls that a measured one finds nothing kept of.
    let is_other = |code: &str| !spec.budgets.iter().any(|b| code.contains(b.call.trim()));
    let warm = spec.examples.iter().enumerate().filter(|(_, e)| is_other(&e.code)).take(3);
    options.push(format!("warm={}", warm.map(|(at, _)| at.to_string()).collect::<Vec<_>>().join(" ")));
    options.extend(before.iter().map(|b| format!("previous={}", b.program().display())));
    let question = Question { mode: "timing", seed: LAYER_SEED, options, extremes: false, seconds: 90 };
    let mut answer = ask(tools, subject, &built, question, before.as_deref()).await?;
    for fact in answer["budgets"].as_array_mut().into_iter().flatten() {
        let at = fact["index"].as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or(0);
        fact["call"] = Value::from(spec.budgets.get(at).map_or("", |b| b.call.as_str()));
    }
    let facts: Facts = read(answer)?;
    Ok(LayerReport { tools: vec![state.rust(tools).await?.version.clone()], ..judge(subject, &facts) })
}

/// The function and the one that it replaces, as they will be shipped.
async fn programs(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    replaced: Option<Task>,
) -> Result<(Arc<Built>, Option<Arc<Built>>), Trouble> {
    let built = state.built(tools, subject, Speed::Optimised).await?;
    // Code that did not compile before has no pace to keep.
    let before = match replaced {
        Some(task) => {
            let old = Task { spec: subject.task.spec.clone(), ..task };
            let old = subject_as_is(&old, subject.workspace.clone());
            state.built(tools, &old, Speed::Optimised).await.ok()
        }
        None => None,
    };
    Ok((built, before))
}

/// The function as it was before the edit, when it had a body worth comparing with.
pub(super) fn replaced(subject: &Subject) -> Option<Task> {
    if !subject.is_edit() {
        return None;
    }
    let before = specs::analyse(&subject.task.file, &subject.previous);
    let same = |t: &Task| t.signature.name == subject.task.signature.name && t.class == subject.task.class;
    before.tasks.into_iter().find(same).filter(|t| !t.is_stub)
}
