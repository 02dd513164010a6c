//! What a user waits for, measured on the real binary. Nothing here asserts a wall time: machines are
//! noisy. Figures are printed; `cargo test -p zeroerr-tests --test performance -- --nocapture`
//! shows them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot measure fails with a backtrace")]

mod editor;
mod latency;
mod peer;
mod start;
