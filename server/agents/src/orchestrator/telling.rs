//! What a step tells: its report, why it is undecided, and where its classes differ.

use std::collections::{BTreeMap, BTreeSet};

use zeroerr_core::report::{Disagreement, StepReport};
use zeroerr_core::voting_engine::estimate::Estimate;
use zeroerr_core::voting_engine::sequential::GiveUp;

use super::StepMachine;
use crate::diversity::distinct_share;

impl StepMachine {
    /// The step for reports.
    pub fn report(&self) -> StepReport {
        let standing = self.tally.standing();
        StepReport {
            name: self.name.clone(),
            samples: self.samples(),
            red_flags: self.red_flags.iter().map(|(flag, n)| (flag.name().to_owned(), *n)).collect(),
            gate_rejected: self.gate_rejected,
            margin: self.margin(),
            k: self.needed(),
            estimate: Estimate::of(standing.first().map_or(0, |c| c.votes), self.votes()),
            disagreements: self.disagreements(),
            questions: Vec::new(),
            taken_up: self.taken_up,
            diversity: distinct_share(self.tally.classes()),
            completion_tokens: self.completion_tokens,
            tally: standing
                .into_iter()
                .map(|mut c| {
                    c.class.truncate(8);
                    c
                })
                .collect(),
            ..StepReport::default()
        }
    }

    pub(super) fn why_undecided(&self, why: GiveUp) -> String {
        let standing = self.tally.standing();
        let votes: Vec<String> = standing.iter().map(|c| c.votes.to_string()).collect();
        let samples = self.counted;
        let mut reason = match (why, standing.as_slice()) {
            (_, []) => format!("no candidate could vote in {samples} samples"),
            (GiveUp::AttemptsUsed, _) => format!(
                "no behaviour was ahead by {} after {samples} samples (votes {})",
                self.needed(),
                votes.join(" : ")
            ),
            (GiveUp::OutOfReach, _) => format!(
                "no behaviour can still get ahead by {} (votes {} after {samples} of {} samples)",
                self.needed(),
                votes.join(" : "),
                self.rules.max_attempts
            ),
        };
        let flagged: u32 = self.red_flags.values().sum();
        let mut parts = Vec::new();
        if self.gate_rejected > 0 {
            parts.push(format!("{} failed an example", self.gate_rejected));
        }
        if flagged > 0 {
            parts.push(format!("{flagged} were discarded as malformed"));
        }
        if !self.model_failures.is_empty() {
            parts.push(format!("{} got no answer from the model", self.model_failures.len()));
        }
        if !self.feedback.is_empty() {
            parts.push(format!("{} winning behaviours were refuted", self.feedback.len()));
        }
        if !parts.is_empty() {
            reason.push_str(": ");
            reason.push_str(&parts.join(", "));
        }
        let last = self.feedback.last().or(self.last_rejection.as_ref()).or(self.model_failures.last());
        if let Some(last) = last.filter(|_| standing.is_empty()) {
            reason.push_str("; last: ");
            reason.push_str(last);
        }
        reason
    }

    /// Inputs on which the standing classes differ, shortest first, at most five.
    fn disagreements(&self) -> Vec<Disagreement> {
        let standing = self.tally.standing();
        let Some(first) = standing.first().and_then(|c| self.classes.get(&c.class)) else { return Vec::new() };
        let mut inputs: BTreeSet<(usize, &str)> = BTreeSet::new();
        for rival in standing.iter().skip(1).filter_map(|c| self.classes.get(&c.class)) {
            inputs.extend(first.differences(rival).into_iter().map(|(input, _, _)| (input.len(), input)));
        }
        inputs
            .into_iter()
            .take(5)
            .map(|(_, input)| {
                let mut answers: BTreeMap<&str, u32> = BTreeMap::new();
                for class in &standing {
                    let outcome =
                        self.classes.get(&class.class).and_then(|f| f.outcomes.iter().find(|(i, _)| i == input));
                    if let Some((_, outcome)) = outcome {
                        *answers.entry(outcome).or_default() += class.votes;
                    }
                }
                let mut answers: Vec<(String, u32)> = answers.into_iter().map(|(a, n)| (a.to_owned(), n)).collect();
                answers.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                Disagreement { input: input.to_owned(), answers }
            })
            .collect()
    }
}
