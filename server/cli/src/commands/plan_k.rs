//! `zeroerr plan-k`: how large the lead must be (MAKER, arXiv 2511.09030).

use serde::Serialize;
use zeroerr_core::voting_engine::theory::{expected_samples, expected_votes, k_min, p_full, p_win};

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
    /// Of one step, flagged ones included.
    expected_samples: f64,
    /// Of the whole plan.
    plan_samples: f64,
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
    let k = k_min(args.p, args.target, args.steps, 1).map_err(wrong)?;
    let answer = Answer {
        k,
        p_win: p_win(args.p, k),
        expected_votes: expected_votes(args.p, k).map_err(wrong)?,
        p_full: p_full(args.p, k, args.steps, 1),
        expected_samples: expected_samples(args.p, k, 1, valid).map_err(wrong)?,
        plan_samples: expected_samples(args.p, k, args.steps, valid).map_err(wrong)?,
    };
    if ui.json {
        ui.json_result(&answer)?;
    } else {
        let steps = plural(args.steps, "step");
        // Who loses is the one rival: the formula with p and 1 - p exchanged, which loses no digits.
        let lost = p_win(1.0 - args.p, k);
        let lost_plan = -(args.steps as f64 * (-lost).ln_1p()).exp_m1();
        ui.result(&format!(
            "k = {k}: one step is right with {}, {steps} with {}; on average {:.2} votes a step, {:.2} samples with {} % flagged, {} in all",
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
