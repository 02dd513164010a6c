//! What goes over the network, against servers on this machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper that cannot go on fails its test"
)]

mod openai;
mod pull;
mod support;
