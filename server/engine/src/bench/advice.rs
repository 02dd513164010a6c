//! What testers say about a recorded task, and what its candidates make of it: asked and tried as in a live
//! run, once per task.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroerr_agents::orchestrator::AgentRules;
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::advice::{Claim, Errand, Said, Trial};
use zeroerr_core::code::Candidate;
use zeroerr_core::ports::Model;
use zeroerr_llm::prompt_templates::advisers::tester_messages;
use zeroerr_verification::languages::CheckError;
use zeroerr_verification::verification_stack::VerificationStack;

use super::cache::{self, Known};
use super::observe::Observed;
use crate::advisers::About;
use crate::executor::StepContext;
use crate::options::RunOptions;

/// Who writes tests, and what the tests cost a leader that they speak against.
#[derive(Clone)]
pub struct Testers {
    /// Testers per task.
    pub count: u32,
    /// The models they use, in turns.
    pub models: Vec<Arc<dyn Model>>,
    /// As in live runs: tests per tester, weak votes, tokens.
    pub options: RunOptions,
}

impl Testers {
    /// What the orchestrator is told of them; nobody else advises.
    pub(super) fn rules(&self) -> AgentRules {
        let weak_votes = self.options.agents.rules.weak_votes;
        AgentRules { testers: self.count, weak_votes, ..AgentRules::default() }
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

impl Advice {
    /// What an agent is recorded to have said.
    pub(super) fn answer(&self, errand: Errand) -> Said {
        let said = match errand {
            Errand::Test(n) => self.said.get(n as usize).cloned(),
            Errand::Discriminate(_) | Errand::Criticise(_) => None,
        };
        said.unwrap_or_else(|| Said::Nothing("nobody was asked".into()))
    }
}

/// What advice on a task depends on, beside what its observation does.
pub(super) fn key(observed_key: &str, testers: &Testers, observed: &Observed) -> String {
    let models: Vec<&str> = testers.models.iter().map(|m| m.name()).collect();
    let options = &testers.options;
    let messages = tester_messages(&observed.task, options.agents.tests);
    let fixed = [
        observed_key.to_owned(),
        models.join(" "),
        format!("{messages:?}"),
        format!("{} {} {} {}", testers.count, options.temperature, options.top_p, options.max_tokens),
    ];
    cache::key(&fixed)
}

/// Asks the testers and tries the candidates.
///
/// # Errors
/// What the machine lacks.
pub(super) async fn all(
    stack: &Arc<VerificationStack>,
    testers: &Testers,
    observed: &Observed,
    known: &Known,
    solution: Option<Candidate>,
    seed: u64,
) -> Result<Advice, CheckError> {
    let swarm = Swarm {
        models: testers.models.iter().map(|m| m.name().to_owned()).collect(),
        first_temperature: testers.options.first_temperature,
        temperature: testers.options.temperature,
        seed,
    };
    let task = observed.task.clone();
    let context = StepContext::new(task, Arc::clone(stack), testers.models.clone(), swarm, testers.options.clone());
    let mut said = Vec::new();
    for n in 0..testers.count {
        said.push(context.advise(Errand::Test(n), About::default()).await.said);
    }
    let mut claims: Vec<Claim> = Vec::new();
    for claim in said.iter().flat_map(|s| if let Said::Claims(claims) = s { claims.as_slice() } else { &[] }) {
        if !claims.iter().any(|c| c.code() == claim.code()) {
            claims.push(claim.clone());
        }
    }
    if claims.is_empty() {
        return Ok(Advice { said, ..Advice::default() });
    }
    let may_vote = |(_, seen): &(usize, &zeroerr_verification::languages::Observation)| {
        seen.objection.is_none() && seen.behaviour.is_some()
    };
    let places: Vec<usize> = known.seen.iter().enumerate().filter(may_vote).map(|(n, _)| n).collect();
    let mut candidates: Vec<Candidate> = places.iter().filter_map(|n| observed.candidates.get(*n)).cloned().collect();
    let reference = solution.map(|s| {
        candidates.push(s);
        candidates.len() - 1
    });
    let tried = stack.examine(&observed.task, &candidates, &claims).await?;
    let codes: Vec<String> = claims.iter().map(Claim::code).collect();
    let named = |trials: &Vec<Trial>| codes.iter().cloned().zip(trials.iter().cloned()).collect::<Vec<_>>();
    let trials = places.iter().zip(&tried).map(|(place, trials)| (*place, named(trials))).collect();
    let tests = reference.and_then(|r| tried.get(r)).map(named).unwrap_or_default().into_iter();
    let is_test = |code: &str| claims.iter().any(|c| c.expected.is_some() && c.code() == code);
    let truth = tests.filter(|(code, _)| is_test(code)).map(|(code, trial)| (code, trial.holds)).collect();
    Ok(Advice { said, trials, truth })
}
