//! What a replay comes to: coverage, precision and samples per policy, with intervals.

use serde::Serialize;
use zeroerr_core::advice::Said;
use zeroerr_core::voting_engine::sequential::wilson;

use super::advice::Advice;
use super::review_figures::{ChangeRow, CriticFigures, DiscriminatorFigures};

/// What TiCoder (arXiv 2404.10100) reports for HumanEval: pass@1 without and with one answered question.
pub const TICODER: (f64, f64) = (0.305, 0.553);

/// Sums over the orders of one task.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// Replays.
    pub replays: u32,
    /// With a winner.
    pub decided: u32,
    /// With a winner that the hidden test accepts.
    pub right: u32,
    /// Samples counted.
    pub samples: u64,
    /// Questions answered.
    pub questions: u64,
}

impl Sums {
    /// Adds one replay.
    pub fn add(&mut self, right: Option<bool>, samples: u32, questions: usize) {
        self.replays += 1;
        self.decided += u32::from(right.is_some());
        self.right += u32::from(right == Some(true));
        self.samples += u64::from(samples);
        self.questions += questions as u64;
    }

    fn share(self, of: u32) -> f64 {
        f64::from(of) / f64::from(self.replays.max(1))
    }
}

/// Figures over tasks. Every task weighs the same. Intervals are Wilson's, at 95 %, with tasks (for
/// precision: as many as were decided) as trials: the orders of one task are no new trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Tasks.
    pub tasks: usize,
    /// Share of tasks with a winner.
    pub coverage: f64,
    /// Its interval.
    pub coverage_95: [f64; 2],
    /// Share of winners that the hidden test accepts; `None` without winners.
    pub precision: Option<f64>,
    /// Its interval.
    pub precision_95: [f64; 2],
    /// Share of tasks with a winner that is right: coverage times precision.
    pub right: f64,
    /// Samples counted per task.
    pub mean_samples: f64,
}

impl Figures {
    /// From the sums of every task.
    pub fn of(tasks: &[Sums]) -> Self {
        let n = tasks.len().max(1) as f64;
        let decided: f64 = tasks.iter().map(|t| t.share(t.decided)).sum();
        let right: f64 = tasks.iter().map(|t| t.share(t.right)).sum();
        let samples: f64 = tasks.iter().map(|t| t.samples as f64 / f64::from(t.replays.max(1))).sum();
        let precision = (decided > 0.0).then(|| right / decided);
        let pair = |(low, high): (f64, f64)| [round(low), round(high)];
        Self {
            tasks: tasks.len(),
            coverage: round(decided / n),
            coverage_95: pair(wilson(decided / n, tasks.len() as f64)),
            precision: precision.map(round),
            precision_95: pair(wilson(precision.unwrap_or(0.0), decided)),
            right: round(right / n),
            mean_samples: (samples / n * 100.0).round() / 100.0,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyRow {
    /// The policy.
    pub name: &'static str,
    /// Its lead; `None` where there is none.
    pub k: Option<u32>,
    /// What the votes alone come to; for ours the stack is a part of it.
    #[serde(flatten)]
    pub figures: Figures,
    /// The same when winners that a layer refuses are not offered; where the layers were asked.
    pub with_stack: Option<Figures>,
}

/// Whether the one candidate that one would take, if one had to take one, is right: pass@1 as others count
/// it, with no abstaining and no lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuessRow {
    /// Whether the docstring's examples are known, or only what the answers say.
    pub examples: bool,
    /// How many questions may be asked per task.
    pub up_to: usize,
    /// How many were, on average.
    pub asked: f64,
    /// Share of tasks whose guess the hidden test accepts.
    pub right: f64,
    /// Its interval.
    pub right_95: [f64; 2],
    /// Points above a single sample.
    pub gain: f64,
}

/// What questions change, for one lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionRow {
    /// The lead.
    pub k: u32,
    /// How many questions may be asked per task.
    pub up_to: usize,
    /// How many were, on average.
    pub asked: f64,
    /// The figures of ours then.
    #[serde(flatten)]
    pub figures: Figures,
    /// Points of `right` above no question.
    pub gain: f64,
}

/// A task that takes no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its id.
    pub task_id: String,
    /// Why, in a clause.
    pub why: String,
}

/// A whole replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Which part of the tasks.
    pub split: &'static str,
    /// Tasks that took part.
    pub tasks: usize,
    /// Orders of the samples per task.
    pub orders: u32,
    /// Samples per task and order at most.
    pub max_samples: u32,
    /// Share of right ones among single samples.
    pub one_sample: f64,
    /// Per policy and lead.
    pub policies: Vec<PolicyRow>,
    /// Per lead and number of questions; empty unless asked for.
    pub questions: Vec<QuestionRow>,
    /// With and without examples, per number of questions; empty unless asked for.
    pub guesses: Vec<GuessRow>,
    /// How many winners the layers were asked about.
    pub stack_asked: usize,
    /// How many of them a layer refused, by layer.
    pub stack_refused: std::collections::BTreeMap<String, usize>,
    /// Layers that could not be asked, and what is missing.
    pub not_checked: Vec<String>,
    /// Tasks without a part.
    pub left_out: Vec<LeftOut>,
    /// What testers said, where they were asked.
    pub testers: Option<TesterFigures>,
    /// What critics said, where they were asked.
    pub critic: Option<CriticFigures>,
    /// What discriminators said, where they were asked.
    pub discriminators: Option<DiscriminatorFigures>,
    /// What agents that advise change.
    pub changes: Vec<ChangeRow>,
}

/// What testers said, over all tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TesterFigures {
    /// Answers.
    pub answers: usize,
    /// Answers with a test that could be read.
    pub usable: usize,
    /// Distinct tests.
    pub tests: usize,
    /// Those that the reference solution passes.
    pub right: usize,
}

impl TesterFigures {
    /// Over the advice on every task.
    pub fn of<'a>(advices: impl IntoIterator<Item = &'a Advice>) -> Self {
        advices.into_iter().fold(Self::default(), |sum, advice| Self {
            answers: sum.answers + advice.said.len(),
            usable: sum.usable + advice.said.iter().filter(|s| matches!(s, Said::Claims(_))).count(),
            tests: sum.tests + advice.truth.len(),
            right: sum.right + advice.truth.iter().filter(|(_, holds)| *holds).count(),
        })
    }
}

/// Four digits: more would only pretend.
pub fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_weighs_the_same_and_orders_are_no_trials() {
        let mut sure = Sums::default();
        let mut torn = Sums::default();
        for n in 0..10 {
            sure.add(Some(true), 3, 0);
            torn.add((n % 2 == 0).then_some(false), 20, 1);
        }
        let figures = Figures::of(&[sure, torn]);
        assert_eq!((figures.tasks, figures.coverage, figures.precision), (2, 0.75, Some(0.6667)));
        assert_eq!((figures.right, figures.mean_samples), (0.5, 11.5));
        assert!(figures.precision_95[0] < 0.2 && figures.precision_95[1] > 0.9, "{:?}", figures.precision_95);
        assert_eq!(Figures::of(&[Sums::default()]).precision, None);
    }
}
