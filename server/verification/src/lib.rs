//! The eight-layer verification stack and its language adapters.

pub mod claims;
pub mod fingerprint;
pub mod languages;
pub mod layers;
pub mod questions;
pub mod toolchain;
mod verdict_cache;
pub mod verification_stack;
