//! How the votes of a run are counted (docs/decisions/0008).

use zeroerr_agents::archetypes::Archetype;
use zeroerr_agents::orchestrator::StepMachine;
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::report::{StepReport, StepState};
use zeroerr_core::state_manager::Record;
use zeroerr_core::task_specification::Spec;
use zeroerr_core::voting_engine::consensus::Evidence;
use zeroerr_core::voting_engine::domain::Domain;

use crate::journal::Origin;
use crate::options::RunOptions;

/// The evidence that votes on a function with this spec are weighed by, no vote counted yet.
pub fn evidence(function: &str, spec: &Spec, answered: u32) -> Evidence {
    let calls = spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str()));
    let examples = u32::try_from(spec.examples.len() + spec.raises.len()).unwrap_or(u32::MAX);
    Evidence::new(Domain::of(function, calls), examples).answered(answered)
}

/// A record as it counts for a vote: who was blamed is recorded by step, and may not win in any vote of that step.
pub(crate) fn about(record: &Record, turn: &Turn) -> Option<Record> {
    match record {
        Record::Blamed { step, class, feedback } if *step == turn.step => {
            Some(Record::Blamed { step: turn.label(), class: class.clone(), feedback: feedback.clone() })
        }
        _ => None,
    }
}

/// The machine that a step of a journaled run was counted by: with the rules that its records begin with, or, where
/// they do not say, with those that a step has which `is_alone` or not in a run that takes nothing up.
pub(crate) fn machine_of<'a>(
    origin: Option<&Origin>,
    step: &str,
    records: impl Iterator<Item = &'a Record>,
    is_alone: bool,
) -> StepMachine {
    let options = origin.map_or_else(RunOptions::default, |o| o.options.clone());
    let (machine, by_input) = machine_with(&options, step, records);
    match origin.filter(|_| by_input.unwrap_or(is_alone && options.by_input && !is_plan_vote(step))) {
        Some(o) => machine.with_evidence(evidence(&o.function, &o.spec, o.answered)),
        None => machine,
    }
}

/// The same without evidence, and whether votes were counted input by input, where the records say.
pub(crate) fn machine_with<'a>(
    options: &RunOptions,
    step: &str,
    mut records: impl Iterator<Item = &'a Record>,
) -> (StepMachine, Option<bool>) {
    if is_plan_vote(step) {
        return (StepMachine::new(step, options.planning.voting(options.in_flight)), None);
    }
    let begun = records.find_map(|r| match r {
        Record::Begun { step: own, earlier, steps, by_input } if own == step => Some((*earlier, *steps, *by_input)),
        _ => None,
    });
    let machine = StepMachine::new(step, options.rules()).advised_by(options.agents.rules);
    match begun {
        Some((earlier, steps, by_input)) => (machine.taking_up(earlier).aiming_at(options.aim(steps)), Some(by_input)),
        None => (machine, None),
    }
}

/// What the records say of one vote.
pub(crate) fn counted(mut machine: StepMachine, turn: &Turn, records: &[Record]) -> StepReport {
    machine.restore(records);
    machine.restore(&records.iter().filter_map(|r| about(r, turn)).collect::<Vec<_>>());
    let _ = machine.start();
    let report = machine.report();
    let has_won = records.iter().rev().find_map(|record| match record {
        Record::Decided { step, .. } if *step == turn.label() => Some(true),
        Record::Blamed { step, .. } if *step == turn.step => Some(false),
        _ => None,
    });
    let state = if has_won == Some(true) { StepState::Won } else { report.state };
    StepReport { name: turn.step.clone(), attempt: turn.attempt, state, ..report }
}

/// The last of the votes of a step, with what all of them cost; `None` without any.
pub(crate) fn with_cost_of_all(votes: impl Iterator<Item = StepReport>) -> Option<StepReport> {
    votes.reduce(|before, last| StepReport {
        samples: before.samples + last.samples,
        gate_rejected: before.gate_rejected + last.gate_rejected,
        completion_tokens: before.completion_tokens + last.completion_tokens,
        ..last
    })
}

/// Whether a step of the journal is the vote on how to split a function.
pub(crate) fn is_plan_vote(step: &str) -> bool {
    step.starts_with(Archetype::Planner.purpose())
}
