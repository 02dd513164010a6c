//! Models and specs that nobody wishes for: each ends with one clear sentence, and soon.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::ports::{BoxFuture, Model, ModelError, SampleRequest, SampleResponse};
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport};
use zeroerr_engine::Workbench;
use zeroerr_engine::options::{PlanMode, Planning, RunOptions};
use zeroerr_test_support::ScriptedModel;
use zeroerr_test_support::scripted_model::Reply;

async fn run(source: &str, model: ScriptedModel, options: RunOptions, stop: impl Fn(&RunEvent) -> bool) -> RunReport {
    run_with(source, vec![Arc::new(model)], options, stop).await
}

async fn run_with(
    source: &str,
    models: Vec<Arc<dyn Model>>,
    options: RunOptions,
    stop: impl Fn(&RunEvent) -> bool,
) -> RunReport {
    let workbench = toy::workbench_of(models, Duration::ZERO, None, options);
    let task = workbench.analyse(Path::new("/nowhere/double.py"), &Arc::from(source)).tasks.pop().expect("a task");
    let (events, mut told) = unbounded_channel();
    let cancel = CancellationToken::new();
    let run = workbench.run(task, events, cancel.clone());
    tokio::pin!(run);
    loop {
        tokio::select! {
            report = &mut run => return report,
            Some(event) = told.recv() => if stop(&event) { cancel.cancel() },
        }
    }
}

fn rules() -> RunOptions {
    RunOptions { k: 3, max_attempts: 10, in_flight: 4, ..RunOptions::default() }
}

async fn check(reply: Reply, expected: Expect) {
    let model = ScriptedModel::new(Vec::<Reply>::new()).then_always(reply);
    let report = run(toy::FILE, model.clone(), rules(), |_| false).await;
    expected.assert_eq(&format!("{:?}: {}", report.outcome, report.reason));
    assert!(report.edits.is_empty() && model.requests().len() <= 30, "{} samples", model.requests().len());
    assert_eq!(model.in_flight(), 0);
}

#[tokio::test]
async fn a_model_that_always_says_the_same_wrong_thing() {
    let wrong = Reply::Text(toy::said("return x * 3"));
    check(wrong, expect!["Abstained: no candidate could vote in 8 samples: 1 winning behaviour was refuted; last: tests failed: double(1) gives 3"]).await;
}

#[tokio::test]
async fn a_model_that_always_fails_an_example() {
    check(Reply::Text(toy::said("return x * 0")), expect!["Abstained: no candidate could vote in 8 samples: 8 failed an example; last: double(2) == 4 failed: it gives 0"]).await;
}

#[tokio::test]
async fn a_model_that_answers_garbage() {
    for garbage in ["", "\u{0}\u{fffd}((((", "As a language model I cannot.", "def other():\n    pass\n"] {
        check(
            Reply::Text(garbage.into()),
            expect!["Abstained: no candidate could vote in 8 samples: 8 were discarded as malformed"],
        )
        .await;
    }
    check(
        Reply::Truncated(toy::said("return x * 2")),
        expect!["Abstained: no candidate could vote in 8 samples: 8 were discarded as malformed"],
    )
    .await;
}

#[tokio::test]
async fn a_model_that_gives_no_answer() {
    check(
        Reply::Fail(ModelError::Transient("overloaded".into())),
        expect!["Abstained: no candidate could vote in 8 samples: 8 got no answer from the model; last: overloaded"],
    )
    .await;
    check(Reply::Fail(ModelError::Unavailable("no such file".into())), expect!["Error: model scripted: no such file"])
        .await;
}

/// A model with a name.
struct Named(&'static str, ScriptedModel);

impl Model for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        self.1.sample(request)
    }
}

#[tokio::test]
async fn where_one_model_cannot_another_answers() {
    let left_alone = ModelError::LeftAlone { why: "left alone".into(), for_ms: 600_000 };
    for error in [ModelError::Rejected("too long".into()), ModelError::Unavailable("gone".into()), left_alone] {
        let right = ScriptedModel::new(Vec::<Reply>::new()).then_always(Reply::Text(toy::said("return x * 2")));
        let lost = ScriptedModel::new(Vec::<Reply>::new()).then_always(Reply::Fail(error.clone()));
        let models: Vec<Arc<dyn Model>> = vec![Arc::new(Named("lost", lost.clone())), Arc::new(Named("found", right))];
        let report = run_with(toy::FILE, models, rules(), |_| false).await;
        assert_eq!(report.outcome, RunOutcome::Verified, "{error}: {}", report.reason);
        assert!(!lost.requests().is_empty(), "it was asked, too");
    }
}

#[tokio::test]
async fn a_model_that_is_left_alone_is_asked_again_when_its_time_is_over() {
    let alone = |for_ms| Reply::Fail(ModelError::LeftAlone { why: "left alone; the last: 503".into(), for_ms });
    let right = Reply::Text(toy::said("return x * 2"));
    let model = ScriptedModel::new([alone(50), alone(0), right.clone()]).then_always(right);
    let report = run(toy::FILE, model, RunOptions { in_flight: 1, ..rules() }, |_| false).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{}", report.reason);
    check(alone(600_000), expect!["Error: model scripted: left alone; the last: 503"]).await;
}

#[tokio::test]
async fn a_lead_that_no_number_of_samples_can_reach_is_named() {
    let model = ScriptedModel::new(Vec::<Reply>::new()).then_always(Reply::Text(toy::said("return x * 2")));
    let report = run(toy::FILE, model, RunOptions { k: 12, ..rules() }, |_| false).await;
    expect!["a lead of 12 is out of reach with 10 samples; allow more of them"].assert_eq(&report.reason);
}

#[tokio::test]
async fn a_model_that_never_answers_is_cancelled_at_once() {
    let model = ScriptedModel::new([toy::said("return x * 2").as_str()]).then_always(Reply::Hang);
    let report = run(toy::FILE, model.clone(), rules(), |e| matches!(e, RunEvent::Voted { .. })).await;
    expect!["Error: cancelled"].assert_eq(&format!("{:?}: {}", report.outcome, report.reason));
    assert_eq!(model.in_flight(), 0, "nothing outlives the run");
}

#[tokio::test]
async fn a_plan_of_ten_thousand_steps_is_refused_unread() {
    let mut source = String::from("# @spec Twice x.\n# @example double(2) == 4\n");
    for n in 0..10_000 {
        source.push_str(&format!("# @step part{n}(x: int) -> int: part {n} of it\n"));
    }
    source.push_str("def double(x: int) -> int:\n    ...\n");
    let model = ScriptedModel::new(Vec::<Reply>::new());
    let report = run(&source, model.clone(), rules(), |_| false).await;
    expect!["Abstained: the plan cannot be used: it has 10001 steps; at most 100 are allowed (`planning.max_steps`)"]
        .assert_eq(&format!("{:?}: {}", report.outcome, report.reason));
    assert!(model.requests().is_empty(), "no model is asked");
}

#[tokio::test]
async fn a_lead_of_zero_is_a_lead_of_one() {
    let model = ScriptedModel::new([toy::said("return x * 2").as_str()]).then_always(Reply::Hang);
    let options = RunOptions { k: 0, in_flight: 1, ..rules() };
    let report = run(toy::FILE, model, options, |_| false).await;
    assert_eq!((report.steps[0].samples, report.edits.len()), (1, 1), "{}", report.reason);
}

#[tokio::test]
async fn a_planner_whose_plans_cannot_be_used_is_told_and_the_function_is_written_as_a_whole() {
    let helper = |name: &str, uses: &str| {
        format!(r#"{{"intent":"part of it","name":"{name}","signature":"(x: int) -> int","uses":["{uses}"]}}"#)
    };
    let circle = format!(r#"{{"helpers":[{},{}],"uses":["a"]}}"#, helper("a", "b"), helper("b", "a"));
    let model = ScriptedModel::answering(move |request| {
        let is_planner = request.messages[0].content.contains("architect");
        Reply::Text(if is_planner { circle.clone() } else { toy::said("return x * 2") })
    });
    let planning = Planning { mode: PlanMode::Auto, ..Planning::default() };
    let options = RunOptions { planning, ..rules() };
    let told = std::sync::Mutex::new(Vec::new());
    let report = run(toy::FILE, model, options, |event| {
        match event {
            RunEvent::GateRejected { why, .. } => told.lock().expect("a list").push(why.clone()),
            RunEvent::Advised { agent, says, .. } => told.lock().expect("a list").push(format!("{agent}: {says}")),
            _ => {}
        }
        false
    })
    .await;
    assert_eq!(report.edits.len(), 1, "{}", report.reason);
    let told = told.into_inner().expect("a list");
    assert!(told.contains(&"steps need each other in a circle: a -> b".to_owned()), "{told:?}");
    assert!(told.iter().any(|t| t.starts_with("planner: no plan, `double` is written as a whole: ")), "{told:?}");
}

#[tokio::test]
async fn candidates_that_do_not_fit_the_file_say_nothing_about_its_examples() {
    let source =
        toy::FILE.replace("double(2) == 4", "double(2) == 4\n# @example double(3) == 6\n# @example double(5) == 10");
    let source = format!("sqrt = None\n\n{source}");
    let rebinding = toy::said("_ = sqrt\n    return x * 2").replace("def ", "from math import sqrt\n\ndef ");
    let model = ScriptedModel::new(vec![rebinding.as_str(); 8]).then_always(toy::said("return x * 2").as_str());
    let options = RunOptions { k: 2, max_attempts: 20, in_flight: 1, by_input: true, ..RunOptions::default() };
    let report = run(&source, model, options, |_| false).await;
    let step = &report.steps[0];
    assert_eq!((report.edits.len(), step.gate_rejected), (1, 8), "{}", report.reason);
    assert_eq!((step.samples, step.k), (10, 2), "no candidate failed an example, so two votes decide and not one");
}
