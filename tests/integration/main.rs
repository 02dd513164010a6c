//! The real binary from outside: arguments, settings, exit codes, output formats.

mod bad_input;
mod command_line;
mod formats;
mod questions;
mod replay;
mod runs;
mod rust;
