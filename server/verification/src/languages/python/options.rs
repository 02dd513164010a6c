//! The options that a project gives its doctests (pytest's `doctest_optionflags`).

use std::path::Path;

use super::config::Section;
use crate::languages::Subject;

/// Where pytest looks for its settings, and in which section; the first file that has the section counts.
const PLACES: [(&str, &str); 5] = [
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", "tool.pytest.ini_options"),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
];

/// The options for doctests of the subject's file, by name; those of the nearest folder that says some.
pub(super) fn of_doctests(subject: &Subject) -> Vec<String> {
    let Some(workspace) = subject.workspace.as_deref() else { return Vec::new() };
    let mut folders = subject.task.file.ancestors().skip(1).take_while(|folder| folder.starts_with(workspace));
    let section = |folder: &Path| PLACES.iter().find_map(|(file, name)| Section::of(&folder.join(file), name));
    folders.find_map(section).map(|section| section.words("doctest_optionflags")).unwrap_or_default()
}
