//! Where testers, discriminators and critics come in.
//!
//! Counting never waits for them until it has come to a decision, or to a split that is given up. There
//! it stops until they have answered, and the candidates that voted are tried on what they proposed:
//!
//! * calls that look like the examples' split classes whose candidates differ on them, and the votes are
//!   counted anew;
//! * tests are weak votes: when a set of candidates agrees on more of them than the leader's does
//!   ([`speaks_against`]), the leader needs some votes more;
//! * an objection of the critic, who reads what every required layer has passed, costs votes as well.
//!
//! So whatever they say, nobody wins who would not have won without them, and nobody is rejected. Who is
//! asked for more votes is granted the samples that they cost so far. All of it is a function of the
//! counted samples and of the answers, not of when these came; the answers are journaled.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zeroerr_core::advice::{Claim, Errand, Said, Trial, outcomes, refined};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_core::voting_engine::agreement::{Agreement, agreement, speaks_against};
use zeroerr_core::voting_engine::consensus::Evidence;
use zeroerr_core::voting_engine::tally::{Tally, VoteId};

use super::{Command, StepEnd, StepMachine};

/// Which agents take part beside the coders, and what their word costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentRules {
    /// Testers per step.
    pub testers: u32,
    /// Votes that the leader needs more while the tests speak for another behaviour.
    pub weak_votes: u32,
    /// Whether a critic reads what the layers have passed.
    pub critic: bool,
    /// Votes that an objection costs the class it is raised against.
    pub objection_votes: u32,
    /// How often a split of a step is put to a discriminator.
    pub discriminators: u32,
}

impl AgentRules {
    fn any(self) -> bool {
        self.testers > 0 || self.critic || self.discriminators > 0
    }
}

/// Outcomes on calls beyond those of the fingerprint.
type Extras = Vec<(String, String)>;

/// The state of it. A voter is settled on the first so many claims when its outcomes on them count.
#[derive(Debug, Clone)]
pub(super) struct Advising {
    pub(super) rules: AgentRules,
    pub(super) heard: BTreeMap<Errand, (u64, Said)>,
    asked: BTreeSet<Errand>,
    /// The errands whose answers count.
    pub(super) used: BTreeSet<Errand>,
    /// The leader and the second of each split that is put to a discriminator.
    splits: Vec<(VoteId, VoteId)>,
    /// What is tried, and who proposed it.
    pub(super) claims: Vec<(Claim, &'static str)>,
    trials: BTreeMap<VoteId, BTreeMap<String, Trial>>,
    /// Samples whose candidates could not be tried.
    untried: BTreeSet<VoteId>,
    /// Samples whose candidates are being tried.
    under_trial: BTreeSet<VoteId>,
    settled: BTreeMap<VoteId, usize>,
    /// What was voted for, as it was before any split.
    pub(super) votes: BTreeMap<VoteId, Fingerprint>,
    /// What those do on the claims who were settled, by the class before any split: taken for what a new
    /// voter of that class does until it is tried.
    usual: BTreeMap<String, Extras>,
    /// Behaviours that the layers refuted, as they were before any split.
    refuted: BTreeSet<String>,
    pub(super) sets: Vec<Agreement>,
    pub(super) objections: BTreeMap<VoteId, String>,
    criticised: Option<(String, VoteId)>,
    /// The candidate that every required layer has passed last.
    passed: Option<VoteId>,
    granted: u32,
    tests_were_granted: bool,
}

/// Whether a decision may stand.
pub(super) enum Settling {
    /// Something has to be heard or tried first.
    Wait(Vec<Command>),
    /// The votes were counted anew.
    Changed,
    /// It may.
    Done,
}

impl Advising {
    fn new(rules: AgentRules) -> Self {
        Self {
            rules,
            heard: BTreeMap::new(),
            asked: BTreeSet::new(),
            used: BTreeSet::new(),
            splits: Vec::new(),
            claims: Vec::new(),
            trials: BTreeMap::new(),
            untried: BTreeSet::new(),
            under_trial: BTreeSet::new(),
            settled: BTreeMap::new(),
            votes: BTreeMap::new(),
            usual: BTreeMap::new(),
            refuted: BTreeSet::new(),
            sets: Vec::new(),
            objections: BTreeMap::new(),
            criticised: None,
            passed: None,
            granted: 0,
            tests_were_granted: false,
        }
    }

    /// What has to be heard before a decision can stand, in the order in which it is taken.
    fn due(&self) -> Vec<(Errand, Vec<VoteId>)> {
        let testers = (0..self.rules.testers).map(|n| (Errand::Test(n), Vec::new()));
        let splits = self.splits.iter().zip(0..).map(|((a, b), n)| (Errand::Discriminate(n), vec![*a, *b]));
        testers.chain(splits).collect()
    }

    /// Commands for those that nobody was asked for yet.
    fn ask(&mut self, errands: Vec<(Errand, Vec<VoteId>)>) -> Vec<Command> {
        let new = errands.into_iter().filter(|(e, _)| !self.heard.contains_key(e) && self.asked.insert(*e));
        new.map(|(errand, about)| Command::Ask { errand, about }).collect()
    }

    fn take_claims(&mut self) {
        for (errand, _) in self.due() {
            if !self.used.insert(errand) {
                continue;
            }
            let Some((_, Said::Claims(claims))) = self.heard.get(&errand) else { continue };
            for claim in claims {
                if !self.claims.iter().any(|(known, _)| known.code() == claim.code()) {
                    self.claims.push((claim.clone(), errand.agent()));
                }
            }
        }
    }

    pub(super) fn trial(&self, id: VoteId, claim: &Claim) -> Option<&Trial> {
        self.trials.get(&id)?.get(&claim.code())
    }

    fn lacks(&self, id: VoteId, claim: &Claim) -> bool {
        !self.untried.contains(&id) && self.trial(id, claim).is_none()
    }

    /// Who is settled, with how many claims.
    pub(super) fn settled(&self) -> impl Iterator<Item = (VoteId, usize)> {
        self.settled.iter().map(|(id, n)| (*id, *n)).filter(|(id, _)| !self.untried.contains(id))
    }

    /// What a settled voter does on calls that may split a class.
    fn extras(&self, id: VoteId) -> Option<Extras> {
        let count = *self.settled.get(&id).filter(|_| !self.untried.contains(&id))?;
        let claims = self.claims.iter().take(count).map(|(claim, _)| claim);
        Some(outcomes(claims, |claim| self.trial(id, claim)))
    }

    /// The behaviour that a vote counts for.
    fn refined(&self, id: VoteId, plain: &Fingerprint) -> Fingerprint {
        match self.extras(id) {
            Some(own) => refined(plain, &own),
            None if self.settled.contains_key(&id) => plain.clone(),
            None => refined(plain, self.usual.get(&plain.class()).map_or(&[], Vec::as_slice)),
        }
    }

    /// What was refuted stays refuted, whatever tells its members apart by now.
    pub(super) fn is_refuted(&self, id: VoteId) -> bool {
        self.votes.get(&id).is_some_and(|plain| self.refuted.contains(&plain.class()))
    }

    /// The most frequent outcomes of those that may still win, per class before any split; ties go to the
    /// earliest sample.
    fn find_usual(&mut self) {
        let mut counts: BTreeMap<(String, Extras), (usize, VoteId)> = BTreeMap::new();
        for (id, plain) in self.votes.iter().filter(|(id, _)| !self.is_refuted(**id)) {
            let Some(extras) = self.extras(*id) else { continue };
            counts.entry((plain.class(), extras)).or_insert((0, *id)).0 += 1;
        }
        let mut best: BTreeMap<String, ((usize, std::cmp::Reverse<VoteId>), Extras)> = BTreeMap::new();
        for ((class, extras), (count, first)) in counts {
            let rank = (count, std::cmp::Reverse(first));
            if best.get(&class).is_none_or(|(other, _)| rank > *other) {
                best.insert(class, (rank, extras));
            }
        }
        self.usual = best.into_iter().map(|(class, (_, extras))| (class, extras)).collect();
    }

    /// The sets of those who pass the same tests; refuted classes are not asked.
    fn find_sets(&mut self, tally: &Tally) {
        let standing: BTreeSet<VoteId> = tally.standing().iter().flat_map(|c| tally.voters(&c.class)).collect();
        let passes = |id: VoteId, count: usize| {
            let tests = self.claims.iter().take(count).enumerate().filter(|(_, (c, _))| c.expected.is_some());
            tests.filter(|(_, (c, _))| self.trial(id, c).is_some_and(|t| t.holds)).map(|(n, _)| n).collect()
        };
        let voters = self.settled().filter(|(id, _)| standing.contains(id));
        let passed: BTreeMap<VoteId, BTreeSet<usize>> = voters.map(|(id, count)| (id, passes(id, count))).collect();
        self.sets = agreement(&passed);
    }
}

impl StepMachine {
    /// The same with agents that advise. Without any, nothing changes.
    #[must_use]
    pub fn advised_by(mut self, rules: AgentRules) -> Self {
        self.advising = rules.any().then(|| Box::new(Advising::new(rules)));
        self
    }

    /// Takes up an answer that a journal remembers.
    pub(super) fn heard(&mut self, errand: Errand, completion_tokens: u64, said: Said) {
        if let Some(advising) = &mut self.advising {
            advising.heard.entry(errand).or_insert((completion_tokens, said));
        }
    }

    /// Takes up what came of a candidate; the first word on a claim stands.
    pub(super) fn learned(&mut self, id: VoteId, trials: &[(String, Trial)]) {
        let Some(advising) = &mut self.advising else { return };
        if trials.is_empty() {
            advising.untried.insert(id);
        }
        let known = advising.trials.entry(id).or_default();
        for (code, trial) in trials {
            known.entry(code.clone()).or_insert_with(|| trial.clone());
        }
    }

    /// Whoever is known to be needed works beside the samples.
    pub(super) fn ask_advisers(&mut self) -> Vec<Command> {
        self.advising.as_mut().map_or_else(Vec::new, |a| {
            let due = a.due();
            a.ask(due)
        })
    }

    pub(super) fn advised(&mut self, errand: Errand, completion_tokens: u64, said: Said) -> Vec<Command> {
        let Some(advising) = &mut self.advising else { return Vec::new() };
        if !advising.asked.contains(&errand) || advising.heard.contains_key(&errand) {
            return Vec::new();
        }
        advising.heard.insert(errand, (completion_tokens, said));
        let waits = advising.criticised.as_ref().is_some_and(|(_, id)| errand == Errand::Criticise(*id));
        if waits { self.criticised() } else { self.advance() }
    }

    pub(super) fn tried(&mut self, trials: &[(VoteId, Vec<(String, Trial)>)]) -> Vec<Command> {
        for (id, trials) in trials {
            let waits = self.advising.as_mut().is_some_and(|a| a.under_trial.remove(id));
            if !waits {
                continue;
            }
            self.learned(*id, trials);
            // Who has no word on a claim has none at all: nobody is asked for ever.
            if let Some(advising) = &mut self.advising
                && advising.claims.iter().any(|(claim, _)| advising.lacks(*id, claim))
            {
                advising.untried.insert(*id);
            }
        }
        if self.advising.is_some() { self.advance() } else { Vec::new() }
    }

    /// Hears and tries what may change a decision, or a split that is given up.
    pub(super) fn settle(&mut self, decided: bool) -> Settling {
        let standing = self.tally.standing();
        let is_split = standing.len() > 1;
        if self.advising.is_none() || !(decided || is_split) {
            return Settling::Done;
        }
        self.note_split(|first, second| second >= 2 && second * 3 >= first);
        let voters: Vec<VoteId> = standing.iter().flat_map(|c| self.tally.voters(&c.class)).collect();
        let Some(advising) = &mut self.advising else { return Settling::Done };
        let due = advising.due();
        let is_open = due.iter().any(|(errand, _)| !advising.heard.contains_key(errand));
        let asks = advising.ask(due);
        if is_open || !advising.under_trial.is_empty() {
            return Settling::Wait(asks);
        }
        advising.take_claims();
        let count = advising.claims.len();
        let new = |id: &VoteId| advising.settled.get(id).is_none_or(|n| *n < count);
        let mut new: Vec<VoteId> = voters.into_iter().filter(new).collect();
        new.sort_unstable();
        if new.is_empty() || count == 0 {
            return Settling::Done;
        }
        let lacks = |id: &VoteId| advising.claims.iter().any(|(claim, _)| advising.lacks(*id, claim));
        let ids: Vec<VoteId> = new.iter().copied().filter(lacks).collect();
        if ids.is_empty() {
            advising.settled.extend(new.into_iter().map(|id| (id, count)));
            self.recount(decided);
            return Settling::Changed;
        }
        let unknown = |claim: &Claim| ids.iter().any(|id| advising.lacks(*id, claim));
        let claims = advising.claims.iter().map(|(c, _)| c).filter(|c| unknown(c)).cloned().collect();
        advising.under_trial = ids.iter().copied().collect();
        Settling::Wait(vec![Command::Try { ids, claims }])
    }

    /// Counts every vote anew, for the behaviours that are known now. More samples are granted for a decision
    /// that does not stand, and not for a split.
    fn recount(&mut self, decided: bool) {
        let Some(advising) = &mut self.advising else { return };
        advising.find_usual();
        self.tally = Tally::default();
        self.classes.clear();
        self.evidence.iter_mut().for_each(Evidence::forget_votes);
        for (id, plain) in &advising.votes {
            let fingerprint = advising.refined(*id, plain);
            let class = fingerprint.class();
            self.tally.cast(*id, class.clone());
            self.evidence.iter_mut().for_each(|e| e.cast(*id, &fingerprint));
            self.classes.entry(class).or_insert(fingerprint);
        }
        self.bar_refuted();
        self.forget_sets_of_refuted();
        if decided
            && self.tests_object()
            && self.advising.as_mut().is_some_and(|a| !std::mem::replace(&mut a.tests_were_granted, true))
        {
            self.grant(self.advising.as_ref().map_or(0, |a| a.rules.weak_votes));
        }
    }

    /// Keeps a vote as it came, and says which behaviour it counts for.
    pub(super) fn refined(&mut self, id: VoteId, plain: Fingerprint) -> Fingerprint {
        let Some(advising) = &mut self.advising else { return plain };
        let refined = advising.refined(id, &plain);
        advising.votes.insert(id, plain);
        refined
    }

    /// The class that a sample which is not counted yet will probably vote for.
    pub(super) fn probable_class(&self, id: VoteId, plain: &Fingerprint) -> String {
        self.advising.as_ref().map_or_else(|| plain.class(), |a| a.refined(id, plain).class())
    }

    pub(super) fn remember_refuted(&mut self, class: &str) {
        let Some(advising) = &mut self.advising else { return };
        let first = self.tally.voters(class).first().copied();
        advising.refuted.extend(first.and_then(|id| Some(advising.votes.get(&id)?.class())));
        advising.passed = None;
        self.bar_refuted();
    }

    /// Without advice the members of a refuted class were all of one behaviour; they win no more with it.
    pub(super) fn bar_refuted(&mut self) {
        let Some(advising) = &self.advising else { return };
        for class in self.tally.standing() {
            if self.tally.voters(&class.class).first().is_some_and(|id| advising.is_refuted(*id)) {
                self.tally.bar(&class.class);
                self.evidence.iter_mut().for_each(|e| e.bar(&class.class));
            }
        }
    }

    /// What the refuted agreed on is no longer held against anybody.
    pub(super) fn forget_sets_of_refuted(&mut self) {
        if let Some(advising) = &mut self.advising {
            advising.find_sets(&self.tally);
        }
    }

    /// Two behaviours with two votes or more, at most one vote apart.
    pub(super) fn note_near_tie(&mut self) {
        if self.advising.is_some() {
            self.note_split(|first, second| second >= 2 && first <= second + 1);
        }
    }

    fn note_split(&mut self, is_split: impl Fn(u32, u32) -> bool) {
        let standing = self.tally.standing();
        let [first, second, ..] = standing.as_slice() else { return };
        let Some(advising) = &mut self.advising else { return };
        if advising.splits.len() >= advising.rules.discriminators as usize || !is_split(first.votes, second.votes) {
            return;
        }
        let voter = |class: &str| self.tally.voters(class).first().copied();
        if let (Some(a), Some(b)) = (voter(&first.class), voter(&second.class)) {
            let pair = (a.min(b), a.max(b));
            if !advising.splits.contains(&pair) {
                advising.splits.push(pair);
            }
        }
    }

    /// Who votes for the behaviour that is ahead.
    pub(super) fn leaders(&self) -> BTreeSet<VoteId> {
        let class = match &self.evidence {
            Some(evidence) => evidence.leader().map(|l| l.class),
            None => self.tally.standing().into_iter().next().map(|c| c.class),
        };
        class.map_or_else(BTreeSet::new, |c| self.tally.voters(&c).into_iter().collect())
    }

    pub(super) fn tests_object(&self) -> bool {
        let Some(advising) = &self.advising else { return false };
        let leaders = self.leaders();
        let is_known = advising.sets.iter().any(|s| !s.voters.is_disjoint(&leaders));
        is_known && speaks_against(&advising.sets, &leaders)
    }

    /// How many votes more than otherwise the leader needs.
    pub(super) fn extra_lead(&self) -> u32 {
        let Some(advising) = &self.advising else { return 0 };
        let leaders = self.leaders();
        let is_objected = advising.objections.keys().any(|id| leaders.contains(id));
        let objection = if is_objected { advising.rules.objection_votes } else { 0 };
        objection + if self.tests_object() { advising.rules.weak_votes } else { 0 }
    }

    /// What that comes to for whoever may win next: a rival of whom nothing is held has a way of its own.
    pub(super) fn extra_needed(&self, margin: u32) -> u32 {
        self.extra_lead().min(margin.saturating_mul(2))
    }

    pub(super) fn granted(&self) -> u32 {
        self.advising.as_ref().map_or(0, |a| a.granted)
    }

    /// As many samples more as so many votes took until now; twice the attempts at most.
    fn grant(&mut self, votes: u32) {
        let per_vote = self.counted.div_ceil(self.votes().max(1));
        let most = self.rules.max_attempts;
        if let Some(advising) = &mut self.advising {
            advising.granted = advising.granted.saturating_add(votes.saturating_mul(per_vote)).min(most);
        }
    }

    pub(super) fn is_criticised(&self) -> bool {
        self.advising.as_ref().is_some_and(|a| a.criticised.is_some())
    }

    /// Whether the layers have passed this candidate, and since then no other was given to them.
    pub(super) fn has_passed(&self, id: VoteId) -> bool {
        self.advising.as_ref().is_some_and(|a| a.passed == Some(id))
    }

    /// Lets the critic read what the layers have passed; `None` when none is to be asked.
    pub(super) fn ask_critic(&mut self, class: &str, id: VoteId) -> Option<Vec<Command>> {
        let advising = self.advising.as_mut()?;
        if !advising.rules.critic || advising.objections.contains_key(&id) {
            return None;
        }
        advising.criticised = Some((class.to_owned(), id));
        let errand = Errand::Criticise(id);
        if advising.heard.contains_key(&errand) {
            return Some(self.criticised());
        }
        Some(advising.ask(vec![(errand, vec![id])]))
    }

    /// The critic has spoken. An objection begins a round: its numbers were not cancelled before.
    fn criticised(&mut self) -> Vec<Command> {
        let Some(advising) = &mut self.advising else { return Vec::new() };
        let Some((class, id)) = advising.criticised.take() else { return Vec::new() };
        let errand = Errand::Criticise(id);
        advising.used.insert(errand);
        let Some((_, Said::Objection(text))) = advising.heard.get(&errand) else {
            return self.finish(StepEnd::Won { class, id });
        };
        advising.objections.insert(id, text.clone());
        advising.passed = Some(id);
        let votes = advising.rules.objection_votes;
        self.grant(votes);
        self.begin_round();
        self.advance()
    }
}
