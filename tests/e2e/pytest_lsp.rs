//! pytest-lsp against the real server, with the parameters that four real clients send: what an
//! independent client makes of our messages (`pytest_lsp/`).

use std::path::Path;
use std::process::Command;

use crate::neovim::{Editor, data_dir};
use crate::walk;

/// Scripted model.
#[test]
fn an_independent_client_finds_every_answer_within_what_each_editor_announces() {
    let editor = Editor::new(walk::FILE, walk::model(20));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/pytest_lsp");
    let output = Command::new(data_dir().join("e2e/python/bin/python"))
        .args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"])
        .args(["-o", "asyncio_default_fixture_loop_scope=function", "--rootdir"])
        .arg(&tests)
        // Not called `test_…`: no test of this repository reaches a function of the examples.
        .arg(tests.join("clients.py"))
        .env("E2E_SERVER", zeroerr_tests::zeroerr())
        .env("E2E_FILE", editor.file())
        .envs(editor.variables())
        .output()
        .expect("Python starts; `cargo xtask test` installs pytest-lsp for it");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", editor.logs());
    // Five tests for each of the four clients: none was left out.
    assert!(said.contains("20 passed"), "{said}");
}
