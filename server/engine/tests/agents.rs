//! Testers, discriminators and critics in whole runs: what they say reaches the vote, the journal and the
//! report, and nothing they say, or do not say, makes a run worse. Without tools but in the last test.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod toy;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::ports::{BoxFuture, Model, ModelError, SampleRequest, SampleResponse};
use zeroerr_core::report::{RunEvent, RunOutcome, RunReport};
use zeroerr_core::state_manager::Record;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::local::{LocalWorkbench, Parts};
use zeroerr_engine::options::{AgentRules, Agents, RunOptions};
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_test_support::ScriptedModel;
use zeroerr_test_support::scripted_model::Reply;
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::VerificationStack;

use toy::{Hashing, Versatile, said};

const ALL: AgentRules = AgentRules { testers: 2, weak_votes: 1, critic: true, objection_votes: 1, discriminators: 1 };

fn options(rules: AgentRules) -> RunOptions {
    let agents = Agents { rules, ..Agents::default() };
    RunOptions { k: 3, max_attempts: 30, in_flight: 3, agents, ..RunOptions::default() }
}

fn hashing(says: &[&str]) -> Hashing {
    Hashing { says: says.iter().map(|s| (*s).to_owned()).collect(), pace: Duration::ZERO }
}

fn coder() -> Hashing {
    let bodies = [said("return x * 2"), said("return x * 2"), said("return x * 2"), said("return x * 3")];
    hashing(&bodies.each_ref().map(String::as_str))
}

/// The run of the toy's function, and what it told.
async fn run(model: impl Model + 'static, rules: AgentRules) -> (RunReport, Vec<RunEvent>, Vec<Record>) {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path()).expect("a journal");
    let workbench = toy::workbench(Arc::new(model), Duration::ZERO, Some(journal), options(rules));
    let task = toy::task(&workbench).expect("a task");
    let (events, mut told) = unbounded_channel();
    let report = workbench.run(task, events, CancellationToken::new()).await;
    let records = workbench.journal().expect("a journal").records(&report.id).expect("records");
    let mut events = Vec::new();
    while let Ok(event) = told.try_recv() {
        events.push(event);
    }
    (report, events, records)
}

fn edit(report: &RunReport) -> &str {
    report.edits.first().map_or("", |e| e.new_text.as_str())
}

#[tokio::test]
async fn whatever_agents_say_the_right_candidate_is_offered() {
    let (calm, _, _) = run(Versatile { coder: coder(), adviser: hashing(&[""]) }, AgentRules::default()).await;
    assert!(edit(&calm).contains("x * 2") && calm.steps[0].advice.is_none());
    let answers = [
        "assert double(3) == 6\nassert double(4) == 8\nassert double(1) == 2",
        "assert double(3) == 9\nassert double(4) == 12\nassert double(1) == 3",
        "assert double(3) == 7\nOBJECTION: it returns the wrong type of number",
        "OBJECTION: double(3) should be 9\nassert double(3) == 9\ndouble(4)",
        "I am a language model.",
        "",
    ];
    for answer in answers {
        let (report, _, _) = run(Versatile { coder: coder(), adviser: hashing(&[answer]) }, ALL).await;
        assert_eq!(report.outcome, RunOutcome::Verified, "{answer}: {}", report.reason);
        assert_eq!(edit(&report), edit(&calm), "{answer}");
        assert!(report.steps[0].samples >= calm.steps[0].samples, "{answer}: nothing is decided sooner");
    }
}

#[tokio::test]
async fn what_they_said_is_told_journaled_and_reported() {
    let adviser = hashing(&["assert double(3) == 6\nassert double(4) == 9\nOBJECTION: double(4) should be 9"]);
    let (report, events, records) = run(Versatile { coder: coder(), adviser }, ALL).await;
    let advice = report.steps[0].advice.as_deref().expect("advice");
    let tests: Vec<(&str, bool)> = advice.tests.iter().map(|t| (t.code.as_str(), t.passed > 0)).collect();
    assert_eq!(tests, [("double(3) == 6", true), ("double(4) == 9", false)]);
    assert_eq!(advice.objections[0].text, "double(4) should be 9");
    assert!(advice.extra_lead >= 1 && advice.completion_tokens > 0);
    let told = |agent: &str| events.iter().any(|e| matches!(e, RunEvent::Advised { agent: a, .. } if a == agent));
    assert!(told("tester") && told("critic"));
    assert!(records.iter().any(|r| matches!(r, Record::Tried { .. })));
}

#[tokio::test]
async fn the_page_counts_the_votes_as_the_run_did() {
    for answer in [
        "assert double(3) == 6\nassert double(4) == 9\nOBJECTION: double(4) should be 9",
        "assert double(3) == 9\ndouble(4)\nOK",
        "",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open(folder.path()).expect("a journal");
        let model = Arc::new(Versatile { coder: coder(), adviser: hashing(&[answer]) });
        let workbench = toy::workbench(model, Duration::ZERO, Some(journal), options(ALL));
        let task = toy::task(&workbench).expect("a task");
        let (events, _told) = unbounded_channel();
        let report = workbench.run(task, events, CancellationToken::new()).await;
        let export = workbench.journal().ok().and_then(|j| j.export(&report.id).ok()).expect("a run");
        let html = zeroerr_engine::page::page(&export).expect("a page");
        let step = &report.steps[0];
        for class in &step.tally {
            let title = format!("<title>{}: {} vote", class.class, class.votes);
            assert!(html.contains(&title), "{answer}: {title} in {:?}", step.tally);
        }
        let objected = html.contains("moment objected");
        assert_eq!(objected, answer.contains("OBJECTION"), "{answer}");
    }
}

/// Answers a coder by `coder`, and any other agent by `adviser`.
fn scripted(coder: &str, adviser: Reply) -> ScriptedModel {
    let coder = Reply::Text(coder.to_owned());
    let is_coder = |request: &SampleRequest| request.messages[0].content.contains("programmer");
    ScriptedModel::answering(move |request| if is_coder(request) { coder.clone() } else { adviser.clone() })
}

#[tokio::test]
async fn nobody_is_talked_into_a_verified_edit() {
    // All say the same, all tests agree, the critic is content, and the layers know better.
    let praise = "assert double(3) == 9\nassert double(1) == 3\nassert double(7) == 21\nOK, it is right.";
    for rules in [AgentRules::default(), ALL] {
        let (report, events, _) = run(scripted(&said("return x * 3"), praise.into()), rules).await;
        assert_eq!((report.outcome, report.edits.len()), (RunOutcome::Abstained, 0), "{}", report.reason);
        assert!(report.reason.contains("double(1) gives 3"), "{}", report.reason);
        let told = events.iter().any(|e| matches!(e, RunEvent::Advised { .. }));
        assert_eq!(told, rules.testers > 0, "the advice was there");
    }
}

#[tokio::test]
async fn garbage_is_ignored_and_told() {
    for garbage in ["", "\u{0}\u{fffd}((((", "I am a language model.", "double(", "assert double(2) == 5"] {
        let (report, events, _) = run(scripted(&said("return x * 2"), garbage.into()), ALL).await;
        assert_eq!(report.outcome, RunOutcome::Verified, "{garbage:?}: {}", report.reason);
        let advice = report.steps[0].advice.as_deref().expect("advice");
        assert_eq!((advice.extra_lead, advice.tests.len(), advice.inputs.len()), (0, 0, 0), "{garbage:?}");
        assert_eq!(advice.nothing["tester 1"], "no line of the answer is a test that can be read", "{garbage:?}");
        assert!(advice.nothing.values().any(|why| why == "neither `OK` nor an objection"), "{garbage:?}");
        let told = |e: &RunEvent| matches!(e, RunEvent::Advised { agent, says, .. } if agent == "tester" && says.starts_with("nothing (no line"));
        assert!(events.iter().any(told), "{garbage:?}");
    }
}

#[tokio::test]
async fn agents_that_never_answer_end_with_the_run() {
    let model = scripted(&said("return x * 2"), Reply::Hang);
    let workbench = toy::workbench(Arc::new(model.clone()), Duration::ZERO, None, options(ALL));
    let task = toy::task(&workbench).expect("a task");
    let (events, mut told) = unbounded_channel();
    let cancel = CancellationToken::new();
    let run = workbench.run(task, events, cancel.clone());
    tokio::pin!(run);
    let mut waited_for = 0;
    let report = loop {
        tokio::select! {
            report = &mut run => break report,
            Some(event) = told.recv() => if matches!(event, RunEvent::Voted { ref tally, .. } if tally[0].votes == 3) {
                waited_for = model.in_flight();
                cancel.cancel();
            },
        }
    };
    assert_eq!((report.outcome, report.reason.as_str()), (RunOutcome::Error, "cancelled"));
    assert!(waited_for >= 2, "both testers were still awaited");
    assert_eq!(model.in_flight(), 0, "nothing outlives the run");
}

/// Refuses to answer anything but a coder's question.
struct Mute(Hashing);

impl Model for Mute {
    fn name(&self) -> &str {
        "mute"
    }
    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        if request.messages[0].content.contains("programmer") {
            return self.0.sample(request);
        }
        Box::pin(std::future::ready(Err(ModelError::Unavailable("its weights are gone".into()))))
    }
}

#[tokio::test]
async fn agents_without_a_model_are_no_reason_to_fail() {
    let (report, _, _) = run(Mute(coder()), ALL).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{}", report.reason);
    let advice = report.steps[0].advice.as_deref().expect("advice");
    assert_eq!(advice.nothing.get("tester 1").map(String::as_str), Some("its weights are gone"));
}

/// The real tools: a test's input shows what the generated inputs did not, and the false part of the test
/// changes nothing.
#[tokio::test]
async fn an_input_of_a_tester_tells_real_candidates_apart() {
    if std::env::var_os("ZEROERR_E2E").is_none() {
        return;
    }
    let file = "# @spec Twice x.\n# @example double(700) == 1400\ndef double(x: int) -> int:\n    ...\n";
    let trap = said("return 0 if x == 777 else x * 2");
    let coder = hashing(&[trap.as_str(), &said("return x + x"), &said("return x * 2"), &said("return 2 * x")]);
    let adviser = hashing(&["assert double(777) == 1\nassert double(778) == 1556\nassert triple(1) == 3"]);
    let home = zeroerr_settings::paths::data_dir().expect("a data folder");
    let places = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
    let tools = Toolchain::detect(&home, Sandbox::detect(&places));
    let stack = Arc::new(VerificationStack::new(Arc::new(tools), Default::default()));
    let folder = tempfile::tempdir().expect("a folder");
    let rules = AgentRules { testers: 1, critic: false, discriminators: 0, ..ALL };
    let model: Arc<dyn Model> = Arc::new(Versatile { coder, adviser });
    let parts = Parts { models: vec![model], stack, journal: Err("no journal".into()), status: Box::new(Vec::new) };
    let workbench = LocalWorkbench::new(parts, options(rules));
    let path = folder.path().join("double.py");
    let task = workbench.analyse(Path::new(&path), &Arc::from(file)).tasks.remove(0);
    let (events, _told) = unbounded_channel();
    let report = workbench.run(task, events, CancellationToken::new()).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{}", report.reason);
    let advice = report.steps[0].advice.as_deref().expect("advice");
    assert_eq!(advice.tests.len(), 2, "a test of another function is none: {:?}", advice.tests);
    let telling = advice.inputs.iter().find(|i| i.call == "double(777)").expect("the input");
    assert!(telling.inside && telling.outcomes == 2, "{telling:?}");
    assert!(report.steps[0].tally.len() == 2 && !edit(&report).contains("777"), "{:?}", report.steps[0].tally);
}
