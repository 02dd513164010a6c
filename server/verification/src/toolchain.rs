//! The tools that the layers run.

/// The tools that the layers run.
#[derive(Debug)]
pub struct Toolchain;
