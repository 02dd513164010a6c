//! What report page and `runs show` make of a run's records is what the run itself has counted.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod counted;
mod toy;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::ports::{Role, SampleRequest};
use zeroerr_core::report::{RunOutcome, RunReport, StepState};
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::{Journal, RunExport};
use zeroerr_engine::options::{Reliability, RunOptions};
use zeroerr_engine::page::page;
use zeroerr_test_support::{Reply, ScriptedModel};

use counted::check_counted;
use toy::{PLAN, said};

async fn run(folder: &Path, model: &ScriptedModel, source: &str, options: &RunOptions) -> RunReport {
    let journal = Journal::open(folder).expect("a journal");
    let workbench = toy::workbench(Arc::new(model.clone()), Duration::ZERO, Some(journal), options.clone());
    let task = workbench.analyse(Path::new("/nowhere/double.py"), &Arc::from(source)).tasks.pop().expect("a task");
    let (events, _told) = unbounded_channel();
    workbench.run(task, events, CancellationToken::new()).await
}

fn export(folder: &Path, run: &RunReport) -> RunExport {
    Journal::open(folder).and_then(|j| j.export(&run.id)).expect("an export")
}

#[tokio::test]
async fn a_run_that_took_up_samples_is_drawn_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let says = [2, 5, 2, 5, 5, 5, 5].map(|n| said(&format!("return x * {n}")));
    let model = ScriptedModel::new(says.iter().map(String::as_str)).then_always(said("return x * 2").as_str());
    let options = RunOptions { k: 3, max_attempts: 6, in_flight: 1, ..RunOptions::default() };
    let split = run(folder.path(), &model, toy::FILE, &options).await;
    assert_eq!((split.outcome, model.requests().len()), (RunOutcome::Abstained, 4), "{}", split.reason);
    let answered = toy::FILE.replace("# @ensures", "# @example double(3) == 6\n# @ensures");
    let decided = run(folder.path(), &model, &answered, &options).await;
    assert_eq!(decided.outcome, RunOutcome::Verified, "{}", decided.reason);
    // Five is refuted after the seventh; the eighth is of another round.
    assert_eq!((decided.steps[0].samples, decided.steps[0].taken_up), (8, 4));
    check_counted(&export(folder.path(), &decided), &decided);
}

/// Writes what is asked for, with the factor that `factor` says for its header and seed.
fn writer(factor: impl Fn(&str) -> i64 + Send + Sync + 'static) -> ScriptedModel {
    let header = |request: &SampleRequest| {
        let begun = request.messages.iter().rfind(|m| m.role == Role::Assistant).expect("the begun answer");
        begun.content.lines().find(|l| l.starts_with("def ")).expect("a header").to_owned()
    };
    ScriptedModel::answering(move |request| {
        let header = header(request);
        Reply::Text(format!("```python\n{header}\n    return x * {}\n```", factor(&header)))
    })
}

#[tokio::test]
async fn a_plan_with_a_lead_that_follows_its_length_is_drawn_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let reliability = Some(Reliability { assumed_success: 0.75, target: 0.95 });
    let options = RunOptions { k: 2, reliability, in_flight: 1, ..RunOptions::default() };
    let report = run(folder.path(), &writer(|_| 2), PLAN, &options).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{}", report.reason);
    assert!(report.steps.len() == 3 && report.steps.iter().all(|s| s.k > 2), "{:?}", report.steps);
    check_counted(&export(folder.path(), &report), &report);
}

#[tokio::test]
async fn a_step_without_a_winner_is_told_from_one_that_ended_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let drawn = AtomicI64::new(0);
    let factor = move |header: &str| match header.contains("one") {
        true => 2 + drawn.fetch_add(1, Ordering::SeqCst),
        false => 2,
    };
    let options = RunOptions { k: 2, max_attempts: 8, in_flight: 1, ..RunOptions::default() };
    let report = run(folder.path(), &writer(factor), PLAN, &options).await;
    assert_eq!(report.outcome, RunOutcome::Abstained, "{}", report.reason);
    let states: Vec<(&str, StepState)> = report.steps.iter().map(|s| (s.name.as_str(), s.state)).collect();
    assert_eq!(states, [("one", StepState::Lost), ("two", StepState::Won)], "{}", report.reason);
    let export = export(folder.path(), &report);
    check_counted(&export, &report);
    let html = page(&export).expect("a page");
    let boxes: Vec<&str> = html.split("<g class=\"node ").skip(1).filter_map(|b| b.split('"').next()).collect();
    assert_eq!(boxes, ["lost", "won", "waiting"]);
}

#[test]
fn of_two_functions_of_one_name_each_has_a_run_of_its_own() {
    let options = RunOptions::default();
    let workbench = toy::workbench(Arc::new(ScriptedModel::new([""])), Duration::ZERO, None, options.clone());
    let twice = format!("{}\n\n{}", toy::FILE, toy::FILE);
    let tasks = workbench.analyse(Path::new("/nowhere/double.py"), &Arc::from(twice.as_str())).tasks;
    let keys: Vec<String> = tasks.iter().map(|task| workbench.task_key(task, &options)).collect();
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1], "an unfinished run of the one would be taken up for the other");
}
