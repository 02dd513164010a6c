//! What critics and discriminators say of a recorded task's candidates: asked as in a live run, each thing
//! once, and only where a replay comes to it or [`pair`] chose it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroerr_core::advice::{Claim, Errand, Said, Trial, by_code, outcomes};
use zeroerr_core::code::Candidate;
use zeroerr_llm::prompt_templates::advisers::{critic_messages, discriminator_messages};
use zeroerr_verification::languages::CheckError;
use zeroerr_verification::verification_stack::VerificationStack;

use super::advice::Panel;
use super::cache::{self, Known};
use super::observe::{self, Observed};
use super::policy::Case;
use crate::advisers::{About, verdicts};

/// One thing that a critic or a discriminator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Review {
    /// What is wrong with a candidate.
    Critique(usize),
    /// For which inputs two candidates differ; the first number counts the splits of a step.
    Inputs(u32, usize, usize),
}

/// What was said so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reviews {
    /// The answers.
    pub said: Vec<(Review, Said)>,
    /// Per candidate that passes the examples, what it makes of the inputs; nothing where it could not be tried.
    pub trials: BTreeMap<usize, Vec<(String, Trial)>>,
}

impl Reviews {
    /// What was answered.
    pub fn said(&self, review: Review) -> Option<&Said> {
        self.said.iter().find(|(known, _)| *known == review).map(|(_, said)| said)
    }

    /// Takes up one answer, and what came of it.
    pub(super) fn take(&mut self, review: Review, (said, trials): Answer) {
        self.said.push((review, said));
        for (candidate, trials) in trials {
            let known = self.trials.entry(candidate).or_default();
            known.extend(
                trials.into_iter().filter(|(code, _)| !known.iter().any(|(k, _)| k == code)).collect::<Vec<_>>(),
            );
        }
    }

    /// What a candidate does on the inputs of an answer that may split a behaviour; `None` where it was not
    /// tried.
    fn outcomes(&self, claims: &[Claim], candidate: usize) -> Option<Vec<(String, String)>> {
        let trials = self.trials.get(&candidate)?;
        Some(outcomes(claims, |claim| trials.iter().find(|(code, _)| *code == claim.code()).map(|(_, t)| t)))
    }

    /// Whether two candidates were told apart by the inputs of an answer; `None` where one was not tried.
    fn are_apart(&self, claims: &[Claim], a: usize, b: usize) -> Option<bool> {
        Some(self.outcomes(claims, a)? != self.outcomes(claims, b)?)
    }
}

/// An answer, and what the candidates that may vote make of its inputs.
pub(super) type Answer = (Said, Vec<(usize, Vec<(String, Trial)>)>);

/// What reviews of a task depend on, beside what its observation does.
pub(super) fn key(observed_key: &str, panel: &Panel, observed: &Observed) -> String {
    let task = &observed.task;
    let messages = [critic_messages(task, "", &[]), discriminator_messages(task, ["", ""], &[], 1)];
    cache::key(&[observed_key.to_owned(), "reviews".to_owned(), panel.key(), format!("{messages:?}")])
}

/// Asks one thing; candidates are tried on the inputs that are proposed.
///
/// # Errors
/// What the machine lacks.
pub(super) async fn ask(
    stack: &Arc<VerificationStack>,
    panel: &Panel,
    observed: &Observed,
    known: &Known,
    review: Review,
    seed: u64,
) -> Result<Answer, CheckError> {
    let context = panel.context(stack, observed, seed);
    let shown = |n: &usize| Some((observed.candidates.get(*n)?.clone(), known.seen.get(*n)?.behaviour.clone()?));
    let said = match review {
        Review::Critique(candidate) => {
            let layers = observe::layers(stack, observed, candidate).await.unwrap_or_default();
            let candidates = [candidate].iter().filter_map(shown).collect();
            let about = About { candidates, verdicts: verdicts(&layers) };
            context.advise(Errand::Criticise(candidate as u64), about).await.said
        }
        Review::Inputs(turn, a, b) => {
            let candidates = [a, b].iter().filter_map(shown).collect();
            context.advise(Errand::Discriminate(turn), About { candidates, verdicts: Vec::new() }).await.said
        }
    };
    let Said::Claims(claims) = &said else { return Ok((said, Vec::new())) };
    let places = known.may_vote();
    let candidates: Vec<Candidate> = places.iter().filter_map(|n| observed.candidates.get(*n)).cloned().collect();
    let tried = stack.examine(&observed.task, &candidates, claims).await?;
    let trials = places.into_iter().zip(&tried).map(|(place, trials)| (place, by_code(claims, trials))).collect();
    Ok((said, trials))
}

/// A right and a wrong candidate that were put before critic and discriminator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The hidden test accepts it.
    pub right: usize,
    /// The hidden test does not.
    pub wrong: usize,
}

impl Pair {
    /// What is asked about it. A discriminator is never shown two candidates that do the same.
    pub(super) fn reviews(self, case: &Case, panel: &Panel) -> Vec<Review> {
        let critiques = [self.right, self.wrong].into_iter().map(Review::Critique);
        let mut reviews: Vec<Review> = critiques.filter(|_| panel.rules.critic).collect();
        if panel.rules.discriminators > 0 && behaviour(case, self.right) != behaviour(case, self.wrong) {
            reviews.push(self.inputs());
        }
        reviews
    }

    /// What the discriminator is asked.
    pub(super) fn inputs(self) -> Review {
        Review::Inputs(0, self.right.min(self.wrong), self.right.max(self.wrong))
    }
}

/// What a candidate does, as its class.
pub(super) fn behaviour(case: &Case, candidate: usize) -> Option<String> {
    case.voters.get(candidate)?.behaviour.as_ref().map(|b| b.class())
}

/// The candidates that pass the examples and are right, or wrong, the most frequent first.
pub(super) fn by_frequency(case: &Case, is_right: bool) -> Vec<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    case.samples.iter().flatten().for_each(|candidate| *counts.entry(*candidate).or_default() += 1);
    let fits = |n: &usize| case.voters.get(*n).is_some_and(|v| v.passes && v.is_right == is_right);
    let mut found: Vec<usize> = counts.keys().copied().filter(fits).collect();
    found.sort_by_key(|n| (std::cmp::Reverse(counts[n]), *n));
    found
}

/// What the inputs of one answer did to the candidates that may vote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Inputs that could be read.
    pub inputs: usize,
    /// Those that look like the examples', and so may split a behaviour.
    pub inside: usize,
    /// Whether they tell the right one of the pair from the wrong one.
    pub pair: bool,
    /// Behaviours that right and wrong candidates share.
    pub mixed: usize,
    /// Those of them in which a right one was told from a wrong one.
    pub mixed_split: usize,
    /// Behaviours of several right candidates and no wrong one.
    pub right: usize,
    /// Those of them that were split.
    pub right_split: usize,
}

/// See [`Told`].
pub(super) fn told(case: &Case, reviews: &Reviews, claims: &[Claim], pair: Pair) -> Told {
    let mut told = Told {
        inputs: claims.len(),
        inside: claims.iter().filter(|c| c.inside).count(),
        pair: reviews.are_apart(claims, pair.right, pair.wrong) == Some(true),
        ..Told::default()
    };
    let mut classes: BTreeMap<String, [Vec<usize>; 2]> = BTreeMap::new();
    for (n, voter) in case.voters.iter().enumerate().filter(|(_, v)| v.passes) {
        if let Some(class) = behaviour(case, n) {
            classes.entry(class).or_default()[usize::from(voter.is_right)].push(n);
        }
    }
    for [wrong, right] in classes.values() {
        let apart = |a: &usize, b: &usize| reviews.are_apart(claims, *a, *b) == Some(true);
        if wrong.is_empty() && right.len() > 1 {
            told.right += 1;
            told.right_split += usize::from(right.iter().any(|other| apart(&right[0], other)));
        } else if !wrong.is_empty() && !right.is_empty() {
            told.mixed += 1;
            told.mixed_split += usize::from(right.iter().any(|r| wrong.iter().any(|w| apart(r, w))));
        }
    }
    told
}
