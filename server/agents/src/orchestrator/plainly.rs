//! The votes as they are without what agents proposed.
//!
//! An input of theirs may split a rival, and so put somebody ahead. Who wins must be ahead without it as well.

use zeroerr_core::voting_engine::consensus::Evidence;
use zeroerr_core::voting_engine::tally::{Decision, Tally, VoteId};

use super::StepMachine;

impl StepMachine {
    /// The votes as they are without the inputs that agents proposed; `None` when there are none of these.
    fn plain_votes(&self) -> Option<(Tally, Option<Evidence>)> {
        let advising = self.advising.as_ref().filter(|a| !a.claims.is_empty())?;
        let (mut tally, mut evidence) = (Tally::default(), self.evidence.clone());
        evidence.iter_mut().for_each(Evidence::forget_votes);
        for (id, plain) in advising.votes.iter().filter(|(id, _)| !advising.is_refuted(**id)) {
            tally.cast(*id, plain.class());
            evidence.iter_mut().for_each(|e| e.cast(*id, plain));
        }
        Some((tally, evidence))
    }

    /// Whether a sample's behaviour is decided on without those inputs, too: when they split a rival, that makes
    /// nobody win.
    pub(super) fn wins_plainly(&self, winner: VoteId, lead: u32) -> bool {
        let Some((tally, evidence)) = self.plain_votes() else { return true };
        let decided = match evidence {
            Some(evidence) => evidence.decided(lead).map(|l| l.class),
            None => match tally.decision(lead) {
                Decision::Decided(class) => Some(class),
                Decision::Open => None,
            },
        };
        decided.is_some_and(|class| tally.voters(&class).contains(&winner))
    }

    /// The lead without those inputs; none where another behaviour is ahead then.
    pub(super) fn plain_margin(&self) -> Option<u32> {
        let (tally, evidence) = self.plain_votes()?;
        let (class, margin) = match evidence {
            Some(evidence) => evidence.leader().map(|l| (l.class, u32::try_from(l.lead).unwrap_or(0)))?,
            None => (tally.standing().first()?.class.clone(), tally.margin()),
        };
        let leads = tally.voters(&class).iter().any(|id| self.leaders().contains(id));
        Some(if leads { margin } else { 0 })
    }
}
