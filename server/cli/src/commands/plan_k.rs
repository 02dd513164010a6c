//! `zeroerr plan-k`: how large the lead must be (MAKER, arXiv 2511.09030).

use serde::Serialize;
use zeroerr_core::voting_engine::theory::{expected_cost, expected_samples, expected_votes, k_min, p_full, p_win};

use crate::args::{Global, PlanKArgs};
use crate::context::Ui;
use crate::exit::{CliError, Exit};
use crate::render::plural;

#[derive(Debug, Serialize)]
struct Answer {
    k: u32,
    p_win: f64,
    expected_votes: f64,
    p_full: f64,
    /// Of one step, or of those that one sample writes; flagged ones included.
    expected_samples: f64,
    /// Of the whole plan.
    plan_samples: f64,
    /// Steps that all of them write.
    plan_cost: f64,
}

/// Prints k and what it costs.
///
/// # Errors
/// Numbers for which there is no answer.
pub fn main(global: &Global, args: &PlanKArgs) -> Result<Exit, CliError> {
    let ui = Ui::new(global);
    let wrong = |e: zeroerr_core::voting_engine::theory::TheoryError| CliError::usage(e.to_string());
    if !(0.0..1.0).contains(&args.flag_rate) {
        return Err(CliError::usage("--flag-rate must be at least 0 and below 1"));
    }
    let valid = 1.0 - args.flag_rate;
    let m = args.steps_per_agent;
    let k = k_min(args.p, args.target, args.steps, m).map_err(wrong)?;
    let answer = Answer {
        k,
        p_win: p_win(args.p, k),
        expected_votes: expected_votes(args.p, k).map_err(wrong)?,
        p_full: p_full(args.p, k, args.steps, m),
        expected_samples: expected_samples(args.p, k, m, m, valid).map_err(wrong)?,
        plan_samples: expected_samples(args.p, k, args.steps, m, valid).map_err(wrong)?,
        plan_cost: expected_cost(args.p, k, args.steps, m, valid).map_err(wrong)?,
    };
    if ui.json {
        ui.json_result(&answer)?;
    } else {
        let steps = plural(args.steps, "step");
        // Who loses is the one rival: the formula with p and 1 - p exchanged, which loses no digits.
        let lost = p_win(1.0 - args.p, k);
        let lost_plan = -(args.steps as f64 / m as f64 * (-lost).ln_1p()).exp_m1();
        let (one, cost) = match m {
            1 => ("one step is".to_owned(), String::new()),
            _ => (
                format!("{m} steps at once are"),
                format!(", which write {}", plural(answer.plan_cost.round(), "step")),
            ),
        };
        let unit = if m == 1 { "a step" } else { "for them" };
        ui.result(&format!(
            "k = {k}: {one} right with {}, {steps} with {}; on average {:.2} votes {unit}, {:.2} samples with {} % flagged, {} in all{cost}",
            chance(answer.p_win, lost),
            chance(answer.p_full, lost_plan),
            answer.expected_votes,
            answer.expected_samples,
            args.flag_rate * 100.0,
            plural(answer.plan_samples.round(), "sample")
        ))?;
    }
    Ok(Exit::Clean)
}

/// A chance, or what it lacks of certainty where six digits would call it certain.
fn chance(p: f64, lacks: f64) -> String {
    if lacks < 5e-7 { format!("1 - {lacks:.1e}") } else { format!("{p:.6}") }
}
