//! Makes a plan fit its file: helpers that are there already are not written again, and no helper
//! takes a name that something else has.

use std::collections::HashSet;

use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::decomposition_engine::mentions::words;
use zeroerr_core::decomposition_engine::names;
use zeroerr_core::decomposition_engine::{Plan, Step};
use zeroerr_verification::languages::Language;

use super::stub::in_javascript;

/// A plan that fits its file.
#[derive(Clone)]
pub(super) struct Settled {
    /// The steps to be run.
    pub plan: Plan,
    /// Headers of helpers that the file has already, with the signature that the plan asks for.
    pub given: Vec<String>,
    /// Helpers that got another name: old, new.
    pub renamed: Vec<(String, String)>,
}

/// Settles the names of a plan for `task`.
///
/// # Errors
/// One sentence when a step has claims of its own and its function is there already: nothing of this
/// plan would check them.
pub(super) fn settle(mut plan: Plan, task: &Task, language: &dyn Language) -> Result<Settled, String> {
    let main = task.signature.name.clone();
    let mut taken: HashSet<String> = language.names_taken(&task.source);
    taken.extend(task.signature.params.iter().map(|p| p.name.clone()));
    taken.insert(main.clone());
    let is_given = |step: &Step| step.name != main && taken.contains(&step.name) && is_there(step, task, language);
    let given: Vec<Step> = plan.steps.iter().filter(|s| is_given(s)).cloned().collect();
    if let Some(Step { name, .. }) = given.iter().find(|s| !s.examples.is_empty() || !s.raises.is_empty()) {
        return Err(format!(
            "step `{name}` has claims of its own, and the file has a function `{name}` already: move them above that function"
        ));
    }
    plan.steps.retain(|step| !given.iter().any(|g| g.name == step.name));
    for step in &mut plan.steps {
        step.needs.retain(|need| !given.iter().any(|g| g.name == *need));
    }
    let renamed = names::settle(&mut plan, |name| taken.contains(name));
    Ok(Settled { plan, given: given.iter().map(Step::header).collect(), renamed })
}

/// Whether the file has the function that a step asks for, written.
fn is_there(step: &Step, task: &Task, language: &dyn Language) -> bool {
    let same = |range: TextRange| {
        let Ok(found) = language.task_for_selection(&task.file, &task.source, range, &step.intent) else {
            return false;
        };
        found.signature.name == step.name && found.class.is_none() && !found.is_stub && has_signature(&found, step)
    };
    let places = words(&task.source).into_iter().filter(|w| w.text == step.name && w.is_mention);
    places.map(|w| TextRange::new(w.start, w.start + w.text.len())).take(50).any(same)
}

/// Whether a function has the parameters and the return type that a step asks for, white space aside.
pub(super) fn has_signature(found: &Task, step: &Step) -> bool {
    let header = found.signature.header.trim().trim_end_matches([':', '{']);
    let signature = squeezed(header.split_once(step.name.as_str()).map_or("", |(_, rest)| rest));
    // `const f = (n: number): number =>`
    let signature = signature.trim_start_matches('=').trim_end_matches("=>");
    // TypeScript writes the return type after a colon, JavaScript writes no types.
    signature == squeezed(&step.signature) || signature == squeezed(&in_javascript(&found.file, &step.signature))
}

fn squeezed(signature: &str) -> String {
    let bare: String = signature.chars().filter(|c| !c.is_whitespace()).collect();
    bare.replace(",)", ")")
}
