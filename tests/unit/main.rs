//! The rules of docs/STYLE.md that a machine can hold. Every check is a function from a tree of
//! files to a list of complaints, and is also run on a tree that breaks the rule, so that it is
//! seen to be able to fail.
#![expect(clippy::expect_used, clippy::panic, reason = "what a test cannot do without fails it, with the place")]

mod documents;
mod helix;
mod pictures;
mod rust;
mod settings;
mod shape;
mod tree;
mod walls;
