//! What agents other than the coder contribute to a vote: tests, inputs and objections.
//!
//! None of it is trusted. Of the tests that a model writes about a function it cannot write, two of three
//! are false (measured); so nothing here can reject a candidate or make one win. It can split a
//! behaviour, and it can ask for more votes (docs/decisions/0011-agents-can-only-object.md).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::voting_engine::Fingerprint;
use crate::voting_engine::tally::VoteId;

/// One thing that one agent is asked for, once per step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Tester number so-and-so writes tests.
    Test(u32),
    /// A discriminator looks for inputs on which the candidates of two samples may differ.
    Discriminate(u32),
    /// A critic reads the candidate of a sample that every required layer has passed.
    Criticise(VoteId),
}

impl Errand {
    /// Who does it.
    pub fn agent(self) -> &'static str {
        match self {
            Errand::Test(_) => "tester",
            Errand::Discriminate(_) => "discriminator",
            Errand::Criticise(_) => "critic",
        }
    }
}

/// A call, and what it should give if a tester said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The call, as source code.
    pub call: String,
    /// The value that a tester expects; `None` for an input without a word on its outcome.
    pub expected: Option<String>,
    /// Whether the call looks like those of the spec's examples: only then may what candidates do on it
    /// tell them apart.
    pub inside: bool,
}

impl Claim {
    /// The claim as one expression.
    pub fn code(&self) -> String {
        match &self.expected {
            Some(expected) => format!("{} == {expected}", self.call),
            None => self.call.clone(),
        }
    }
}

/// What an agent answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Tests or inputs, those that could be read.
    Claims(Vec<Claim>),
    /// A critic's objection.
    Objection(String),
    /// Nothing of use; why.
    Nothing(String),
}

/// What one candidate made of one claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// What the call gave, in the words of fingerprints; `None` where it was not allowed or could not be
    /// made.
    pub outcome: Option<String>,
    /// Whether the expected value came out.
    pub holds: bool,
}

/// Claims that say different things: the first of each.
pub fn distinct<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Vec<Claim> {
    let mut found: Vec<Claim> = Vec::new();
    for claim in claims {
        if !found.iter().any(|known| known.code() == claim.code()) {
            found.push(claim.clone());
        }
    }
    found
}

/// What one candidate made of claims, by their code: as journals and caches keep it.
pub fn by_code(claims: &[Claim], trials: &[Trial]) -> Vec<(String, Trial)> {
    claims.iter().map(Claim::code).zip(trials.iter().cloned()).collect()
}

/// What a candidate does on the calls that may tell candidates apart, each call once.
pub fn outcomes<'a>(
    claims: impl IntoIterator<Item = &'a Claim>,
    trial: impl Fn(&Claim) -> Option<&'a Trial>,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for claim in claims.into_iter().filter(|c| c.inside) {
        let Some(outcome) = trial(claim).and_then(|t| t.outcome.clone()) else { continue };
        if !found.iter().any(|(call, _)| *call == claim.call) {
            found.push((claim.call.clone(), outcome));
        }
    }
    found
}

/// A behaviour with outcomes on further calls.
pub fn refined(plain: &Fingerprint, outcomes: &[(String, String)]) -> Fingerprint {
    let new = outcomes.iter().filter(|(call, _)| !plain.outcomes.iter().any(|(known, _)| known == call));
    Fingerprint { outcomes: plain.outcomes.iter().chain(new).cloned().collect() }
}

/// What agents contributed to a step, for reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdviceReport {
    /// The testers' tests, in the order in which they were taken.
    pub tests: Vec<TestReport>,
    /// Sets of votes whose candidates pass the same tests, the highest score first (CodeT's agreement).
    pub agreement: Vec<AgreementReport>,
    /// Whether the tests speak for another behaviour than the one that is ahead.
    pub tests_object: bool,
    /// Calls that testers and discriminators proposed, and whether they told candidates apart.
    pub inputs: Vec<InputReport>,
    /// What critics held against winners.
    pub objections: Vec<ObjectionReport>,
    /// How many votes more than otherwise the leader needs.
    pub extra_lead: u32,
    /// Samples that were granted beyond the attempts of the step, because more votes were asked for.
    pub granted: u32,
    /// Tokens that these agents wrote.
    pub completion_tokens: u64,
    /// Errands that came to nothing, and why.
    pub nothing: BTreeMap<String, String>,
}

/// One generated test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// `f(1) == 2`.
    pub code: String,
    /// Votes whose candidates pass it.
    pub passed: u32,
    /// Votes whose candidates were tried.
    pub of: u32,
}

/// Votes that pass the same tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementReport {
    /// Their classes, by short name.
    pub classes: Vec<String>,
    /// How many they are.
    pub votes: u32,
    /// How many tests they pass.
    pub tests: u32,
    /// Votes times tests.
    pub score: u64,
}

/// One proposed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputReport {
    /// The call.
    pub call: String,
    /// `tester` or `discriminator`.
    pub by: String,
    /// Whether it is like the examples' calls; only such a call may split a class.
    pub inside: bool,
    /// Different outcomes on it among the voting candidates.
    pub outcomes: u32,
}

/// One objection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectionReport {
    /// The class that it was raised against, by short name.
    pub class: String,
    /// What was said.
    pub text: String,
}
