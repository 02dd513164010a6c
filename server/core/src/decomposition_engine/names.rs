//! Names that clash: a helper named like something in the file, or like a helper of another step,
//! gets a name of its own, and everything that speaks of it is told.

use std::collections::{HashMap, HashSet};

use super::mentions::{TextKind, renamed};
use super::{Plan, Step};

/// A name that nobody has: `half_2`, or `halfOf2` where the name is in camel case.
pub fn free_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let camel = !name.contains('_') && name.chars().any(char::is_uppercase);
    let gap = if camel { "" } else { "_" };
    let mut number = 2u64;
    loop {
        let candidate = format!("{name}{gap}{number}");
        if !is_taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

/// Gives every helper (not the last step, whose name stands in the file) whose name `is_taken`
/// another one; needs, words and examples of all steps follow. Returns old and new names.
pub fn settle(plan: &mut Plan, is_taken: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut own: HashSet<String> = plan.steps.iter().map(|s| s.name.clone()).collect();
    let helpers = plan.steps.len().saturating_sub(1);
    let mut changed = Vec::new();
    for step in plan.steps.iter().take(helpers).filter(|s| is_taken(&s.name)) {
        let new = free_name(&step.name, |n| is_taken(n) || own.contains(n));
        own.insert(new.clone());
        changed.push((step.name.clone(), new));
    }
    let table: HashMap<&str, &str> = changed.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
    if !table.is_empty() {
        plan.steps.iter_mut().for_each(|step| rename(step, &table));
    }
    changed
}

fn rename(step: &mut Step, table: &HashMap<&str, &str>) {
    let new = |word: &str| table.get(word).map(|new| (*new).to_owned());
    let code = |text: &str| renamed(text, TextKind::Code, new);
    if !step.signature.is_empty() {
        step.name = new(&step.name).unwrap_or_else(|| step.name.clone());
    }
    step.needs.iter_mut().for_each(|need| *need = new(need).unwrap_or_else(|| need.clone()));
    step.intent = renamed(&step.intent, TextKind::Prose, new);
    for example in &mut step.examples {
        example.code = code(&example.code);
        example.equation = example.equation.take().map(|(call, value)| (code(&call), code(&value)));
    }
    for raises in &mut step.raises {
        raises.call = code(&raises.call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::TextRange;
    use crate::task_specification::Raises;

    #[test]
    fn a_taken_name_is_changed_wherever_it_is_spoken_of() {
        let step = |name: &str, intent: &str, needs: &[&str]| Step {
            name: name.into(),
            signature: "(n: int) -> int".into(),
            intent: intent.into(),
            needs: needs.iter().map(|n| (*n).into()).collect(),
            ..Step::default()
        };
        let mut half = step("half", "half of n", &[]);
        half.raises =
            vec![Raises { exception: "ValueError".into(), call: "half(-1)".into(), range: TextRange::default() }];
        let last = Step { name: "f".into(), needs: vec!["half".into(), "both".into()], ..Step::default() };
        let mut plan = Plan { steps: vec![half, step("both", "half(n) twice", &["half"]), last] };
        let changed = settle(&mut plan, |n| ["half", "half_2", "f"].contains(&n));
        assert_eq!(changed, [("half".to_owned(), "half_3".to_owned())]);
        assert_eq!(plan.steps[0].name, "half_3");
        assert_eq!(plan.steps[0].intent, "half of n", "a plain word is no name");
        assert_eq!(plan.steps[0].raises[0].call, "half_3(-1)");
        assert_eq!(
            (plan.steps[1].intent.as_str(), &plan.steps[1].needs),
            ("half_3(n) twice", &vec!["half_3".to_owned()])
        );
        assert_eq!(plan.steps[2].name, "f", "the task keeps its name");
        assert_eq!(plan.steps[2].needs, ["half_3", "both"]);
    }

    #[test]
    fn camel_case_stays_camel_case() {
        assert_eq!(free_name("halfOf", |_| false), "halfOf2");
        assert_eq!(free_name("half_of", |n| n == "half_of_2"), "half_of_3");
    }
}
