//! What testers say about a recorded task, and what its candidates make of it: asked and tried as in a live
//! run, once per task.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroerr_agents::orchestrator::AgentRules;
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::advice::{Errand, Said, Trial, by_code, distinct};
use zeroerr_core::code::Candidate;
use zeroerr_core::ports::Model;
use zeroerr_llm::prompt_templates::advisers::tester_messages;
use zeroerr_verification::languages::CheckError;
use zeroerr_verification::verification_stack::VerificationStack;

use super::cache::{self, Known};
use super::observe::Observed;
use super::policy::Adviser;
use crate::advisers::About;
use crate::executor::StepContext;
use crate::options::RunOptions;

/// The agents beside the coders, and the models that they use.
#[derive(Clone)]
pub struct Panel {
    /// Who takes part, and what their word costs.
    pub rules: AgentRules,
    /// The models they use, in turns.
    pub models: Vec<Arc<dyn Model>>,
    /// As in live runs: tests per tester, tokens.
    pub options: RunOptions,
}

impl Panel {
    /// Who is asked.
    pub(super) fn advisers(&self) -> Vec<Adviser> {
        let AgentRules { testers, critic, discriminators, .. } = self.rules;
        let asked =
            [(Adviser::Testers, testers > 0), (Adviser::Critic, critic), (Adviser::Discriminators, discriminators > 0)];
        asked.into_iter().filter(|(_, asked)| *asked).map(|(adviser, _)| adviser).collect()
    }

    /// A task as its agents get to see it.
    pub(super) fn context(&self, stack: &Arc<VerificationStack>, observed: &Observed, seed: u64) -> StepContext {
        let swarm = Swarm {
            models: self.models.iter().map(|m| m.name().to_owned()).collect(),
            first_temperature: self.options.first_temperature,
            temperature: self.options.temperature,
            seed,
        };
        let task = observed.task.clone();
        StepContext::new(task, Arc::clone(stack), self.models.clone(), swarm, self.options.clone())
    }

    /// What its answers depend on, beside the task and the number of testers.
    pub(super) fn key(&self) -> String {
        let models: Vec<&str> = self.models.iter().map(|m| m.name()).collect();
        let RunOptions { temperature, top_p, max_tokens, .. } = &self.options;
        format!("{models:?} {temperature} {top_p} {max_tokens}")
    }
}

/// What testers said of one task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// Per tester its answer.
    pub said: Vec<Said>,
    /// Per candidate that passes the examples, what it makes of each claim; nothing where it could not be tried.
    pub trials: BTreeMap<usize, Vec<(String, Trial)>>,
    /// Tests that the reference solution passes, of those it could be tried on.
    pub truth: Vec<(String, bool)>,
}

/// What advice on a task depends on, beside what its observation does.
pub(super) fn key(observed_key: &str, panel: &Panel, observed: &Observed) -> String {
    let messages = tester_messages(&observed.task, panel.options.agents.tests);
    cache::key(&[observed_key.to_owned(), panel.key(), format!("{messages:?}"), panel.rules.testers.to_string()])
}

/// Asks the testers and tries the candidates.
///
/// # Errors
/// What the machine lacks.
pub(super) async fn all(
    stack: &Arc<VerificationStack>,
    panel: &Panel,
    observed: &Observed,
    known: &Known,
    solution: Option<Candidate>,
    seed: u64,
) -> Result<Advice, CheckError> {
    let context = panel.context(stack, observed, seed);
    let mut said = Vec::new();
    for n in 0..panel.rules.testers {
        said.push(context.advise(Errand::Test(n), About::default()).await.said);
    }
    let claims = distinct(said.iter().flat_map(|s| if let Said::Claims(claims) = s { claims.as_slice() } else { &[] }));
    if claims.is_empty() {
        return Ok(Advice { said, ..Advice::default() });
    }
    let places = known.may_vote();
    let mut candidates: Vec<Candidate> = places.iter().filter_map(|n| observed.candidates.get(*n)).cloned().collect();
    let reference = solution.map(|s| {
        candidates.push(s);
        candidates.len() - 1
    });
    let tried = stack.examine(&observed.task, &candidates, &claims).await?;
    let trials = places.iter().zip(&tried).map(|(place, trials)| (*place, by_code(&claims, trials))).collect();
    let of_reference = reference.and_then(|r| tried.get(r));
    let tests = of_reference.map(|trials| by_code(&claims, trials)).unwrap_or_default().into_iter();
    let is_test = |code: &str| claims.iter().any(|c| c.expected.is_some() && c.code() == code);
    let truth = tests.filter(|(code, _)| is_test(code)).map(|(code, trial)| (code, trial.holds)).collect();
    Ok(Advice { said, trials, truth })
}
