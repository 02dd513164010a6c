//! The agents: who draws which sample, how samples are made to differ, and the sans-IO
//! orchestrator that turns events into commands.
//!
//! Like `zeroerr-core` this crate does no I/O, holds no clock and no runtime. Randomness is derived
//! from a seed that the caller passes, so that a run can be replayed.

pub mod archetypes;
pub mod base_agent;
pub mod diversity;
pub mod orchestrator;
pub mod plan_machine;
pub mod replies;
pub mod swarm;
