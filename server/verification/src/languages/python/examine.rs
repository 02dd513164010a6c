//! What Python candidates make of claims that nobody vouches for: one sandbox job for all of them, each in
//! a process of its own.

use serde::Deserialize;
use serde_json::{Value, json};
use zeroerr_core::advice::{Claim, Trial};

use super::harness::{self, Mode, Trouble};
use super::probe::read;
use super::project::{Extent, Mirror};
use super::questions::place;
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

#[derive(Debug, Deserialize)]
struct Found {
    candidates: Vec<Vec<Trial>>,
}

/// One trial per claim for each candidate; none at all when they bring the job down.
///
/// # Errors
/// When candidates cannot be run at all.
pub async fn examine(tools: &Toolchain, subjects: &[Subject], claims: &[Claim]) -> Result<Vec<Vec<Trial>>, CheckError> {
    let Some(first) = subjects.first() else { return Ok(Vec::new()) };
    // Every candidate's imports count, so that none fails for a module that another has no use for.
    let sources: Vec<&str> = subjects.iter().map(|s| &*s.task.source).collect();
    let mirror = Mirror::make(tools, first, &sources.join("\n"), Extent::ImportsOnly)?;
    let claims: Vec<Value> = claims.iter().map(|c| json!({"call": c.call, "expected": c.expected})).collect();
    let subjects: Vec<Value> = subjects.iter().map(place).collect();
    let extra = json!({"claims": claims, "subjects": subjects});
    let request = harness::request(first, &mirror.root, &mirror.file, extra);
    match harness::run(tools, &mirror.scratch(), Mode::Examine, request).await {
        Ok(found) => read::<Found>(found).map(|f| f.candidates),
        Err(Trouble::Unavailable(why)) => Err(CheckError(why)),
        Err(Trouble::TimedOut(why) | Trouble::BroughtDown(why)) => {
            tracing::info!(why, "candidates could not be tried on what agents proposed");
            Ok(Vec::new())
        }
    }
}
