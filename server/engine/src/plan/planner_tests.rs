//! Plans from a scripted planner: no code is written and no tool runs.

use std::path::Path;
use std::sync::Mutex;

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::code::LanguageId;
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_test_support::{Reply, ScriptedModel};
use zeroerr_verification::toolchain::Toolchain;

use super::*;
use crate::journal::{Journal, OpenRun, Origin};
use crate::local::Parts;
use crate::options::{PlanMode, Planning};

const SOURCE: &str = "def square(text: str) -> str:\n    return text\n\n\n# @spec Sum of the fourth powers.\n# @example total([1, 2]) == 17\ndef total(xs: list[int]) -> int: ...\n";

fn helper(name: &str, signature: &str, uses: &str) -> String {
    format!(r#"{{"intent":"the {name}","name":"{name}","signature":"{signature}","uses":[{uses}]}}"#)
}

fn answer(helpers: &[String], uses: &str) -> String {
    format!(r#"{{"helpers":[{}],"uses":[{uses}]}}"#, helpers.join(","))
}

/// The function that a prompt asks about.
fn function_of(request: &SampleRequest) -> String {
    let text = &request.messages[1].content;
    let header = text.lines().find(|l| l.starts_with("def ")).unwrap();
    header[4..].split('(').next().unwrap().to_owned()
}

struct Machine {
    _folder: tempfile::TempDir,
    _open: OpenRun,
    task: Task,
    workbench: LocalWorkbench,
    model: ScriptedModel,
    wires: Wires,
    options: RunOptions,
}

/// A planner that says the nth of `answers(function)` when it is asked the nth time, the last for ever.
fn machine(answers: impl Fn(&str) -> Vec<String> + Send + Sync + 'static, planning: Planning) -> Machine {
    let asked: Mutex<HashMap<String, usize>> = Mutex::default();
    let model = ScriptedModel::answering(move |request| {
        assert_eq!(request.constraint, Some(Constraint::JsonSchema(proposal::schema())));
        let function = function_of(request);
        let mut asked = asked.lock().unwrap();
        let nth = asked.entry(function.clone()).or_default();
        *nth += 1;
        let all = answers(&function);
        Reply::Text(all.get(*nth - 1).or(all.last()).unwrap().clone())
    });
    let tools = Toolchain::detect(Path::new("/nowhere"), Sandbox::detect(&SandboxOptions::default()));
    let stack = Arc::new(VerificationStack::new(Arc::new(tools), zeroerr_core::verdict::Policy::default()));
    let parts = Parts {
        models: vec![Arc::new(model.clone()) as Arc<dyn Model>],
        stack,
        journal: Err("no journal".into()),
        status: Box::new(Vec::new),
    };
    let options = RunOptions { in_flight: 1, planning, ..RunOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(&folder.path().join("journal")).unwrap());
    let workbench = LocalWorkbench::new(parts, options.clone());
    let task = task(&workbench);
    let open = journal.begin("key", "a.py", &Origin::of(&task, &options, vec!["scripted".into()])).unwrap();
    let wires = Wires {
        events: unbounded_channel().0,
        cancel: CancellationToken::new(),
        journal: Some((journal, open.id.clone())),
        continues: None,
        answered: 0,
    };
    Machine { _folder: folder, _open: open, workbench, task, model, wires, options }
}

fn task(workbench: &LocalWorkbench) -> Task {
    let language = workbench.parts.stack.language(LanguageId::Python).unwrap();
    language.analyse(Path::new("a.py"), &Arc::from(SOURCE)).task_named("total").unwrap().clone()
}

impl Machine {
    async fn propose(&self) -> Proposed {
        let proposed = self.workbench.propose(&self.task, &self.options, &self.wires).await;
        proposed.unwrap_or_else(|no_plan| match no_plan {
            NoPlan::Broken(why) => panic!("{why}"),
            NoPlan::Cancelled => panic!("cancelled"),
        })
    }
}

fn auto(max_depth: u32) -> Planning {
    Planning { mode: PlanMode::Auto, max_depth, ..Planning::default() }
}

fn tree(function: &str) -> Vec<String> {
    match function {
        "total" => vec![
            answer(&[helper("a", "(n: int) -> int", "\"b\""), helper("b", "(n: int) -> int", "\"a\"")], "\"a\""),
            answer(&[helper("fourths", "(xs: list[int]) -> list[int]", "")], "\"fourths\""),
            answer(&[helper("fourths", "(xs: list[int) -> list[int]", "")], "\"fourths\""),
            answer(&[helper("powers", "(values: list[int])->list[int]", "")], "\"powers\""),
        ],
        "fourths" => vec![answer(&[helper("fourth", "(n: int) -> int", "")], "\"fourth\"")],
        "fourth" => vec![answer(&[helper("square", "(n: int) -> int", "")], "\"square\"")],
        _ => vec![proposal::example_of_none()],
    }
}

fn shown(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|s| format!("{} {} <- {}", s.depth, s.name, s.needs.join(", "))).collect()
}

#[tokio::test]
async fn what_was_split_is_split_again_down_to_the_depth_that_is_allowed() {
    let deep = machine(tree, auto(3)).propose().await;
    let steps = ["3 square_2 <- ", "2 fourth <- square_2", "1 fourths <- fourth", "0 total <- fourths"];
    assert_eq!(shown(&deep.settled.plan), steps, "and `square` stands in the file already, as another function");
    let shallow = machine(tree, auto(1)).propose().await;
    assert_eq!(shown(&shallow.settled.plan), ["1 fourths <- ", "0 total <- fourths"]);
    let vote = &deep.votes["total"];
    assert_eq!((vote.name.as_str(), vote.samples, vote.margin, vote.k), ("plan of total", 4, 2, 2));
    let flags: Vec<(&str, u32)> = vote.red_flags.iter().map(|(flag, n)| (flag.as_str(), *n)).collect();
    assert_eq!(flags, [("unusable_plan", 2)], "a circle, and a signature that is none");
    assert_eq!(vote.tally.len(), 1, "plans that differ in names and white space are one plan");
}

#[tokio::test]
async fn without_agreement_a_function_is_written_as_a_whole() {
    let garbage = machine(|_| vec!["Sure! Here is a plan.".into()], auto(3)).propose().await;
    assert_eq!(shown(&garbage.settled.plan), ["0 total <- "]);
    assert_eq!(garbage.votes["total"].red_flags["not_a_plan"], 5, "six are allowed, and the sixth could not decide");
    let one = || answer(&[helper("a", "(n: int) -> int", "")], "\"a\"");
    let other = || answer(&[helper("a", "(n: int) -> str", "")], "\"a\"");
    let split = machine(move |_| vec![one(), other(), one(), other(), one(), other()], auto(1)).propose().await;
    assert_eq!(shown(&split.settled.plan), ["0 total <- "]);
    let few = machine(tree, Planning { max_steps: 2, ..auto(3) }).propose().await;
    assert_eq!(shown(&few.settled.plan), ["1 fourths <- ", "0 total <- fourths"], "more are not allowed");
}

#[tokio::test]
async fn a_resumed_run_has_the_plan_it_had_and_asks_nothing_anew() {
    let machine = machine(tree, auto(3));
    let first = machine.propose().await;
    let asked = machine.model.requests().len();
    let again = machine.propose().await;
    assert_eq!(shown(&again.settled.plan), shown(&first.settled.plan));
    assert_eq!(again.votes, first.votes);
    assert_eq!(machine.model.requests().len(), asked);
}

#[tokio::test]
async fn a_planner_is_shown_the_function_and_what_it_may_call() {
    let machine = machine(tree, auto(3));
    machine.propose().await;
    let requests = machine.model.requests();
    let of = |name: &str| requests.iter().find(|r| function_of(r) == name).unwrap().messages[1].content.clone();
    assert!(of("total").contains("total([1, 2]) == 17"), "{}", of("total"));
    assert!(!of("fourth").contains("total"), "a step sees its own spec alone: {}", of("fourth"));
}
