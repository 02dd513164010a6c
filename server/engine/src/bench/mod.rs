//! Recorded samples of a real model through the engine, against a hidden test.
//!
//! [`records`] reads the files, [`subject`] makes the user's file of a task, [`observe`] runs its samples,
//! [`policy`] replays votes on what they did, [`asking`] asks the user, [`advice`] the testers, [`replay`] does it all, [`figures`] and [`chart`]
//! tell. [`corpus`] puts reference solutions and their mutants through the layers.

pub mod advice;
mod asking;
mod cache;
pub mod chart;
pub mod corpus;
pub mod figures;
mod observe;
pub mod policy;
pub mod records;
pub mod replay;
mod subject;
