//! Takes the candidate out of a model's response.

use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::red_flag_detector::RedFlag;

/// Takes the candidate out of a model's response.
///
/// # Errors
/// The red flag.
pub fn extract(_response: &str, _task: &Task) -> Result<Candidate, RedFlag> {
    Err(RedFlag::NotOneFunction)
}
