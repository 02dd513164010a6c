//! Real editors against the real `zeroerr` binary.
//!
//! `cargo xtask test` installs the editors and builds the binary; docs/TROUBLESHOOTING.md has the
//! variables that point elsewhere.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "what a test cannot do without fails it, with the place"
)]
#![cfg(target_os = "linux")]

mod emacs;
mod embedded_model;
mod neovim;
mod neovim_comforts;
mod neovim_flows;
mod odd_documents;
mod processes;
mod pytest_lsp;
mod vscode;
mod vscode_settings;
mod walk;
