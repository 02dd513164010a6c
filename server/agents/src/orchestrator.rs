//! The orchestrator of one step, sans-IO: `(state, event) -> (state, commands)`.
//!
//! It decides how many samples are worth having in flight, when a class has won, when trying on is
//! pointless, and what a failed verification means.
//!
//! Samples end in any order and are **counted in the order of their numbers** (docs/decisions/0004):
//! the outcome is a function of what the samples say, not of which came first. So a run that was
//! killed and resumed, or that had more in flight, decides as an undisturbed one, and short answers
//! have no head start. Events may come late or twice: a sample counts once, and only while it is
//! awaited.
//!
//! What other agents than the coder say is taken only where counting has come to a point at which it matters
//! ([`advising`]), and only ever asks for more votes (docs/decisions/0011).

mod advising;
mod deciding;
mod plainly;
mod telling;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use zeroerr_core::advice::{Claim, Errand, Said, Trial};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_core::voting_engine::adaptive::Aim;
use zeroerr_core::voting_engine::consensus::Evidence;
use zeroerr_core::voting_engine::tally::{Tally, VoteId};

pub use self::advising::AgentRules;
use self::advising::{Advising, Settling};

/// The rules of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRules {
    /// Lead that decides, at least 1.
    pub k: u32,
    /// Samples at most.
    pub max_attempts: u32,
    /// Samples in flight at most.
    pub in_flight: u32,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A sample has ended.
    Sampled {
        /// Its number.
        id: u64,
        /// Tokens the model wrote.
        completion_tokens: u64,
        /// What became of it.
        fate: SampleFate,
    },
    /// The stack has judged a winner.
    Verified {
        /// Which verification has ended: a verdict that comes late or twice must not hit the next one, not
        /// even one of the same class, which a resumed run may ask for at once.
        round: u64,
        /// The verdict.
        verification: Verification,
    },
    /// A tester, discriminator or critic has answered.
    Advised {
        /// What it was asked for.
        errand: Errand,
        /// Tokens written.
        completion_tokens: u64,
        /// What it said.
        said: Said,
    },
    /// Candidates were tried on claims.
    Tried {
        /// Per sample what came of each; nothing for a candidate that could not be tried.
        trials: Vec<(VoteId, Vec<(String, Trial)>)>,
    },
    /// No model, no sandbox: going on is pointless.
    Broken(String),
}

/// What the full stack said of a winner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Every required layer passed and there was evidence.
    Accepted,
    /// A layer failed: this class may not win again; the text goes into the next prompts.
    Refuted(String),
    /// It may not be called verified for a reason no other class could mend (missing tool, no
    /// evidence).
    Undecidable(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Draw sample number `id`.
    Draw {
        /// Its number.
        id: u64,
    },
    /// Stop decoding these samples; their results no longer count.
    Cancel {
        /// Their numbers.
        ids: Vec<u64>,
    },
    /// Run the full stack on the candidate of sample `id`.
    Verify {
        /// The winning class.
        class: String,
        /// The first sample that voted for it.
        id: u64,
        /// The round that the verdict ends; there is one verification in each.
        round: u64,
    },
    /// Ask an agent.
    Ask {
        /// For what.
        errand: Errand,
        /// The samples whose candidates it is about.
        about: Vec<VoteId>,
    },
    /// Try the candidates of these samples on these claims.
    Try {
        /// The samples.
        ids: Vec<VoteId>,
        /// The claims.
        claims: Vec<Claim>,
    },
    /// The step has ended.
    Finish(StepEnd),
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// This class won and was accepted.
    Won {
        /// The class.
        class: String,
        /// The first sample that voted for it.
        id: u64,
    },
    /// No edit; the sentence says why.
    Abstained(String),
    /// It could not be done.
    Failed(String),
}

/// The state of one step. See the module.
#[derive(Debug, Clone)]
pub struct StepMachine {
    name: String,
    rules: StepRules,
    /// What makes the lead follow the votes, if anything does.
    aim: Option<Aim>,
    tally: Tally,
    /// The number that is counted next; all of this round below it are.
    cursor: u64,
    /// Ended before a sample with a lower number.
    early: BTreeMap<u64, SampleFate>,
    awaited: BTreeSet<u64>,
    /// Winners that were refuted so far; each begins a round with numbers of its own, because its
    /// findings change the prompts.
    round: u64,
    /// How far each earlier round was counted.
    rounds: Vec<u64>,
    counted: u32,
    ended: u32,
    verifying: Option<String>,
    /// Refutations that a journal remembers, by class.
    remembered: BTreeMap<String, String>,
    feedback: Vec<String>,
    end: Option<StepEnd>,
    classes: BTreeMap<String, Fingerprint>,
    red_flags: BTreeMap<RedFlag, u32>,
    gate_rejected: u32,
    last_rejection: Option<String>,
    model_failures: Vec<String>,
    completion_tokens: u64,
    /// Samples with a lower number were drawn by an earlier run.
    earlier: u32,
    taken_up: u32,
    evidence: Option<Evidence>,
    /// The candidate under verification.
    winner: u64,
    /// What testers, critics and discriminators do here; `None` when there are none.
    advising: Option<Box<Advising>>,
}

/// One class that may still win.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing<'a> {
    /// The first sample that voted for it.
    pub id: u64,
    /// What it does.
    pub fingerprint: &'a Fingerprint,
    /// Votes for it.
    pub votes: u32,
}

impl StepMachine {
    /// A step that has not begun.
    pub fn new(name: impl Into<String>, rules: StepRules) -> Self {
        let rules = StepRules { k: rules.k.max(1), in_flight: rules.in_flight.max(1), ..rules };
        Self {
            name: name.into(),
            rules,
            aim: None,
            tally: Tally::default(),
            cursor: 0,
            early: BTreeMap::new(),
            awaited: BTreeSet::new(),
            round: 0,
            rounds: Vec::new(),
            counted: 0,
            ended: 0,
            verifying: None,
            remembered: BTreeMap::new(),
            feedback: Vec::new(),
            end: None,
            classes: BTreeMap::new(),
            red_flags: BTreeMap::new(),
            gate_rejected: 0,
            last_rejection: None,
            model_failures: Vec::new(),
            completion_tokens: 0,
            earlier: 0,
            taken_up: 0,
            evidence: None,
            winner: 0,
            advising: None,
        }
    }

    /// Counts votes input by input and by what the examples are worth, instead of by whole
    /// behaviours; see [`zeroerr_core::voting_engine::consensus`].
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    /// The first `samples` numbers are samples that an earlier run has drawn; they are no attempts of this
    /// one.
    pub fn taking_up(mut self, samples: u32) -> Self {
        self.earlier = samples;
        self.rules.max_attempts = self.rules.max_attempts.saturating_add(samples);
        self
    }

    /// The lead follows the votes, and begins at what the aim asks for in the place of `k`. An aim
    /// without an answer changes nothing.
    pub fn aiming_at(mut self, aim: Option<Aim>) -> Self {
        let first = aim.and_then(|a| a.first_lead().ok());
        if let Some(lead) = first {
            self.rules.k = lead.max(1);
            self.aim = aim;
        }
        self
    }

    /// Takes up what a journal remembers of this step; records of other steps are ignored, and a
    /// sample that is recorded twice counts once. Call before [`start`](Self::start).
    pub fn restore(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Sample { step, id, completion_tokens, fate, .. } if *step == self.name => {
                    self.arrived(*id, *completion_tokens, fate.clone());
                }
                Record::Barred { step, class, feedback, .. } | Record::Blamed { step, class, feedback }
                    if *step == self.name =>
                {
                    self.remembered.insert(class.clone(), feedback.clone());
                }
                Record::Advised { step, errand, completion_tokens, said, .. } if *step == self.name => {
                    self.heard(*errand, *completion_tokens, said.clone());
                }
                Record::Tried { step, id, trials } if *step == self.name => self.learned(*id, trials),
                _ => {}
            }
        }
    }

    /// The first commands.
    pub fn start(&mut self) -> Vec<Command> {
        self.advance()
    }

    /// Takes an event. Events after the end, for samples that are not awaited, or about a
    /// verification that is not under way change nothing.
    pub fn handle(&mut self, event: Event) -> Vec<Command> {
        if self.end.is_some() {
            return Vec::new();
        }
        match event {
            Event::Sampled { id, completion_tokens, fate } => {
                if !self.awaited.remove(&id) {
                    return Vec::new();
                }
                self.arrived(id, completion_tokens, fate);
                self.advance()
            }
            Event::Verified { round, verification } => match self.verifying.take_if(|_| round == self.round) {
                Some(class) => self.verified(class, verification),
                None => Vec::new(),
            },
            Event::Advised { errand, completion_tokens, said } => self.advised(errand, completion_tokens, said),
            Event::Tried { trials } => self.tried(&trials),
            Event::Broken(why) => {
                let mut commands = self.cancel_awaited();
                commands.extend(self.finish(StepEnd::Failed(why)));
                commands
            }
        }
    }

    /// Keeps an ended sample until its number is reached. Tokens are paid for, counted or not.
    fn arrived(&mut self, id: u64, completion_tokens: u64, fate: SampleFate) {
        if id < self.cursor || self.early.contains_key(&id) {
            return;
        }
        self.early.insert(id, fate);
        self.ended += 1;
        self.completion_tokens += completion_tokens;
    }

    fn count(&mut self, id: u64, fate: SampleFate) {
        self.counted += 1;
        self.taken_up += u32::from(id < u64::from(self.earlier));
        match fate {
            SampleFate::Flagged(flag) => *self.red_flags.entry(flag).or_default() += 1,
            SampleFate::Unfit(why) => self.rejected(why),
            SampleFate::GateRejected(why) => self.missed(why, false, None),
            SampleFate::NearMiss(why) => self.missed(why, true, None),
            SampleFate::Failing { why, is_near, behaviour } => self.missed(why, is_near, Some(behaviour)),
            SampleFate::Failed(why) => self.model_failures.push(why),
            SampleFate::Votes { fingerprint, .. } => {
                let fingerprint = self.refined(id, fingerprint);
                let class = fingerprint.class();
                self.tally.cast(id, class.clone());
                self.evidence.iter_mut().for_each(|e| e.cast(id, &fingerprint));
                self.classes.entry(class).or_insert(fingerprint);
                self.bar_refuted();
                self.note_near_tie();
            }
        }
    }

    fn rejected(&mut self, why: String) {
        self.gate_rejected += 1;
        self.last_rejection = Some(why);
    }

    fn missed(&mut self, why: String, is_near: bool, behaviour: Option<Fingerprint>) {
        self.rejected(why);
        if let Some(evidence) = &mut self.evidence {
            evidence.miss(is_near, behaviour);
        }
    }

    /// Counts what can be counted, one sample at a time, and stops at the first that settles the
    /// step: nothing behind it may matter, however early it came.
    fn advance(&mut self) -> Vec<Command> {
        if self.verifying.is_some() || self.end.is_some() || self.is_criticised() {
            return Vec::new();
        }
        loop {
            if let Some((class, id)) = self.decided() {
                match self.settle(true) {
                    Settling::Wait(commands) => return commands,
                    Settling::Changed => continue,
                    Settling::Done => {}
                }
                if self.has_passed(id) {
                    let mut commands = self.cancel_awaited();
                    commands.extend(self.finish(StepEnd::Won { class, id }));
                    return commands;
                }
                if let Some(feedback) = self.remembered.remove(&class) {
                    self.refute(&class, feedback);
                    continue;
                }
                let mut commands = self.cancel_awaited();
                self.winner = id;
                self.verifying = Some(class.clone());
                commands.push(Command::Verify { class, id, round: self.round });
                return commands;
            }
            if let Some(why) = self.give_up() {
                match self.settle(false) {
                    Settling::Wait(commands) => return commands,
                    Settling::Changed => continue,
                    Settling::Done => {}
                }
                let mut commands = self.cancel_awaited();
                let reason = self.why_undecided(why);
                commands.extend(self.finish(StepEnd::Abstained(reason)));
                return commands;
            }
            let Some(fate) = self.early.remove(&self.cursor) else { break };
            self.count(self.cursor, fate);
            self.cursor += 1;
        }
        let mut commands = self.ask_advisers();
        commands.extend(self.draw_more());
        commands
    }

    /// As many samples in flight as are likely to be needed, so that the step ends with the slowest of
    /// them and not after a second wave; never more than the attempts that are left.
    fn draw_more(&mut self) -> Vec<Command> {
        let in_flight = self.awaited.len() as u32;
        let ended = self.counted + self.early.len() as u32;
        let left = self.max_attempts().saturating_sub(ended);
        let allowed = left.saturating_sub(in_flight);
        let wanted = self.useful(left).clamp(1, self.rules.in_flight).saturating_sub(in_flight).min(allowed);
        // What everything else waits for is always under way.
        let wanted = if in_flight == 0 { wanted.max(1) } else { wanted };
        let free = |id: &u64| !self.early.contains_key(id) && !self.awaited.contains(id);
        let ids: Vec<u64> = (self.cursor..).filter(free).take(wanted as usize).collect();
        self.awaited.extend(&ids);
        ids.into_iter().map(|id| Command::Draw { id }).collect()
    }

    /// The class may not win any more, and the next samples know why. They get numbers of their
    /// own, the same in every run, whatever was in flight.
    fn refute(&mut self, class: &str, feedback: String) {
        self.remember_refuted(class);
        self.tally.bar(class);
        self.evidence.iter_mut().for_each(|e| e.bar(class));
        self.forget_sets_of_refuted();
        self.feedback.push(feedback);
        self.begin_round();
    }

    fn begin_round(&mut self) {
        self.round += 1;
        self.rounds.push(self.cursor);
        self.cursor = self.round * self.numbers_per_round();
        self.early = self.early.split_off(&self.cursor);
    }

    /// More than any round can draw.
    fn numbers_per_round(&self) -> u64 {
        let attempts = u64::from(self.rules.max_attempts.max(1));
        if self.advising.is_some() { 2 * attempts } else { attempts }
    }

    fn verified(&mut self, class: String, verification: Verification) -> Vec<Command> {
        match verification {
            Verification::Accepted => {
                let id = self.winner;
                match self.ask_critic(&class, id) {
                    Some(commands) => commands,
                    None => self.finish(StepEnd::Won { class, id }),
                }
            }
            Verification::Refuted(feedback) => {
                self.refute(&class, feedback);
                self.advance()
            }
            Verification::Undecidable(why) => self.finish(StepEnd::Abstained(why)),
        }
    }

    fn cancel_awaited(&mut self) -> Vec<Command> {
        if self.awaited.is_empty() {
            return Vec::new();
        }
        vec![Command::Cancel { ids: std::mem::take(&mut self.awaited).into_iter().collect() }]
    }

    fn finish(&mut self, end: StepEnd) -> Vec<Command> {
        self.end = Some(end.clone());
        vec![Command::Finish(end)]
    }
}

#[cfg(test)]
mod advising_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
