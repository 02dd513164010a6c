//! The eight-layer verification stack and its language adapters.

pub mod languages;
pub mod toolchain;
