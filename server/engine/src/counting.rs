//! How the votes of a run are counted (docs/decisions/0008).

use zeroerr_agents::archetypes::Archetype;
use zeroerr_agents::orchestrator::StepMachine;
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::report::StepReport;
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
    mut records: impl Iterator<Item = &'a Record>,
    is_alone: bool,
) -> StepMachine {
    let options = origin.map_or_else(RunOptions::default, |o| o.options.clone());
    if is_plan_vote(step) {
        return StepMachine::new(step, options.planning.voting(options.in_flight));
    }
    let begun = records.find_map(|r| match r {
        Record::Begun { step: own, earlier, steps, by_input } if own == step => Some((*earlier, *steps, *by_input)),
        _ => None,
    });
    let machine = StepMachine::new(step, options.rules());
    let (machine, by_input) = match begun {
        Some((earlier, steps, by_input)) => (machine.taking_up(earlier).aiming_at(options.aim(steps)), by_input),
        None => (machine, is_alone && options.by_input),
    };
    let machine = machine.advised_by(options.agents.rules);
    match origin.filter(|_| by_input) {
        Some(o) => machine.with_evidence(evidence(&o.function, &o.spec, o.answered)),
        None => machine,
    }
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
