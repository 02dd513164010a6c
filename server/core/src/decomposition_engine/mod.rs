//! Plans: the DAG of steps a spec is decomposed into.
//!
//! `@step` lines are taken as given: each becomes a helper function, and the task's own function
//! is the last step, which may call them. A planner model may propose a plan instead
//! ([`proposal`]); it may split helpers again, and all levels become one DAG ([`Plan::split`]). A
//! spec without either is a plan of one step.
//!
//! Everything here is linear in the size of the plan, so that a plan of any length can be refused
//! without being worked through.

mod graph;
pub mod mentions;
pub mod names;
pub mod proposal;
pub mod signature_graph;

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

use crate::task_specification::{Example, Raises, Spec, StepDecl};

/// Steps that a plan may have unless the settings say otherwise (`planning.max_steps`).
pub const MAX_STEPS: usize = 100;

/// One step: one function to write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Step {
    /// The function's name.
    pub name: String,
    /// Parameters and return type as a `@step` line writes them, `(xs: list[int]) -> int`; empty for
    /// the task itself, whose signature stands in the file.
    pub signature: String,
    /// What it does; empty for the task itself, whose spec stands in the file.
    pub intent: String,
    /// Its own examples.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// Its own `@raises`.
    #[serde(default)]
    pub raises: Vec<Raises>,
    /// Steps whose functions this one may call, in plan order.
    pub needs: Vec<String>,
    /// How often its part of the task was split: 0 for the task itself, 1 for its helpers.
    #[serde(default)]
    pub depth: u32,
}

impl Step {
    fn from_decl(decl: &StepDecl) -> Self {
        Self {
            name: decl.name.clone(),
            signature: decl.signature.clone(),
            intent: decl.intent.clone(),
            examples: decl.examples.clone(),
            raises: decl.raises.clone(),
            needs: Vec::new(),
            depth: 1,
        }
    }

    /// The header as a prompt shows it: `half(n: int) -> int: half of n`.
    pub fn header(&self) -> String {
        format!("{}{}: {}", self.name, self.signature, self.intent)
    }
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
    /// More steps than the limit. Nothing else was looked at.
    #[error("it has {found} steps; at most {limit} are allowed (`planning.max_steps`)")]
    TooManySteps {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Two helpers have one name.
    #[error("two steps are named `{0}`; give each its own name")]
    DuplicateName(String),
    /// A helper is named like the function itself, which is the plan's last step anyway.
    #[error("a step is named `{0}` like the function that it is to help; give it another name")]
    NamedLikeTask(String),
    /// A step needs one that is not there.
    #[error("step `{0}` needs `{1}`, which is not in the plan")]
    Missing(String, String),
    /// Steps need each other in a circle.
    #[error("steps need each other in a circle: {0}")]
    Cycle(String),
    /// No step calls this one.
    #[error("no step calls `{0}`")]
    Unused(String),
}

impl Plan {
    /// The plan that the `@step` lines of a spec give for `function`, at most `limit` steps.
    ///
    /// A step needs the steps that its words or its signature mention ([`mentions`]); the function
    /// itself may call them all.
    ///
    /// # Errors
    /// Too many steps, names that clash, steps that mention each other in a circle.
    pub fn from_spec(function: &str, spec: &Spec, limit: usize) -> Result<Self, PlanError> {
        within(spec.steps.len() + 1, limit)?;
        let known: HashMap<&str, usize> = spec.steps.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
        let mut steps: Vec<Step> = spec.steps.iter().map(Step::from_decl).collect();
        for (at, step) in steps.iter_mut().enumerate() {
            let text = [step.signature.as_str(), step.intent.as_str()];
            let mut needs: Vec<usize> = text
                .into_iter()
                .flat_map(mentions::mentioned)
                .filter_map(|word| known.get(word).copied())
                .filter(|need| *need != at)
                .collect();
            needs.sort_unstable();
            needs.dedup();
            step.needs = needs.into_iter().map(|need| spec.steps[need].name.clone()).collect();
        }
        let needs = steps.iter().map(|s| s.name.clone()).collect();
        steps.push(Step { name: function.to_owned(), needs, ..Step::default() });
        Plan { steps }.ordered()
    }

    /// A plan of the task alone.
    pub fn of_one(function: &str) -> Self {
        Plan { steps: vec![Step { name: function.to_owned(), ..Step::default() }] }
    }

    /// Checks the plan and puts it in order (stable: given order where the DAG allows it).
    ///
    /// # Errors
    /// Names that clash, needs that are missing, cycles.
    pub fn ordered(self) -> Result<Self, PlanError> {
        self.ordered_beside(&HashSet::new())
    }

    /// As [`ordered`](Self::ordered), for a plan that may also need functions which are there already.
    ///
    /// # Errors
    /// As [`ordered`](Self::ordered).
    pub fn ordered_beside(self, there: &HashSet<&str>) -> Result<Self, PlanError> {
        let needs = self.indices(there)?;
        let order = graph::order(&needs).map_err(|cycle| {
            let names: Vec<&str> = cycle.iter().map(|i| self.steps[*i].name.as_str()).collect();
            PlanError::Cycle(names.join(" -> "))
        })?;
        let mut steps: Vec<Option<Step>> = self.steps.into_iter().map(Some).collect();
        Ok(Plan { steps: order.into_iter().filter_map(|i| steps[i].take()).collect() })
    }

    /// That each step but the last is called, directly or not, by the last.
    ///
    /// # Errors
    /// The first step that nothing calls.
    pub fn all_used(&self) -> Result<(), PlanError> {
        let used = self.reached_from_last();
        let unused = self.steps.iter().zip(&used).find(|(_, used)| !**used);
        unused.map_or(Ok(()), |(step, _)| Err(PlanError::Unused(step.name.clone())))
    }

    /// The step of this name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.name == name)
    }

    /// The steps that `name` may call, directly or not, in plan order.
    pub fn below(&self, name: &str) -> Vec<&Step> {
        let mut wanted: HashSet<&str> = HashSet::new();
        // Needs come before the steps that need them, so one pass from the end sees all.
        for step in self.steps.iter().rev() {
            if step.name == name || wanted.contains(step.name.as_str()) {
                wanted.extend(step.needs.iter().map(String::as_str));
            }
        }
        self.steps.iter().filter(|s| wanted.contains(s.name.as_str())).collect()
    }

    /// Replaces a helper by itself with helpers of its own: those of `sub`, a plan whose last step is
    /// the helper, and which may need steps of this plan too. Names must be settled before
    /// ([`names::settle`]).
    ///
    /// # Errors
    /// Too many steps, names that clash, needs that are missing.
    pub fn split(mut self, sub: Plan, limit: usize) -> Result<Self, PlanError> {
        let Some((last, helpers)) = sub.steps.split_last() else { return Ok(self) };
        within(self.steps.len() + helpers.len(), limit)?;
        let Some(at) = self.steps.iter().position(|s| s.name == last.name) else { return Ok(self) };
        let own = &mut self.steps[at];
        let depth = own.depth + 1;
        let new: Vec<String> = last.needs.iter().filter(|n| !own.needs.contains(n)).cloned().collect();
        own.needs.extend(new);
        self.steps.splice(at..at, helpers.iter().map(|helper| Step { depth, ..helper.clone() }));
        self.ordered()
    }

    /// Needs as places in the plan.
    fn indices(&self, there: &HashSet<&str>) -> Result<Vec<Vec<usize>>, PlanError> {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(self.steps.len());
        for (i, step) in self.steps.iter().enumerate() {
            if places.insert(&step.name, i).is_some() {
                let is_task = i + 1 == self.steps.len();
                let why = if is_task { PlanError::NamedLikeTask } else { PlanError::DuplicateName };
                return Err(why(step.name.clone()));
            }
        }
        let place = |step: &Step, need: &String| {
            places.get(need.as_str()).copied().ok_or_else(|| PlanError::Missing(step.name.clone(), need.clone()))
        };
        let inner = |step: &Step| {
            let needs = step.needs.iter().filter(|n| places.contains_key(n.as_str()) || !there.contains(n.as_str()));
            needs.map(|n| place(step, n)).collect()
        };
        self.steps.iter().map(inner).collect()
    }

    fn reached_from_last(&self) -> Vec<bool> {
        let last = self.steps.last().map_or("", |s| s.name.as_str());
        let below: HashSet<&str> = self.below(last).into_iter().map(|s| s.name.as_str()).collect();
        self.steps.iter().map(|s| s.name == last || below.contains(s.name.as_str())).collect()
    }
}

fn within(found: usize, limit: usize) -> Result<(), PlanError> {
    if found > limit { Err(PlanError::TooManySteps { found, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
