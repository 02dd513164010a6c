//! What a project would install of itself: its name and version, where a copy of it can be asked for them.
//!
//! `importlib.metadata.version("acme")` in `__init__` is how packages are told to know their version; in a copy that
//! nobody installed such a package would not load.

use std::path::{Path, PathBuf};

use super::config::Section;
use super::place::{folders_above, installed};
use crate::languages::Subject;

/// Stands where the version is made when the project is built.
const SOME_VERSION: &str = "0.0.0";

/// Writes it beside a copy of the project; does nothing where the project has no name.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn install(subject: &Subject, root: &Path) -> std::io::Result<()> {
    let Some((name, version)) = subject.workspace.as_deref().and_then(|w| distribution(&subject.task.file, w)) else {
        return Ok(());
    };
    let normal: String = name.to_lowercase().chars().map(|c| if matches!(c, '-' | '.') { '_' } else { c }).collect();
    let folder: PathBuf = installed(root).join(format!("{normal}-{version}.dist-info"));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"))
}

/// The name and the version that the nearest project above a file gives itself.
fn distribution(file: &Path, workspace: &Path) -> Option<(String, String)> {
    const PLACES: [(&str, &str); 3] =
        [("pyproject.toml", "project"), ("pyproject.toml", "tool.poetry"), ("setup.cfg", "metadata")];
    folders_above(file, workspace).find_map(|folder| {
        PLACES.iter().find_map(|(config, section)| {
            let section = Section::of(&folder.join(config), section)?;
            let name = section.text("name").filter(|n| is_plain(n))?;
            let version = section.text("version").filter(|v| is_plain(v));
            Some((name, version.unwrap_or_else(|| SOME_VERSION.into())))
        })
    })
}

/// Whether a text can be part of a file's name.
fn is_plain(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_known_by_its_own_section() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("src/acme/a.py");
        let says = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            distribution(&file, folder.path())
        };
        let some = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(says("setup.cfg", "[metadata]\nname = old\nversion = attr: old.v\n"), some("old", "0.0.0"));
        let project =
            "[tool.x]\nname = \"no\"\n[project]\nname = \"Acme-Core\"  # ours\nversion = '1.2'\n[y]\nname = 'z'\n";
        assert_eq!(says("pyproject.toml", project), some("Acme-Core", "1.2"));
        assert_eq!(
            says("pyproject.toml", "[project]\nname = \"../x\"\n"),
            some("old", "0.0.0"),
            "a name that is a path"
        );
        assert_eq!(says("pyproject.toml", "[tool.poetry]\nname = \"p\"\n"), some("p", "0.0.0"));
    }
}
