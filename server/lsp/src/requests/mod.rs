//! One method of the protocol, one small file: read the parameters, ask the state, write the answer.

pub(crate) mod code_action;
pub(crate) mod code_lens;
pub(crate) mod completion;
pub(crate) mod configuration;
pub(crate) mod disagreement;
pub(crate) mod execute_command;
pub(crate) mod hover;
pub(crate) mod lifecycle;
pub(crate) mod selection;
pub(crate) mod show_report;
pub(crate) mod text_sync;
