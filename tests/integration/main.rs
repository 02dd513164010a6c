//! The real binary from outside: arguments, settings, exit codes, output formats.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "what a test cannot do without fails it, with the place"
)]

mod agents;
mod audit;
mod bad_input;
mod command_line;
mod corpus;
mod counts;
mod formats;
mod places;
mod plans;
mod questions;
mod replay;
mod runs;
mod rust;
mod schemas;
mod tree;
mod typescript;
