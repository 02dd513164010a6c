//! One file per section of [`crate::Settings`].

pub mod agents;
pub mod coordination;
pub mod llm;
pub mod logging;
pub mod lsp;
pub mod models;
pub mod planning;
pub mod sandbox;
pub mod verification;
pub mod voting;
