//! Readings as people write them.

/// Why a reading cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// There is nothing.
    Empty,
    /// It is no number.
    NoNumber(String),
}

// @spec The number before a unit: "12.5 kg" is 12.5.
// @example number("12.5 kg") == Ok(12.5)
// @example number(" -3") == Ok(-3.0)
// @raises Fault::Empty number("  ")
// @raises Fault::NoNumber number("kg")
// @property number(text) == number(&format!("{text} "))
pub fn number(text: &str) -> Result<f64, Fault> {
    let word = text.split_whitespace().next().ok_or(Fault::Empty)?;
    word.parse().map_err(|_| Fault::NoNumber(word.to_owned()))
}
