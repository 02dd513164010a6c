//! The `zeroerr` binary.
fn main() {}
