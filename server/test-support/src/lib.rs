//! Fixtures, the scripted model and a strict LSP test client. Tests use this crate, the product
//! never does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

pub mod lsp_client;
pub mod scripted_model;
pub mod text;

pub use lsp_client::{ClientKind, LspClient};
pub use scripted_model::{Reply, ScriptedModel};
