//! `zeroerr plan-k`: how large the lead must be (MAKER, arXiv 2511.09030).

use serde::Serialize;
use zeroerr_core::voting_engine::theory::{expected_votes, k_min, p_full, p_win};

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
}

/// Prints k and what it costs.
///
/// # Errors
/// Numbers for which there is no answer.
pub fn main(global: &Global, args: &PlanKArgs) -> Result<Exit, CliError> {
    let ui = Ui::new(global);
    let wrong = |e: zeroerr_core::voting_engine::theory::TheoryError| CliError::usage(e.to_string());
    let k = k_min(args.p, args.target, args.steps, 1).map_err(wrong)?;
    let answer = Answer {
        k,
        p_win: p_win(args.p, k),
        expected_votes: expected_votes(args.p, k).map_err(wrong)?,
        p_full: p_full(args.p, k, args.steps, 1),
    };
    if ui.json {
        ui.json_result(&answer)?;
    } else {
        let steps = plural(usize::try_from(args.steps).unwrap_or(usize::MAX), "step");
        ui.result(&format!(
            "k = {k}: one step is right with {:.6}, {steps} with {:.6}; {:.2} votes a step on average",
            answer.p_win, answer.p_full, answer.expected_votes
        ))?;
    }
    Ok(Exit::Clean)
}
