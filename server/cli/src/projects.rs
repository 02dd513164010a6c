//! Which project's rules hold for a file: a command may be given files of several, each with settings of its own.

use std::path::{Path, PathBuf};

use zeroerr_core::verdict::Policy;
use zeroerr_settings::{Settings, load, paths};

use crate::args::Global;
use crate::compose::Composed;
use crate::context::{Context, sources};
use crate::exit::CliError;

/// One project of a command: its settings file, and the parts that are put together for it.
pub struct Project {
    /// `None`: files of no project.
    file: Option<PathBuf>,
    /// The parts.
    pub composed: Composed,
    /// Which layers must pass.
    pub policy: Policy,
}

/// All projects of a command; there is one at least.
pub struct Projects {
    first: Project,
    others: Vec<Project>,
}

impl Projects {
    /// The projects of these files, the one that `context` was loaded for first. `compose` puts the parts together.
    ///
    /// # Errors
    /// Settings that cannot be used, and what `compose` complains about.
    pub fn of_files(
        global: &Global,
        context: &Context,
        files: &[PathBuf],
        compose: impl Fn(&Settings) -> Result<Composed, CliError>,
    ) -> Result<Self, CliError> {
        let project = |file: Option<PathBuf>, settings: &Settings| {
            compose(settings).map(|composed| Project { file, composed, policy: settings.verification.policy() })
        };
        let first = project(context.sources.project_file.clone(), &context.loaded.settings)?;
        let mut all = Self { first, others: Vec::new() };
        for path in files {
            let file = settings_file(path);
            if all.has(file.as_deref()) {
                continue;
            }
            let loaded = load(&sources(global, folder(path), &[]))?;
            let new = loaded.notes.iter().filter(|note| !context.loaded.notes.contains(note));
            new.for_each(|note| context.ui.note(&format!("note: {note}")));
            all.others.push(project(file, &loaded.settings)?);
        }
        Ok(all)
    }

    fn has(&self, file: Option<&Path>) -> bool {
        std::iter::once(&self.first).chain(&self.others).any(|p| p.file.as_deref() == file)
    }

    /// The project that `context` was loaded for.
    pub fn first(&self) -> &Project {
        &self.first
    }

    /// The project of a file.
    pub fn of(&self, path: &Path) -> &Project {
        let file = settings_file(path);
        self.others.iter().find(|p| p.file == file).unwrap_or(&self.first)
    }
}

/// The settings file of the project that a file belongs to.
pub fn settings_file(path: &Path) -> Option<PathBuf> {
    paths::project_file(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
