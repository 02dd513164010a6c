//! Runs a plan: feeds the plan's machine, lets its steps vote side by side, tries rivals when the
//! whole does not hold, and puts the winners together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use zeroerr_agents::orchestrator::{StepEnd, Verification};
use zeroerr_agents::plan_machine::{PlanCommand, PlanEnd, PlanEvent, PlanMachine, Turn};
use zeroerr_core::certificate::{Certificate, code_hash};
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::decomposition_engine::{Plan, Step};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport, StepReport, StepState};
use zeroerr_core::state_manager::Record;
use zeroerr_verification::languages::Judgement;
use zeroerr_verification::verification_stack::subject_for_edit;

use super::draft::Draft;
use super::planner::{NoPlan, Proposed};
use super::settle::settle;
use super::step::{Code, placing};
use crate::counting::{about, counted, machine_with, with_cost_of_all};
use crate::dispatcher::{Check, Dispatcher, StepOutcome, Wires, judge_stack};
use crate::executor::Placing;
use crate::local::LocalWorkbench;
use crate::options::{PlanMode, RunOptions};

/// Rejected candidates that a rival is tried with, at most.
const RETRIED: usize = 5;

impl LocalWorkbench {
    pub(crate) async fn run_steps(&self, task: Task, options: &RunOptions, wires: &Wires, report: &mut RunReport) {
        let proposed = match self.plan_of(&task, options, wires).await {
            Ok(proposed) => proposed,
            Err((outcome, why)) => return end(report, outcome, why),
        };
        for (old, new) in &proposed.settled.renamed {
            tracing::info!(old, new, "a helper's name was taken");
        }
        let steps: Vec<String> = proposed.settled.plan.steps.iter().map(|s| s.name.clone()).collect();
        wires.tell(RunEvent::Started { steps });
        if proposed.settled.plan.steps.len() == 1 {
            return self.run_alone(task, proposed, options, wires, report).await;
        }
        let Proposed { settled, votes } = proposed;
        let draft = Arc::new(Draft::new(task, settled.plan, settled.given, Arc::clone(&self.parts.stack)));
        PlanRun::new(self, draft, votes, options, wires).run(report).await;
    }

    /// The plan of a task, fit for its file; or how the run ends without one.
    async fn plan_of(
        &self,
        task: &Task,
        options: &RunOptions,
        wires: &Wires,
    ) -> Result<Proposed, (RunOutcome, String)> {
        let unusable = |why: String| (RunOutcome::Abstained, format!("the plan cannot be used: {why}"));
        let language = self.parts.stack.language(task.language).map_err(|e| unusable(e.to_string()))?;
        let has_steps = !task.spec.steps.is_empty();
        if has_steps && options.planning.mode == PlanMode::Off {
            return Err(unusable("the spec has `@step` lines, and `planning.mode` is `off`".into()));
        }
        if !has_steps && options.planning.mode == PlanMode::Auto {
            return self.propose(task, options, wires).await.map_err(|no_plan| match no_plan {
                NoPlan::Cancelled => (RunOutcome::Error, "cancelled".to_owned()),
                NoPlan::Broken(why) => (RunOutcome::Error, why),
            });
        }
        let plan = Plan::from_spec(&task.signature.name, &task.spec, options.planning.max_steps as usize);
        let plan = plan.map_err(|e| unusable(e.to_string()))?;
        Ok(Proposed { settled: settle(plan, task, language).map_err(unusable)?, votes: BTreeMap::new() })
    }

    /// A plan of one step.
    async fn run_alone(
        &self,
        task: Task,
        proposed: Proposed,
        options: &RunOptions,
        wires: &Wires,
        report: &mut RunReport,
    ) {
        let Proposed { settled, mut votes } = proposed;
        let earlier = wires.earlier(&task.signature.name);
        let mut context = self.context(task.clone(), options).taking_up(earlier);
        context.callable = settled.given;
        let outcome = Dispatcher::new(Arc::new(context), wires.clone(), Check::FullStack, &[]).run().await;
        let plan = votes.remove(&task.signature.name).map(Box::new);
        report.steps.push(StepReport { plan, ..outcome.report.clone() });
        report.layers.clone_from(&outcome.layers);
        match &outcome.end {
            Some(StepEnd::Won { .. }) => {
                report.edits.clone_from(&outcome.edits);
                let after = subject_for_edit(&task, &report.edits).map(|s| s.task);
                certify(&task, after.ok().as_ref(), outcome, options, report);
            }
            Some(StepEnd::Abstained(why)) => end(report, RunOutcome::Abstained, why.clone()),
            Some(StepEnd::Failed(why)) => end(report, RunOutcome::Error, why.clone()),
            None => end(report, RunOutcome::Error, "cancelled".into()),
        }
    }
}

/// Writes down an accepted edit, which `report` has already; `after` is the task as it was verified.
fn certify(task: &Task, after: Option<&Task>, outcome: StepOutcome, options: &RunOptions, report: &mut RunReport) {
    let function = after.map_or("", |t| t.function_range.slice(&t.source));
    report.certificate = Some(Certificate {
        spec_hash: task.spec.hash(),
        code_hash: code_hash(function),
        doc_version: None,
        layers: outcome.layers,
        votes: outcome.report.tally,
        models: outcome.models.into_iter().collect(),
        seed: options.seed,
    });
    let summary = report.stack().summary();
    end(report, RunOutcome::Verified, summary);
}

fn end(report: &mut RunReport, outcome: RunOutcome, reason: String) {
    report.outcome = outcome;
    report.reason = reason;
}

/// A vote that has ended.
type Voted = (Turn, Result<StepOutcome, String>);

/// A plan under way.
struct PlanRun<'a> {
    workbench: &'a LocalWorkbench,
    draft: Arc<Draft>,
    options: &'a RunOptions,
    wires: &'a Wires,
    machine: PlanMachine,
    /// The votes on plans, by function.
    votes: BTreeMap<String, StepReport>,
    decided: Code,
    /// The last outcome of each step.
    outcomes: HashMap<String, StepOutcome>,
    /// What each vote came to; a step that votes anew has more than one.
    reports: BTreeMap<Turn, StepReport>,
    blamed: Vec<Record>,
    voting: FuturesUnordered<BoxFuture<'a, Voted>>,
    stops: HashMap<Turn, tokio_util::sync::CancellationToken>,
}

impl<'a> PlanRun<'a> {
    fn new(
        workbench: &'a LocalWorkbench,
        draft: Arc<Draft>,
        votes: BTreeMap<String, StepReport>,
        options: &'a RunOptions,
        wires: &'a Wires,
    ) -> Self {
        let mut machine = PlanMachine::new(&draft.plan, options.planning.rules());
        let of_step = |name: &str| wires.records_of(name).into_iter().filter(|r| matches!(r, Record::Blamed { .. }));
        let blamed: Vec<Record> = draft.plan.steps.iter().flat_map(|s| of_step(&s.name)).collect();
        machine.restore(&blamed);
        Self {
            workbench,
            draft,
            options,
            wires,
            machine,
            votes,
            decided: Code::new(),
            outcomes: HashMap::new(),
            reports: BTreeMap::new(),
            blamed,
            voting: FuturesUnordered::new(),
            stops: HashMap::new(),
        }
    }

    async fn run(mut self, report: &mut RunReport) {
        let cancel = self.wires.cancel.clone();
        let mut commands = self.machine.start();
        loop {
            let mut trial = None;
            for command in commands.drain(..) {
                match command {
                    PlanCommand::Run(turn) => self.begin(turn),
                    PlanCommand::Stop(turn) => {
                        if let Some(stop) = self.stops.remove(&turn) {
                            stop.cancel();
                        }
                    }
                    PlanCommand::Blame { step, class, feedback } => self.blame(step, class, feedback),
                    PlanCommand::Try { failed, step, class } => trial = Some((failed, step, class)),
                    PlanCommand::Finish(ending) => return self.finish(ending, report),
                }
            }
            if let Some((failed, step, class)) = trial {
                let passed = tokio::select! {
                    biased;
                    () = cancel.cancelled() => return self.cancelled(report),
                    passed = self.passes_with(&failed, &step, &class) => passed,
                };
                let passed = match passed {
                    Ok(passed) => passed,
                    Err(why) => return self.finish(PlanEnd::Failed { step: failed.step, why }, report),
                };
                commands = self.machine.handle(PlanEvent::Tried { step, class, passed });
                continue;
            }
            let ended = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                ended = self.voting.next() => ended,
            };
            let Some((turn, voted)) = ended else { return self.cancelled(report) };
            commands = self.ended(turn, voted);
        }
    }

    fn begin(&mut self, turn: Turn) {
        let stop = self.wires.cancel.child_token();
        self.stops.insert(turn.clone(), stop.clone());
        let wires = Wires { cancel: stop, ..self.wires.clone() };
        let known: Vec<Record> = self.blamed.iter().filter_map(|r| about(r, &turn)).collect();
        let (workbench, options, draft) = (self.workbench, self.options, Arc::clone(&self.draft));
        let decided = Arc::new(self.decided.clone());
        self.voting.push(Box::pin(async move {
            let voted = workbench.vote(&draft, &turn, decided, &known, options, &wires).await;
            (turn, voted)
        }));
    }

    fn ended(&mut self, turn: Turn, voted: Result<StepOutcome, String>) -> Vec<PlanCommand> {
        let stopped = self.stops.remove(&turn).is_none();
        let outcome = match voted {
            Ok(outcome) => outcome,
            Err(why) => {
                let end = StepEnd::Abstained(why);
                return self.machine.handle(PlanEvent::Ended { turn, end, rivals: vec![], objection: String::new() });
            }
        };
        self.reports.insert(turn.clone(), outcome.report.clone());
        let Some(end) = outcome.end.clone().filter(|_| !stopped) else { return Vec::new() };
        let rivals = outcome.rivals.iter().map(|(class, _)| class.clone()).collect();
        // Nothing to be tried again, nothing to be traced.
        let objection = if outcome.rejected.is_empty() { String::new() } else { outcome.objection.clone() };
        if let Some(winner) = &outcome.winner {
            self.decided.insert(turn.step.clone(), winner.clone());
        }
        self.outcomes.insert(turn.step.clone(), outcome);
        self.machine.handle(PlanEvent::Ended { turn, end, rivals, objection })
    }

    fn blame(&mut self, step: String, class: String, feedback: String) {
        let record = Record::Blamed { step, class, feedback };
        self.wires.record(&record);
        self.blamed.push(record);
    }

    /// Whether a candidate that was found wrong passes with another behaviour of a step below.
    ///
    /// # Errors
    /// When it cannot be run: that says nothing about it.
    // `&mut`: what is being voted may not be shared between threads.
    async fn passes_with(&mut self, failed: &Turn, step: &str, class: &str) -> Result<bool, String> {
        let rivals = self.outcomes.get(step).map_or(&[][..], |o| o.rivals.as_slice());
        let Some((_, rival)) = rivals.iter().find(|(c, _)| c == class) else { return Ok(false) };
        let mut decided = self.decided.clone();
        decided.insert(step.to_owned(), rival.clone());
        let decided = Arc::new(decided);
        let Ok(task) = self.draft.task_of(&failed.step, &|name| decided.get(name).cloned()) else { return Ok(false) };
        let is_last = self.draft.is_last(&failed.step);
        let place = placing(&self.draft, &task, is_last, decided);
        let rejected = self.outcomes.get(&failed.step).map_or(&[][..], |o| o.rejected.as_slice());
        let retried: Vec<Candidate> = rejected.iter().take(RETRIED).cloned().collect();
        let check = if is_last { Check::FullStack } else { Check::Part };
        for candidate in retried {
            if holds(self.workbench, self.options, &task, &candidate, &place, check).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn finish(mut self, ending: PlanEnd, report: &mut RunReport) {
        report.steps = self.step_reports();
        let main = self.draft.task.signature.name.clone();
        let last = self.outcomes.remove(&main);
        report.layers = last.as_ref().map(|o| o.layers.clone()).unwrap_or_default();
        let named = |step: &str, why: String| if step == main { why } else { format!("step `{step}`: {why}") };
        match ending {
            PlanEnd::Abstained { step, why } => end(report, RunOutcome::Abstained, named(&step, why)),
            PlanEnd::Failed { step, why } => end(report, RunOutcome::Error, named(&step, why)),
            PlanEnd::Composed => self.compose(last, report),
        }
    }

    fn compose(self, last: Option<StepOutcome>, report: &mut RunReport) {
        let code = last.as_ref().and_then(|o| o.winner.clone());
        let whole = code.map(|code| self.draft.whole(&code, &|name| self.decided.get(name).cloned()));
        let (Some(mut last), Some(Ok(whole))) = (last, whole) else {
            return end(report, RunOutcome::Error, "internal error: the winners do not fit together".into());
        };
        for (step, outcome) in self.outcomes {
            if !whole.left_out.contains(&step) {
                last.models.extend(outcome.models);
            }
        }
        report.edits = whole.edits;
        certify(&self.draft.task, Some(&whole.subject.task), last, self.options, report);
        for step in report.steps.iter_mut().filter(|s| whole.left_out.contains(&s.name)) {
            step.left_out = true;
        }
        if !whole.left_out.is_empty() {
            let names: Vec<String> = whole.left_out.iter().map(|n| format!("`{n}`")).collect();
            report.reason.push_str(&format!("; left out, since nothing calls it: {}", names.join(", ")));
        }
    }

    fn cancelled(self, report: &mut RunReport) {
        report.steps = self.step_reports();
        end(report, RunOutcome::Error, "cancelled".into());
    }

    /// One report per step in plan order.
    fn step_reports(&self) -> Vec<StepReport> {
        // Of a vote before the last, which another process held, the journal knows.
        let journaled = |turn: Turn| {
            let records = self.wires.records_of(&turn.label());
            let (machine, _) = machine_with(self.options, &turn.label(), records.iter());
            (!records.is_empty()).then(|| counted(machine, &turn, &records))
        };
        let of_step = |name: &str| {
            let last = self.reports.keys().rfind(|turn| turn.step == name)?.attempt;
            let turns = (0..=last).map(|attempt| Turn { step: name.to_owned(), attempt });
            with_cost_of_all(turns.filter_map(|turn| self.reports.get(&turn).cloned().or_else(|| journaled(turn))))
        };
        let planned = |step: &Step| {
            let report = of_step(&step.name)?;
            // A winner that was blamed, or was decided on the word of one, is none.
            let is_void = report.state == StepState::Won && self.machine.winner(&step.name).is_none();
            Some(StepReport {
                needs: step.needs.clone(),
                depth: step.depth,
                plan: self.votes.get(&step.name).cloned().map(Box::new),
                state: if is_void { StepState::Open } else { report.state },
                ..report
            })
        };
        self.draft.plan.steps.iter().filter_map(planned).collect()
    }
}

/// Whether a candidate passes gate and stack where it now stands. That evidence or a tool is lacking
/// is not held against it: the vote that follows will say so.
///
/// # Errors
/// When it could not be put to the examples.
async fn holds(
    workbench: &LocalWorkbench,
    options: &RunOptions,
    task: &Task,
    candidate: &Candidate,
    place: &Placing,
    check: Check,
) -> Result<bool, String> {
    let stack = &workbench.parts.stack;
    let judged = stack.judge(task, candidate, options.seed).await.map_err(|e| e.to_string())?;
    let (Judgement::Votes(_), Ok(subject)) = (judged, place(candidate)) else { return Ok(false) };
    let verified = stack.verify(&subject, &|_| {}).await;
    let refuted = matches!(judge_stack(&verified, &options.policy.of(task.language), check), Verification::Refuted(_));
    Ok(!refuted)
}
