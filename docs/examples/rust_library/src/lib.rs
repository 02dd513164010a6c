//! Statistics of a series of readings: a project to try `zeroerr verify` and `zeroerr run` on.

pub mod text;

// @spec The median of xs; the mean of the two middle values for an even count.
// @requires !xs.is_empty() && xs.iter().all(|x| x.is_finite())
// @ensures xs.iter().any(|x| *x <= result) && xs.iter().any(|x| *x >= result)
// @example median(&[3.0, 1.0, 2.0]) == 2.0
// @example median(&[1.0, 2.0, 3.0, 4.0]) == 2.5
// @raises panic median(&[])
// @property median(xs) == median(&xs.iter().rev().copied().collect::<Vec<_>>())
// @complexity O(n log n)
pub fn median(xs: &[f64]) -> f64 {
    let mut ordered = xs.to_vec();
    ordered.sort_by(f64::total_cmp);
    let middle = ordered.len() / 2;
    if ordered.len() % 2 == 1 { ordered[middle] } else { ordered[middle - 1] / 2.0 + ordered[middle] / 2.0 }
}

/// What lies between the largest and the smallest reading; `None` without readings.
///
/// ```
/// use readings::range;
/// assert_eq!(range(&[3, 9, 4]), Some(6));
/// assert_eq!(range(&[]), None);
/// ```
pub fn range(xs: &[i64]) -> Option<i64> {
    todo!()
}
