//! Votes counted input by input, weighed by what the examples are worth.
//!
//! Right programs seldom do the same on *every* input: beyond what the examples show ([`Domain`]) one
//! raises, another returns, and counting whole behaviours splits their votes. So each input is a vote of
//! its own. A candidate wins when on every input that looks like the examples' its answer is ahead of
//! every other answer by k, and at least [`SHARE`] times as frequent as the next. Elsewhere it must be
//! ahead by one less where all candidates give a value; where one that passes every example fails to answer,
//! the plurality only chooses between those that are equal otherwise.
//!
//! An answer is the value. Who gives none on an input like the examples' votes for nobody there: it can not win against
//! those who give one, and a tie of others stays a tie. Which exception it is, and what else a call changed that does
//! return a value, sets no programs apart (it still shows in the fingerprint).
//!
//! The samples that fail examples say how much passing all of them is worth ([`Evidence::needed`]).
//!
//! Measured with `zeroerr bench replay`; docs/decisions/0008 says why, docs/API_REFERENCE.md has the
//! figures.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Fingerprint;
use super::domain::Domain;
use super::misses::{Misses, NO_LUCK, STRICT_EXAMPLES};
use super::tally::VoteId;

/// How many times as frequent as the next the winning answer must be, on every input that counts.
pub const SHARE: u32 = 4;

/// Votes that an answered question is worth: it was chosen because candidates split on it.
pub const ANSWER: u32 = 1;

/// Votes with what is known about how much they are worth.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    domain: Domain,
    votes: BTreeMap<VoteId, Vote>,
    /// Classes whose votes count no more.
    barred: BTreeSet<String>,
    /// Samples that failed examples.
    misses: Misses,
    /// Questions that the user has answered.
    answered: u32,
    /// The inputs, in the order of the first fingerprint, and whether each is beyond the examples.
    inputs: Vec<(String, bool)>,
    answers: HashMap<String, u32>,
    /// Who is ahead, and by how much anybody could be; kept, since it is asked for more often than votes come.
    ahead: Option<(Leader, i64)>,
    /// Whether those that failed do so little as the leader that nobody like them passes by luck.
    is_no_luck: bool,
}

#[derive(Debug, Clone)]
struct Vote {
    class: String,
    /// Per input its answer, as a number; [`NOTHING`] where it gave none.
    says: Vec<u32>,
    /// Whether it changes its arguments although it returns something.
    meddles: bool,
}

/// The number of "no answer": an exception, a time-out, a crash.
const NOTHING: u32 = 0;

/// Who is ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The first vote for the leading candidate.
    pub id: VoteId,
    /// The class of its whole behaviour.
    pub class: String,
    /// Its lead on the worst input that counts.
    pub lead: i64,
    /// Whether its answers are frequent enough on all of them.
    pub is_frequent: bool,
    /// Its lead on the worst of the other inputs to which all give a value.
    pub lead_elsewhere: i64,
}

/// What is compared between candidates; all the votes for one such thing are one group.
struct Group<'v> {
    says: &'v [u32],
    votes: i64,
    first: VoteId,
    class: &'v str,
    meddles: bool,
}

impl Evidence {
    /// No votes yet; inputs of this domain count, and so many examples stand before the vote.
    pub fn new(domain: Domain, examples: u32) -> Self {
        Self { domain, misses: Misses::of(examples), ..Self::default() }
    }

    /// Whether an input looks like those of the examples.
    pub fn speaks_of(&self, input: &str) -> bool {
        self.domain.holds(input)
    }

    /// The user has answered so many questions on which candidates differed; who contradicts an answer
    /// does not vote.
    #[must_use]
    pub fn answered(mut self, questions: u32) -> Self {
        self.answered = questions;
        self
    }

    /// Counts a vote; an id counts once.
    pub fn cast(&mut self, id: VoteId, fingerprint: &Fingerprint) {
        let class = fingerprint.class();
        if self.votes.contains_key(&id) || self.barred.contains(&class) {
            return;
        }
        if self.inputs.is_empty() {
            let inputs = fingerprint.outcomes.iter();
            self.inputs = inputs.map(|(input, _)| (input.clone(), !self.domain.holds(input))).collect();
        }
        let in_order = fingerprint.outcomes.iter().zip(&self.inputs).all(|((a, _), (b, _))| a == b)
            && fingerprint.outcomes.len() == self.inputs.len();
        let mut meddles = false;
        let mut says = Vec::with_capacity(self.inputs.len());
        for place in 0..self.inputs.len() {
            let outcome = if in_order {
                fingerprint.outcomes.get(place)
            } else {
                fingerprint.outcomes.iter().find(|(input, _)| *input == self.inputs[place].0)
            };
            let (answer, changed) = outcome.map_or(("", false), |(_, outcome)| answer_of(outcome));
            meddles |= changed;
            says.push(number(&mut self.answers, answer));
        }
        self.votes.insert(id, Vote { class, says, meddles });
        self.weigh();
    }

    /// Counts a sample that failed exactly one example, or more; with what it does where that is known.
    pub fn miss(&mut self, is_near: bool, behaviour: Option<Fingerprint>) {
        self.misses.add(is_near, behaviour);
        self.doubt();
    }

    /// The votes of a class no longer count, nor stand in anybody's way.
    pub fn bar(&mut self, class: &str) {
        self.votes.retain(|_, vote| vote.class != class);
        self.barred.insert(class.to_owned());
        self.weigh();
    }

    /// Forgets the votes and who was barred, but not what is known of their worth: they are counted anew.
    pub fn forget_votes(&mut self) {
        self.votes.clear();
        self.barred.clear();
        self.inputs.clear();
        self.answers.clear();
        self.misses.forget_order();
        self.weigh();
    }

    fn weigh(&mut self) {
        self.ahead = self.count();
        self.doubt();
    }

    /// What those that failed say about the leader.
    fn doubt(&mut self) {
        if !self.inputs.is_empty() {
            self.misses.line_up(&self.inputs, |outcome| number(&mut self.answers, answer_of(outcome).0));
        }
        let winner = self.ahead.as_ref().and_then(|(leader, _)| self.votes.get(&leader.id));
        self.is_no_luck = winner.is_some_and(|vote| self.misses.are_unlike(&vote.says));
    }

    /// The lead that decides, for a configured `k`: as much more as wrong programs are to be expected among
    /// those that pass; one less behind a strict gate, [`NO_LUCK`] less where passing by luck is out of the question,
    /// and [`ANSWER`] less for every answered question.
    pub fn needed(&self, k: u32) -> u32 {
        let no_luck = if self.is_no_luck { NO_LUCK } else { 0 };
        let less = u32::from(self.misses.are_far()) + no_luck + ANSWER * self.answered;
        k.max(1).saturating_add(self.misses.unseen()).saturating_sub(less).max(1)
    }

    /// The class that has won, if any.
    pub fn decided(&self, k: u32) -> Option<Leader> {
        let needed = self.needed(k);
        let elsewhere = k.saturating_sub(1).clamp(1, needed);
        let wins =
            |l: &Leader| l.is_frequent && l.lead >= i64::from(needed) && l.lead_elsewhere >= i64::from(elsewhere);
        self.leader().filter(wins)
    }

    /// How many more votes would decide at best: no candidate's lead can be more than that of a
    /// program that answered with the majority everywhere.
    pub fn votes_needed(&self, k: u32) -> u32 {
        let best = self.ahead.as_ref().map_or(0, |(_, best)| *best);
        // Samples to come may fail by so far that nothing more is asked for, and show that the gate is strict and
        // that nobody passes it by luck.
        let no_luck = if self.misses.may_be_unlike() { NO_LUCK } else { 0 };
        let less = u32::from(self.misses.examples() >= STRICT_EXAMPLES) + no_luck + ANSWER * self.answered;
        u32::try_from(i64::from(k.max(1).saturating_sub(less).max(1)) - best).unwrap_or(0)
    }

    /// The candidate that is ahead; see [`Evidence::decided`] for whether that is enough.
    pub fn leader(&self) -> Option<Leader> {
        self.ahead.as_ref().map(|(leader, _)| leader.clone())
    }

    /// The candidate with the largest lead on its worst input, and the largest lead that a program could
    /// have which answers with the majority everywhere; ties go to the plurality elsewhere,
    /// then to the candidate that changes nothing it was not asked to, then to the more frequent
    /// one, then to the first.
    fn count(&self) -> Option<(Leader, i64)> {
        let (groups, columns) = self.columns();
        let total: i64 = groups.iter().map(|g| g.votes).sum();
        let mut best: Option<(Rank, Leader)> = None;
        for group in &groups {
            let (mut lead, mut is_frequent) = (total, true);
            let (mut elsewhere, mut lead_elsewhere, mut agree) = (total, total, 0);
            for column in &columns {
                let answer = group.says.get(column.place).copied().unwrap_or(NOTHING);
                let own = column.votes.get(&answer).copied().unwrap_or(0);
                let rival = if own == column.first { column.second } else { column.first };
                agree += own;
                if !column.counts {
                    elsewhere = elsewhere.min(own - rival);
                    lead_elsewhere = if column.is_doubtful { lead_elsewhere } else { lead_elsewhere.min(own - rival) };
                } else {
                    lead = lead.min(own - rival);
                    is_frequent &= own >= i64::from(SHARE) * rival;
                }
            }
            let rank = (lead, elsewhere, !group.meddles, agree, group.votes);
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                let class = group.class.to_owned();
                let leader = Leader { id: group.first, class, lead, is_frequent, lead_elsewhere };
                best = Some((rank, leader));
            }
        }
        let counted = columns.iter().filter(|c| c.counts);
        let reach = counted.map(|c| c.first - c.second).min().unwrap_or(total).min(total);
        best.map(|(_, leader)| (leader, reach))
    }

    /// The groups in the order of their first votes, and the inputs on which they differ.
    fn columns(&self) -> (Vec<Group<'_>>, Vec<Column>) {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for (id, vote) in &self.votes {
            match groups.iter_mut().find(|g| g.meddles == vote.meddles && g.says == vote.says) {
                Some(group) => group.votes += 1,
                None => groups.push(Group {
                    says: &vote.says,
                    votes: 1,
                    first: *id,
                    class: &vote.class,
                    meddles: vote.meddles,
                }),
            }
        }
        let mut columns = Vec::new();
        for (place, (_, beyond)) in self.inputs.iter().enumerate() {
            let said = |g: &Group<'_>| g.says.get(place).copied().unwrap_or(NOTHING);
            let Some(first) = groups.first().map(said) else { break };
            if groups.iter().all(|g| said(g) == first) {
                continue;
            }
            let mut votes: BTreeMap<u32, i64> = BTreeMap::new();
            for group in &groups {
                *votes.entry(said(group)).or_default() += group.votes;
            }
            let is_doubtful = votes.contains_key(&NOTHING);
            if !beyond {
                votes.remove(&NOTHING);
            }
            let mut counts: Vec<i64> = votes.values().copied().collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            columns.push(Column {
                place,
                first: counts.first().copied().unwrap_or(0),
                second: counts.get(1).copied().unwrap_or(0),
                counts: !beyond,
                is_doubtful,
                votes,
            });
        }
        (groups, columns)
    }
}

/// What is compared between groups, in this order: lead, lead elsewhere, leaves its arguments alone,
/// agreement, votes.
type Rank = (i64, i64, bool, i64, i64);

/// One input on which candidates differ.
struct Column {
    place: usize,
    /// Votes by answer. No answer is one only beyond the examples.
    votes: BTreeMap<u32, i64>,
    first: i64,
    second: i64,
    counts: bool,
    /// Whether a candidate gives no value here.
    is_doubtful: bool,
}

/// What an answer is called.
fn number(answers: &mut HashMap<String, u32>, answer: &str) -> u32 {
    if answer.is_empty() {
        return NOTHING;
    }
    let next = answers.len() as u32 + 1;
    *answers.entry(answer.to_owned()).or_insert(next)
}

/// What an outcome answers (empty for no answer), and whether the call returned something *and*
/// changed an argument. A call that returns nothing is judged by what it changed.
pub fn answer_of(outcome: &str) -> (&str, bool) {
    if !outcome.starts_with("= ") {
        return ("", false);
    }
    match outcome.split_once("; mutates ") {
        Some((value, _)) if ["= None", "= ()", "= undefined", "= null"].contains(&value) => (outcome, false),
        Some((value, _)) => (value, true),
        None => (outcome, false),
    }
}

#[cfg(test)]
#[path = "consensus_tests.rs"]
mod tests;
