//! The options that a project gives its doctests (pytest's `doctest_optionflags`).

use std::path::Path;

use crate::languages::Subject;

/// Where pytest looks for its settings, and below which heading; the first file that has the heading counts.
const PLACES: [(&str, &str); 5] = [
    ("pytest.ini", "[pytest]"),
    (".pytest.ini", "[pytest]"),
    ("pyproject.toml", "[tool.pytest.ini_options]"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
];

/// The options for doctests of the subject's file, by name; those of the nearest folder that says some.
pub(super) fn of_doctests(subject: &Subject) -> Vec<String> {
    let Some(workspace) = subject.workspace.as_deref() else { return Vec::new() };
    let folders = subject.task.file.ancestors().skip(1).take_while(|folder| folder.starts_with(workspace));
    let read = |folder: &Path| {
        let texts = PLACES.iter().filter_map(|(name, heading)| {
            let text = std::fs::read_to_string(folder.join(name)).ok()?;
            section(&text, heading).map(options)
        });
        texts.into_iter().next()
    };
    folders.into_iter().find_map(read).unwrap_or_default()
}

/// The lines below a heading.
fn section<'t>(text: &'t str, heading: &str) -> Option<Vec<&'t str>> {
    let mut lines = text.lines().skip_while(|line| line.trim() != heading);
    lines.next()?;
    Some(lines.take_while(|line| !line.starts_with('[')).collect())
}

/// The value of the setting: on its line and those that are indented, in TOML up to the bracket.
fn options(lines: Vec<&str>) -> Vec<String> {
    let mut lines = lines.into_iter().skip_while(|line| {
        let rest = line.strip_prefix("doctest_optionflags").map(str::trim_start);
        !rest.is_some_and(|rest| rest.starts_with(['=', ':']))
    });
    let Some(first) = lines.next() else { return Vec::new() };
    let value = first.trim_start_matches("doctest_optionflags").trim_start().trim_start_matches(['=', ':']);
    let rest = lines.take_while(|line| line.starts_with([' ', '\t', ']', '"', '\'']));
    let is_option = |word: &&str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
    };
    let code = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    let words: Vec<String> = std::iter::once(value).chain(rest).map(code).collect();
    let split = words.iter().flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    split.filter(is_option).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{options, section};

    #[test]
    fn options_as_ini_and_toml_say_them() {
        let read = |text: &str, heading: &str| section(text, heading).map(options).unwrap_or_default().join(" ");
        let toml = "[tool.x]\ndoctest_optionflags = [\"SKIP\"]\n[tool.pytest.ini_options]\ndoctest_optionflags = [\n    \"ELLIPSIS\", # dots\n    'NORMALIZE_WHITESPACE',\n]\nother = \"NO\"\n";
        assert_eq!(read(toml, "[tool.pytest.ini_options]"), "ELLIPSIS NORMALIZE_WHITESPACE");
        assert_eq!(
            read("[pytest]\ndoctest_optionflags = ELLIPSIS\n    NUMBER\naddopts = -X\n", "[pytest]"),
            "ELLIPSIS NUMBER"
        );
        assert_eq!(read("[pytest]\naddopts = -q\n", "[pytest]"), "");
    }
}
