//! Files that a project's configuration of ruff builds upon (`extend = "../ruff.toml"`). They may lie anywhere: in a
//! monorepo above the package that is copied.

use std::path::{Component, Path, PathBuf};

use super::config::{Section, is_small_file};

/// Longest chain of files that extend each other.
const MAX_CHAIN: usize = 8;
/// Most folders above the project that such a file may lie.
const MAX_UP: usize = 8;

/// The files that `configs` extend, one after the other.
pub(super) fn extended(configs: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for config in configs {
        let mut at = config.clone();
        for _ in 0..MAX_CHAIN {
            let Some(next) = target(&at) else { break };
            let is_toml = next.extension().is_some_and(|e| e == "toml");
            if !is_small_file(&next) || !is_toml || found.contains(&next) || configs.contains(&next) {
                break;
            }
            found.push(next.clone());
            at = next;
        }
    }
    found
}

/// What one file extends. In a file of ruff's own the key stands at the top, elsewhere in ruff's section.
fn target(config: &Path) -> Option<PathBuf> {
    let section = if config.file_name()? == "pyproject.toml" { "tool.ruff" } else { "" };
    let value = Section::of(config, section)?.text("extend")?;
    Some(plain(&config.parent()?.join(value)))
}

/// The way from a folder to a file, with `..` for folders above; `None` where it is too far.
pub(super) fn way(from: &Path, to: &Path) -> Option<PathBuf> {
    let up = from.ancestors().take(MAX_UP + 1).position(|above| to.starts_with(above))?;
    let below = to.strip_prefix(from.ancestors().nth(up)?).ok()?;
    Some(std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(below))
}

/// How many folders up a way leads.
pub(super) fn ups(way: &Path) -> usize {
    way.components().take_while(|c| *c == Component::ParentDir).count()
}

/// A path without `.` and `..`, as it is written.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_up_the_tree_and_in_chains() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("packages/core")).unwrap();
        let ours = at("packages/core/pyproject.toml");
        std::fs::write(&ours, "extend = 'no'\n[tool.ruff]\nextend = \"../../ruff.toml\"  # ours\n").unwrap();
        std::fs::write(at("ruff.toml"), "extend = 'base.toml'\n").unwrap();
        std::fs::write(at("base.toml"), "[lint]\nextend = 'x.toml'\n").unwrap();
        assert_eq!(extended(&[ours]), [at("ruff.toml"), at("base.toml")]);
        let way = way(&at("packages/core"), &at("ruff.toml")).unwrap();
        assert_eq!((way.to_str(), ups(&way)), (Some("../../ruff.toml"), 2));
        assert_eq!(plain(&at("packages/core").join(way)), at("ruff.toml"));
    }
}
