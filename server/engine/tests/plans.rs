//! Plans end to end: scripted model, real Python, real layers, real journal. Needs the tools that
//! `zeroerr doctor --fix` installs, and says so by `ZEROERR_E2E`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod counted;

use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::apply_edits;
use zeroerr_core::ports::{Model, Role, SampleRequest};
use zeroerr_core::report::{RunOutcome, RunReport, StepState};
use zeroerr_core::state_manager::Record;
use zeroerr_core::verdict::Policy;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::{Journal, RunExport};
use zeroerr_engine::local::{LocalWorkbench, Parts};
use zeroerr_engine::options::{PlanMode, Planning, RunOptions};
use zeroerr_engine::page::page;
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_test_support::{Reply, ScriptedModel};
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::VerificationStack;

use counted::check_counted;

/// One user's machine, with a model that answers by what it is asked.
struct Machine {
    folder: tempfile::TempDir,
    model: ScriptedModel,
    stack: Arc<VerificationStack>,
}

impl Machine {
    /// `body` says what the function of a header is filled with, for the sample's seed.
    fn new(body: impl Fn(&str, u64) -> String + Send + Sync + 'static) -> Self {
        let home = zeroerr_settings::paths::data_dir().expect("a data folder");
        let options = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
        let tools = Toolchain::detect(&home, Sandbox::detect(&options));
        let model = ScriptedModel::answering(move |request| {
            if request.constraint.is_some() {
                return Reply::Text(plan_for(request));
            }
            let header = header_of(request);
            Reply::Text(format!("```python\n{header}\n    {}\n```", body(&header, request.seed)))
        });
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            model,
            stack: Arc::new(VerificationStack::new(Arc::new(tools), Policy::default())),
        }
    }

    async fn run(&self, source: &str, function: &str, options: RunOptions) -> RunReport {
        let journal = Journal::open(&self.folder.path().join("journal")).expect("a journal");
        let parts = Parts {
            models: vec![Arc::new(self.model.clone()) as Arc<dyn Model>],
            stack: Arc::clone(&self.stack),
            journal: Ok(Arc::new(journal)),
            status: Box::new(Vec::new),
        };
        let workbench = LocalWorkbench::new(parts, options);
        let path = self.folder.path().join("a.py");
        std::fs::write(&path, source).expect("a file");
        let analysis = workbench.analyse(&path, &Arc::from(source));
        let task = analysis.task_named(function).expect("the task").clone();
        let (events, _heard) = unbounded_channel();
        workbench.run(task, events, CancellationToken::new()).await
    }

    fn export(&self, run: &str) -> RunExport {
        Journal::open(&self.folder.path().join("journal")).and_then(|j| j.export(run)).expect("an export")
    }

    fn records(&self, run: &str) -> Vec<Record> {
        Journal::open(&self.folder.path().join("journal")).and_then(|j| j.records(run)).expect("records")
    }
}

/// The header that a prompt asks for: the last line of code in what the answer begins with.
fn header_of(request: &SampleRequest) -> String {
    let begun = request.messages.iter().rfind(|m| m.role == Role::Assistant).expect("the begun answer");
    begun.content.lines().find(|l| l.starts_with("def ")).expect("a header").to_owned()
}

/// What the planner says: the tree of [`TREE`], without a word of the user about it.
fn plan_for(request: &SampleRequest) -> String {
    let text = &request.messages[1].content;
    let header = text.lines().find(|l| l.starts_with("def ")).expect("a header");
    let (name, _) = header.trim_start_matches("def ").split_once('(').expect("a name");
    let helper = |name: &str, signature: &str| {
        format!(r#"{{"intent":"the {name}","name":"{name}","signature":"{signature}","uses":[]}}"#)
    };
    let (helpers, uses) = match name {
        "total" => (vec![helper("fourths", "(xs: list[int]) -> list[int]")], r#""fourths""#),
        "fourths" => {
            let two = vec![helper("fourth", "(n: int) -> int"), helper("evens", "(xs: list[int]) -> list[int]")];
            (two, r#""fourth","evens""#)
        }
        "fourth" => (vec![helper("square", "(n: int) -> int")], r#""square""#),
        _ => (vec![], ""),
    };
    format!(r#"{{"helpers":[{}],"uses":[{uses}]}}"#, helpers.join(","))
}

fn options() -> RunOptions {
    RunOptions { k: 2, max_attempts: 8, ..RunOptions::default() }
}

fn has_tools() -> bool {
    std::env::var_os("ZEROERR_E2E").is_some()
}

fn prompts_for<'a>(requests: &'a [SampleRequest], name: &str) -> Vec<&'a SampleRequest> {
    requests.iter().filter(|r| header_of(r).starts_with(&format!("def {name}("))).collect()
}

const TREE: &str = "# @spec Sum of the fourth powers of the even numbers in xs.\n# @step square(n: int) -> int: n times n\n# @step fourth(n: int) -> int: square(n) squared, by square\n# @step evens(xs: list[int]) -> list[int]: the even numbers of xs\n# @step fourths(xs: list[int]) -> list[int]: fourth(x) of each of evens(xs)\n# @example fourth(2) == 16\n# @example total([1, 2, 3]) == 16\n# @example total([]) == 0\n# @ensures result >= 0\ndef total(xs: list[int]) -> int: ...\n";

fn tree_body(header: &str, _seed: u64) -> String {
    let name = header.trim_start_matches("def ").split('(').next().unwrap_or_default();
    let body = match name {
        "square" => "return n * n",
        "fourth" => "return square(square(n))",
        "evens" => "return [x for x in xs if x % 2 == 0]",
        "fourths" => "return [fourth(x) for x in evens(xs)]",
        _ => "return sum(fourths(xs))",
    };
    body.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_four_levels_is_written_from_its_leaves() {
    if !has_tools() {
        return;
    }
    let machine = Machine::new(tree_body);
    let report = machine.run(TREE, "total", options()).await;
    assert_eq!((report.outcome, report.reason.as_str()), (RunOutcome::Verified, report.reason.as_str()), "{report:#?}");
    let names: Vec<&str> = report.steps.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["square", "fourth", "evens", "fourths", "total"]);
    let text = apply_edits(TREE, &report.edits).expect("edits that fit");
    assert_eq!(text.matches("def ").count(), 5, "{text}");
    assert_eq!(text.matches("@spec").count(), 1, "the plan's own comments are gone: {text}");
    let asked = machine.model.requests();
    let leaf = &prompts_for(&asked, "square")[0].messages[1].content;
    assert!(!leaf.contains("evens") && !leaf.contains("fourth"), "a step sees its own spec alone: {leaf}");
    let inner = &prompts_for(&asked, "fourths")[0].messages[1].content;
    assert!(inner.contains("fourth(n: int) -> int") && inner.contains("evens(xs: list[int])"), "{inner}");
    assert!(!inner.contains("square(n: int)"), "and the signatures it may call, no others: {inner}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planner_makes_the_tree_of_four_levels_from_the_spec_alone() {
    if !has_tools() {
        return;
    }
    let source: String = TREE
        .lines()
        .filter(|l| !l.contains("@step") && !l.contains("fourth(2)"))
        .fold(String::new(), |all, line| all + line + "\n");
    let planning = Planning { mode: PlanMode::Auto, max_depth: 3, ..Planning::default() };
    let machine = Machine::new(tree_body);
    let report = machine.run(&source, "total", RunOptions { planning, ..options() }).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{report:#?}");
    let steps: Vec<String> =
        report.steps.iter().map(|s| format!("{} {} <- {}", s.depth, s.name, s.needs.join(", "))).collect();
    let tree =
        ["3 square <- ", "2 fourth <- square", "2 evens <- ", "1 fourths <- fourth, evens", "0 total <- fourths"];
    assert_eq!(steps, tree);
    let votes: Vec<u32> = report.steps.iter().map(|s| s.plan.as_ref().map_or(0, |p| p.samples)).collect();
    assert_eq!(votes, [0, 2, 2, 2, 2], "the deepest may not be split");
    let text = apply_edits(&source, &report.edits).expect("edits that fit");
    assert_eq!(text.matches("def ").count(), 5, "{text}");
}

const BLAMED: &str = "# @spec Sum of the doubled numbers.\n# @step twice(n: int) -> int: two times n\n# @example total([1, 2, 4]) == 14\n# @example total([]) == 0\ndef total(xs: list[int]) -> int: ...\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_the_whole_shows_to_be_wrong_votes_again() {
    if !has_tools() {
        return;
    }
    // Squaring wins the helper's own vote, which has no example; doubling is its rival.
    let drawn = std::sync::atomic::AtomicUsize::new(0);
    let machine = Machine::new(move |header, _| {
        if !header.starts_with("def twice(") {
            return "return sum(twice(x) for x in xs)".to_owned();
        }
        let nth = drawn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if nth == 1 || nth > 3 { "return 2 * n".to_owned() } else { "return n * n".to_owned() }
    });
    let report = machine.run(BLAMED, "total", RunOptions { in_flight: 1, ..options() }).await;
    assert_eq!(report.outcome, RunOutcome::Verified, "{report:#?}");
    let text = apply_edits(BLAMED, &report.edits).expect("edits that fit");
    assert!(text.contains("return 2 * n") && !text.contains("n * n\n"), "{text}");
    let records = machine.records(&report.id);
    let blamed: Vec<&str> = records
        .iter()
        .filter_map(|r| if let Record::Blamed { feedback, .. } = r { Some(feedback.as_str()) } else { None })
        .collect();
    assert_eq!(blamed, ["`total` calls it, and then: total([1, 2, 4]) gave 21, expected 14"]);
    let asked = machine.model.requests();
    let told = prompts_for(&asked, "twice").iter().filter(|r| r.messages[1].content.contains("gave 21")).count();
    assert!(told > 0, "the finding is in the prompts of the next round");

    let votes: Vec<(&str, StepState, u32)> =
        report.steps.iter().map(|s| (s.name.as_str(), s.state, s.attempt)).collect();
    assert_eq!(votes, [("twice", StepState::Won, 0), ("total", StepState::Won, 1)]);
    let export = machine.export(&report.id);
    check_counted(&export, &report);
    let html = page(&export).expect("a page");
    assert!(html.contains("<span class=\"badge blamed\">blamed</span>"), "whose fault it was");
    assert!(html.contains("earlier ones are void"), "the vote that is shown is the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_reaches_for_the_network_is_refuted_by_its_own_checks() {
    if !has_tools() {
        return;
    }
    let machine = Machine::new(|header, _| {
        if header.starts_with("def twice(") {
            "import socket\n    socket.gethostname()\n    return 2 * n".to_owned()
        } else {
            "return sum(twice(x) for x in xs)".to_owned()
        }
    });
    let report = machine.run(BLAMED, "total", RunOptions { max_attempts: 3, ..options() }).await;
    assert_eq!(report.outcome, RunOutcome::Abstained);
    assert!(report.reason.starts_with("step `twice`: "), "{}", report.reason);
    assert!(report.reason.contains("security failed"), "{}", report.reason);
}

#[tokio::test]
async fn ten_thousand_steps_are_refused_before_anything_is_asked() {
    let steps: String =
        (0..10_000).map(|i| format!("# @step s{i}(n: int) -> int: one more than s{}(n)\n", i + 1)).collect();
    let source = format!("# @spec Many.\n{steps}# @example f(1) == 1\ndef f(n: int) -> int: ...\n");
    let machine = Machine::new(|_, _| panic!("nothing is to be asked"));
    let report = machine.run(&source, "f", options()).await;
    assert_eq!(report.outcome, RunOutcome::Abstained);
    assert_eq!(
        report.reason,
        "the plan cannot be used: it has 10001 steps; at most 100 are allowed (`planning.max_steps`)"
    );
    assert_eq!(machine.model.requests(), []);
}
