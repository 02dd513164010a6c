//! A test of the project that `zeroerr verify` finds by the names that it uses.

use readings::{median, text::number};

#[test]
fn readings_as_written_have_a_median() {
    let xs: Vec<f64> = ["3 kg", "1 kg", "2 kg"].iter().filter_map(|t| number(t).ok()).collect();
    assert_eq!(median(&xs), 2.0);
}
