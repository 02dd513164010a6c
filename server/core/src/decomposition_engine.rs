//! Plans: the DAG of steps a spec is decomposed into.
//!
//! `@step` lines are taken as given: each becomes a helper function, and the task's own function
//! is the last step, which may call them all. A spec without `@step` is a plan of one step.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use crate::task_specification::Spec;

/// One step: one function to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The function's name.
    pub name: String,
    /// Steps whose functions this one may call.
    pub needs: Vec<String>,
}

/// Steps in an order in which each comes after those it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The steps; the last is the task itself.
    pub steps: Vec<Step>,
}

/// Why a plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two steps have one name, or a step is named like the function itself.
    #[error("two steps are named `{0}`")]
    DuplicateName(String),
    /// A step needs one that is not there.
    #[error("step `{0}` needs `{1}`, which is not in the plan")]
    Missing(String, String),
    /// Steps need each other in a circle.
    #[error("steps need each other in a circle: {0}")]
    Cycle(String),
}

impl Plan {
    /// The plan a spec gives for `function`.
    ///
    /// # Errors
    /// When `@step` names clash.
    pub fn from_spec(function: &str, spec: &Spec) -> Result<Self, PlanError> {
        let mut steps: Vec<Step> =
            spec.steps.iter().map(|s| Step { name: s.name.clone(), needs: Vec::new() }).collect();
        steps.push(Step { name: function.to_owned(), needs: spec.steps.iter().map(|s| s.name.clone()).collect() });
        Plan { steps }.ordered()
    }

    /// Checks the plan and puts it in order (stable: given order where the DAG allows it).
    ///
    /// # Errors
    /// Names that clash, needs that are missing, cycles.
    pub fn ordered(self) -> Result<Self, PlanError> {
        let mut names = BTreeSet::new();
        for step in &self.steps {
            if !names.insert(step.name.clone()) {
                return Err(PlanError::DuplicateName(step.name.clone()));
            }
        }
        for step in &self.steps {
            if let Some(missing) = step.needs.iter().find(|n| !names.contains(*n)) {
                return Err(PlanError::Missing(step.name.clone(), missing.clone()));
            }
        }
        let mut waiting = self.steps;
        let mut done: BTreeSet<String> = BTreeSet::new();
        let mut steps = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|s| s.needs.iter().all(|n| done.contains(n)));
            if ready.is_empty() {
                return Err(PlanError::Cycle(rest.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ")));
            }
            done.extend(ready.iter().map(|s| s.name.clone()));
            steps.extend(ready);
            waiting = rest;
        }
        Ok(Plan { steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, needs: &[&str]) -> Step {
        Step { name: name.into(), needs: needs.iter().map(|s| (*s).into()).collect() }
    }

    #[test]
    fn orders_by_need_and_rejects_what_cannot_run() {
        let plan = Plan { steps: vec![step("c", &["a", "b"]), step("b", &["a"]), step("a", &[])] };
        let names: Vec<_> = plan.ordered().unwrap().steps.into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
        let cycle = Plan { steps: vec![step("a", &["b"]), step("b", &["a"]), step("c", &[])] };
        assert_eq!(cycle.ordered(), Err(PlanError::Cycle("a, b".into())));
        let missing = Plan { steps: vec![step("a", &["z"])] };
        assert_eq!(missing.ordered(), Err(PlanError::Missing("a".into(), "z".into())));
        let twice = Plan { steps: vec![step("a", &[]), step("a", &[])] };
        assert_eq!(twice.ordered(), Err(PlanError::DuplicateName("a".into())));
    }
}
