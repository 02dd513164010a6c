//! Recorded samples of a real model through the engine, against a hidden test.
//!
//! [`records`] reads the files, [`subject`] makes the user's file of a task, [`observe`] runs its samples,
//! [`policy`] replays votes on what they did, [`asking`] asks the user, [`advice`] the testers, [`reviews`] critics and
//! discriminators, [`replay`] does it all, [`count`] sums it up, [`figures`], [`review_figures`] and [`chart`] tell. [`corpus`] puts reference solutions and their mutants through the layers.

pub mod advice;
mod asking;
mod cache;
pub mod chart;
pub mod corpus;
mod count;
pub mod figures;
mod observe;
pub mod policy;
pub mod records;
pub mod replay;
pub mod review_figures;
mod reviews;
mod subject;
