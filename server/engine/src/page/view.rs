//! What the template shows, computed from what the journal knows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use similar::TextDiff;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::advice::{self, AdviceReport, Claim, Errand, Said, Trial};
use zeroerr_core::code::apply_edits;
use zeroerr_core::decomposition_engine::{MAX_STEPS, Plan, Step};
use zeroerr_core::report::{RunOutcome, RunReport, StepReport, StepState};
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::verdict::{Layer, LayerReport, Verdict};

use super::classes::{self, Classes};
use super::graph::{self, Graph};
use super::timeline::{self, Chart, step_of};
use crate::counting::machine_of;
use crate::journal::{Acceptance, RunExport};

/// A record with its time.
#[derive(Debug)]
pub(super) struct Moment {
    pub record: Record,
    /// Seconds of work on the run before it; time between two processes does not count.
    pub at_s: Option<f64>,
    /// Seconds of work before the first record of its step.
    pub begin_s: f64,
}

/// The page.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: String,
    function: String,
    file: String,
    status: String,
    headline: String,
    reason: String,
    begun: String,
    zeroerr: String,
    facts: Vec<(&'static str, String)>,
    graph: Graph,
    steps: Vec<StepView>,
    layers: Vec<LayerReport>,
    diff: Vec<(&'static str, String)>,
    costs: Vec<Cost>,
    total: Cost,
    spec: String,
    certificates: Vec<CertificateView>,
}

#[derive(Debug, Serialize)]
struct StepView {
    name: String,
    state: StepState,
    /// How often a step below it was blamed before the vote that is shown.
    attempt: u32,
    k: u32,
    margin: u32,
    chart: Option<Chart>,
    /// What became of the samples: kind, words, count, and the share in percent.
    fates: Vec<(&'static str, String, u64, String)>,
    classes: Classes,
    rejections: Vec<String>,
    advice: Option<AdviceReport>,
}

#[derive(Debug, Default, Serialize)]
struct Cost {
    step: String,
    samples: u64,
    counted: u32,
    votes: u64,
    tokens: u64,
    seconds: String,
}

#[derive(Debug, Serialize)]
struct CertificateView {
    accepted: String,
    by: String,
    code: String,
    spec: String,
    seed: u64,
    models: String,
    tools: String,
}

impl View {
    /// The view of a run.
    pub(super) fn of(export: &RunExport) -> Self {
        let moments = moments(export);
        let reports = export.steps();
        let report = export.report.as_ref();
        let steps: Vec<StepView> = reports.iter().map(|s| step(export, s, reports.len() == 1, &moments)).collect();
        let costs: Vec<Cost> = reports.iter().map(|s| cost(s, &moments)).collect();
        let origin = export.origin.as_ref();
        let function = origin.map_or_else(|| export.run.function.clone(), |o| o.qualified());
        let mut view = Self {
            id: export.run.id.clone(),
            file: export.run.file.clone(),
            status: export.run.status.clone(),
            headline: headline(&export.run.status),
            reason: report.map_or_else(String::new, |r| r.reason.clone()),
            begun: moment(export.run.started_ms),
            zeroerr: origin.map_or_else(String::new, |o| o.zeroerr.clone()),
            facts: Vec::new(),
            graph: graph::draw(&plan(export, &function, &reports), |name| about(name, &reports)),
            layers: report.map(|r| r.layers.clone()).unwrap_or_default(),
            diff: report.map(|r| diff(export, r)).unwrap_or_default(),
            total: total(&costs, &moments),
            spec: origin.map_or("", |o| o.spec_range.slice(&o.source)).to_owned(),
            certificates: export.certificates.iter().map(certificate).collect(),
            function,
            steps,
            costs,
        };
        view.facts = facts(export, &view);
        view
    }
}

fn headline(status: &str) -> String {
    match status {
        "verified" => "Verified",
        "abstained" => "Abstained: no edit",
        "error" => "Could not be done",
        "running" => "Running",
        _ => "Stopped before its end",
    }
    .to_owned()
}

/// The records with the time of work before each.
fn moments(export: &RunExport) -> Vec<Moment> {
    let mut worked = 0.0;
    let mut out: Vec<Moment> = Vec::new();
    let mut begins: BTreeMap<String, f64> = BTreeMap::new();
    let sessions = &export.sessions;
    for (n, session) in sessions.iter().enumerate() {
        let until = sessions.get(n + 1).map_or(i64::MAX, |next| next.after_seq);
        let mut longest = 0.0f64;
        for entry in export.records.iter().filter(|e| e.seq >= session.after_seq && e.seq < until) {
            let Ok(record) = serde_json::from_value::<Record>(entry.record.clone()) else { continue };
            let since = entry.at_ms.map(|at| (at - session.at_ms).max(0) as f64 / 1000.0);
            longest = longest.max(since.unwrap_or(0.0));
            let step = step_of(&record).unwrap_or_default().to_owned();
            let so_far = out.last().and_then(|m| m.at_s).unwrap_or(worked);
            let begin_s = *begins.entry(step).or_insert(so_far);
            out.push(Moment { record, at_s: since.map(|s| worked + s), begin_s });
        }
        worked += longest;
    }
    if sessions.is_empty() {
        let records = export.records.iter().filter_map(|e| serde_json::from_value(e.record.clone()).ok());
        out.extend(records.map(|record| Moment { record, at_s: None, begin_s: 0.0 }));
    }
    refine(&mut out);
    out
}

/// What candidates did on calls that agents proposed is part of what they voted for. Who was not tried is
/// taken for the first of its class that was.
fn refine(moments: &mut [Moment]) {
    let mut claims: BTreeMap<(String, Errand), Vec<Claim>> = BTreeMap::new();
    let mut trials: BTreeMap<(String, u64), BTreeMap<String, Trial>> = BTreeMap::new();
    for moment in moments.iter() {
        match &moment.record {
            Record::Advised { step, errand, said: Said::Claims(said), .. } => {
                claims.entry((step.clone(), *errand)).or_insert_with(|| said.clone());
            }
            Record::Tried { step, id, trials: own } => {
                trials.entry((step.clone(), *id)).or_default().extend(own.iter().cloned());
            }
            _ => {}
        }
    }
    let mut usual: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for is_tried in [true, false] {
        for moment in moments.iter_mut() {
            let Record::Sample { step, id, fate: SampleFate::Votes { fingerprint, .. }, .. } = &mut moment.record
            else {
                continue;
            };
            let known = trials.get(&(step.clone(), *id)).filter(|t| !t.is_empty());
            if known.is_some() != is_tried {
                continue;
            }
            let extras = match known {
                Some(known) => {
                    let own = claims.iter().filter(|((s, _), _)| s == step).flat_map(|(_, c)| c);
                    let extras = advice::outcomes(own, |claim| known.get(&claim.code()));
                    usual.entry(fingerprint.class()).or_insert_with(|| extras.clone());
                    extras
                }
                None => usual.get(&fingerprint.class()).cloned().unwrap_or_default(),
            };
            *fingerprint = advice::refined(fingerprint, &extras);
        }
    }
}

fn step(export: &RunExport, report: &StepReport, is_alone: bool, moments: &[Moment]) -> StepView {
    let turn = Turn { step: report.name.clone(), attempt: report.attempt };
    let label = turn.label();
    let machine = machine_of(export.origin.as_ref(), &label, moments.iter().map(|m| &m.record), is_alone);
    let decided = moments.iter().rev().find_map(|m| match &m.record {
        Record::Decided { step, class } if *step == label => Some(class.as_str()),
        _ => None,
    });
    let won = decided.map(|c| c.get(..8).unwrap_or(c)).or(report.tally.first().map(|c| c.class.as_str()));
    let won = won.filter(|_| report.state == StepState::Won);
    let classes = classes::collect(&turn, moments, won);
    let mut rejections: Vec<String> = Vec::new();
    for moment in moments.iter().filter(|m| step_of(&m.record) == Some(&label)) {
        if let Record::Sample { fate, .. } = &moment.record
            && let Some(why) = fate.rejection()
            && !rejections.iter().any(|known| known == why)
        {
            rejections.push(why.to_owned());
        }
    }
    rejections.truncate(6);
    StepView {
        name: report.name.clone(),
        state: report.state,
        attempt: report.attempt,
        k: report.k,
        margin: report.margin,
        chart: timeline::draw(machine, &turn, report.k, moments, &classes.colours),
        fates: fates(&label, moments),
        classes,
        rejections,
        advice: report.advice.as_deref().cloned(),
    }
}

/// What became of the samples, each counted once.
fn fates(step: &str, moments: &[Moment]) -> Vec<(&'static str, String, u64, String)> {
    let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::<(usize, &'static str, String), u64>::new());
    for moment in moments {
        let Record::Sample { step: own, id, fate, .. } = &moment.record else { continue };
        if own != step || !seen.insert(*id) {
            continue;
        }
        let kind = match fate {
            SampleFate::Votes { .. } => (0, "voted", "voted".to_owned()),
            SampleFate::GateRejected(_)
            | SampleFate::NearMiss(_)
            | SampleFate::Failing { .. }
            | SampleFate::Unfit(_) => (1, "rejected", "failed an example".to_owned()),
            SampleFate::Flagged(flag) => (2, "flagged", format!("discarded: {}", flag.name().replace('_', " "))),
            SampleFate::Failed(_) => (3, "failed", "no answer".to_owned()),
        };
        *counts.entry(kind).or_default() += 1;
    }
    let all: u64 = counts.values().sum();
    let share = |n: u64| timeline::number(n as f64 * 100.0 / all.max(1) as f64);
    counts.into_iter().map(|((_, kind, words), n)| (kind, words, n, share(n))).collect()
}

fn cost(step: &StepReport, moments: &[Moment]) -> Cost {
    let mut samples: BTreeSet<(&str, u64)> = BTreeSet::new();
    // Votes of one step follow one another.
    let mut spans: BTreeMap<&str, f64> = BTreeMap::new();
    for moment in moments {
        let Some(label) = step_of(&moment.record).filter(|label| Turn::of_label(label).step == step.name) else {
            continue;
        };
        if let Record::Sample { id, .. } = &moment.record {
            samples.insert((label, *id));
        }
        let span = spans.entry(label).or_default();
        *span = span.max(moment.at_s.map_or(0.0, |at| at - moment.begin_s));
    }
    let seconds: f64 = spans.values().sum();
    Cost {
        step: step.name.clone(),
        samples: (samples.len() as u64).max(u64::from(step.samples)),
        counted: step.samples,
        votes: step.tally.iter().map(|c| u64::from(c.votes)).sum(),
        tokens: step.completion_tokens,
        seconds: timeline::number(seconds),
    }
}

/// All steps together. Those that voted side by side took the time of the longest, not of the sum.
fn total(costs: &[Cost], moments: &[Moment]) -> Cost {
    let seconds = moments.iter().filter_map(|m| m.at_s).fold(0.0, f64::max);
    Cost {
        step: "all steps".into(),
        samples: costs.iter().map(|c| c.samples).sum(),
        counted: costs.iter().map(|c| c.counted).sum(),
        votes: costs.iter().map(|c| c.votes).sum(),
        tokens: costs.iter().map(|c| c.tokens).sum(),
        seconds: timeline::number(seconds),
    }
}

/// How many checks have passed: of all, or of those that ran where one that failed ended it.
fn checks(layers: &[LayerReport]) -> String {
    let (ran, all) = (layers.len(), Layer::ALL.len());
    let passed = layers.iter().filter(|l| l.verdict == Verdict::Passed).count();
    match ran {
        0 => "none was run".to_owned(),
        _ if ran < all => format!("{passed} of {ran} that ran, of {all}"),
        _ => format!("{passed} of {all}"),
    }
}

fn facts(export: &RunExport, view: &View) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if let Some(report) = &export.report {
        out.push(("checks passed", checks(&report.layers)));
        out.push(("time", span(report.elapsed_ms)));
    }
    out.push(("samples", view.total.samples.to_string()));
    out.push(("tokens written", view.total.tokens.to_string()));
    if let Some(last) = view.steps.last() {
        let whose = if last.name == export.run.function { String::new() } else { format!(" in {}", last.name) };
        out.push(("lead", format!("{}{whose} (decides: {})", last.margin, last.k)));
    }
    if let Some(origin) = &export.origin {
        out.push(("models", origin.models.join(", ")));
        out.push(("seed", origin.options.seed.to_string()));
    }
    if export.sessions.len() > 1 {
        out.push(("taken up again", format!("{} ×", export.sessions.len() - 1)));
    }
    out
}

/// The steps with what they need. Where the plan is not known, one after the other.
fn plan(export: &RunExport, function: &str, reports: &[StepReport]) -> Vec<Step> {
    let name = function.rsplit('.').next().unwrap_or(function);
    let given = export.origin.as_ref().and_then(|o| Plan::from_spec(name, &o.spec, MAX_STEPS).ok());
    let mut steps = given.map(|p| p.steps).unwrap_or_default();
    let known = |name: &str, steps: &[Step]| steps.iter().any(|s| s.name == name);
    if reports.iter().all(|r| known(&r.name, &steps)) {
        return steps;
    }
    steps.clear();
    for report in reports {
        let needs = steps.last().map(|s: &Step| s.name.clone()).into_iter().collect();
        steps.push(Step { name: report.name.clone(), needs, ..Step::default() });
    }
    steps
}

fn about(name: &str, reports: &[StepReport]) -> (&'static str, String) {
    let Some(report) = reports.iter().find(|r| r.name == name) else { return ("waiting", "not begun".into()) };
    let state = match report.state {
        StepState::Won => "won",
        StepState::Lost => "lost",
        StepState::Open => "open",
    };
    let votes: Vec<String> = report.tally.iter().take(3).map(|c| c.votes.to_string()).collect();
    let votes = if votes.is_empty() { "no votes".to_owned() } else { format!("votes {}", votes.join(" : ")) };
    if report.left_out {
        return ("unused", format!("left out · {} samples", report.samples));
    }
    (state, format!("{votes} · {} samples", report.samples))
}

/// The edit, line by line.
fn diff(export: &RunExport, report: &RunReport) -> Vec<(&'static str, String)> {
    let Some(origin) = export.origin.as_ref().filter(|_| report.outcome == RunOutcome::Verified) else {
        return Vec::new();
    };
    let Some(after) = apply_edits(&origin.source, &report.edits) else { return Vec::new() };
    let text = TextDiff::from_lines(&origin.source, &after).unified_diff().context_radius(3).to_string();
    let kind = |line: &str| match line.as_bytes().first() {
        Some(b'+') => "added",
        Some(b'-') => "removed",
        Some(b'@') => "place",
        _ => "same",
    };
    text.lines().map(|line| (kind(line), line.to_owned())).collect()
}

fn certificate(acceptance: &Acceptance) -> CertificateView {
    let certificate = &acceptance.certificate;
    let tools: BTreeSet<&str> = certificate.layers.iter().flat_map(|l| l.tools.iter().map(String::as_str)).collect();
    CertificateView {
        accepted: moment(acceptance.accepted_ms),
        by: match acceptance.by {
            crate::journal::AcceptedBy::Cli => "zeroerr run --apply".into(),
            crate::journal::AcceptedBy::Editor => "an editor".into(),
        },
        code: certificate.code_hash.clone(),
        spec: certificate.spec_hash.clone(),
        seed: certificate.seed,
        models: certificate.models.join(", "),
        tools: tools.into_iter().collect::<Vec<_>>().join(", "),
    }
}

fn moment(ms: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok();
    let text = moment.and_then(|m| m.format(&Rfc3339).ok()).unwrap_or_default();
    text.get(..19).map_or_else(String::new, |t| format!("{} UTC", t.replacen('T', " ", 1)))
}

/// A span of time for people.
pub(super) fn span(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) }
}
