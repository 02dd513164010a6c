//! One step of a plan, as the dispatcher runs it.

use std::collections::HashMap;
use std::sync::Arc;

use zeroerr_agents::plan_machine::Turn;
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::state_manager::Record;

use super::draft::Draft;
use crate::dispatcher::{Check, Dispatcher, StepOutcome, Wires};
use crate::executor::{Placing, StepContext};
use crate::local::LocalWorkbench;
use crate::options::RunOptions;

/// The code of each decided step.
pub(super) type Code = HashMap<String, Candidate>;

impl LocalWorkbench {
    /// Lets a step vote on top of what is decided. `known` are records that the journal may lack.
    ///
    /// # Errors
    /// One sentence when the step cannot stand in the file.
    pub(super) async fn vote(
        &self,
        draft: &Arc<Draft>,
        turn: &Turn,
        decided: Arc<Code>,
        known: &[Record],
        options: &RunOptions,
        wires: &Wires,
    ) -> Result<StepOutcome, String> {
        let task = draft.task_of(&turn.step, &|name| decided.get(name).cloned())?;
        let is_last = draft.is_last(&turn.step);
        let callable = draft.callable(&turn.step);
        let placing = placing(draft, &task, is_last, decided);
        // What was found wrong on top of other helpers may be right now: only a step that calls none is
        // judged again without being drawn again.
        let earlier = if draft.plan.below(&turn.step).is_empty() { wires.earlier(&turn.label()) } else { Vec::new() };
        let mut context = self.context(task, options).taking_up(earlier);
        context.label = turn.label();
        context.steps = draft.plan.steps.len() as u64;
        context.callable = callable;
        context.placing = Some(placing);
        let check = if is_last { Check::FullStack } else { Check::Part };
        Ok(Dispatcher::new(Arc::new(context), wires.clone(), check, known).run().await)
    }

    /// A context for a function that stands alone.
    pub(super) fn context(&self, task: Task, options: &RunOptions) -> StepContext {
        let swarm = Swarm {
            models: self.model_names(),
            first_temperature: options.first_temperature,
            temperature: options.temperature,
            seed: options.seed,
        };
        let models = self.parts.models.clone();
        let mut context = StepContext::new(task, Arc::clone(&self.parts.stack), models, swarm, options.clone());
        context.advisers.clone_from(&self.advisers);
        context
    }
}

/// Where a winner of the step is verified: the last in the text that will be offered, a helper in its
/// own.
pub(super) fn placing(draft: &Arc<Draft>, task: &Task, is_last: bool, decided: Arc<Code>) -> Placing {
    let (draft, task) = (Arc::clone(draft), task.clone());
    Arc::new(move |candidate| {
        if is_last {
            draft.whole(candidate, &|name| decided.get(name).cloned()).map(|whole| whole.subject)
        } else {
            draft.part(&task, candidate)
        }
    })
}
