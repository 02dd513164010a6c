//! How the votes of a run are counted (docs/decisions/0008).

use zeroerr_agents::orchestrator::StepMachine;
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

/// The machine that a step of a journaled run was counted by; `is_alone` when it is the run's only one.
pub(crate) fn machine_of(origin: Option<&Origin>, step: &str, is_alone: bool) -> StepMachine {
    let options = origin.map_or_else(RunOptions::default, |o| o.options.clone());
    let machine = StepMachine::new(step, options.rules()).advised_by(options.agents.rules);
    match origin.filter(|o| is_alone && o.options.by_input) {
        Some(o) => machine.with_evidence(evidence(&o.function, &o.spec, o.answered)),
        None => machine,
    }
}
