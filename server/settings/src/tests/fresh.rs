//! The generated reference is what the code says. A stale page is rewritten, then the test fails.

use std::path::Path;

use crate::{Settings, reference};

const BEGIN: &str = "<!-- settings:begin -->";
const END: &str = "<!-- settings:end -->";

#[test]
fn the_reference_page_is_fresh() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/API_REFERENCE.md");
    let old = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = old.split_once(BEGIN).unwrap_or_else(|| panic!("docs/API_REFERENCE.md has no line {BEGIN}"));
    let (_, tail) = rest.split_once(END).unwrap_or_else(|| panic!("docs/API_REFERENCE.md has no line {END}"));
    let new = format!("{head}{BEGIN}\n{}\n{END}{tail}", reference::markdown().trim_end());
    if old != new {
        std::fs::write(&page, new).unwrap();
        panic!("docs/API_REFERENCE.md was stale and has been rewritten; look at the difference and commit it");
    }
}

#[test]
fn every_key_is_documented() {
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    let page = reference::markdown();
    for (path, _) in crate::load::leaves(defaults.as_object().unwrap()) {
        let key = path.join(".");
        assert!(
            page.contains(&format!("`{key}`")) || page.contains(&format!("`{key}.NAME`")),
            "{key} is not on the page"
        );
    }
    for line in page.lines().filter(|l| l.starts_with("| `")) {
        let prose = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        assert!(prose.len() > 5, "no description: {line}");
        assert!(!line.contains("| any |"), "no type: {line}");
    }
}

#[test]
fn the_schema_accepts_the_built_in_files_and_names_every_section() {
    let schema = reference::schema();
    let properties = schema["properties"].as_object().unwrap();
    for section in reference::sections() {
        assert!(properties.contains_key(section), "{section}");
    }
    assert_eq!(properties.len(), reference::sections().len() + 1, "`environment` and the sections");
    assert_eq!(schema["additionalProperties"], false);
}
