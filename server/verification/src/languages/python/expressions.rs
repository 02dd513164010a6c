//! Expressions of Python specs.
