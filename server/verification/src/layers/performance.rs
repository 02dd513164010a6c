//! Layer 8, performance: figures against `@budget`, `@complexity` and the code an edit replaces.
//!
//! A verdict must not depend on what else the machine does. A budget fails when even the best run
//! is over it and passes when the median keeps it; growth is the Theil-Sen slope (the median of
//! all pairwise slopes, which outliers do not move) of CPU time over size, after dividing by the
//! bound; between the clear cases the answer is "too noisy to tell". A factor of `log n` cannot be
//! told apart by a measurement and is not claimed to be.

use serde::Deserialize;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::Complexity;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::fingerprint::{Broken, one_line};
use crate::languages::Subject;

/// What an answer begins with that another measurement may change.
pub const TOO_NOISY: &str = "too noisy to tell";
/// Extra power of `n` that is still the bound, and from which it surely is not.
const KEEPS: f64 = 0.3;
const BREAKS: f64 = 0.5;
/// How much slower than the code it replaces an edit may be.
const SLOWER: f64 = 3.0;
/// Times below this, in nanoseconds, are not compared with the code an edit replaces.
const NEGLIGIBLE: f64 = 50_000.0;
/// Fewest sizes that say anything.
const FEWEST_SIZES: usize = 4;
/// Only the largest sizes count: small ones measure the fixed cost of a call.
const LAST_SIZES: usize = 6;
/// A call that was stopped took at least this long, in nanoseconds.
const STOPPED_AFTER: f64 = 1.5e9;

/// Times of one call, or why there are none.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct BudgetFact {
    /// The call.
    pub call: String,
    /// Wall time of each run in nanoseconds.
    #[serde(default)]
    pub wall: Vec<f64>,
    /// `timeout`, or an exception.
    #[serde(default)]
    pub error: String,
}

/// Where growing stopped before the largest size.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Stopped {
    /// The size.
    pub size: f64,
    /// `timeout`, or what the call raised.
    pub why: String,
}

/// CPU time by size.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Growth {
    /// Size, best CPU time and wall time in nanoseconds, and the shape of input that took longest.
    pub points: Vec<(f64, f64, f64, String)>,
    /// Where it ended early.
    #[serde(default)]
    pub stopped: Option<Stopped>,
    /// Why nothing was measured.
    #[serde(default)]
    pub reason: String,
}

/// One input, run with the new code and with the code it replaces.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Regression {
    /// The call.
    pub call: String,
    /// CPU times of the replaced code in nanoseconds.
    pub old: Vec<f64>,
    /// CPU times of the new code in nanoseconds.
    pub new: Vec<f64>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Facts {
    /// One per `@budget`.
    pub budgets: Vec<BudgetFact>,
    /// For `@complexity`.
    #[serde(default)]
    pub growth: Option<Growth>,
    /// Against the code that is replaced.
    #[serde(default)]
    pub regression: Option<Vec<Regression>>,
    /// Set when the file did not load.
    #[serde(default)]
    pub broken: Option<Broken>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Keeps(String),
    Breaks(String),
    CannotTell(String),
    TooLong(String),
}

/// The report when there is nothing to check.
pub fn nothing() -> LayerReport {
    LayerReport::new(Layer::Performance, Verdict::NotApplicable, "no @budget, no @complexity")
}

/// Judges the figures.
pub fn judge(subject: &Subject, facts: &Facts) -> LayerReport {
    let spec = &subject.task.spec;
    let mut answers: Vec<(Answer, &str, Option<String>, Option<usize>)> = Vec::new();
    if let Some(Broken(_, error, text, ..)) = &facts.broken {
        answers.push((Answer::Breaks(format!("the file does not load: {error}: {text}")), "load", None, None));
    } else {
        for (budget, fact) in spec.budgets.iter().zip(&facts.budgets) {
            answers.push((
                keeps_budget(budget.milliseconds, fact),
                "budget",
                Some(budget.call.clone()),
                Some(budget.range.start),
            ));
        }
        for budget in spec.budgets.iter().skip(facts.budgets.len()) {
            let untold = Answer::CannotTell(format!("{} was not measured; try again", one_line(&budget.call)));
            answers.push((untold, "budget", None, None));
        }
        if let Some((clause, growth)) = spec.complexity.as_ref().zip(facts.growth.as_ref()) {
            answers.push((keeps_bound(clause.bound, growth), "complexity", None, Some(clause.range.start)));
        }
        for row in facts.regression.iter().flatten() {
            answers.push((keeps_pace(row), "regression", Some(row.call.clone()), None));
        }
    }
    report(subject, answers)
}

fn report(subject: &Subject, answers: Vec<(Answer, &str, Option<String>, Option<usize>)>) -> LayerReport {
    let said = |wanted: fn(&Answer) -> Option<&String>| {
        answers.iter().filter_map(|(a, ..)| wanted(a)).cloned().collect::<Vec<_>>().join("; ")
    };
    let findings: Vec<Finding> = answers
        .iter()
        .filter_map(|(answer, rule, call, place)| match answer {
            Answer::Breaks(message) => Some(Finding {
                code: format!("performance.{rule}"),
                message: message.clone(),
                line: *subject.function_lines().start(),
                counterexample: call.clone(),
                spec_line: place.map(|at| line_of(&subject.task.source, at)),
                url: None,
            }),
            _ => None,
        })
        .collect();
    let evidence = answers.iter().filter(|(a, ..)| matches!(a, Answer::Keeps(_) | Answer::Breaks(_))).count();
    let (verdict, detail) = if !findings.is_empty() {
        (Verdict::Failed, said(|a| if let Answer::Breaks(t) = a { Some(t) } else { None }))
    } else if answers.iter().any(|(a, ..)| matches!(a, Answer::TooLong(_))) {
        (Verdict::TimedOut, said(|a| if let Answer::TooLong(t) = a { Some(t) } else { None }))
    } else if answers.iter().any(|(a, ..)| matches!(a, Answer::CannotTell(_))) {
        (Verdict::Unavailable, said(|a| if let Answer::CannotTell(t) = a { Some(t) } else { None }))
    } else if answers.is_empty() {
        return nothing();
    } else {
        (Verdict::Passed, said(|a| if let Answer::Keeps(t) = a { Some(t) } else { None }))
    };
    LayerReport { findings, evidence, ..LayerReport::new(Layer::Performance, verdict, detail) }
}

/// One budget: the median must keep it, and only a best run over it breaks it.
fn keeps_budget(milliseconds: f64, fact: &BudgetFact) -> Answer {
    let call = one_line(&fact.call);
    if fact.error == "timeout" {
        return Answer::Breaks(format!("{call} did not end in its time, the budget is {milliseconds} ms"));
    }
    if !fact.error.is_empty() || fact.wall.is_empty() {
        return Answer::CannotTell(format!("{call} could not be timed: {}", fact.error));
    }
    let best = fact.wall.iter().copied().fold(f64::INFINITY, f64::min) / 1e6;
    let middle = median(&fact.wall).unwrap_or(f64::INFINITY) / 1e6;
    if best > milliseconds {
        Answer::Breaks(format!("{call} takes {}, the budget is {milliseconds} ms", span(best)))
    } else if middle <= milliseconds {
        Answer::Keeps(format!("{call} takes {} of {milliseconds} ms", span(middle)))
    } else {
        Answer::CannotTell(format!(
            "{TOO_NOISY}: {call} takes {} to {}, the budget is {milliseconds} ms",
            span(best),
            span(middle)
        ))
    }
}

fn span(milliseconds: f64) -> String {
    if milliseconds < 0.1 { format!("{:.1} µs", milliseconds * 1e3) } else { format!("{milliseconds:.2} ms") }
}

/// Growth against the bound.
fn keeps_bound(bound: Complexity, growth: &Growth) -> Answer {
    if !growth.reason.is_empty() {
        return Answer::CannotTell(growth.reason.clone());
    }
    let mut points: Vec<(f64, f64)> = growth.points.iter().map(|p| (p.0, p.1.max(1.0))).collect();
    let timed_out = growth.stopped.as_ref().filter(|s| s.why == "timeout");
    if let Some(stopped) = timed_out {
        points.push((stopped.size, STOPPED_AFTER));
    }
    if points.len() < FEWEST_SIZES {
        let why =
            growth.stopped.as_ref().map_or_else(String::new, |s| format!(": {} at n = {}", one_line(&s.why), s.size));
        let text = format!("only {} sizes could be measured{why}", points.len());
        return if timed_out.is_some() { Answer::TooLong(text) } else { Answer::CannotTell(text) };
    }
    let last = &points[points.len() - LAST_SIZES.min(points.len())..];
    let Some((excess, surely)) = excess(last, bound) else {
        return Answer::CannotTell("the measured sizes are all alike".into());
    };
    let figures = figures(last);
    let name = bound_name(bound);
    if excess <= KEEPS {
        Answer::Keeps(format!("grows within {name} ({figures})"))
    } else if surely >= BREAKS {
        let seen = if bound == Complexity::Exponential {
            String::new()
        } else {
            format!(", about n^{:.1}", excess + power(bound))
        };
        Answer::Breaks(format!("grows faster than {name}{seen} ({figures})"))
    } else {
        Answer::CannotTell(format!("{TOO_NOISY} whether it grows within {name} ({figures})"))
    }
}

/// By how much the measured power exceeds the bound's: the median of all slopes, and the quartile
/// below it, which is what three quarters of them agree on.
fn excess(points: &[(f64, f64)], bound: Complexity) -> Option<(f64, f64)> {
    let x = |n: f64| if bound == Complexity::Exponential { n } else { n.ln() };
    let mut slopes = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            let run = x(b.0) - x(a.0);
            if run > 0.0 {
                slopes.push(((b.1.ln() - log_bound(bound, b.0)) - (a.1.ln() - log_bound(bound, a.0))) / run);
            }
        }
    }
    slopes.sort_by(f64::total_cmp);
    Some((median(&slopes)?, *slopes.get(slopes.len() / 4)?))
}

/// The logarithm of the bound at a size.
fn log_bound(bound: Complexity, n: f64) -> f64 {
    let log = n.max(2.0).ln();
    match bound {
        Complexity::Constant => 0.0,
        Complexity::Logarithmic => log.ln(),
        Complexity::Linear => log,
        Complexity::Linearithmic => log + log.ln(),
        Complexity::Quadratic => 2.0 * log,
        Complexity::Cubic => 3.0 * log,
        Complexity::Exponential => n * std::f64::consts::LN_2,
    }
}

fn power(bound: Complexity) -> f64 {
    match bound {
        Complexity::Constant | Complexity::Logarithmic | Complexity::Exponential => 0.0,
        Complexity::Linear | Complexity::Linearithmic => 1.0,
        Complexity::Quadratic => 2.0,
        Complexity::Cubic => 3.0,
    }
}

fn bound_name(bound: Complexity) -> &'static str {
    match bound {
        Complexity::Constant => "O(1)",
        Complexity::Logarithmic => "O(log n)",
        Complexity::Linear => "O(n)",
        Complexity::Linearithmic => "O(n log n)",
        Complexity::Quadratic => "O(n^2)",
        Complexity::Cubic => "O(n^3)",
        Complexity::Exponential => "O(2^n)",
    }
}

/// First and last of the sizes that counted.
fn figures(points: &[(f64, f64)]) -> String {
    let shown =
        [points.first(), points.last()].into_iter().flatten().map(|(n, t)| format!("n = {n}: {}", span(t / 1e6)));
    shown.collect::<Vec<_>>().join(", ")
}

/// New code against old: slower only when its best run is far slower than the old code's median.
fn keeps_pace(row: &Regression) -> Answer {
    let (Some(old), Some(new)) = (median(&row.old), median(&row.new)) else {
        return Answer::CannotTell(format!("{} could not be compared with the code it replaces", one_line(&row.call)));
    };
    let best = row.new.iter().copied().fold(f64::INFINITY, f64::min);
    let ratio = new / old.max(1.0);
    let call = one_line(&row.call);
    if ratio > SLOWER && best > SLOWER * old && best > NEGLIGIBLE {
        Answer::Breaks(format!(
            "{call} takes {ratio:.1} times as long as the code it replaces ({} against {})",
            span(new / 1e6),
            span(old / 1e6)
        ))
    } else {
        Answer::Keeps(format!("{ratio:.1} times the time of the code it replaces"))
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn growth(cost: impl Fn(f64) -> f64) -> Growth {
        let points = (4..=15).map(|e| f64::from(1 << e)).map(|n| (n, cost(n), cost(n), "distinct".into())).collect();
        Growth { points, ..Growth::default() }
    }

    fn verdict(bound: Complexity, growth: &Growth) -> &'static str {
        match keeps_bound(bound, growth) {
            Answer::Keeps(_) => "keeps",
            Answer::Breaks(_) => "breaks",
            Answer::CannotTell(_) => "cannot tell",
            Answer::TooLong(_) => "too long",
        }
    }

    #[test]
    fn bounds_one_power_apart_are_told_apart() {
        use Complexity::{Constant, Cubic, Linear, Linearithmic, Logarithmic, Quadratic};
        let coefficients = [(0.0, 300.0), (1.0, 20.0), (2.0, 9.0), (3.0, 1.0)];
        for (degree, coefficient) in coefficients {
            let cost = |n: f64| 500.0 + coefficient * n.powf(degree);
            for (bound, allowed) in [
                (Constant, 0.0),
                (Logarithmic, 0.0),
                (Linear, 1.0),
                (Linearithmic, 1.0),
                (Quadratic, 2.0),
                (Cubic, 3.0),
            ] {
                let expected = if degree <= allowed { "keeps" } else { "breaks" };
                assert_eq!(verdict(bound, &growth(cost)), expected, "{bound:?} for n^{degree}");
            }
        }
        assert_eq!(verdict(Complexity::Linear, &growth(|n| n * n.sqrt().sqrt() * n.powf(0.15))), "cannot tell");
    }

    #[test]
    fn code_that_stops_ending_breaks_a_polynomial_bound_and_keeps_an_exponential_one() {
        let points = [4.0, 8.0, 16.0].map(|n: f64| (n, 100.0 * 2f64.powf(n), 0.0, "equal".into())).to_vec();
        let stopped = Some(Stopped { size: 32.0, why: "timeout".into() });
        assert_eq!(verdict(Complexity::Cubic, &Growth { points, stopped, reason: String::new() }), "breaks");
        let points =
            (2..13).map(|n| f64::from(2 * n)).map(|n| (n, 100.0 * 2f64.powf(n), 0.0, "equal".into())).collect();
        assert_eq!(verdict(Complexity::Exponential, &Growth { points, ..Growth::default() }), "keeps");
        let points = (2..13).map(|n| f64::from(2 * n)).map(|n| (n, 4f64.powf(n), 0.0, "equal".into())).collect();
        assert_eq!(verdict(Complexity::Exponential, &Growth { points, ..Growth::default() }), "breaks");
    }

    #[test]
    fn a_budget_is_broken_by_the_best_run_only() {
        let fact = |wall: &[f64]| BudgetFact {
            call: "f(1)".into(),
            wall: wall.iter().map(|ms| ms * 1e6).collect(),
            error: String::new(),
        };
        assert_eq!(keeps_budget(5.0, &fact(&[4.0, 4.1, 99.0])), Answer::Keeps("f(1) takes 4.10 ms of 5 ms".into()));
        assert_eq!(
            keeps_budget(5.0, &fact(&[6.0, 7.0, 99.0])),
            Answer::Breaks("f(1) takes 6.00 ms, the budget is 5 ms".into())
        );
        assert_eq!(
            keeps_budget(5.0, &fact(&[4.0, 7.0, 9.0])),
            Answer::CannotTell("too noisy to tell: f(1) takes 4.00 ms to 7.00 ms, the budget is 5 ms".into())
        );
    }

    #[test]
    fn a_regression_needs_to_be_large_and_to_matter() {
        let row = |old: f64, new: f64| Regression { call: "f(1)".into(), old: vec![old; 5], new: vec![new; 5] };
        assert!(matches!(keeps_pace(&row(1e6, 5e6)), Answer::Breaks(_)));
        assert!(matches!(keeps_pace(&row(1e6, 2e6)), Answer::Keeps(_)));
        assert!(matches!(keeps_pace(&row(1e3, 9e3)), Answer::Keeps(_)), "microseconds do not matter");
    }

    proptest! {
        #[test]
        fn three_outliers_do_not_change_a_verdict(which in proptest::collection::vec(0usize..12, 1..2), factor in 1.5f64..20.0) {
            let mut noisy = growth(|n| 500.0 + 20.0 * n);
            for i in which {
                noisy.points[i].1 *= factor;
            }
            prop_assert_ne!(verdict(Complexity::Linear, &noisy), "breaks");
        }
    }
}
