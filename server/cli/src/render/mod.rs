//! How results look: for people, as JSON, and in the formats that other tools read.

pub mod advice;
pub mod diff;
pub mod github;
pub mod json;
pub mod junit;
pub mod layers;
pub mod progress;
pub mod review;
pub mod sarif;
pub mod when;

use std::fmt::Display;

use anstyle::{AnsiColor, Effects, Style};

/// Green.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Red.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Yellow.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Dim.
pub const FAINT: Style = Style::new().effects(Effects::DIMMED);
/// Bold.
pub const STRONG: Style = Style::new().effects(Effects::BOLD);

/// `1 vote`, `2 votes`.
pub fn plural(n: impl Display + PartialEq + From<u8>, word: &str) -> String {
    if n == 1.into() { format!("{n} {word}") } else { format!("{n} {word}s") }
}

#[cfg(test)]
mod fixture;
