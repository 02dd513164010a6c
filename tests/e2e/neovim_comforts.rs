//! The optional Neovim plugin: status line, run window, menu, health and help, in a real Neovim.
//!
//! All with the scripted model.

use expect_test::expect;

use crate::neovim::{Editor, Model};

const STUB: &str = "\
# @spec Return the sum of the numbers in xs; 0 for an empty list.
# @example total([1, 2, 3]) == 6
# @example total([]) == 0
def total(xs: list[int]) -> int: ...
";
/// No spec, and wrong: what a selection with an instruction is for.
const PLAIN: &str = "\
def total(xs: list[int]) -> int:
    \"\"\"
    >>> total([1, 2, 3])
    6
    \"\"\"
    return 0
";
const GOOD: &str = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";

fn editor(source: &str) -> Editor {
    Editor::new(source, Model::Scripted(vec![(GOOD.to_owned(), 300); 20]))
}

#[test]
fn status_line_run_window_and_menu_follow_a_run() {
    let record = editor(STUB).run("comforts", "total");
    assert_eq!((record.get("line_before"), record.get("line_after")), (&"".into(), &"".into()), "{}", record.seen());
    let during = record.get("line_during").as_str().unwrap_or_default();
    assert!(during.starts_with("zeroerr total: "), "{during}");
    assert_eq!(record.text("lenses"), "Generate\n");
    assert_eq!(record.text("empty_window"), "Nothing ran yet. `gra` on a function with a spec begins.\n");
    assert!(record.holds("cursor_stays"), "the window took the cursor");
    let window = record.text("window");
    let lines: Vec<&str> = window.lines().collect();
    assert_eq!(lines.first(), Some(&"  zeroerr: implement `total`"), "{window}");
    assert!(lines.iter().any(|l| l.contains(" of 3") && l.contains("ahead by")), "{window}");
    assert!(lines.last().is_some_and(|l| l.starts_with("    verified: 5 of 8 checks passed")), "{window}");
    let lens = record.get("lens_after").as_str().unwrap_or_default();
    assert!(lens.starts_with("5/8 checks @v") && lens.ends_with(" · 3 votes, ahead by 3"), "{lens}");
    assert_eq!(record.get("windows_left"), 1);
    expect![[r#"
        Implement the function at the cursor
        Verify the function at the cursor
        Implement every stub of this file
        Verify what was changed since it was checked
        Implement the selection after one instruction
        Follow the runs in a window
        Cancel what runs
        Show model, sandbox and tools
        Open the report of the last run
    "#]]
    .assert_eq(&record.text("menu"));
    expect![[r#"
        selection
        status
    "#]]
    .assert_eq(&record.text("completed"));
}

#[test]
fn a_selection_is_written_after_one_instruction() {
    let record = editor(PLAIN).run("selection", "total");
    assert_eq!(record.get("prompt"), "zeroerr, what is it to do? ");
    assert!(record.text("after").contains("    return sum(xs)"), "{}", record.seen());
}

#[test]
fn health_names_what_is_missing_and_the_help_is_found() {
    let record = editor(STUB).run("health", "total");
    let well = record.text("well");
    for line in ["OK Neovim 0.11.4", "OK `lsp/zeroerr.lua` is found, for python", "OK running: version", "OK sandbox: "]
    {
        assert!(well.contains(line), "{line} is missing:\n{well}");
    }
    assert!(!well.contains("ERROR"), "{well}");
    let ill = record.text("ill");
    assert!(ill.contains("ERROR `/nonexistent/zeroerr` cannot be started") && ill.contains("cargo build"), "{ill}");
    assert!(record.get("help").as_str().is_some_and(|l| l.contains("*zeroerr-statusline*")), "{}", record.seen());
}
