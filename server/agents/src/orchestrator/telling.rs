//! What a step tells: its report, why it is undecided, and where its classes differ.

use std::collections::{BTreeMap, BTreeSet};

use zeroerr_core::advice::{
    AdviceReport, AgreementReport, Claim, Errand, InputReport, ObjectionReport, Said, TestReport, Trial,
};
use zeroerr_core::report::{Disagreement, StepReport, StepState};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_core::voting_engine::estimate::Estimate;
use zeroerr_core::voting_engine::sequential::GiveUp;

use super::{Standing, StepEnd, StepMachine};
use crate::diversity::distinct_share;

impl StepMachine {
    /// What went wrong with earlier winners, for the next prompts.
    pub fn feedback(&self) -> &[String] {
        &self.feedback
    }

    /// The step's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Samples that were counted.
    pub fn samples(&self) -> u32 {
        self.counted
    }

    /// Samples that have ended, those included that were not needed any more or wait for one with
    /// a lower number.
    pub fn ended(&self) -> u32 {
        self.ended
    }

    /// Whether a sample was counted. One that ended may have come too late for that.
    pub fn was_counted(&self, id: u64) -> bool {
        let round = id / self.numbers_per_round();
        let end = usize::try_from(round).ok().and_then(|round| self.rounds.get(round));
        id < end.copied().unwrap_or(self.cursor)
    }

    /// The classes that may still win, most votes first, each with the first sample that voted for it.
    pub fn classes(&self) -> Vec<(String, u64)> {
        self.with_first_voters(self.tally.standing().into_iter().map(|c| c.class))
    }

    /// The classes that were refuted, each with the first sample that voted for it.
    pub fn refuted(&self) -> Vec<(String, u64)> {
        self.with_first_voters(self.tally.barred().map(str::to_owned))
    }

    fn with_first_voters(&self, classes: impl Iterator<Item = String>) -> Vec<(String, u64)> {
        classes
            .filter_map(|class| Some((self.tally.voters(&class).first().copied()?, class)))
            .map(|(id, c)| (c, id))
            .collect()
    }

    /// Why a candidate was found wrong last: by the stack, else by an example. Empty when none was.
    pub fn last_objection(&self) -> &str {
        self.feedback.last().or(self.last_rejection.as_ref()).map_or("", String::as_str)
    }

    /// Votes that were counted, those of refuted classes included.
    pub fn votes(&self) -> u32 {
        self.tally.total() as u32
    }

    /// Samples that may be counted at most, those of an earlier run and those granted for objections
    /// included.
    pub fn max_attempts(&self) -> u32 {
        self.rules.max_attempts.saturating_add(self.granted())
    }

    /// The classes that may still win, most votes first.
    pub fn standing(&self) -> Vec<Standing<'_>> {
        let standing = self.tally.standing().into_iter();
        standing
            .filter_map(|c| {
                let id = self.tally.voters(&c.class).first().copied()?;
                Some(Standing { id, fingerprint: self.classes.get(&c.class)?, votes: c.votes })
            })
            .collect()
    }

    /// What the votes of these samples count for.
    pub fn fingerprints(&self, ids: &[u64]) -> Vec<Option<Fingerprint>> {
        let mut known: Vec<Option<Fingerprint>> = vec![None; ids.len()];
        for (class, fingerprint) in &self.classes {
            let voters = self.tally.voters(class);
            for (at, _) in ids.iter().enumerate().filter(|(_, id)| voters.contains(id)) {
                known[at] = Some(fingerprint.clone());
            }
        }
        known
    }

    /// The step for reports.
    pub fn report(&self) -> StepReport {
        let standing = self.tally.standing();
        StepReport {
            name: self.name.clone(),
            state: match self.end {
                Some(StepEnd::Won { .. }) => StepState::Won,
                Some(StepEnd::Abstained(_) | StepEnd::Failed(_)) => StepState::Lost,
                None => StepState::Open,
            },
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
            advice: self.advice(),
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
        let drawn = format!("{samples} {}", if samples == 1 { "sample" } else { "samples" });
        let mut reason = match (why, standing.as_slice()) {
            (_, []) if samples == 0 && self.needed() > self.max_attempts() => format!(
                "a lead of {} is out of reach with {} samples; allow more of them",
                self.needed(),
                self.max_attempts()
            ),
            (_, []) => format!("no candidate could vote in {drawn}"),
            (GiveUp::AttemptsUsed, _) => {
                format!("no behaviour was ahead by {} after {drawn} (votes {})", self.needed(), votes.join(" : "))
            }
            (GiveUp::OutOfReach, _) => format!(
                "no behaviour can still get ahead by {} (votes {} after {samples} of {} samples)",
                self.needed(),
                votes.join(" : "),
                self.max_attempts()
            ),
        };
        let flagged: u32 = self.red_flags.values().sum();
        let mut parts = Vec::new();
        if self.gate_rejected > 0 {
            parts.push(format!("{} failed an example", self.gate_rejected));
        }
        if flagged > 0 {
            let were = if flagged == 1 { "was" } else { "were" };
            parts.push(format!("{flagged} {were} discarded as malformed"));
        }
        if !self.model_failures.is_empty() {
            parts.push(format!("{} got no answer from the model", self.model_failures.len()));
        }
        match self.feedback.len() {
            0 => {}
            1 => parts.push("1 winning behaviour was refuted".to_owned()),
            many => parts.push(format!("{many} winning behaviours were refuted")),
        }
        parts.extend(self.why_more_votes());
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

    /// Why more votes were asked for than otherwise.
    fn why_more_votes(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let objections = self.advising.as_ref().map_or(0, |a| a.objections.len());
        if objections > 0 {
            let noun = if objections == 1 { "behaviour" } else { "behaviours" };
            parts.push(format!("critics objected to {objections} winning {noun}"));
        }
        if self.tests_object() {
            parts.push("generated tests speak for another behaviour than the first".to_owned());
        }
        if self.plain_margin().is_some_and(|plain| plain < self.needed()) && self.tally.margin() >= self.needed() {
            parts.push("the first is not as far ahead when counted without the inputs of agents".to_owned());
        }
        parts
    }

    /// What other agents contributed.
    fn advice(&self) -> Option<Box<AdviceReport>> {
        let advising = self.advising.as_ref()?;
        let standing = self.tally.standing();
        let class_of = |id: &u64| {
            let all = standing.iter().map(|c| c.class.as_str()).chain(self.tally.barred());
            all.into_iter().find(|c| self.tally.voters(c).contains(id)).map(|c| c.chars().take(8).collect::<String>())
        };
        let of_claim = |at: usize, claim: &Claim| -> Vec<&Trial> {
            let settled = advising.settled().filter(|(_, count)| *count > at);
            settled.filter_map(|(id, _)| advising.trial(id, claim)).collect()
        };
        let mut report = AdviceReport {
            tests_object: self.tests_object(),
            extra_lead: self.extra_lead(),
            granted: self.granted(),
            ..AdviceReport::default()
        };
        for (at, (claim, by)) in advising.claims.iter().enumerate() {
            let trials = of_claim(at, claim);
            if claim.expected.is_some() {
                let passed = trials.iter().filter(|t| t.holds).count() as u32;
                report.tests.push(TestReport { code: claim.code(), passed, of: trials.len() as u32 });
            }
            if !report.inputs.iter().any(|i| i.call == claim.call) {
                let outcomes: BTreeSet<&String> = trials.iter().filter_map(|t| t.outcome.as_ref()).collect();
                report.inputs.push(InputReport {
                    call: claim.call.clone(),
                    by: (*by).to_owned(),
                    inside: claim.inside,
                    outcomes: outcomes.len() as u32,
                });
            }
        }
        report.agreement = advising
            .sets
            .iter()
            .map(|set| {
                let classes: BTreeSet<String> = set.voters.iter().filter_map(class_of).collect();
                AgreementReport {
                    classes: classes.into_iter().collect(),
                    votes: set.voters.len() as u32,
                    tests: set.tests.len() as u32,
                    score: set.score(),
                }
            })
            .collect();
        report.objections = advising
            .objections
            .iter()
            .map(|(id, text)| ObjectionReport { class: class_of(id).unwrap_or_default(), text: text.clone() })
            .collect();
        for errand in &advising.used {
            let Some((tokens, said)) = advising.heard.get(errand) else { continue };
            report.completion_tokens += tokens;
            if let Said::Nothing(why) = said {
                report.nothing.insert(name_of(*errand), why.clone());
            }
        }
        Some(Box::new(report))
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

/// `tester 1`, `critic of sample 4`.
fn name_of(errand: Errand) -> String {
    match errand {
        Errand::Test(n) | Errand::Discriminate(n) => format!("{} {}", errand.agent(), n + 1),
        Errand::Criticise(id) => format!("critic of sample {id}"),
    }
}
