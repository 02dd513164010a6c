//! What the harness is told of the values that a spec and its code speak of, beyond the literals in them.

use zeroerr_core::task_specification::Spec;

use super::glue::{constants, hints};
use super::tree::words;

/// Words that speak of floats which are no plain numbers, and of which.
const SPECIAL: [(&str, &[&str]); 12] = [
    ("is_nan", &["nan"]),
    ("NAN", &["nan"]),
    ("is_infinite", &["inf", "-inf", "max"]),
    ("INFINITY", &["inf", "-inf"]),
    ("NEG_INFINITY", &["inf", "-inf"]),
    ("is_finite", &["nan", "inf", "-inf", "max"]),
    ("is_normal", &["nan", "inf", "-inf", "max", "least"]),
    ("is_subnormal", &["least"]),
    ("MIN_POSITIVE", &["least"]),
    ("is_sign_negative", &["-0", "-inf"]),
    ("is_sign_positive", &["-0", "-inf"]),
    ("total_cmp", &["nan", "inf", "-inf", "-0"]),
];

/// The floats that a clause or the body speaks of, by their names in the harness. A body that sorts with `total_cmp`
/// speaks of none: that is how floats are sorted.
pub(super) fn specials(body: &str, clauses: &[&str]) -> Vec<&'static str> {
    let mut out: Vec<&str> = Vec::new();
    let said = clauses.iter().flat_map(|clause| words(clause)).chain(words(body).filter(|w| *w != "total_cmp"));
    for word in said {
        out.extend(SPECIAL.iter().filter(|(known, _)| *known == word).flat_map(|(_, names)| *names));
    }
    if !out.is_empty() {
        out.push("-0");
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The largest integer that a spec names, without its sign; the end of a type is beyond all others.
pub(super) fn largest_named(spec: &Spec, source: &str) -> u128 {
    let shown = spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str()));
    let clauses = spec.requires.iter().chain(&spec.ensures).chain(&spec.properties).map(|c| c.text.as_str());
    let texts: Vec<&str> = shown.chain(clauses).collect();
    if texts.iter().flat_map(|text| words(text)).any(|word| matches!(word, "MAX" | "MIN")) {
        return u128::MAX;
    }
    let named = texts.iter().flat_map(|text| hints(text)).chain(constants(source, &texts));
    named.filter_map(|hint| Some(hint.strip_prefix("i:")?.parse::<i128>().ok()?.unsigned_abs())).max().unwrap_or(0)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_body_that_sorts_speaks_of_no_special_floats() {
        assert!(specials("{ xs.sort_by(f64::total_cmp); }", &["result > 0.0"]).is_empty());
        assert_eq!(specials("{ 0.0 }", &["result.is_nan() == x.is_nan()"]), ["-0", "nan"]);
        assert_eq!(specials("{ f64::INFINITY }", &[]), ["-0", "-inf", "inf"]);
    }
}
