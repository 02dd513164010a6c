//! `@property` laws of a Rust function, on made up inputs with shrinking.

use zeroerr_core::verdict::{Layer, LayerReport, Verdict};

use super::build::Speed;
use super::glue::Probe;
use super::idle;
use super::release::{self, WHERE};
use super::session::{
    LAYER_SEED, Question, State, Trouble, ask, broken, doubt, read, spec_fault, unmade, with_constants,
};
use crate::languages::Subject;
use crate::layers::properties::{Facts, LawFact, judge, nothing};
use crate::layers::{Failure, TOO_LONG};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    if subject.task.spec.properties.is_empty() {
        return nothing();
    }
    match run(state, tools, subject).await {
        Ok(report) => report,
        Err(Trouble::Broken(why, _)) => match read(serde_json::json!({"laws": [], "broken": broken(&why)})) {
            Ok(facts) => judge(subject, &facts),
            Err(error) => Failure::from(error).report(Layer::Properties),
        },
        Err(trouble) => Failure::from(trouble).report(Layer::Properties),
    }
}

async fn run(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let spec = &subject.task.spec;
    let built = state.built(tools, subject, Speed::Checked).await?;
    if let Some(fault) = spec_fault(subject, &built, |p| matches!(p, Probe::Requires(_) | Probe::Law(_))) {
        return Err(fault.into());
    }
    let laws: Vec<String> = (0..spec.properties.len()).map(|i| i.to_string()).collect();
    let mut options = vec![format!("laws={}", laws.join(" ")), format!("unmade={}", unmade(&built))];
    options.push(doubt(&built, false));
    // A spec that names its valid inputs means all of them.
    options.extend((!spec.requires.is_empty()).then(|| "bounded=1".to_owned()));
    let question = Question { mode: "laws", seed: LAYER_SEED, options, extremes: true, seconds: 60 };
    let answer = ask(tools, subject, &built, question.clone(), None).await?;
    let mut facts: Facts = read(answer.clone())?;
    for law in facts.laws.iter_mut().filter(|law| law.untested) {
        law.hollow = spec.properties.get(law.index).is_some_and(|clause| idle::is_idle(&clause.text));
        law.untested = !law.hollow;
    }
    let mut report = judge(subject, &facts);
    if !matches!(report.verdict, Verdict::Failed | Verdict::TimedOut)
        && let Some(answer) = release::again(state, tools, subject, &built, &answer, question).await?
    {
        add(&mut facts, read(answer)?);
        report = judge(subject, &facts);
    }
    let report = with_constants(report, &built);
    Ok(LayerReport { tools: vec![state.rust(tools).await?.version.clone()], ..report })
}

/// Adds what only the program that is shipped shows.
fn add(facts: &mut Facts, shipped: Facts) {
    for law in shipped.laws.into_iter().filter(|law| ["falsified", "timed out"].contains(&law.status.as_str())) {
        let why = match law.why.as_str() {
            "false" => "is false",
            "timeout" => TOO_LONG,
            "crash" => "ended the process",
            other => other,
        };
        let why = format!("{why} {WHERE}");
        facts
            .laws
            .iter_mut()
            .filter(|own| own.index == law.index)
            .for_each(|own| *own = LawFact { why: why.clone(), ..law.clone() });
    }
}
