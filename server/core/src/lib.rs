//! The pure domain of zeroerr: specs, plans, votes, red flags, verdicts.
//!
//! Nothing here does I/O, reads a clock, draws randomness or knows a runtime: time and seeds are
//! arguments. That wall is held by `server/core/clippy.toml` and by `tests/unit/walls.rs`.

pub mod advice;
pub mod certificate;
pub mod circuit_breaker;
pub mod code;
pub mod decomposition_engine;
pub mod error_handler;
pub mod ports;
pub mod question;
pub mod red_flag_detector;
pub mod report;
pub mod state_manager;
pub mod task_specification;
pub mod verdict;
pub mod voting_engine;
