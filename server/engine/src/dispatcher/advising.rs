//! Obeys a step when it asks agents, or wants candidates tried on what they said.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroerr_agents::orchestrator::Event;
use zeroerr_core::advice::{Claim, Errand, Said, Trial, by_code};
use zeroerr_core::code::Candidate;
use zeroerr_core::report::RunEvent;
use zeroerr_core::state_manager::Record;
use zeroerr_core::voting_engine::tally::VoteId;

use super::Dispatcher;
use crate::advisers::{About, Answer, verdicts};

/// What came back.
pub(super) enum Back {
    /// An agent has answered.
    Answer(Answer),
    /// Candidates were tried.
    Trials(Vec<(VoteId, Vec<(String, Trial)>)>),
}

impl Dispatcher {
    pub(super) fn consult(&mut self, errand: Errand, about: &[VoteId]) {
        let standing = self.machine.fingerprints(about);
        let candidates = about.iter().zip(standing);
        let candidates = candidates.filter_map(|(id, print)| Some((self.candidates.get(id)?.clone(), print?)));
        let about = About { candidates: candidates.collect(), verdicts: verdicts(&self.layers) };
        let context = Arc::clone(&self.context);
        self.advising.spawn(async move { Back::Answer(context.advise(errand, about).await) });
    }

    /// Equal code is tried once, all of it in one go.
    pub(super) fn try_on(&mut self, ids: &[VoteId], claims: Vec<Claim>) {
        let mut samples: BTreeMap<usize, Vec<VoteId>> = BTreeMap::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for id in ids {
            let Some(candidate) = self.candidates.get(id) else { continue };
            let place = candidates.iter().position(|c| c == candidate).unwrap_or_else(|| {
                candidates.push(candidate.clone());
                candidates.len() - 1
            });
            samples.entry(place).or_default().push(*id);
        }
        let context = Arc::clone(&self.context);
        self.advising.spawn(async move {
            let tried = context.stack.examine(&context.task, &candidates, &claims).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "candidates were not tried on what agents proposed");
                vec![Vec::new(); candidates.len()]
            });
            let each = tried.iter().map(|trials| by_code(&claims, trials)).enumerate();
            Back::Trials(each.flat_map(|(at, t)| samples[&at].iter().map(move |id| (*id, t.clone()))).collect())
        });
    }

    pub(super) fn back(&mut self, back: Back) -> Event {
        let step = self.machine.name().to_owned();
        match back {
            Back::Answer(Answer { errand, model, completion_tokens, said }) => {
                self.wires.tell(RunEvent::Advised {
                    step: self.step(),
                    agent: errand.agent().to_owned(),
                    says: in_words(&said),
                });
                self.wires.record(&Record::Advised { step, errand, model, completion_tokens, said: said.clone() });
                Event::Advised { errand, completion_tokens, said }
            }
            Back::Trials(trials) => {
                for (id, trials) in &trials {
                    self.wires.record(&Record::Tried { step: step.clone(), id: *id, trials: trials.clone() });
                }
                Event::Tried { trials }
            }
        }
    }
}

fn in_words(said: &Said) -> String {
    match said {
        Said::Claims(claims) => {
            let tests = claims.iter().filter(|c| c.expected.is_some()).count();
            let inputs = claims.len() - tests;
            let one = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
            match (tests, inputs) {
                (0, n) => one(n, "input"),
                (n, 0) => one(n, "test"),
                (n, m) => format!("{}, {}", one(n, "test"), one(m, "input")),
            }
        }
        Said::Objection(text) => format!("objects: {text}"),
        Said::Nothing(why) => format!("nothing ({why})"),
    }
}
