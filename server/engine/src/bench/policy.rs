//! Policies over recorded samples: each is the orchestrator of live runs, fed with fates as this policy
//! would see them.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use zeroerr_agents::orchestrator::{AgentRules, Command, Event, StepEnd, StepMachine, StepRules, Verification};
use zeroerr_core::advice::{Errand, Said, Trial};
use zeroerr_core::code::Candidate;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::state_manager::SampleFate;
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_core::voting_engine::consensus::{Evidence, answer_of};

use super::advice::Advice;
use super::reviews::{Review, Reviews};

/// How a winner is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// The first sample that passes the examples.
    FirstPassing,
    /// Votes for the text.
    Text,
    /// Votes for the syntax tree with its locals renamed.
    Tree,
    /// Votes for the behaviour, whatever the examples say.
    Behaviour,
    /// Votes for the behaviour of those that pass the examples.
    Gated,
    /// Votes input by input and near misses, and the stack in the loop.
    Ours,
    /// [`Gated`](Policy::Gated), with agents that advise.
    GatedAdvised(Adviser),
    /// [`Ours`](Policy::Ours), with agents that advise.
    OursAdvised(Adviser),
}

/// Which agents beside the coders take part in a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Adviser {
    /// They write tests.
    Testers,
    /// It reads winners.
    Critic,
    /// They look for inputs.
    Discriminators,
}

impl Policy {
    /// Those that need no model, in the order of the table.
    pub const ALL: [Policy; 6] =
        [Policy::FirstPassing, Policy::Text, Policy::Tree, Policy::Behaviour, Policy::Gated, Policy::Ours];

    /// Those that ask this agent.
    pub fn advised(by: Adviser) -> [Policy; 2] {
        [Policy::GatedAdvised(by), Policy::OursAdvised(by)]
    }

    /// The same without agents that advise.
    pub fn alone(self) -> Policy {
        match self {
            Policy::GatedAdvised(_) => Policy::Gated,
            Policy::OursAdvised(_) => Policy::Ours,
            other => other,
        }
    }

    /// Who advises.
    pub fn adviser(self) -> Option<Adviser> {
        match self {
            Policy::GatedAdvised(by) | Policy::OursAdvised(by) => Some(by),
            _ => None,
        }
    }

    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Policy::FirstPassing => "first passing sample",
            Policy::Text => "text votes",
            Policy::Tree => "tree votes",
            Policy::Behaviour => "behaviour votes",
            Policy::Gated => "gate + behaviour votes",
            Policy::Ours => "ours",
            Policy::GatedAdvised(Adviser::Testers) => "gate + beh. + testers",
            Policy::GatedAdvised(Adviser::Critic) => "gate + beh. + critic",
            Policy::GatedAdvised(Adviser::Discriminators) => "gate + beh. + discr.",
            Policy::OursAdvised(Adviser::Testers) => "ours + testers",
            Policy::OursAdvised(Adviser::Critic) => "ours + critic",
            Policy::OursAdvised(Adviser::Discriminators) => "ours + discr.",
        }
    }

    /// Whether the lead means anything for it.
    pub fn has_k(self) -> bool {
        self != Policy::FirstPassing
    }

    /// Whether the layers are asked about its winners: hundreds, for those that take what comes first.
    pub fn asks_layers(self) -> bool {
        matches!(self.alone(), Policy::Gated | Policy::Ours)
    }

    fn has_gate(self) -> bool {
        matches!(self, Policy::FirstPassing | Policy::Gated | Policy::Ours)
    }
}

/// One distinct candidate of a task, as far as policies and figures need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Voter {
    /// Its text.
    pub text: String,
    /// Its syntax tree; `None` where it cannot stand in the file.
    pub tree: Option<String>,
    /// Whether it passes the examples.
    pub passes: bool,
    /// Whether it fails exactly one.
    pub is_near: bool,
    /// Whether it may not vote for another reason than an example.
    pub is_unfit: bool,
    /// What it does.
    pub behaviour: Option<Fingerprint>,
    /// Whether the hidden test accepts it.
    pub is_right: bool,
}

/// One task, ready for any number of replays.
#[derive(Debug, Clone)]
pub struct Case {
    /// The task's id.
    pub id: String,
    /// Per sample its candidate, or its red flag.
    pub samples: Vec<Result<usize, RedFlag>>,
    /// The candidates.
    pub voters: Vec<Voter>,
    /// What votes are weighed by, none counted yet.
    evidence: Evidence,
    /// Inputs of the fingerprints.
    pub(super) inputs: Vec<String>,
    /// Whether each looks like those of the examples.
    pub(super) is_usual: Vec<bool>,
    /// Per candidate and input the number of its answer; no row for what could not be run.
    pub(super) answers: Vec<Option<Vec<u32>>>,
    /// The answers of the reference solution.
    pub(super) truth: Option<Vec<u32>>,
    fates: BTreeMap<Policy, Vec<SampleFate>>,
    /// What agents said, and what that may cost.
    pub(super) heard: Heard,
}

/// What agents other than the coders said of a task.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Testers; `None` where none were asked.
    pub tests: Option<Advice>,
    /// Critics and discriminators, as far as they were asked.
    pub reviews: Reviews,
    /// Who takes part, and what their word costs.
    pub rules: AgentRules,
}

impl Heard {
    /// The rules of a replay with this agent alone.
    fn rules(&self, adviser: Option<Adviser>) -> AgentRules {
        let AgentRules { testers, weak_votes, critic, objection_votes, discriminators } = self.rules;
        match adviser {
            None => AgentRules::default(),
            Some(Adviser::Testers) => AgentRules { testers, weak_votes, ..AgentRules::default() },
            Some(Adviser::Critic) => AgentRules { critic, objection_votes, ..AgentRules::default() },
            Some(Adviser::Discriminators) => AgentRules { discriminators, ..AgentRules::default() },
        }
    }

    /// What came of a candidate, by claim.
    fn trials(&self, adviser: Option<Adviser>, candidate: usize) -> Vec<(String, Trial)> {
        let known = match adviser {
            Some(Adviser::Testers) => self.tests.as_ref().and_then(|t| t.trials.get(&candidate)),
            _ => self.reviews.trials.get(&candidate),
        };
        known.cloned().unwrap_or_default()
    }
}

/// How one replay went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// The winner, if any.
    pub winner: Option<usize>,
    /// Samples that were counted.
    pub samples: u32,
    /// A candidate that the stack has to be asked about before this can be relied on.
    pub unverified: Option<usize>,
    /// What a critic or a discriminator has to be asked before this can be relied on.
    pub unheard: Option<Review>,
}

/// What the stack says of a candidate, as far as it was asked.
pub type StackSays<'a> = &'a dyn Fn(usize) -> Option<bool>;

/// The number of "no answer" among answers.
pub(super) const NOTHING: u32 = 0;

impl Case {
    /// A case; `evidence` knows the spec and no vote.
    pub fn new(
        id: String,
        evidence: Evidence,
        samples: Vec<Result<usize, RedFlag>>,
        voters: Vec<Voter>,
        reference: Option<&Fingerprint>,
    ) -> Self {
        let longest = voters.iter().filter_map(|v| v.behaviour.as_ref()).max_by_key(|b| b.outcomes.len());
        let inputs: Vec<String> = longest.iter().flat_map(|b| b.outcomes.iter().map(|(i, _)| i.clone())).collect();
        let is_usual: Vec<bool> = inputs.iter().map(|input| evidence.speaks_of(input)).collect();
        let mut known = HashMap::new();
        let answers = voters.iter().map(|v| v.behaviour.as_ref().map(|b| row(&inputs, b, &mut known))).collect();
        let truth = reference.map(|b| row(&inputs, b, &mut known));
        let mut told = telling(&voters);
        // What all answer alike on inputs like the examples says how alike they are.
        told.extend(inputs.iter().zip(&is_usual).filter(|(_, usual)| **usual).map(|(input, _)| input.as_str()));
        let fates = Policy::ALL.into_iter().map(|p| (p, fates(&voters, p, &told))).collect();
        Self { id, samples, voters, evidence, inputs, is_usual, answers, truth, fates, heard: Heard::default() }
    }

    /// Replays the samples in this order. Where the stack's word is not known yet, acceptance is
    /// assumed and said.
    pub fn replay(
        &self,
        policy: Policy,
        rules: StepRules,
        order: &[usize],
        asked: &[usize],
        stack: StackSays<'_>,
    ) -> Replayed {
        let max_attempts = rules.max_attempts.min(order.len() as u32);
        let mut machine = StepMachine::new(self.id.clone(), StepRules { max_attempts, in_flight: 1, ..rules });
        let adviser = policy.adviser();
        machine = machine.advised_by(self.heard.rules(adviser));
        let policy = policy.alone();
        if policy == Policy::Ours {
            machine = machine.with_evidence(self.evidence(asked.len() as u32));
        }
        let mut next = order.iter().copied();
        let mut drawn: HashMap<u64, usize> = HashMap::new();
        let mut commands = VecDeque::from(machine.start());
        let mut replayed = Replayed { winner: None, samples: 0, unverified: None, unheard: None };
        while let Some(command) = commands.pop_front() {
            let event = match command {
                Command::Draw { id } => {
                    let sample = next.next().and_then(|n| self.samples.get(n));
                    drawn.extend(sample.iter().filter_map(|s| s.as_ref().ok()).map(|c| (id, *c)));
                    Event::Sampled { id, completion_tokens: 0, fate: self.fate(policy, sample, asked) }
                }
                Command::Verify { id, round, .. } => {
                    let winner = drawn.get(&id).copied().filter(|_| policy == Policy::Ours);
                    let says = winner.map(stack);
                    if says == Some(None) {
                        replayed.unverified = winner;
                    }
                    let refuted = says == Some(Some(false));
                    let refuted = refuted.then(|| Verification::Refuted("a layer objected".into()));
                    Event::Verified { round, verification: refuted.unwrap_or(Verification::Accepted) }
                }
                Command::Ask { errand, about } => {
                    let about: Vec<usize> = about.iter().filter_map(|id| drawn.get(id).copied()).collect();
                    let said = self.said(errand, &about).unwrap_or_else(|open| {
                        replayed.unheard = open.or(replayed.unheard);
                        Said::Nothing("nobody was asked".into())
                    });
                    Event::Advised { errand, completion_tokens: 0, said }
                }
                Command::Try { ids, .. } => {
                    let trials = |id| drawn.get(&id).map_or_else(Vec::new, |c| self.heard.trials(adviser, *c));
                    Event::Tried { trials: ids.into_iter().map(|id| (id, trials(id))).collect() }
                }
                Command::Cancel { .. } => continue,
                Command::Finish(StepEnd::Won { id, .. }) => {
                    replayed.winner = drawn.get(&id).copied();
                    break;
                }
                Command::Finish(_) => break,
            };
            commands.extend(machine.handle(event));
        }
        replayed.samples = machine.samples();
        replayed
    }

    /// What an agent says of these candidates, or what it has to be asked.
    fn said(&self, errand: Errand, about: &[usize]) -> Result<Said, Option<Review>> {
        let review = match (errand, about) {
            (Errand::Test(n), _) => {
                let said = self.heard.tests.as_ref().and_then(|tests| tests.said.get(n as usize));
                return said.cloned().ok_or(None);
            }
            (Errand::Criticise(_), [candidate]) => Review::Critique(*candidate),
            (Errand::Discriminate(turn), [a, b]) => Review::Inputs(turn, *a.min(b), *a.max(b)),
            _ => return Err(None),
        };
        self.heard.reviews.said(review).cloned().ok_or(Some(review))
    }

    /// No vote counted yet, so many questions answered.
    pub(super) fn evidence(&self, answered: u32) -> Evidence {
        self.evidence.clone().answered(answered)
    }

    /// What becomes of a sample.
    fn fate(&self, policy: Policy, sample: Option<&Result<usize, RedFlag>>, asked: &[usize]) -> SampleFate {
        let candidate = match sample {
            Some(Ok(candidate)) => *candidate,
            Some(Err(flag)) => return SampleFate::Flagged(*flag),
            None => return SampleFate::Failed("no sample is left".into()),
        };
        let Some(fate) = self.fates.get(&policy).and_then(|f| f.get(candidate)) else { return lost() };
        match fate {
            // As a live run counts it: questions are chosen to split, so failing one is no near miss.
            SampleFate::Votes { .. } if !self.agrees(candidate, asked) => lost(),
            fate => fate.clone(),
        }
    }

    /// Whether a candidate answers as the reference solution does where that was asked.
    pub(super) fn agrees(&self, candidate: usize, asked: &[usize]) -> bool {
        let (Some(truth), Some(Some(row))) = (&self.truth, self.answers.get(candidate)) else {
            return asked.is_empty();
        };
        asked.iter().all(|input| row.get(*input) == truth.get(*input))
    }
}

/// The answers of one behaviour as numbers.
fn row(inputs: &[String], behaviour: &Fingerprint, known: &mut HashMap<String, u32>) -> Vec<u32> {
    let said: HashMap<&str, &str> = behaviour.outcomes.iter().map(|(i, o)| (i.as_str(), o.as_str())).collect();
    let number = |input: &String| match answer_of(said.get(input.as_str()).copied().unwrap_or("")).0 {
        "" => NOTHING,
        answer => {
            let next = known.len() as u32 + 1;
            *known.entry(answer.to_owned()).or_insert(next)
        }
    };
    inputs.iter().map(number).collect()
}

/// What becomes of each candidate under a policy.
fn fates(voters: &[Voter], policy: Policy, told: &HashSet<&str>) -> Vec<SampleFate> {
    let mut classes: HashMap<&Fingerprint, usize> = HashMap::new();
    let mut fate = |voter| fate_of(voter, policy, told, &mut classes);
    voters.iter().map(&mut fate).collect()
}

/// The inputs that set any two candidates apart. Of the others those beyond the examples change nothing, and leaving
/// them out makes thousands of replays quick.
fn telling(voters: &[Voter]) -> HashSet<&str> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let outcomes = voters.iter().filter_map(|v| v.behaviour.as_ref()).flat_map(|b| &b.outcomes);
    outcomes.filter(|(i, o)| *first.entry(i.as_str()).or_insert(o) != o.as_str()).map(|(i, _)| i.as_str()).collect()
}

fn fate_of<'v>(
    voter: &'v Voter,
    policy: Policy,
    told: &HashSet<&str>,
    classes: &mut HashMap<&'v Fingerprint, usize>,
) -> SampleFate {
    let told_of = |behaviour: &Fingerprint| {
        let outcomes = behaviour.outcomes.iter().filter(|(input, _)| told.contains(input.as_str()));
        Fingerprint { outcomes: outcomes.cloned().collect() }
    };
    if policy.has_gate() && !voter.passes {
        let (why, is_near) = ("an example failed".to_owned(), voter.is_near);
        return match &voter.behaviour {
            _ if voter.is_unfit => lost(),
            Some(behaviour) if policy == Policy::Ours => {
                SampleFate::Failing { why, is_near, behaviour: told_of(behaviour) }
            }
            _ if is_near => SampleFate::NearMiss(why),
            _ => SampleFate::GateRejected(why),
        };
    }
    let word = |text: &str| vote(Fingerprint { outcomes: vec![(String::new(), text.to_owned())] });
    match (policy, &voter.behaviour) {
        (Policy::Text, _) => word(&voter.text),
        (Policy::Tree, _) => voter.tree.as_deref().map_or_else(lost, word),
        (Policy::Ours, Some(behaviour)) => vote(told_of(behaviour)),
        // Only which of them are equal matters here, so a number does.
        (_, Some(behaviour)) => {
            let next = classes.len();
            word(&classes.entry(behaviour).or_insert(next).to_string())
        }
        (_, None) => lost(),
    }
}

fn vote(fingerprint: Fingerprint) -> SampleFate {
    let candidate = Candidate { function: String::new(), body: String::new(), imports: Vec::new() };
    SampleFate::Votes { candidate, fingerprint }
}

fn lost() -> SampleFate {
    SampleFate::Unfit("it cannot vote".into())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
