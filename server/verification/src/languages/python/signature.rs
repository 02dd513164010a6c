//! Signatures of Python functions.
