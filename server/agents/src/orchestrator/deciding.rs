//! When a step is decided, when it is given up, and how many samples are worth having in flight.

use std::borrow::Cow;

use zeroerr_core::state_manager::SampleFate;
use zeroerr_core::voting_engine::consensus::Evidence;
use zeroerr_core::voting_engine::sequential::{GiveUp, give_up, likely_needed};
use zeroerr_core::voting_engine::tally::{Decision, Tally};

use super::StepMachine;

/// Before the first votes, four of five imagined ones agree.
const IMAGINED: f64 = 5.0;
const AGREEING: f64 = 4.0;

impl StepMachine {
    /// The class that has won, and its candidate.
    pub(super) fn decided(&self) -> Option<(String, u64)> {
        let lead = self.lead();
        self.ahead_by(lead).filter(|(_, id)| self.wins_plainly(*id, lead))
    }

    fn ahead_by(&self, lead: u32) -> Option<(String, u64)> {
        if let Some(evidence) = &self.evidence {
            return evidence.decided(lead).map(|leader| (leader.class, leader.id));
        }
        let Decision::Decided(class) = self.tally.decision(lead) else { return None };
        let id = self.tally.voters(&class).first().copied().unwrap_or_default();
        Some((class, id))
    }

    /// The lead that decides now.
    pub(super) fn lead(&self) -> u32 {
        self.lead_by_votes().saturating_add(self.extra_lead())
    }

    fn lead_by_votes(&self) -> u32 {
        let Some(aim) = &self.aim else { return self.rules.k };
        let votes = self.votes();
        let first = match &self.evidence {
            None => self.tally.standing().first().map_or(0, |c| c.votes),
            // Counted input by input, those agree who answer as the leader does where it is worst.
            Some(_) => votes.min((votes + self.margin()).div_ceil(2)),
        };
        aim.lead(first, votes - first).unwrap_or(self.rules.k)
    }

    /// The lead that really decides: examples that many samples nearly pass are worth less.
    pub(super) fn needed(&self) -> u32 {
        self.evidence.as_ref().map_or_else(|| self.lead(), |e| e.needed(self.lead()))
    }

    pub(super) fn margin(&self) -> u32 {
        let leader = self.evidence.as_ref().map(Evidence::leader);
        let margin =
            leader.map_or_else(|| self.tally.margin(), |l| l.map_or(0, |l| u32::try_from(l.lead).unwrap_or(0)));
        self.plain_margin().map_or(margin, |plain| plain.min(margin))
    }

    pub(super) fn give_up(&self) -> Option<GiveUp> {
        let left = self.max_attempts().saturating_sub(self.counted);
        give_up(self.votes_needed(left), left)
    }

    /// How many more votes would decide at best.
    fn votes_needed(&self, left: u32) -> u32 {
        match &self.evidence {
            None => self.missing(&self.tally, left),
            // Never less than one while nothing is decided: frequency, too, may be what is missing. A lead
            // that follows the votes may come down to `k` again.
            Some(evidence) => {
                evidence.votes_needed(self.rules.k.saturating_add(self.extra_needed(self.margin()))).max(1)
            }
        }
    }

    /// How many votes, all for the leader of `tally`, would decide; more than `left` when so many do not.
    fn missing(&self, tally: &Tally, left: u32) -> u32 {
        let extra = self.extra_needed(tally.margin());
        let Some(aim) = &self.aim else { return tally.votes_needed(self.rules.k.saturating_add(extra)) };
        let first = tally.standing().first().map_or(0, |c| c.votes);
        let (others, margin) = (tally.total() as u32 - first, tally.margin());
        // A lead that follows the votes comes down as the leader gains.
        let decides = |more: &u32| margin + more >= aim.lead(first + more, others).unwrap_or(self.rules.k) + extra;
        (0..=left).find(decides).unwrap_or(left.saturating_add(1))
    }

    /// Samples that are worth having in flight when `left` may still end. What ended early is taken into
    /// account, though it is not counted yet.
    pub(super) fn useful(&self, left: u32) -> u32 {
        let mut expected = Cow::Borrowed(&self.tally);
        for (id, fate) in &self.early {
            if let SampleFate::Votes { fingerprint, .. } = fate {
                let class = self.probable_class(*id, fingerprint);
                expected.to_mut().cast(*id, class);
            }
        }
        let ended = self.counted as usize + self.early.len();
        let valid = (expected.total() as f64 + 1.0) / (ended as f64 + 1.0);
        let (missing, margin) = if self.early.is_empty() {
            (self.votes_needed(left), self.margin())
        } else {
            (self.missing(&expected, left), expected.margin())
        };
        let most = self.rules.in_flight.min(left);
        let at_best = (f64::from(missing) / valid).ceil() as u32;
        // Where no more are drawn side by side than a lead takes, what is drawn in vain delays the rest.
        if at_best >= most || self.rules.in_flight <= self.rules.k {
            return at_best;
        }
        let first = expected.standing().first().map_or(0, |c| c.votes);
        let agreeing = (AGREEING + f64::from(first)) / (IMAGINED + expected.total() as f64);
        likely_needed(margin, margin + missing, agreeing, valid, most)
    }
}
