//! Every flow is shown in every editor, and no picture is left that no page shows.

use std::fs;
use std::path::Path;

/// The flows that a user lives in: as many as the table has rows.
const FLOWS: usize = 12;
const EDITORS: [&str; 3] = ["vscode", "neovim", "helix"];

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is wrong with the rows of the table of pictures.
fn rows(page: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("| ") && l.contains("<img src=")).collect();
    let mut wrong = Vec::new();
    if rows.len() != FLOWS {
        wrong.push(format!("{} flows are shown, not {FLOWS}", rows.len()));
    }
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        for (editor, cell) in EDITORS.iter().zip(cells.iter().skip(1).chain(std::iter::repeat(&""))) {
            let picture = cell.split("<img src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            if !picture.starts_with(&format!("images/{editor}-")) || !exists(picture) {
                wrong.push(format!("{}: no picture of {editor}", cells[0]));
            }
        }
    }
    wrong
}

/// Pictures that no page names.
fn leftovers(pictures: &[String], pages: &str) -> Vec<String> {
    pictures.iter().filter(|name| !pages.contains(&format!("images/{name}"))).cloned().collect()
}

#[test]
fn every_flow_has_a_picture_of_every_editor() {
    let page = fs::read_to_string(root().join("docs/EDITORS.md")).expect("the page");
    assert_eq!(rows(&page, |picture| root().join("docs").join(picture).is_file()), Vec::<String>::new());
    assert_eq!(
        rows(&page.replace("images/helix-cancel", "images/neovim-cancel"), |_| true).len(),
        1,
        "another editor's"
    );
    assert_eq!(rows(&page, |picture| !picture.contains("neovim-guess")).len(), 1, "no such file");
    assert_eq!(rows(&page.replacen("| cancel | <a", "<a", 1), |_| true).len(), 1, "a row less");
}

#[test]
fn every_picture_is_shown_somewhere() {
    let folder = fs::read_dir(root().join("docs/images")).expect("docs/images");
    let pictures: Vec<String> =
        folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    let mut pages = fs::read_to_string(root().join("README.md")).expect("the README");
    for entry in fs::read_dir(root().join("docs")).expect("docs").flatten() {
        pages += &fs::read_to_string(entry.path()).unwrap_or_default();
    }
    assert_eq!(leftovers(&pictures, &pages), Vec::<String>::new());
    assert_eq!(leftovers(&["nowhere.png".to_owned()], &pages), ["nowhere.png"]);
}
