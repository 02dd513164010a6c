//! What the configuration files around a project's code say: TOML, and the INI of Python's `configparser`.

use std::path::Path;

use configparser::ini::Ini;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// One section of a file.
pub(super) enum Section {
    /// A table of TOML.
    Table(toml::Table),
    /// Keys and values of an INI file.
    Pairs(std::collections::HashMap<String, Option<String>>),
}

impl Section {
    /// A section of a file: `tool.ruff`, `tool:pytest`; without a name all of a TOML file. `None` where the file is not there,
    /// cannot be read, or has no such section.
    pub fn of(path: &Path, name: &str) -> Option<Self> {
        let text = std::fs::read_to_string(Some(path).filter(|p| is_small_file(p))?).ok()?;
        if path.extension().is_some_and(|e| e == "toml") {
            let whole = toml::Value::Table(text.parse().ok()?);
            let mut parts = name.split('.').filter(|part| !part.is_empty());
            return parts.try_fold(&whole, |at, part| at.get(part))?.as_table().cloned().map(Self::Table);
        }
        let mut ini = Ini::new_cs();
        ini.set_multiline(true);
        ini.read(text).ok()?.remove(name).map(Self::Pairs)
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<String> {
        match self {
            Self::Table(table) => table.get(key)?.as_str().map(str::to_owned),
            Self::Pairs(pairs) => pairs.get(key)?.as_deref().map(|text| text.trim().to_owned()),
        }
    }

    /// The words of a key: of a list, or of a text.
    pub fn words(&self, key: &str) -> Vec<String> {
        let list = match self {
            Self::Table(table) => table.get(key).and_then(toml::Value::as_array),
            Self::Pairs(_) => None,
        };
        match list {
            Some(list) => list.iter().filter_map(|word| word.as_str()).map(str::to_owned).collect(),
            None => self.text(key).unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        }
    }
}

/// Whether a path is that of a file that is small enough to be read.
pub(super) fn is_small_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() <= MAX_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_ini_say_texts_and_lists() {
        let folder = tempfile::tempdir().unwrap();
        let words = |file: &str, text: &str, section: &str, key: &str| {
            std::fs::write(folder.path().join(file), text).unwrap();
            Section::of(&folder.path().join(file), section).map(|s| s.words(key).join(" "))
        };
        let some = |text: &str| Some(text.to_owned());
        let toml = "a = 1\n[tool.x]\nk = ['NO']\n[tool.y.z]\nk = [\n    'A', # first\n    \"B\",\n]\nt = 'C D'\n";
        assert_eq!(words("a.toml", toml, "tool.y.z", "k"), some("A B"));
        assert_eq!(words("a.toml", toml, "tool.y.z", "t"), some("C D"));
        assert_eq!(words("a.toml", toml, "tool.none", "k"), None);
        assert_eq!(words("a.toml", "k = 'top'\n", "", "k"), some("top"));
        assert_eq!(words("a.toml", "k = 'broken\n", "", "k"), None);
        let ini = "[pytest]\nk = A\n    B\nother: -X\n# [tool:pytest]\n[tool:pytest]\nk = D\n";
        assert_eq!(words("a.ini", ini, "pytest", "k"), some("A B"));
        assert_eq!(words("setup.cfg", ini, "tool:pytest", "k"), some("D"));
        assert_eq!(words("a.ini", ini, "pytest", "none"), some(""));
        assert!(Section::of(&folder.path().join("none.ini"), "pytest").is_none());
    }
}
