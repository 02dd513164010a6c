//! The state of a run as a fold over its recorded events: what the journal stores, and what a
//! restarted process continues from.

use serde::{Deserialize, Serialize};

use crate::advice::{Errand, Said, Trial};
use crate::code::Candidate;
use crate::red_flag_detector::RedFlag;
use crate::verdict::LayerReport;
use crate::voting_engine::Fingerprint;
use crate::voting_engine::tally::VoteId;

/// What became of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleFate {
    /// Discarded.
    Flagged(RedFlag),
    /// Failed an example; does not vote.
    GateRejected(String),
    /// Failed exactly one example; does not vote, but says what passing all of them is worth.
    NearMiss(String),
    /// Failed one example or more, and this is what it does elsewhere; does not vote.
    Failing {
        /// Which example, and how.
        why: String,
        /// Whether that is the only one it failed.
        is_near: bool,
        /// What it does.
        behaviour: Fingerprint,
    },
    /// Does not vote, and says nothing about what passing the examples is worth: it does not fit the file, answers
    /// differently from call to call, or contradicts what the user answered.
    Unfit(String),
    /// Votes for its behaviour.
    Votes {
        /// The code.
        candidate: Candidate,
        /// What it does.
        fingerprint: Fingerprint,
    },
    /// The model gave no response.
    Failed(String),
}

impl SampleFate {
    /// Why it does not vote although it is a candidate.
    pub fn rejection(&self) -> Option<&str> {
        match self {
            SampleFate::GateRejected(why)
            | SampleFate::NearMiss(why)
            | SampleFate::Failing { why, .. }
            | SampleFate::Unfit(why) => Some(why),
            SampleFate::Flagged(_) | SampleFate::Votes { .. } | SampleFate::Failed(_) => None,
        }
    }
}

/// One durable fact of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A step begins to vote, and this is what its votes are counted by. Journals of older versions do not say.
    Begun {
        /// Step name.
        step: String,
        /// Samples of an earlier run that it takes up.
        earlier: u32,
        /// Steps of the plan; 1 for a function that stands alone.
        steps: u64,
        /// Whether votes are counted input by input.
        by_input: bool,
    },
    /// A sample of a step has ended; `id` counts from 0 per step.
    Sample {
        /// Step name.
        step: String,
        /// Sample number.
        id: u64,
        /// Tokens written.
        completion_tokens: u64,
        /// Which model.
        model: String,
        /// What became of it.
        fate: SampleFate,
    },
    /// A class won a step.
    Decided {
        /// Step name.
        step: String,
        /// The class.
        class: String,
    },
    /// A class failed verification and may not win any more.
    Barred {
        /// Step name.
        step: String,
        /// The class.
        class: String,
        /// The findings that go back into the prompts.
        feedback: String,
        /// What the layers said, for the report of a run that was killed after this. Journals of older
        /// versions do not say.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        layers: Vec<LayerReport>,
    },
    /// A step's winner was found to be at fault for a function that calls it: the class may not win
    /// any more, and what was decided on its word is void.
    Blamed {
        /// Step name.
        step: String,
        /// The class.
        class: String,
        /// What goes into the step's next prompts.
        feedback: String,
    },
    /// The code of a sample that was found wrong by an example. Kept for functions that call others
    /// that were written in the same run: it may be those that are wrong.
    Rejected {
        /// Step name.
        step: String,
        /// Sample number.
        id: u64,
        /// The code.
        candidate: Candidate,
    },
    /// A tester, discriminator or critic has answered.
    Advised {
        /// Step name.
        step: String,
        /// What it was asked for.
        errand: Errand,
        /// Which model.
        model: String,
        /// Tokens written.
        completion_tokens: u64,
        /// What it said.
        said: Said,
    },
    /// A candidate was tried on what agents proposed.
    Tried {
        /// Step name.
        step: String,
        /// Sample number of the candidate.
        id: VoteId,
        /// Each claim with what came of it; empty when the candidate could not be tried.
        trials: Vec<(String, Trial)>,
    },
}
