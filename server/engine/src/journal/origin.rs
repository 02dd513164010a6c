//! What a run began from: enough to go on with it, to show it and to re-check its edit, without
//! the file as it was.

use serde::{Deserialize, Serialize};
use zeroerr_core::code::{LanguageId, Task, TextRange};
use zeroerr_core::task_specification::Spec;

use crate::options::RunOptions;

/// See the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The enclosing class, if the function is a method.
    pub class: Option<String>,
    /// The function's name.
    pub function: String,
    /// Its language.
    pub language: LanguageId,
    /// The whole file, as the run was given it.
    pub source: String,
    /// Where the function stood in it.
    pub function_range: TextRange,
    /// Where its spec stood.
    pub spec_range: TextRange,
    /// What it must do.
    pub spec: Spec,
    /// The rules of the run.
    pub options: RunOptions,
    /// Models in the order of the swarm.
    pub models: Vec<String>,
    /// The earlier run whose samples it takes up.
    #[serde(default)]
    pub continues: Option<String>,
    /// Questions of earlier runs that were answered before it.
    #[serde(default)]
    pub answered: u32,
    /// Version of zeroerr that began the run.
    pub zeroerr: String,
}

impl Origin {
    /// The origin of a run of `task`.
    pub fn of(task: &Task, options: &RunOptions, models: Vec<String>) -> Self {
        Self {
            class: task.class.clone(),
            function: task.signature.name.clone(),
            language: task.language,
            source: task.source.to_string(),
            function_range: task.function_range,
            spec_range: task.spec_range,
            spec: task.spec.clone(),
            options: options.clone(),
            models,
            continues: None,
            answered: 0,
            zeroerr: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// `Class.name`, or the bare name.
    pub fn qualified(&self) -> String {
        qualified(self.class.as_deref(), &self.function)
    }
}

/// `Class.name`, or the bare name.
pub(crate) fn qualified(class: Option<&str>, name: &str) -> String {
    class.map_or_else(|| name.to_owned(), |class| format!("{class}.{name}"))
}
