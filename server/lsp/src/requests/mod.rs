//! One method of the protocol, one small file: read the parameters, ask the state, write the answer.

pub(crate) mod code_action;
pub(crate) mod code_lens;
pub(crate) mod completion;
pub(crate) mod configuration;
mod counterexample;
pub(crate) mod diagnostic;
pub(crate) mod disagreement;
pub(crate) mod document_link;
pub(crate) mod execute_command;
pub(crate) mod folding_range;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod inline_completion;
pub(crate) mod lifecycle;
pub(crate) mod selection;
pub(crate) mod semantic_tokens;
pub(crate) mod show_report;
pub(crate) mod text_sync;
pub(crate) mod trace;
pub(crate) mod watched_files;
pub(crate) mod whole_file;
pub(crate) mod workspace_diagnostic;
pub(crate) mod workspace_folders;
