//! Contracts of a Rust function: the calls of `@raises`, then `@ensures` at run time on inputs that
//! `@requires` allows, the ends of the integer types among them.

use zeroerr_core::verdict::{Layer, LayerReport, Verdict};

use super::build::Speed;
use super::glue::Probe;
use super::idle;
use super::release::{self, WHERE};
use super::session::{
    LAYER_SEED, Question, State, Trouble, ask, broken, doubt, read, spec_fault, unmade, with_constants,
};
use crate::languages::Subject;
use crate::layers::Failure;
use crate::layers::contracts::{Crash, Facts, Raised, Violation, applies, judge, nothing};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    if !applies(subject) {
        return nothing();
    }
    match run(state, tools, subject).await {
        Ok(report) => report,
        Err(Trouble::Broken(why, _)) => match read(
            serde_json::json!({"broken": broken(&why), "violations": [], "raised": [], "timeouts": [], "checked": 0, "invalid": 0, "crashes": []}),
        ) {
            Ok(facts) => judge(subject, &facts, None),
            Err(error) => Failure::from(error).report(Layer::Contracts),
        },
        Err(trouble) => Failure::from(trouble).report(Layer::Contracts),
    }
}

async fn run(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let spec = &subject.task.spec;
    let built = state.built(tools, subject, Speed::Checked).await?;
    if let Some(fault) =
        spec_fault(subject, &built, |p| matches!(p, Probe::Requires(_) | Probe::Ensures(_) | Probe::Raises(_)))
    {
        return Err(fault.into());
    }
    let first = spec.examples.len();
    let raises: Vec<String> = (first..first + spec.raises.len()).map(|i| i.to_string()).collect();
    let has_clauses = !(spec.ensures.is_empty() && spec.requires.is_empty());
    let mut options = vec![format!("claims={}", if raises.is_empty() { "none".to_owned() } else { raises.join(" ") })];
    options.extend(has_clauses.then(|| "contract=1".to_owned()));
    options.push(format!("clauses={}", spec.ensures.len()));
    options.push(doubt(&built, false));
    // A spec that names its valid inputs means all of them.
    options.extend((!spec.requires.is_empty()).then(|| "bounded=1".to_owned()));
    let question = Question { mode: "contracts", seed: LAYER_SEED, options, extremes: true, seconds: 60 };
    let answer = ask(tools, subject, &built, question.clone(), None).await?;
    let mut facts: Facts = read(answer.clone())?;
    for fact in &mut facts.raises {
        fact.index = fact.index.saturating_sub(first);
    }
    let is_idle = |at: &usize| spec.ensures.get(*at).is_some_and(|clause| idle::is_idle(&clause.text));
    let (idle, untested) = std::mem::take(&mut facts.untested).into_iter().partition(is_idle);
    facts.untested = untested;
    facts.hollow.extend::<Vec<usize>>(idle);
    release::confirm(state, tools, subject, first, &mut facts.raises).await?;
    if facts.raises.len() < spec.raises.len() {
        return Err(Trouble::Unavailable("not every @raises was tried".to_owned()));
    }
    let mut report = judge(subject, &facts, None);
    if has_clauses
        && !matches!(report.verdict, Verdict::Failed | Verdict::TimedOut)
        && let Some(answer) = release::again(state, tools, subject, &built, &answer, question).await?
    {
        add(&mut facts, read(answer)?);
        report = judge(subject, &facts, None);
    }
    let nothing_made = facts.silent.is_empty() && facts.checked == 0 && facts.invalid == 0 && has_clauses;
    if nothing_made && report.verdict != Verdict::Failed && report.verdict != Verdict::TimedOut {
        let detail = format!("no values can be made up for {}; add an @example that shows some", unmade(&built));
        report = LayerReport::new(Layer::Contracts, Verdict::Unavailable, detail);
    }
    let report = if has_clauses { with_constants(report, &built) } else { report };
    Ok(LayerReport { tools: vec![state.rust(tools).await?.version.clone()], ..report })
}

/// Adds what only the program that is shipped shows.
fn add(facts: &mut Facts, shipped: Facts) {
    let said = |what: String| format!("{what} {WHERE}");
    let violations = shipped.violations.into_iter();
    facts.violations.extend(violations.map(|v| Violation { result: said(v.result), ..v }));
    facts.raised.extend(shipped.raised.into_iter().map(|r| Raised { text: said(r.text), ..r }));
    facts.crashes.extend(shipped.crashes.into_iter().map(|c| Crash { how: said(c.how), ..c }));
    facts.left = facts.left.take().or(shipped.left);
    facts.timeouts.extend(shipped.timeouts.into_iter().map(said));
}
