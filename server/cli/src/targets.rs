//! Which functions of a file a command is about.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::code::{FileAnalysis, Task, line_of};
use zeroerr_core::task_specification::{Severity, SpecDiagnostic};
use zeroerr_engine::Workbench;

use crate::exit::CliError;
use crate::files;

/// Bytes of the largest file whose functions are written and verified: type checkers run out of time beyond, then
/// interpreters out of memory, which would look like a fault of the function.
const LARGEST: usize = 1024 * 1024;

/// One file with its functions.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path, as the user wrote it or as it was found.
    pub path: PathBuf,
    /// Its text.
    pub text: Arc<str>,
    /// Functions with specs, and faults of the specs.
    pub analysis: FileAnalysis,
}

/// Names a function in a file whose text may change: class, name, and which of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    class: Option<String>,
    name: String,
    nth: usize,
}

impl Key {
    /// `Class.name`, as shown and as `--function` takes it.
    pub fn shown(&self) -> String {
        match &self.class {
            Some(class) => format!("{class}.{}", self.name),
            None => self.name.clone(),
        }
    }

    fn fits(&self, task: &Task) -> bool {
        task.class == self.class && task.signature.name == self.name
    }

    /// The task in a later state of the file.
    pub fn find<'a>(&self, analysis: &'a FileAnalysis) -> Option<&'a Task> {
        analysis.tasks.iter().filter(|t| self.fits(t)).nth(self.nth)
    }
}

impl Source {
    /// Reads and analyses a file.
    ///
    /// # Errors
    /// When it cannot be read, or has specs and is larger than the tools of the layers can take.
    pub fn read(workbench: &dyn Workbench, path: &Path) -> Result<Self, CliError> {
        let text = files::read(path)?;
        let absolute = zeroerr_settings::paths::absolute(path.to_path_buf());
        if absolute.to_str().is_none() {
            return Err(CliError::usage(format!("{}: its path is not UTF-8; rename it", absolute.display())));
        }
        let analysis = workbench.analyse(&absolute, &text);
        // A large file without specs, as generators write them, is in nobody's way.
        if text.len() > LARGEST && !analysis.tasks.is_empty() {
            return Err(CliError::usage(format!(
                "{}: is larger than 1 MiB, more than the layers' tools can take; move functions with a spec into a file of their own",
                path.display()
            )));
        }
        Ok(Self { path: path.to_path_buf(), text, analysis })
    }

    /// Keys of all functions, in file order.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for task in &self.analysis.tasks {
            let nth = keys.iter().filter(|k| k.fits(task)).count();
            keys.push(Key { class: task.class.clone(), name: task.signature.name.clone(), nth });
        }
        keys
    }

    /// Keys of the functions that are called `wanted` (`name` or `Class.name`).
    pub fn named(&self, wanted: &str) -> Vec<Key> {
        self.keys().into_iter().filter(|k| k.name == wanted || k.shown() == wanted).collect()
    }

    /// The task of a key that [`Source::keys`] gave.
    pub fn task(&self, key: &Key) -> Option<&Task> {
        key.find(&self.analysis)
    }

    /// Faults of the specs as lines `path:line: error: …`.
    pub fn faults(&self) -> Vec<String> {
        self.analysis.diagnostics.iter().map(|d| self.fault(d)).collect()
    }

    fn fault(&self, diagnostic: &SpecDiagnostic) -> String {
        let word = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        let line = line_of(&self.text, diagnostic.range.start);
        format!("{}:{line}: {word}: {} [{}]", self.path.display(), diagnostic.message, diagnostic.code)
    }
}

/// The sentence for a function that is not there, with the nearest name.
pub fn no_such_function(wanted: &str, sources: &[Source]) -> CliError {
    let names: Vec<String> = sources.iter().flat_map(Source::keys).map(|k| k.shown()).collect();
    let near = names.iter().max_by(|a, b| strsim::jaro_winkler(wanted, a).total_cmp(&strsim::jaro_winkler(wanted, b)));
    let remedy = match near {
        Some(near) if strsim::jaro_winkler(wanted, near) > 0.75 => format!("did you mean `{near}`?"),
        Some(_) => format!("functions with a spec: {}", names.join(", ")),
        None => "no function there has a spec; write `# @spec …` above it".to_owned(),
    };
    CliError::usage(format!("there is no function `{wanted}` with a spec; {remedy}"))
}
