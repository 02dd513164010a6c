//! Plans from a model: each function is asked about, the answers are voted on, and what was split is
//! asked about again, until nothing is left to split or the plan is as deep as it may be.
//!
//! The machine is the one that counts votes on code: a plan's class is its graph of signatures
//! ([`canonical`]), a plan that cannot be carried out raises a red flag, samples are counted in the order
//! of their numbers and journaled, so that a resumed run goes on with the plan it had.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;
use tokio::task::{AbortHandle, JoinSet};
use zeroerr_agents::archetypes::Archetype;
use zeroerr_agents::orchestrator::{Command, Event, StepEnd, StepMachine, Verification};
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::decomposition_engine::proposal::{self, Fault};
use zeroerr_core::decomposition_engine::signature_graph::canonical;
use zeroerr_core::decomposition_engine::{Plan, names};
use zeroerr_core::ports::{Constraint, Model, SampleRequest};
use zeroerr_core::red_flag_detector::{RedFlag, flag_response};
use zeroerr_core::report::{RunEvent, StepReport};
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_llm::prompt_templates::planner_messages;
use zeroerr_verification::verification_stack::VerificationStack;

use super::draft::Draft;
use super::settle::{Settled, settle};
use crate::dispatcher::Wires;
use crate::drawing;
use crate::executor::Drawn;
use crate::local::LocalWorkbench;
use crate::options::RunOptions;

/// A plan with the votes that made it, by function.
pub(super) struct Proposed {
    pub settled: Settled,
    pub votes: BTreeMap<String, StepReport>,
}

/// Why there is no plan.
pub(super) enum NoPlan {
    /// The run was cancelled.
    Cancelled,
    /// No model could be asked.
    Broken(String),
}

impl LocalWorkbench {
    /// Asks for plans, level by level. A function on whose plan there is no agreement is not split.
    ///
    /// # Errors
    /// See [`NoPlan`].
    pub(super) async fn propose(&self, task: &Task, options: &RunOptions, wires: &Wires) -> Result<Proposed, NoPlan> {
        let alone = Plan::of_one(&task.signature.name);
        let mut settled = Settled { plan: alone, given: Vec::new(), renamed: Vec::new() };
        let mut votes = BTreeMap::new();
        for depth in 0..options.planning.max_depth {
            let open = settled.plan.steps.iter().filter(|s| s.depth == depth).map(|s| s.name.clone());
            let asks: Vec<Ask> = open.filter_map(|name| self.ask(task, &settled, &name, options)).collect();
            let side_by_side = options.planning.steps_in_flight.max(1) as usize;
            // In plan order, whichever is answered first.
            let mut answers =
                futures::stream::iter(asks.into_iter().map(|ask| Arc::new(ask).vote(wires))).buffered(side_by_side);
            while let Some(answer) = answers.next().await {
                let (function, sub, report) = answer?;
                votes.insert(function.clone(), report);
                let Some(sub) = sub else { continue };
                match self.with(task, &settled, sub, options) {
                    Ok(next) => settled = next,
                    // Each fits on its own; together they may be more than are allowed.
                    Err(why) => tracing::info!(function, why, "the function is not split"),
                }
            }
        }
        Ok(Proposed { settled, votes })
    }

    fn with(&self, task: &Task, settled: &Settled, sub: Plan, options: &RunOptions) -> Result<Settled, String> {
        combined(task, settled, sub, &self.parts.stack, options.planning.max_steps as usize)
    }

    /// What a planner is asked about one function; `None` for what cannot stand in the file alone.
    fn ask(&self, task: &Task, settled: &Settled, function: &str, options: &RunOptions) -> Option<Ask> {
        let draft =
            Draft::new(task.clone(), settled.plan.clone(), settled.given.clone(), Arc::clone(&self.parts.stack));
        let subject = draft.task_of(function, &|_| None).ok()?;
        let models: Vec<Arc<dyn Model>> = self.planners().to_vec();
        let swarm = Swarm {
            models: models.iter().map(|m| m.name().to_owned()).collect(),
            first_temperature: options.first_temperature,
            temperature: options.temperature,
            seed: options.seed,
        };
        Some(Ask {
            function: function.to_owned(),
            label: format!("{}{function}", Archetype::Planner.purpose()),
            callable: draft.callable(function),
            subject,
            task: task.clone(),
            settled: settled.clone(),
            stack: Arc::clone(&self.parts.stack),
            models,
            swarm,
            options: options.clone(),
        })
    }
}

/// The plan with a function split, names settled, and every helper a function of the language.
fn combined(
    task: &Task,
    settled: &Settled,
    mut sub: Plan,
    stack: &Arc<VerificationStack>,
    max_steps: usize,
) -> Result<Settled, String> {
    let new: usize = sub.steps.len().saturating_sub(1);
    names::settle(&mut sub, |name| settled.plan.step(name).is_some());
    let helpers: Vec<String> = sub.steps.iter().take(new).map(|s| s.name.clone()).collect();
    let plan = settled.plan.clone().split(sub, max_steps).map_err(|e| e.to_string())?;
    let language = stack.language(task.language).map_err(|e| e.to_string())?;
    let fitting = settle(plan, task, language)?;
    let next = Settled {
        given: [settled.given.clone(), fitting.given].concat(),
        renamed: [settled.renamed.clone(), fitting.renamed].concat(),
        plan: fitting.plan,
    };
    let draft = Draft::new(task.clone(), next.plan.clone(), next.given.clone(), Arc::clone(stack));
    let name_now =
        |old: &String| next.renamed.iter().rfind(|(o, _)| o == old).map_or(old.clone(), |(_, new)| new.clone());
    for helper in helpers.iter().map(name_now).filter(|h| next.plan.step(h).is_some()) {
        draft.task_of(&helper, &|_| None)?;
    }
    Ok(next)
}

/// One function that a planner is asked about.
struct Ask {
    function: String,
    /// What its samples are recorded and seeded by; no function is named so.
    label: String,
    callable: Vec<String>,
    subject: Task,
    task: Task,
    settled: Settled,
    stack: Arc<VerificationStack>,
    models: Vec<Arc<dyn Model>>,
    swarm: Swarm,
    options: RunOptions,
}

/// The function, its plan unless it is to be written as a whole, and the vote.
type Answered = (String, Option<Plan>, StepReport);

impl Ask {
    async fn vote(self: Arc<Self>, wires: &Wires) -> Result<Answered, NoPlan> {
        let mut machine = StepMachine::new(self.label.clone(), self.options.planning.voting(self.options.in_flight));
        let records = wires.records_of(&self.label);
        machine.restore(&records);
        let mut answers: HashMap<u64, String> = records.iter().filter_map(answer_of).collect();
        let mut drawing: JoinSet<(u64, Drawn, Option<String>)> = JoinSet::new();
        let mut handles: HashMap<u64, AbortHandle> = HashMap::new();
        let mut commands = machine.start();
        loop {
            let mut decided = None;
            for command in commands.drain(..) {
                match command {
                    Command::Draw { id } => {
                        let ask = Arc::clone(&self);
                        let draw = async move {
                            let (drawn, why) = ask.draw(id).await;
                            (id, drawn, why)
                        };
                        handles.insert(id, drawing.spawn(draw));
                    }
                    Command::Cancel { ids } => ids.iter().filter_map(|id| handles.remove(id)).for_each(|h| h.abort()),
                    Command::Verify { class, round, .. } => decided = Some((class, round)),
                    // A vote on plans has no advisers.
                    Command::Ask { .. } | Command::Try { .. } => {}
                    Command::Finish(end) => {
                        drawing.shutdown().await;
                        return self.answered(end, &machine, &answers, wires);
                    }
                }
            }
            if let Some((class, round)) = decided {
                wires.tell(RunEvent::Decided { step: self.label.clone(), class: class.chars().take(8).collect() });
                wires.record(&Record::Decided { step: self.label.clone(), class });
                // A plan was checked before it voted.
                commands = machine.handle(Event::Verified { round, verification: Verification::Accepted });
                continue;
            }
            let ended = tokio::select! {
                biased;
                () = wires.cancel.cancelled() => {
                    drawing.shutdown().await;
                    return Err(NoPlan::Cancelled);
                }
                ended = drawing.join_next() => ended,
            };
            commands = match ended {
                Some(Ok((id, drawn, why))) => {
                    if let Some(why) = why {
                        wires.tell(RunEvent::GateRejected { step: self.label.clone(), why });
                    }
                    self.ended(id, drawn, &mut machine, &mut answers, wires)
                }
                Some(Err(error)) if error.is_cancelled() => Vec::new(),
                Some(Err(error)) => machine.handle(Event::Broken(format!("internal error: {error}"))),
                None => machine.handle(Event::Broken("internal error: the vote waits for nothing".into())),
            };
        }
    }

    fn ended(
        &self,
        id: u64,
        drawn: Drawn,
        machine: &mut StepMachine,
        answers: &mut HashMap<u64, String>,
        wires: &Wires,
    ) -> Vec<Command> {
        let step = self.label.clone();
        let (completion_tokens, model, fate) = match drawn {
            Drawn::Broken(why) => return machine.handle(Event::Broken(why)),
            Drawn::Ended { completion_tokens, model, fate, .. } => (completion_tokens, model, fate),
        };
        let (samples, max_attempts) = (machine.ended() + 1, machine.max_attempts());
        wires.tell(RunEvent::Sampled { step: step.clone(), samples, max_attempts });
        if let SampleFate::Flagged(flag) = &fate
            && *flag != RedFlag::UnusablePlan
        {
            wires.tell(RunEvent::Flagged { step: step.clone(), flag: *flag });
        }
        let record = Record::Sample { step: step.clone(), id, completion_tokens, model, fate: fate.clone() };
        answers.extend(answer_of(&record));
        wires.record(&record);
        let before = machine.votes();
        let commands = machine.handle(Event::Sampled { id, completion_tokens, fate });
        if machine.votes() != before {
            let report = machine.report();
            wires.tell(RunEvent::Voted { step, tally: report.tally, margin: report.margin, k: report.k });
        }
        commands
    }

    fn answered(
        &self,
        end: StepEnd,
        machine: &StepMachine,
        answers: &HashMap<u64, String>,
        wires: &Wires,
    ) -> Result<Answered, NoPlan> {
        // Where plans differ is no call that anybody could answer.
        let report = StepReport { disagreements: Vec::new(), ..machine.report() };
        let plan = match end {
            StepEnd::Won { id, .. } => answers.get(&id).and_then(|answer| self.read(answer).ok()),
            StepEnd::Abstained(why) => {
                let says = format!("no plan, `{}` is written as a whole: {why}", self.function);
                wires.tell(RunEvent::Advised { step: self.label.clone(), agent: "planner".into(), says });
                None
            }
            StepEnd::Failed(why) => return Err(NoPlan::Broken(format!("{}: {why}", self.label))),
        };
        Ok((self.function.clone(), plan.filter(|p| p.steps.len() > 1), report))
    }

    fn read(&self, answer: &str) -> Result<Plan, Fault> {
        let step = self.settled.plan.step(&self.function);
        let there: HashSet<&str> = step.into_iter().flat_map(|s| s.needs.iter().map(String::as_str)).collect();
        proposal::parse(answer, &self.function, step.map_or(0, |s| s.depth), &there)
    }

    /// A sample, and why its plan cannot be carried out.
    async fn draw(&self, id: u64) -> (Drawn, Option<String>) {
        let draw = self.swarm.draw(&self.label, id);
        let request = SampleRequest {
            messages: planner_messages(&self.subject, &self.callable),
            temperature: draw.temperature,
            top_p: if draw.temperature == 0.0 { 1.0 } else { self.options.top_p },
            seed: draw.seed,
            max_tokens: self.options.max_tokens,
            stop: Vec::new(),
            constraint: Some(Constraint::JsonSchema(proposal::schema())),
        };
        let response = match drawing::answer(&self.models, &draw.model, &request).await {
            Ok(response) => response,
            Err(drawn) => return (drawn, None),
        };
        let (fate, why) = match flag_response(&response, self.options.max_tokens) {
            Some(flag) => (SampleFate::Flagged(flag), None),
            None => self.judge(&response.text),
        };
        let completion_tokens = response.completion_tokens as u64;
        (Drawn::Ended { completion_tokens, model: response.model, fate, rejected: None }, why)
    }

    /// A vote for a plan that can be carried out in this file, or the flag that it raises; and why it cannot.
    fn judge(&self, answer: &str) -> (SampleFate, Option<String>) {
        let unusable = |why: String| (SampleFate::Flagged(RedFlag::UnusablePlan), Some(why));
        let plan = match self.read(answer) {
            Ok(plan) => plan,
            Err(Fault::Form(why)) => {
                tracing::debug!(function = self.function, why, "an answer is no plan");
                return (SampleFate::Flagged(RedFlag::NotAPlan), None);
            }
            Err(Fault::Unusable(why)) => return unusable(why.to_string()),
        };
        let max_steps = self.options.planning.max_steps as usize;
        if plan.steps.len() > 1
            && let Err(why) = combined(&self.task, &self.settled, plan.clone(), &self.stack, max_steps)
        {
            return unusable(why);
        }
        let fingerprint = Fingerprint { outcomes: vec![("plan".to_owned(), canonical(&plan))] };
        let candidate = Candidate { function: answer.to_owned(), body: String::new(), imports: Vec::new() };
        (SampleFate::Votes { candidate, fingerprint }, None)
    }
}

/// The answer of a sample that voted.
fn answer_of(record: &Record) -> Option<(u64, String)> {
    match record {
        Record::Sample { id, fate: SampleFate::Votes { candidate, .. }, .. } => Some((*id, candidate.function.clone())),
        _ => None,
    }
}

#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
