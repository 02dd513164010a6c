//! Emacs 28 with Eglot 1.9: the old client, which never resolves and shows neither lenses nor progress.
//!
//! `apt install emacs-nox elpa-eglot` installs it. Where it is missing the tests say so on the terminal,
//! past the capture of test output, and pass.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use expect_test::expect;

use crate::neovim::{Editor, Model, Record};

const STUB: &str = "\
# @spec Return the sum of the numbers in xs; 0 for an empty list. 🐍 ü
# @example total([1, 2, 3]) == 6
# @example total([]) == 0
# @property total(xs) == total(list(reversed(xs)))
def total(xs: list[int]) -> int: ...


LIMIT = 10
";

const GOOD: &str = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";

/// Runs a flow of `emacs/flows.el`; `None` where there is no Emacs with Eglot.
fn run(flow: &str, delay_ms: u64) -> Option<Record> {
    let emacs = std::env::var_os("ZEROERR_E2E_EMACS").unwrap_or_else(|| "emacs".into());
    let ready = "(progn (require 'package) (package-initialize) (require 'eglot))";
    let found = Command::new(&emacs).args(["-Q", "--batch", "--eval", ready]).output();
    if !found.is_ok_and(|o| o.status.success()) {
        let why = format!("\nNOT RUN: emacs flow `{flow}`: no Emacs with Eglot; apt install emacs-nox elpa-eglot\n");
        drop(std::io::stderr().write_all(why.as_bytes()));
        return None;
    }
    let responses = (0..20).map(|_| (GOOD.to_owned(), delay_ms)).collect();
    let editor = Editor::new(STUB, Model::Scripted(responses));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(emacs);
    command.args(["-Q", "--batch", "-L"]).arg(here.join("../editors/emacs"));
    command.arg("-l").arg(here.join("e2e/emacs/flows.el")).args(["-f", &format!("flow-{flow}")]);
    Some(editor.judge(flow, editor.launch(command, "total")))
}

#[test]
fn a_stub_is_written_in_emacs_and_one_undo_takes_it_back() {
    let Some(record) = run("implement", 50) else { return };
    expect![[r#"
        # @spec Return the sum of the numbers in xs; 0 for an empty list. 🐍 ü
        # @example total([1, 2, 3]) == 6
        # @example total([]) == 0
        # @property total(xs) == total(list(reversed(xs)))
        def total(xs: list[int]) -> int:
            return sum(xs)


        LIMIT = 10
    "#]]
    .assert_eq(&record.text("after"));
    assert!(record.holds("undone_is_the_original"), "{}", record.seen());
}

#[test]
fn a_function_changed_meanwhile_is_left_alone_in_emacs() {
    let Some(record) = run("stale", 500) else { return };
    assert!(record.holds("untouched"), "{}", record.seen());
}

#[test]
fn a_run_is_cancelled_by_a_command_in_emacs() {
    let Some(record) = run("cancel", 500) else { return };
    assert!(record.holds("untouched"), "{}", record.seen());
}
