//! Plans of `@step` lines, and plans that cannot be used.

use super::*;
use crate::code::TextRange;

fn step(name: &str, needs: &[&str]) -> Step {
    Step { name: name.into(), needs: needs.iter().map(|s| (*s).into()).collect(), ..Step::default() }
}

fn decl(name: &str, signature: &str, intent: &str) -> StepDecl {
    StepDecl {
        name: name.into(),
        signature: signature.into(),
        intent: intent.into(),
        examples: Vec::new(),
        raises: Vec::new(),
        range: TextRange::default(),
    }
}

fn spec(steps: Vec<StepDecl>) -> Spec {
    Spec { steps, ..Spec::default() }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn orders_by_need_and_rejects_what_cannot_run() {
    let plan = Plan { steps: vec![step("c", &["a", "b"]), step("b", &["a"]), step("a", &[])] };
    assert_eq!(names(&plan.ordered().unwrap()), ["a", "b", "c"]);
    let cycle = Plan { steps: vec![step("a", &["b"]), step("b", &["a"]), step("c", &["a"])] };
    assert_eq!(cycle.ordered(), Err(PlanError::Cycle("a -> b".into())));
    let missing = Plan { steps: vec![step("a", &["z"])] };
    assert_eq!(missing.ordered(), Err(PlanError::Missing("a".into(), "z".into())));
    let twice = Plan { steps: vec![step("a", &[]), step("a", &[]), step("f", &["a"])] };
    assert_eq!(twice.ordered(), Err(PlanError::DuplicateName("a".into())));
    let itself = Plan::from_spec("f", &spec(vec![decl("f", "(n: int) -> int", "what f does")]), MAX_STEPS);
    assert_eq!(itself, Err(PlanError::NamedLikeTask("f".into())));
    let unused = Plan { steps: vec![step("a", &[]), step("b", &[]), step("f", &["b"])] };
    assert_eq!(unused.all_used(), Err(PlanError::Unused("a".into())));
}

#[test]
fn needs_come_from_what_a_step_speaks_of() {
    let steps = vec![
        decl("total", "(xs: list[int]) -> int", "the sum of `clean` xs, each by double(x)"),
        decl("double", "(n: int) -> int", "twice n"),
        decl("clean", "(xs: list[int]) -> list[int]", "xs without doubles; clean(xs) is not longer than xs"),
    ];
    let plan = Plan::from_spec("f", &spec(steps), MAX_STEPS).unwrap();
    assert_eq!(names(&plan), ["double", "clean", "total", "f"]);
    assert_eq!(plan.step("total").unwrap().needs, ["double", "clean"]);
    assert_eq!(plan.step("clean").unwrap().needs, [""; 0], "a step that speaks of itself needs nothing");
    assert_eq!(plan.step("f").unwrap().needs, ["total", "double", "clean"]);
    let below: Vec<&str> = plan.below("total").iter().map(|s| s.name.as_str()).collect();
    assert_eq!(below, ["double", "clean"]);
    let circle = vec![decl("a", "() -> int", "calls b"), decl("b", "() -> int", "one more than a()")];
    assert_eq!(Plan::from_spec("f", &spec(circle), 9), Err(PlanError::Cycle("a -> b".into())));
}

#[test]
fn ten_thousand_steps_are_refused_and_a_limit_as_large_is_no_burden() {
    let steps: Vec<StepDecl> = (0..10_000)
        .map(|i| decl(&format!("s{i}"), "(n: int) -> int", &format!("one more than s{}(n)", i + 1)))
        .collect();
    let spec = spec(steps);
    let refused = Plan::from_spec("f", &spec, MAX_STEPS).unwrap_err();
    assert_eq!(refused.to_string(), "it has 10001 steps; at most 100 are allowed (`planning.max_steps`)");
    // The last mentions s10000, which is not there and so is no need.
    let plan = Plan::from_spec("f", &spec, 20_000).unwrap();
    assert_eq!((plan.steps[0].name.as_str(), plan.steps.len()), ("s9999", 10_001));
    assert_eq!(plan.below("f").len(), 10_000);
    assert_eq!(plan.all_used(), Ok(()));
}

#[test]
fn a_helper_is_split_in_place() {
    let plan = Plan {
        steps: vec![Step { depth: 1, ..step("a", &[]) }, Step { depth: 1, ..step("b", &["a"]) }, step("f", &["b"])],
    };
    let sub = Plan { steps: vec![step("b1", &["a"]), step("b2", &["b1"]), step("b", &["b2", "a"])] };
    let deep = plan.split(sub, 10).unwrap();
    assert_eq!(names(&deep), ["a", "b1", "b2", "b", "f"]);
    assert_eq!(deep.steps.iter().map(|s| s.depth).collect::<Vec<_>>(), [1, 2, 2, 1, 0]);
    assert_eq!(deep.step("b").unwrap().needs, ["a", "b2"]);
    let again = deep.clone().split(Plan { steps: vec![step("x", &[]), step("b1", &["x"])] }, 5);
    assert_eq!(again, Err(PlanError::TooManySteps { found: 6, limit: 5 }));
    let clash = deep.split(Plan { steps: vec![step("a", &[]), step("b1", &["a"])] }, 9);
    assert_eq!(clash, Err(PlanError::DuplicateName("a".into())));
}
