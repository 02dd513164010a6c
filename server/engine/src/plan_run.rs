//! Runs the steps of a plan, one after the other, and puts what they wrote together.

use std::sync::Arc;

use zeroerr_agents::orchestrator::StepEnd;
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::certificate::{Certificate, code_hash};
use zeroerr_core::code::{Task, TextEdit, apply_edits};
use zeroerr_core::decomposition_engine::{MAX_STEPS, Plan};
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport};
use zeroerr_core::verdict::Verdict;
use zeroerr_verification::verification_stack::subject_for_edit;

use crate::Workbench;
use crate::dispatcher::{Check, Dispatcher, StepOutcome, Wires};
use crate::executor::StepContext;
use crate::local::LocalWorkbench;
use crate::options::RunOptions;
use crate::plan::{edits_between, with_helper_stubs, without_helper_specs};

impl LocalWorkbench {
    pub(crate) async fn run_steps(&self, task: Task, options: &RunOptions, wires: &Wires, report: &mut RunReport) {
        let name = task.signature.name.clone();
        let plan = match Plan::from_spec(&name, &task.spec, MAX_STEPS) {
            Ok(plan) => plan,
            Err(error) => {
                report.outcome = RunOutcome::Abstained;
                report.reason = format!("the plan cannot be used: {error}");
                return;
            }
        };
        // Claims about a helper are not checked on the helper yet: offering an edit that ignores what
        // the user claimed would be worse than offering none.
        if let Some(step) = task.spec.steps.iter().find(|s| !s.examples.is_empty() || !s.raises.is_empty()) {
            let why = format!(
                "the claims about step `{}` cannot be checked yet; make them about `{name}`, or implement `{}` first",
                step.name, step.name
            );
            return end(report, RunOutcome::Abstained, why);
        }
        let steps: Vec<String> = plan.steps.iter().map(|s| s.name.clone()).collect();
        let _ = wires.events.send(RunEvent::Started { steps: steps.clone() });
        let mut text: Arc<str> =
            if steps.len() > 1 { with_helper_stubs(&task).into() } else { Arc::clone(&task.source) };
        for step in &steps {
            let last = *step == name;
            let current = if steps.len() == 1 {
                Some(task.clone())
            } else {
                self.analyse(&task.file, &text).task_named(step).cloned()
            };
            let Some(current) = current else {
                report.outcome = RunOutcome::Abstained;
                report.reason = format!("step `{step}` cannot be found in the file; check its @step line");
                return;
            };
            let check = if last { Check::FullStack } else { Check::VotesOnly };
            let outcome = self.run_step(current.clone(), options, wires, check).await;
            report.steps.push(outcome.report.clone());
            if last {
                report.layers.clone_from(&outcome.layers);
            }
            let prefix = if last { String::new() } else { format!("step `{step}`: ") };
            match &outcome.end {
                Some(StepEnd::Won { .. }) => {}
                Some(StepEnd::Abstained(why)) => return end(report, RunOutcome::Abstained, format!("{prefix}{why}")),
                Some(StepEnd::Failed(why)) => return end(report, RunOutcome::Error, format!("{prefix}{why}")),
                None => return end(report, RunOutcome::Error, "cancelled".into()),
            }
            if !last && let Some(why) = self.objection_to_helper(&current, &outcome.edits).await {
                return end(report, RunOutcome::Abstained, format!("step `{step}`: {why}"));
            }
            let Some(next) = apply_edits(&current.source, &outcome.edits) else {
                return end(report, RunOutcome::Error, "internal error: the winner's edit does not fit".into());
            };
            text = next.into();
            if last {
                self.accept(&task, &text, outcome, steps.len() > 1, options, report);
            }
        }
    }

    async fn run_step(&self, task: Task, options: &RunOptions, wires: &Wires, check: Check) -> StepOutcome {
        let earlier = wires.earlier(&task.signature.name);
        let swarm = Swarm {
            models: self.model_names(),
            first_temperature: options.first_temperature,
            temperature: options.temperature,
            seed: options.seed,
        };
        let context =
            StepContext::new(task, Arc::clone(&self.parts.stack), self.parts.models.clone(), swarm, options.clone());
        let context = context.taking_up(earlier);
        Dispatcher::new(Arc::new(context), wires.clone(), check).run().await
    }

    /// What a layer has against a helper that won its votes. Later layers compare with the text that
    /// it already stands in, and would not find its capabilities new.
    async fn objection_to_helper(&self, task: &Task, edits: &[TextEdit]) -> Option<String> {
        let subject = match subject_for_edit(task, edits) {
            Ok(subject) => subject,
            Err(error) => return Some(error.to_string()),
        };
        let stack = self.parts.stack.verify_all(&subject, &|_| {}).await;
        let fine = |verdict: &Verdict| matches!(verdict, Verdict::Passed | Verdict::NotApplicable);
        let layer = stack.layers.iter().find(|l| !fine(&l.verdict))?;
        Some(format!("{} {}: {}", layer.layer, layer.verdict.name().replace('_', " "), layer.detail))
    }

    fn accept(
        &self,
        task: &Task,
        text: &Arc<str>,
        outcome: StepOutcome,
        planned: bool,
        options: &RunOptions,
        report: &mut RunReport,
    ) {
        let final_text: Arc<str> = if planned { without_helper_specs(text, task).into() } else { Arc::clone(text) };
        let edits = if planned { edits_between(&task.source, &final_text) } else { outcome.edits };
        // By range, not by name: two classes may have a method of one name.
        let after = subject_for_edit(task, &edits).map(|s| s.task);
        let function = after.as_ref().map_or("", |t| t.function_range.slice(&t.source));
        report.certificate = Some(Certificate {
            spec_hash: task.spec.hash(),
            code_hash: code_hash(function),
            doc_version: None,
            layers: outcome.layers,
            votes: outcome.report.tally.clone(),
            models: outcome.models,
            seed: options.seed,
        });
        report.edits = edits;
        let summary = report.stack().summary();
        end(report, RunOutcome::Verified, summary);
    }
}

fn end(report: &mut RunReport, outcome: RunOutcome, reason: String) {
    report.outcome = outcome;
    report.reason = reason;
}
