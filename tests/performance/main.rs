//! What a user waits for, measured on the real binary. Nothing here asserts a wall time: machines are
//! noisy. Figures are printed; `cargo test -p zeroerr-tests --test performance -- --nocapture`
//! shows them.

mod editor;
mod latency;
mod start;
