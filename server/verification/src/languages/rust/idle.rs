//! Claims that compare something with itself: whatever a function gives for its arguments, it gives it on both sides.

use super::glue::compared;
use super::tree::{Expression, normalised, unwrapped};

/// Whether both sides of an `==` are written alike.
pub(super) fn is_idle(code: &str) -> bool {
    let Some((_, left, right)) = compared(code) else { return false };
    let written = |side: &str| {
        let expression = Expression::parse(side)?;
        Some(normalised(unwrapped(expression.node()?), expression.source()))
    };
    written(&left).is_some_and(|left| written(&right) == Some(left))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn only_the_same_on_both_sides_says_nothing() {
        assert!(is_idle("total(a, b) == total( a,b )") && is_idle("(f(1).len()) == f(1).len()"));
        assert!(!is_idle("total(a, b) == total(b, a)") && !is_idle("f(1) != f(1)") && !is_idle("f(1)"));
    }
}
